"""The API and a telehealth process over one database, and people of the care plane who sign in there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from telehealth.keeping import MIGRATIONS
from tests.databases import Database, Server
from tests.people import account, autocommit, scoped, session, token
from tests.servers.api import Api, serve
from tests.servers.consult import ConsultServer, consult_server
from tests.telehealth.people import RawSocket
from tram.identity import Grant
from tram.settings import Settings
from tram.store.migrate import migrate

STATION, OTHER_STATION, HOSPITAL, OTHER_HOSPITAL = "TYT-A", "TYT-B", "BV-1", "BV-2"
ROLES: dict[str, Grant] = {
    "nurse": scoped("station-staff", STATION),
    "nurse2": scoped("station-staff", OTHER_STATION),
    "doctor": scoped("doctor", HOSPITAL),
    "doctor2": scoped("doctor", OTHER_HOSPITAL),
    "admin": scoped("hospital-admin", HOSPITAL),
    "admin2": scoped("hospital-admin", OTHER_HOSPITAL),
    "operator": scoped("operator"),
    "city": scoped("city-admin"),
}


@dataclass
class House:
    """Both planes.

    Attributes:
        ids: account by name.
    """

    api: Api
    telehealth: ConsultServer
    settings: Settings
    database: Database
    ids: dict[str, int] = field(default_factory=dict)

    def client(self, who: str | None, *, stepped_up: bool = True) -> httpx.Client:
        """A fresh session of theirs at the API."""
        cookies = {}
        if who is not None:
            with autocommit(self.settings) as conn:
                cookies = {"tram_session": session(conn, self.ids[who], stepped_up=stepped_up)}
        return httpx.Client(base_url=self.api.url, cookies=cookies, timeout=60)

    def consult(self, *seats: tuple[str, str]) -> str:
        """A consult that the nurse asked for, with these people in these seats."""
        with self.client("nurse") as nurse:
            made = nurse.post("/api/consults", json={"station": STATION, "hospital": HOSPITAL})
            assert made.status_code == 201, made.text
        consult = str(made.json()["id"])
        with self.client("admin") as admin:
            for who, seat in seats:
                answer = admin.post(f"/api/consults/{consult}/people", json={"person": self.ids[who], "seat": seat})
                assert answer.status_code == 200, answer.text
        return consult

    def token(self, who: str, consult: str) -> str:
        """Their join token."""
        with self.client(who) as client:
            answer = client.post(f"/api/consults/{consult}/token")
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def joins(self, who: str, consult: str) -> RawSocket:
        """They are in the room."""
        raw = RawSocket(self.telehealth.ws)
        answer = raw.hello(token=self.token(who, consult))
        assert answer["type"] == "welcome", answer
        return raw

    def program(self, who: str) -> str:
        """A personal token with rights as theirs."""
        with autocommit(self.settings) as conn:
            return token(conn, ROLES[who], who)


@contextmanager
def house(server: Server, folder: Path) -> Iterator[House]:
    """Starts both."""
    with server.database("plain" if server.missing("timescaledb") else "timescaledb") as database:
        with database.connect() as conn:
            migrate(conn, [MIGRATIONS])
        settings = replace(database.settings, home=folder / "api")
        environment = {"TRAM_DATABASE_URL": database.url}
        with (
            serve(settings, admin=False) as api,
            consult_server(folder / "telehealth", environment, ()) as telehealth,
        ):
            made = House(api, telehealth, settings, database)
            with autocommit(settings) as conn:
                for name, grant in ROLES.items():
                    made.ids[name] = account(conn, f"{name}.t", grant)
            yield made
