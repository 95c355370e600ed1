"""Fetches a Debian source package through the machine's own apt, without root and without touching apt's own state.

The mirror is whatever the machine's apt configuration names for its own release; the suite is the one that has the
package. apt checks the archive's signature (Release -> Sources -> the files' SHA-256) against Debian's keyring.
"""

import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tram.errors import UnavailableError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class Source:
    """An unpacked source package.

    Attributes:
        folder: the top folder of upstream's sources (Debian's patches are not applied).
        version: Debian's version of it.
        verified: whether apt could check the archive's signature.
    """

    folder: Path
    version: str
    verified: bool


def missing() -> list[str]:
    """One line for each thing that this machine lacks; empty when a package can be fetched."""
    if shutil.which("apt-get") is None:
        return ["apt-get: the sources come from a Debian mirror; this system has no apt"]
    if _mirror() is None:
        return ["a Debian mirror: apt's sources name none for this system's release (/etc/apt/sources.list.d)"]
    return []


def fetch(package: str, suite: str, workplace: Path) -> Source:
    """Downloads and unpacks the package's newest source in the suite.

    Args:
        workplace: an empty folder; apt's lists and the sources go there.

    Raises:
        UnavailableError: no mirror, no network, no such package, a wrong signature or checksum.
    """
    mirror = _mirror()
    if mirror is None:
        raise UnavailableError(missing()[0])
    for folder in ("lists/partial", "cache/archives/partial"):
        (workplace / folder).mkdir(parents=True)
    verified = KEYRING.is_file()
    error = _download(package, f"[signed-by={KEYRING}]", mirror, suite, workplace) if verified else "NO_PUBKEY"
    if error and "NO_PUBKEY" in error:
        # A keyring older than the suite: the checksums of the .dsc still guard against a damaged download.
        verified = False
        error = _download(package, "[trusted=yes]", mirror, suite, workplace)
    if error:
        raise UnavailableError(f"apt-get: {_first_error(error)}")
    descriptions = list(workplace.glob("*.dsc"))
    archives = list(workplace.glob("*.orig.tar.*"))
    if len(descriptions) != 1 or len(archives) != 1:
        raise UnavailableError(f"apt-get: the source package {package} is not one archive and its description")
    version = re.search(r"^Version: (\S+)$", descriptions[0].read_text(encoding="utf-8"), re.MULTILINE)
    _unpack(archives[0], workplace / "source")
    tops = list((workplace / "source").iterdir())
    if len(tops) != 1:
        raise UnavailableError(f"{archives[0].name} does not hold one folder")
    return Source(tops[0], version[1] if version else "?", verified)


def _unpack(archive: Path, place: Path) -> None:
    """Unpacks inside `place` only. (Debian 12's Python 3.11.2 has no extraction filters: they came with 3.11.4.)"""
    with tarfile.open(archive) as tar:
        for member in tar:
            inside = not member.name.startswith("/") and ".." not in Path(member.name).parts
            if not inside or not (member.isfile() or member.isdir()):
                raise UnavailableError(
                    f"{archive.name} holds {member.name}, which does not belong in an archive of sources"
                )
        for member in tar:
            tar.extract(member, place)


def _mirror() -> str | None:
    """Where this system's own release comes from, by apt's own account of its configuration."""
    codename = _codename()
    try:
        done = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)"],
            capture_output=True, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
    except OSError:
        return None
    pairs = (line.split() for line in done.stdout.splitlines())
    return next((pair[0] for pair in pairs if len(pair) == 2 and pair[1] == codename), None)


def _codename() -> str:
    """VERSION_CODENAME of os-release(5) where the system is Debian; "" elsewhere: its mirror has other packages."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return ""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return values.get("VERSION_CODENAME", "").strip('"') if values.get("ID") == "debian" else ""


def _download(package: str, options: str, mirror: str, suite: str, workplace: Path) -> str:
    """Updates the private lists and downloads; returns apt's words when it failed, else ""."""
    sources = workplace / "sources.list"
    sources.write_text(f"deb-src {options} {mirror} {suite} main\n", encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": workplace / "lists",
        "Dir::Cache": workplace / "cache",
        "APT::Sandbox::User": "root",  # the folder may be closed to apt's own user
        "APT::Update::Error-Mode": "any",  # a mirror out of reach is an error, not a warning
        "Acquire::Retries": 2,
        "Acquire::http::Timeout": 30,
    }
    flags = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    for words in (["update"], ["source", "--download-only", package]):
        done = subprocess.run(
            ["apt-get", "-q", *flags, *words], cwd=workplace, capture_output=True, text=True, timeout=TIMEOUT,
            check=False, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"} | _proxies(),
        )  # fmt: skip
        if done.returncode != 0:
            return done.stderr + done.stdout
    return ""


def _proxies() -> dict[str, str]:
    known = ("http_proxy", "https_proxy", "no_proxy")
    return {name: value for name, value in os.environ.items() if name.lower() in known}


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    errors = [line.removeprefix("E: ") for line in lines if line.startswith("E: ")]
    return (errors or lines or ["it failed"])[0]
