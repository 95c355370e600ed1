"""Dashboards as they are kept: what stands, and the versions there were."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import msgspec

from tram.dashboards import definition as definitions
from tram.dashboards.definition import Definition
from tram.errors import ConflictError, NotFoundError
from tram.store import sqlfile
from tram.store.database import Connection, available

MOST_OWN = 200
"""Dashboards of one owner, deleted ones that can still be brought back included."""
MOST_VERSIONS = 100
"""Versions of one that are kept."""
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Stored:
    """A dashboard. `things`: those it names. `deleted`: since when; it can be brought back."""

    id: str
    version: int
    owner: str
    owner_name: str
    shared: bool
    definition: Definition
    things: Sequence[str]
    created: datetime
    updated: datetime
    by: str
    by_name: str
    deleted: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version there was."""

    version: int
    at: datetime
    by: str
    by_name: str
    definition: Definition


def list_dashboards(
    conn: Connection, owner: str, *, everything: bool = False, after: str = "", limit: int = 1000
) -> list[Stored]:
    """The owner's and the shared ones, by id; the next page is `after` the last."""
    values = {"after": after, "limit": limit, "owner": owner, "all": everything}
    with available():
        return [_stored(row) for row in conn.execute(sqlfile.load("dashboards")["list"], values)]


def get(conn: Connection, id: str, *, deleted: bool = False) -> Stored:
    """Raises NotFoundError; also for a deleted one, unless asked for."""
    with available():
        row = conn.execute(sqlfile.load("dashboards")["get"], (id,)).fetchone()
    found = _stored(row) if row else None
    if found is None or (found.deleted and not deleted):
        raise NotFoundError(f"there is no dashboard {id!r}")
    return found


def versions(conn: Connection, id: str) -> list[Version]:
    """Those that are kept, the newest first."""
    with available():
        return [_version(row) for row in conn.execute(sqlfile.load("dashboards")["versions"], (id,))]


def version(conn: Connection, id: str, number: int) -> Version:
    """Raises NotFoundError: it never was, or is not kept any more."""
    with available():
        row = conn.execute(sqlfile.load("dashboards")["version"], (id, number)).fetchone()
    if row is None:
        raise NotFoundError(f"the dashboard {id!r} has no version {number}: the newest {MOST_VERSIONS} are kept")
    return _version(row)


def add(conn: Connection, definition: Definition, owner: str, *, shared: bool = False, id: str = "") -> Stored:
    """A new dashboard under an id of its own. Never commits.

    Raises:
        ConflictError: the owner has MOST_OWN.
    """
    queries = sqlfile.load("dashboards")
    values = _values(id or secrets.token_hex(5), definition, owner) | {"owner": owner, "shared": shared, "version": 1}
    with available():
        conn.execute(queries["lock_owner"], (owner,))
        row = conn.execute(queries["owned"], (owner,)).fetchone()
        if row and row[0] >= MOST_OWN:
            gone = conn.execute(queries["forget_deleted"], {"owner": owner, "count": row[0] - MOST_OWN + 1})
            if gone.rowcount < row[0] - MOST_OWN + 1:
                raise ConflictError(f"you have {MOST_OWN} dashboards, which is all there may be: delete one first")
        conn.execute(queries["add"], values)
        conn.execute(queries["add_version"], values)
    return get(conn, values["id"])


def put(
    conn: Connection, id: str, definition: Definition, by: str, *, expected: int, shared: bool | None = None
) -> Stored:
    """A new version; the same once more makes none. Brings a deleted one back. Never commits.

    Args:
        expected: the version that it must have now.
        shared: None: as it is.

    Raises:
        NotFoundError: there is none. ConflictError: somebody else saved meanwhile.
    """
    queries = sqlfile.load("dashboards")
    values = _values(id, definition, by) | {"version": expected + 1, "keep": MOST_VERSIONS}
    with available():
        now = _locked(conn, id, expected)
        same = conn.execute(queries["same"], values).fetchone()
        if now.deleted or not (same and same[0]):
            conn.execute(queries["write"], values)
            conn.execute(queries["add_version"], values)
            conn.execute(queries["trim_versions"], values)
        if shared is not None and shared != now.shared:
            conn.execute(queries["share"], (shared, id))
    return get(conn, id)


def delete(conn: Connection, id: str, *, expected: int) -> None:
    """Takes it out of sight; `put` brings it back. Never commits. Raises as `put`."""
    with available():
        if _locked(conn, id, expected).deleted:
            raise NotFoundError(f"there is no dashboard {id!r}")
        conn.execute(sqlfile.load("dashboards")["delete"], (id,))


def seed(conn: Connection) -> int:
    """The built-in dashboards, where there never was any; returns how many. Never commits."""
    queries = sqlfile.load("dashboards")
    with available():
        conn.execute(queries["lock_seed"])
        row = conn.execute(queries["any"]).fetchone()
    if row is None or row[0]:
        return 0
    found = built_in()
    for id, definition in found.items():
        add(conn, definition, SYSTEM, shared=True, id=id)
    return len(found)


def built_in() -> dict[str, Definition]:
    """Those of tram/dashboards/seed.json, by id."""
    data = files("tram.dashboards").joinpath("seed.json").read_bytes()
    return {id: definitions.read(one) for id, one in msgspec.json.decode(data).items()}


def _locked(conn: Connection, id: str, expected: int) -> Stored:
    conn.execute(sqlfile.load("dashboards")["lock"], (id,))
    now = get(conn, id, deleted=True)
    if now.version != expected:
        who = now.by_name or now.by
        raise ConflictError(
            f"{who} saved version {now.version} at {now.updated:%Y-%m-%dT%H:%M:%SZ}, yours began from {expected} and "
            "was not stored: read the new one and save again, or save yours as a new dashboard"
        )
    return now


def _values(id: str, definition: Definition, by: str) -> dict[str, Any]:
    text = definitions.text(definition)
    return {"id": id, "definition": text, "things": definitions.things(definition), "by": by}


def _read(text: str) -> Definition:
    # What was stored was checked then: a later, narrower check must not make it unreadable.
    return msgspec.json.decode(text, type=Definition, strict=False)


def _stored(row: tuple[Any, ...]) -> Stored:
    id, number, owner, owner_name, shared, text, things, created, updated, by, by_name, deleted = row
    return Stored(id, number, owner, owner_name, shared, _read(text), things, created, updated, by, by_name, deleted)


def _version(row: tuple[Any, ...]) -> Version:
    number, at, by, by_name, text = row
    return Version(number, at, by, by_name, _read(text))
