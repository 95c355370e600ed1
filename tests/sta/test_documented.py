"""docs/sensorthings.md, the service root and the tests say the same of what this server conforms to."""

import ast
import re
from pathlib import Path

from services.sta.root import CONFORMANCE, CREATES, RECEIVES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sensorthings.md").read_text(encoding="utf-8")


def rows() -> list[tuple[str, str]]:
    """(classes, tests) of the table."""
    table = PAGE.split("## Requirement classes")[1].split("\n\n")[1]
    found = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return [(classes.strip(), tests.strip()) for classes, tests in found]


def functions(name: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / "sta" / name).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_class_that_is_claimed_stands_in_the_table_and_no_other() -> None:
    listed = [name for classes, _ in rows() for name in re.findall(r"[a-z-]+/[a-z-]+", classes)]
    claimed = [name.split("/req/")[1] for name in (*CONFORMANCE, CREATES, RECEIVES)]
    assert sorted(listed) == sorted(claimed)
    assert len(set(listed)) == len(listed)


def test_every_test_that_a_class_names_is_there() -> None:
    assert len(rows()) > 10
    named = 0
    for _, tests in rows():
        file = ""
        for word in re.findall(r"`([^`]+)`", tests):
            before, colons, test = word.partition("::")
            file = before if before.endswith(".py") else file
            test = test if colons else "" if before.endswith(".py") else before
            assert (ROOT / "tests" / "sta" / file).is_file(), word
            if test:
                assert test in functions(file), word
            named += 1
    assert named >= len(rows())


def test_every_other_test_that_the_page_names_is_there() -> None:
    everything = {name for path in (ROOT / "tests" / "sta").glob("test_*.py") for name in functions(path.name)}
    assert set(re.findall(r"`(?:test_\w+\.py::)?(test_\w+)`", PAGE)) <= everything
