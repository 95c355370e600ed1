"""The web pages' own checks: types, lint, vitest. And that they are built once, by any node, and never half."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_web", ROOT / "deploy" / "build_web.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build_web = load()


@pytest.fixture(scope="session")
def npm() -> list[str]:
    """npm with the locked packages in place; skips, saying why, where it cannot be had."""
    try:
        command: list[str] = build_web.npm(install=True)
        build_web.modules(command)
    except build_web.WebError as error:
        pytest.skip(f"THE WEB PAGES ARE NOT TESTED: {error}")
    return command


@pytest.mark.parametrize("script", ["lint", "check", "test"])
@pytest.mark.timeout(300)
def test_script(npm: list[str], script: str) -> None:
    done = subprocess.run(
        [*npm, "run", "--silent", script],
        cwd=WEB,
        env=build_web.environment(npm),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f"npm run {script}\n{done.stdout}\n{done.stderr}"


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or "integrity" in package, f"{name}: no hash"


def test_requirement_files_name_no_registry() -> None:
    for path in (ROOT / "requirements").iterdir():
        assert not re.search(r"https?://|file://|--(extra-)?index-url", path.read_text()), path.name


def test_checksum_sees_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "a.ts").write_text("1")
    (tmp_path / "node_modules").mkdir()
    first = build_web.checksum(tmp_path)
    (tmp_path / "node_modules" / "x.js").write_text("other")
    (tmp_path / "page" / "a.test.ts").write_text("a test changes no page")
    assert build_web.checksum(tmp_path) == first
    (tmp_path / "page" / "a.ts").write_text("2")
    second = build_web.checksum(tmp_path)
    assert second != first
    (tmp_path / "page" / "a.ts").rename(tmp_path / "page" / "b.ts")
    assert build_web.checksum(tmp_path) not in (first, second)


def test_failed_build_says_one_line_and_leaves_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    web, out = tmp_path / "web", tmp_path / "web_dist"
    web.mkdir()
    (web / "package-lock.json").write_text("{}")
    out.mkdir()
    (out / "page.html").write_text("yesterday's")
    broken = tmp_path / "npm"
    broken.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(build_web, "WEB", web)
    monkeypatch.setattr(build_web, "OUT", out)
    monkeypatch.setattr(build_web, "npm", lambda **_: [str(broken)])
    monkeypatch.setattr(build_web, "fresh", lambda: False)
    monkeypatch.delenv("TRAM_X_SKIP_WEB", raising=False)

    monkeypatch.setattr("sys.argv", ["build_web.py", "--go-on"])
    assert build_web.main() == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ENOTFOUND" in said
    assert "make web" in said
    assert (out / "page.html").read_text() == "yesterday's"

    monkeypatch.setattr("sys.argv", ["build_web.py"])
    assert build_web.main() == 1


def test_skipping_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAM_X_SKIP_WEB", "1")
    monkeypatch.setattr(build_web, "npm", lambda **_: pytest.fail("node was looked for"))
    assert build_web.build(install=True) is False
