"""Fixtures: people with channels, alarms that happen, real receivers, and the worker's thread."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.notifications.sending import purpose
from services.notifications.service import Notifications
from tests.databases import Database
from tests.people import account, scoped
from tests.servers.receivers import Mail, Web
from tests.waiting import until
from tram.alarms.model import Alarm, AlarmChange, Kind, Priority, State
from tram.embedded.secret import keyring
from tram.notices.policy import Preferences
from tram.settings import Settings
from tram.store import alarms, notices
from tram.store.database import Connection

SECRET = b"s" * 32


@dataclass
class Scene:
    """A database with people, and what they are told through.

    Attributes:
        conn: commits by itself.
        people: account ids by sign-in name.
    """

    database: Database
    settings: Settings
    conn: Connection
    mail: Mail
    web: Web
    people: dict[str, int] = field(default_factory=dict)
    running: list[tuple[threading.Event, Notifications]] = field(default_factory=list)

    def person(self, login: str, *grants: Any, language: str = "vi", **wanted: Any) -> int:
        id = account(self.conn, login, *(grants or [scoped("operator")]))
        self.conn.execute("UPDATE account SET language = %s WHERE id = %s", (language, id))
        notices.prefer(self.conn, id, Preferences(**wanted))
        self.people[login] = id
        return id

    def channel(self, login: str, kind: str, address: str, secret: bytes = SECRET) -> int:
        made = notices.add_channel(self.conn, self.people[login], kind, address)
        notices.seal_channel(self.conn, made.id, keyring(self.settings).seal(secret, purpose(made.id)))
        return made.id

    def happens(self, what: Kind = Kind.RAISED, alarm: Alarm | None = None, **more: Any) -> Alarm:
        """An alarm's change, stored as the engine does."""
        now = datetime.now(UTC)
        given: dict[str, Any] = {
            "rule": "river", "state": State.UNACKNOWLEDGED, "priority": Priority.HIGH, "level": 1, "peak": 1,
            "active": True, "thing": "river-01", "label": "Sông Cầu, Gia Bảy", "since": now, "changed": now,
            "raised": now, "alerted": now, "vi": "Vượt báo động II", "en": "Above level II", "kind": "alarm",
        }  # fmt: skip
        made = Alarm(**given | more) if alarm is None else replace(alarm, **more)
        change = AlarmChange(at=now, time=now, kind=what, before=State.NORMAL, level_before=0, alarm=made)
        with self.conn.transaction():
            alarms.lock(self.conn)
            return alarms.write(self.conn, [change])[0].alarm

    def start(self) -> Notifications:
        """The worker's thread, which has taken its position before this returns."""
        stopping = threading.Event()
        made = Notifications(self.settings, stopping)
        made.retry = 0.1
        made.start()
        self.running.append((stopping, made))
        return made

    def stop(self) -> None:
        for stopping, made in self.running:
            stopping.set()
            made.join(60)
        self.running.clear()

    def states(self) -> list[tuple[str, str, int]]:
        """(state, error, tries) of the outbox, oldest first."""
        return self.conn.execute("SELECT state, error, tries FROM notice ORDER BY id").fetchall()  # type: ignore[return-value]

    def followed(self) -> None:
        """Waits until the worker's thread has looked at all that happened."""
        query = "SELECT min(seq) >= (SELECT max(seq) FROM alarm_change) FROM notice_position WHERE reader <> 'mqtt'"
        until(lambda: self.conn.execute(query).fetchone() == (True,), "all changes are looked at")

    def hurry(self) -> None:
        """What waits for its next try or digest is due now; windows of ten minutes are over."""
        self.conn.execute("UPDATE notice SET due = now() WHERE state = 'waiting'")

    def body(self, n: int) -> Any:
        return msgspec.json.decode(self.web.taken[n].body)


@pytest.fixture
def scene(one_database: Database, tmp_path: Path) -> Iterator[Scene]:
    mail, web = Mail(tmp_path), Web()
    mail.start()
    settings = replace(
        one_database.settings, smtp_host="127.0.0.1", smtp_port=mail.port, smtp_ca=str(mail.cert), smtp_user="tram",
        smtp_password="secret", smtp_from="tram@ioc.example", notify_private="allow",
        public_url="https://ioc.example", home=tmp_path,
    )  # fmt: skip
    made = Scene(one_database, settings, one_database.connect(autocommit=True), mail, web)
    for reader in ("people", "cap", "mqtt"):
        notices.follow(made.conn, reader)
    yield made
    made.stop()
    mail.stop()
    web.stop()
