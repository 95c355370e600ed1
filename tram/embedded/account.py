"""Whom a program runs as. PostgreSQL refuses root; everyone else runs it as themselves.

As root, the server becomes an existing ordinary user and owns nothing but its data folder. Where a folder on the way to
its files is closed to that user (a checkout under /root, mode 0700), the process is given the one capability that
lets it pass, instead of opening the folder for everybody: docs/adr/0011-postgresql-as-another-user.md.
"""

import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tram.errors import SettingsError

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_SETGID = 6
CAP_SETUID = 7
# `postgres` where a system PostgreSQL made it, else users that every Linux distribution has.
CANDIDATES = ("postgres", "daemon", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become; `capabilities` are kept by the process."""

    uid: int
    gid: int
    capabilities: tuple[int, ...] = ()


def for_server(data: Path, readable: Iterable[Path]) -> Account | None:
    """The user the server runs as, or None for "as we are".

    Args:
        data: the server's data folder; where it exists already, its owner is kept.
        readable: files and folders the server must be able to reach.

    Raises:
        SettingsError: the data belongs to somebody else and we may not become them.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise SettingsError(
                f"{data} belongs to user {_name(owner)}: start as that user or as root, or set another TRAM_HOME"
            )
        return None
    user = _by_uid(owner) if owner else _candidate()
    if not _may(CAP_SETUID) or not _may(CAP_SETGID):
        raise SettingsError("PostgreSQL refuses to run as root and this root may not change its user: start as a user")
    if all(_reaches(user.pw_uid, user.pw_gid, path) for path in (*readable, data)):
        return Account(user.pw_uid, user.pw_gid)
    # Read and search is enough, and all it may not do is write; default Docker grants only the wider one.
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if _may(capability):
            return Account(user.pw_uid, user.pw_gid, (capability,))
    raise SettingsError(
        f"PostgreSQL runs as user {user.pw_name}, who cannot reach {data.parent}: "
        "set TRAM_HOME to a folder that is open to it"
    )


def _candidate() -> pwd.struct_passwd:
    for name in CANDIDATES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    for user in pwd.getpwall():
        if user.pw_uid != 0:
            return user
    raise SettingsError("PostgreSQL refuses to run as root and this machine has no other user: add one (useradd tram)")


def _by_uid(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        # initdb and postgres look their own user up; a data folder from another machine may belong to nobody here.
        raise SettingsError(
            f"the database's files belong to user id {uid}, which this machine does not know: "
            "chown them to a user it has, or set TRAM_HOME to a new folder"
        ) from None


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "?"
    except KeyError:
        return str(uid)


def _may(capability: int) -> bool:
    """Whether this process's effective capabilities hold the given one (proc(5): CapEff)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return False


def _reaches(uid: int, gid: int, path: Path) -> bool:
    """Whether the mode bits let the user search every folder above the path and read the path, where it exists."""
    path = path.absolute()
    chain = [path, *path.resolve().parents, *path.parents]
    for step in chain:
        try:
            status = step.stat()
        except FileNotFoundError:
            continue
        need = 0o1 if step != path else 0o5 if step.is_dir() else 0o4
        shift = 6 if status.st_uid == uid else 3 if status.st_gid == gid else 0
        if status.st_mode >> shift & need != need:
            return False
    return True
