"""Whom an alarm can be given to, and who has one: ids and names alone."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tram.identity.operations import OPERATIONS
from tram.identity.scope import Reach
from tram.store import sqlfile
from tram.store.database import Connection, available
from tram.store.people import principal_id

MOST = 500
"""Names of those who have alarms that stand."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """Somebody: number of the account and the name to show."""

    account: int
    name: str

    @property
    def id(self) -> str:
        """What the alarm holds: `p:12`."""
        return principal_id(self.account)


def able(
    conn: Connection, path: Sequence[str], *, search: str = "", after: tuple[str, int] = ("", 0), limit: int = 20,
    account: int | None = None, now: float | None = None,
) -> list[Assignee]:  # fmt: skip
    """Those who may act on an alarm, by name: as `decide` would answer each of them for `alarms.act`.

    Args:
        path: codes of the areas it lies in; for a storm those of all its members. None: only who holds everywhere.
        search: the beginning of the name, or of a word of it, in any case.
        after: name and account of the last one of the page before.
        account: of this one alone.
    """
    rules = OPERATIONS["alarms.act"].rules
    pattern = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    values = {
        "path": list(path), "pattern": pattern, "name": after[0], "after": after[1], "limit": limit, "id": account,
        "now": time.time() if now is None else now,
        "everywhere": [role.value for role, reaches in rules.items() if Reach.EVERYWHERE in reaches],
        "area": [role.value for role, reaches in rules.items() if Reach.AREA in reaches],
    }  # fmt: skip
    with available():
        return [Assignee(*row) for row in conn.execute(sqlfile.load("assignees")["able"], values)]


def named(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The names of those of these principals that are people (`p:12`), by id; also of people who are disabled."""
    accounts = sorted({int(one[2:]) for one in ids if one.startswith("p:") and one[2:].isdecimal()})
    if not accounts:
        return {}
    with available():
        rows = conn.execute(sqlfile.load("assignees")["named"], {"ids": accounts})
        return {principal_id(account): name for account, name in rows}


def holders(conn: Connection, seen: Sequence[str] | None) -> list[Assignee]:
    """Who has an alarm that stands in these areas (None: all), by name."""
    values = {"seen": None if seen is None else list(seen), "limit": MOST}
    with available():
        return [Assignee(*row) for row in conn.execute(sqlfile.load("assignees")["holders"], values)]
