"""The rules of the house that no linter keeps: links lead somewhere, modules are one thing, tests do not sleep."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = 350


def tracked(*patterns: str) -> list[Path]:
    # Files being written count too, unless they are ignored.
    out = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if out.returncode:
        pytest.skip("not a git checkout: the list of files is not to be had")
    return [ROOT / name for name in out.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_every_relative_link_in_the_documents_leads_somewhere() -> None:
    broken = []
    for page in tracked("*.md"):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (page.parent / target.split("#")[0]).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_a_module_is_one_thing() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked("*.py", "*.ts", "*.svelte", "*.sql")
        if "generated" not in path.parts and not path.name.endswith("_pb2.py")
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    }  # fmt: skip
    assert long == {}


def test_tests_wait_for_conditions() -> None:
    # A poll's pause of a few hundredths is no synchronisation; anything longer hopes.
    sleepy = re.compile(r"(?:time|asyncio)\.sleep\((?:0\.[1-9]|[1-9])")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("tests/*.py")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if sleepy.search(line)
    ]
    assert found == []


def test_decisions_have_a_number_each() -> None:
    numbers = [path.name[:4] for path in tracked("docs/adr/*.md") if re.match(r"\d{4}-", path.name)]
    assert len(numbers) == len(set(numbers))


def test_locked_requirements_name_no_download_host() -> None:
    pattern = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|file:")
    for path in tracked("requirements/*.txt"):
        assert not pattern.search(path.read_text(encoding="utf-8")), path.name
    for path in tracked("**/package-lock.json", "package-lock.json"):
        assert '"resolved"' not in path.read_text(encoding="utf-8"), path.name
