"""The children's logs: whole lines, bounded files, nothing lost before the bound."""

import itertools
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tram.embedded.logfile import LONGEST_LINE, LogFile

LINES = st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\n", b" ")), max_size=30)


@given(lines=LINES, cuts=st.lists(st.integers(0, 400), max_size=20))
def test_lines_come_out_whole_however_they_come_in(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        log = LogFile(Path(folder), "child")
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        got = [text for a, b in itertools.pairwise(edges) for text in log.write(data[a:b])]
        log.close()
        assert got == [line.decode("utf-8", "replace") for line in lines]
        assert log.path.read_bytes() == data


@given(lines=LINES, largest=st.integers(50, 300), kept=st.integers(1, 3))
def test_files_stay_bounded_and_hold_the_newest_lines_in_order(lines: list[bytes], largest: int, kept: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = LogFile(Path(folder), "child", largest=largest, kept=kept)
        for line in lines:
            log.write(line + b"\n")
        log.close()
        files = sorted(Path(folder).iterdir(), reverse=True, key=lambda p: (p.suffix != ".log", p.name))
        assert len(files) <= kept + 1
        assert all(file.stat().st_size <= max(largest, 61) for file in files)
        everything = b"".join(line + b"\n" for line in lines)
        assert everything.endswith(b"".join(file.read_bytes() for file in files))


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    log = LogFile(tmp_path, "child")
    assert [len(line) for line in log.write(b"x" * (LONGEST_LINE + 1))] == [LONGEST_LINE + 1]
    assert log.write(b"rest") == []
    assert log.finish() == ["rest"]
    assert log.last == "rest"
    log.close()


def test_a_full_disk_loses_lines_not_the_child(tmp_path: Path) -> None:
    (tmp_path / "child.log").symlink_to("/dev/full")
    log = LogFile(tmp_path, "child")
    assert log.write(b"one\ntwo\n") == ["one", "two"]
    assert log.lost == 2
