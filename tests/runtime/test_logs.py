"""One line a record, and no secret in it."""

import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tram.runtime.logs import LONGEST, LineFormatter, hide_secrets, setup_logging


def line(message: str, **extra: object) -> str:
    record = logging.LogRecord("a.b", logging.INFO, __file__, 1, message, None, None)
    vars(record).update(extra)
    return LineFormatter("gateway").format(record)


def test_a_record_is_one_line_of_pairs() -> None:
    said = line("stored a batch", rows=10, source="mosquitto 2")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info process=gateway logger=a\.b "
        r'msg="stored a batch" rows=10 source="mosquitto 2"',
        said,
    )


@given(st.text(max_size=200), st.text(max_size=50))
def test_whatever_is_logged_stays_one_line(message: str, value: str) -> None:
    assert len(line(message.replace("%", ""), value=value).splitlines()) == 1


def test_an_exception_stays_on_its_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    said = LineFormatter("api").format(record)
    assert "\n" not in said
    assert "ValueError: two" in said


def test_a_huge_record_is_cut() -> None:
    assert len(line("x" * 100_000)) == LONGEST + 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://tram:s3cr3t@127.0.0.1:5432/tram", "postgresql://tram:***@127.0.0.1:5432/tram"),
        ("connect to mqtts://d:a:b@h now", "connect to mqtts://d:***@h now"),
        ("host=h password=abc dbname=d", "host=h password=*** dbname=d"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("https://x/y?token=abc&z=1", "https://x/y?token=***&z=1"),
        ("nothing to hide at 12:30", "nothing to hide at 12:30"),
    ],
)
def test_secrets_are_blanked(text: str, shown: str) -> None:
    assert hide_secrets(text) == shown


@given(st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters="@/:#?"), min_size=6, max_size=30))
def test_no_password_of_a_url_is_ever_written(password: str) -> None:
    said = line(f"lost postgresql://tram:{password}@db/tram", url=f"mqtt://u:{password}@h")
    assert f":{password}@" not in said
    assert said.count(":***@") == 2


def test_a_level_is_a_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        setup_logging("worker", "warning")
        logging.getLogger("x").info("quiet")
        logging.getLogger("x").warning("loud")
        said = capsys.readouterr().err
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.captureWarnings(False)
    assert "quiet" not in said
    assert "loud" in said
