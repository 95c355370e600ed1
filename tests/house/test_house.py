"""The rules of the house that no linter keeps: links lead somewhere, modules are one thing, tests do not sleep."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = 430  # about 300 is the aim; what is longer than this is two things
LISTS = {"telehealth/messages.py", "web/consult/messages.ts", "web/wall/data/schema.d.ts"}
"""One message, one answer after the other; the latter two are written by a program. Cutting makes nothing clearer."""


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
        if str(path.relative_to(ROOT)) not in LISTS
        and not {"tests", "bench"} & set(path.parts)
        and ".test." not in path.name
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    }  # fmt: skip
    assert long == {}


def test_tests_wait_for_conditions() -> None:
    # A pause of a poll or between paced messages is no synchronisation; anything longer hopes.
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in tracked("tests/*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("time.sleep", "asyncio.sleep")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value > 0.75
    ]
    assert found == []


def test_decisions_have_a_number_each() -> None:
    numbers = [path.name[:4] for path in tracked("docs/adr/*.md") if re.match(r"\d{4}-", path.name)]
    assert len(numbers) == len(set(numbers))


def test_an_advisory_lock_has_one_meaning() -> None:
    # What leads holds its lock for as long as it lives (services/led.py): nothing else may wait for the same number.
    text = {path: path.read_text(encoding="utf-8") for path in tracked("*.py", "*.sql") if "tests" not in path.parts}
    led = re.compile(r"^LOCK = (\d+)|super\(\).__init__\(.*\block=(\d+)|^ +settings, stopping, .*\block=(\d+)", re.M)
    held = [
        number for path, code in text.items() if path.suffix == ".py" and "services" in path.parts
        for groups in led.findall(code) for number in groups if number
    ]  # fmt: skip
    waited = {
        number for path, code in text.items() if path.suffix == ".sql"
        for number in re.findall(r"advisory\w*\((?:x'7472616d'::int|1953653101), (\d+)\)", code)
    }  # fmt: skip
    assert {"2", "120", "127", "128", "129"} <= set(held)
    assert {"0", "1", "3", "4", "5"} <= waited
    assert len(held) == len(set(held))
    assert not waited & set(held)


def test_locked_requirements_name_no_download_host() -> None:
    pattern = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|file:")
    for path in tracked("requirements/*.txt"):
        assert not pattern.search(path.read_text(encoding="utf-8")), path.name
    for path in tracked("**/package-lock.json", "package-lock.json"):
        assert '"resolved"' not in path.read_text(encoding="utf-8"), path.name
