"""Fixtures: the API over a database with people of every role, for the whole session (tests undo what they change)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from tests.databases import Database, Server
from tests.people import account, autocommit, scoped, session, token
from tests.servers.api import Api, serve
from tests.services.filling import fill
from tram.identity import Grant, Role
from tram.settings import Settings

AREA, OTHER_AREA, PROVINCE = "05860", "05482", "19"
FACILITY, OTHER_FACILITY = "BV-TN", "TYT-QS"
ROLES: dict[str, Grant | None] = {
    "citizen": None,
    "operator": scoped("operator"),
    "operator-here": scoped("operator", AREA),
    "city-admin": scoped("city-admin"),
    "city-admin-here": scoped("city-admin", AREA),
    "station-staff": scoped("station-staff", OTHER_FACILITY),
    "doctor": scoped("doctor", FACILITY),
    "hospital-admin": scoped("hospital-admin", FACILITY),
    "auditor": scoped("auditor"),
}


@dataclass
class Town:
    """The API and its people.

    Attributes:
        ids: account id by role.
        secrets: session cookie by role; fresh, so stepped up.
        tokens: personal token with rights of its own by role (those that a token can have).
    """

    api: Api
    settings: Settings
    ids: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def browser(self, role: str | None) -> httpx.Client:
        """A client with the cookie of this role; None: nobody."""
        cookies = {} if role is None else {"tram_session": self.secrets[role]}
        return httpx.Client(base_url=self.api.url, cookies=cookies, timeout=60)

    def again(self, role: str) -> str:
        """A fresh session of this role, stepped up now."""
        with autocommit(self.settings) as conn:
            self.secrets[role] = session(conn, self.ids[role])
        return self.secrets[role]


def people(town: Town) -> None:
    """An account, a session and a token of each role."""
    with autocommit(town.settings) as conn:
        conn.execute("INSERT INTO area (id, name, parent) VALUES (%s, 'Thái Nguyên', NULL)", (PROVINCE,))
        for code in (AREA, OTHER_AREA):
            conn.execute("INSERT INTO area (id, name, parent) VALUES (%s, %s, %s)", (code, code, PROVINCE))
        conn.execute("UPDATE thing SET area = %s WHERE name = 'aq-02'", (AREA,))
        conn.execute("UPDATE thing SET area = %s WHERE name IN ('aq-01', 'new-01')", (OTHER_AREA,))
        conn.execute("UPDATE thing SET public = true WHERE name = 'river-01'")
        for role, grant in ROLES.items():
            town.ids[role] = account(conn, f"{role}.t", *([grant] if grant else []))
            town.secrets[role] = session(conn, town.ids[role])
            town.tokens[role] = token(conn, grant or Grant(Role.CITIZEN), role)
        town.ids["somebody"] = account(conn, "somebody.t", scoped("doctor", FACILITY))


@pytest.fixture(scope="session")
def town(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One for the session: do not change what others rely on."""
    with server.database("plain" if server.missing("timescaledb") else "timescaledb") as database:
        with database.connect() as conn:
            fill(conn)
        settings = replace(database.settings, home=tmp_path_factory.mktemp("home"))
        with serve(settings, admin=False) as api:
            made = Town(api, settings)
            people(made)
            yield made


@pytest.fixture
def own_town(one_database: Database, tmp_path: Path) -> Iterator[Town]:
    """One that belongs to the test."""
    with one_database.connect() as conn:
        fill(conn)
    settings = replace(one_database.settings, home=tmp_path)
    with serve(settings, admin=False) as api:
        made = Town(api, settings)
        people(made)
        yield made
