"""TimescaleDB for the embedded PostgreSQL: built from Debian's source package, kept, put beside the wheel's server.

    fetched through apt -> built with cmake and ninja against the wheel's pg_config -> archive in the user's cache
    -> unpacked into the wheel's own prefix, the only place where PostgreSQL 16 looks for extensions

It is the Apache edition: hypertables, time_bucket, no columnstore and no continuous aggregates. A fresh environment
takes it from the cache in a second. docs/adr/0012-timescaledb-from-source.md has the reasons.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tram.embedded import debian_source, prefix
from tram.errors import UnavailableError

PACKAGE = "timescaledb"
SUITE = "trixie"  # the first Debian release that has it
OPTIONS = {
    "CMAKE_BUILD_TYPE": "Release",
    "APACHE_ONLY": "1",  # Debian's package leaves the Timescale-licensed part out of the archive
    "REGRESS_CHECKS": "OFF",
    "TAP_CHECKS": "OFF",
    "USE_TELEMETRY": "OFF",
    "WARNINGS_AS_ERRORS": "OFF",  # the compiler here is not the one upstream tried
    "USE_OPENSSL": "OFF",  # the wheel's server is built without it
}
BUILD_TIMEOUT = 900.0

Say = Callable[[str], None]


def installed() -> str | None:
    """The version that stands beside the embedded PostgreSQL, or None."""
    return prefix.timescaledb_version()


def missing() -> list[str]:
    """One line for each thing that a build needs and this machine lacks."""
    lines = debian_source.missing()
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        lines.append("a C compiler: Debian: apt-get install gcc libc6-dev")
    elif not any(Path(folder, "stdio.h").is_file() for folder in ("/usr/include", "/usr/local/include")):
        lines.append("the C library's headers: Debian: apt-get install libc6-dev")
    lines += [
        f"{tool}: pip install --require-hashes -r requirements/timescaledb.txt (make timescaledb does)"
        for tool in ("cmake", "ninja")
        if _tool(tool) is None
    ]
    return lines


def install(say: Say) -> str:
    """Makes sure that the extension is there; returns its version.

    Args:
        say: told in one line each what happens.

    Raises:
        UnavailableError: it cannot be built; one line of the message for each thing missing.
    """
    if version := installed():
        return version
    _require_writable()
    with _one_at_a_time():
        archive = cached()
        if archive is None:
            archive = _build(say)
        else:
            say(f"taking it from {archive}")
        _unpack(archive)
    version = installed()
    if version is None:
        archive.unlink(missing_ok=True)
        raise UnavailableError(f"{archive} was incomplete and is removed: try again")
    return version


def restore() -> str | None:
    """Puts the extension back from the cache, if it is there; builds nothing. Returns the version, or None."""
    if version := installed():
        return version
    archive = cached()
    if archive is None:
        return None
    _require_writable()
    with _one_at_a_time():
        _unpack(archive)
    return installed()


def cached() -> Path | None:
    """The newest archive in the cache that fits this PostgreSQL, machine and C library."""
    return max(_cache().glob(f"timescaledb-*-{_fit()}.tar.gz"), key=lambda path: path.stat().st_mtime, default=None)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "tram"


def _fit() -> str:
    """What a built extension depends on, for the archive's name."""
    try:
        done = subprocess.run(
            [prefix.program("postgres"), "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(f"the embedded PostgreSQL does not run here: {error}") from None
    libc = "".join(platform.libc_ver())
    return f"pg{done.stdout.split()[-1]}-{platform.machine()}-{libc or 'libc'}"


def _tool(name: str) -> str | None:
    """A build tool: the environment's own first."""
    return shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def _require_writable() -> None:
    for folder in (prefix.extension_folder(), prefix.library_folder()):
        if not os.access(folder, os.W_OK):
            raise UnavailableError(f"{folder} cannot be written: use an environment of your own (make makes one)")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two at once would build twice and mix their files."""
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(say: Say) -> Path:
    lacks = missing()
    if lacks:
        raise UnavailableError("\n".join(f"missing: {line}" for line in lacks))
    with tempfile.TemporaryDirectory(prefix="build-", dir=_cache()) as name:
        workplace = Path(name)
        say("fetching the sources (Debian's source package)")
        source = debian_source.fetch(PACKAGE, SUITE, workplace)
        proof = "signature checked" if source.verified else "checksums checked; no key here to check the signature"
        say(f"building TimescaleDB {source.version} ({proof}); about a minute")
        cmake, ninja = _tool("cmake"), _tool("ninja")
        options = [f"-D{key}={value}" for key, value in OPTIONS.items()]
        build = str(workplace / "build")
        _run([str(cmake), "-S", str(source.folder), "-B", build, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}",
              f"-DPG_CONFIG={prefix.program('pg_config')}", *options])  # fmt: skip
        _run([str(cmake), "--build", build])
        stage = workplace / "stage"
        _run([str(cmake), "--install", build], DESTDIR=str(stage))
        version = source.version.partition("+")[0].partition("-")[0]
        return _pack(stage, _cache() / f"timescaledb-{version}-{_fit()}.tar.gz")


def _run(argv: list[str], **more: str) -> None:
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=BUILD_TIMEOUT, check=False, env={**os.environ, **more}
    )
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        telling = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "it said nothing")
        raise UnavailableError(f"{Path(argv[0]).name} failed: {telling}")


def _pack(stage: Path, archive: Path) -> Path:
    """The staged files as lib/… and extension/…, in one step."""
    draft = archive.with_suffix(".draft")
    with tarfile.open(draft, "w:gz", compresslevel=6) as tar:
        for folder, kept in ((prefix.library_folder(), "lib"), (prefix.extension_folder(), "extension")):
            for file in sorted((stage / folder.relative_to("/")).iterdir()):
                tar.add(file, f"{kept}/{file.name}", recursive=False)
    return draft.rename(archive)


def _unpack(archive: Path) -> None:
    """Puts the files in place, the control file last: before it is there, the extension is not."""
    places = {"lib": prefix.library_folder(), "extension": prefix.extension_folder()}
    with tarfile.open(archive) as tar:
        members = sorted(tar.getmembers(), key=lambda member: member.name.endswith(".control"))
        for member in members:
            kind, _, name = member.name.partition("/")
            content = tar.extractfile(member)
            if kind not in places or not name or "/" in name or content is None:
                raise UnavailableError(f"{archive} is not one of ours ({member.name}): remove it")
            draft = places[kind] / f".{name}.draft"
            with draft.open("wb") as file:
                shutil.copyfileobj(content, file)
            draft.chmod(0o755 if kind == "lib" else 0o644)
            draft.rename(places[kind] / name)
