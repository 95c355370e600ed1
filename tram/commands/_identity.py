"""What the commands about people share: the store, the server's key, who is at the keyboard, the audit."""

import getpass
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tram.embedded.addresses import DATABASE, resolve
from tram.embedded.secret import keyring
from tram.errors import TramError
from tram.identity import Principal, decide, machine
from tram.identity.secrets import Keyring
from tram.settings import Settings
from tram.store import audit, events
from tram.store.database import Connection, connect


class NotAllowedError(TramError):
    """No rule lets whoever typed this do it."""

    code = "forbidden"


@dataclass(frozen=True, slots=True)
class Desk:
    """A command at work: in one transaction that commits when the command returns."""

    conn: Connection
    ring: Keyring
    actor: Principal
    now: float
    operation: str
    why: str

    def note(self, target: str, detail: Mapping[str, Any] | None = None) -> None:
        """Writes the audit row. Last."""
        audit.write(
            self.conn, self.actor, self.operation, at=int(self.now * 1e6), target=target, why=self.why, origin="cli",
            detail=detail,
        )  # fmt: skip

    def event(self, code: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
        """Records a security event."""
        events.security(self.conn, code, at=int(self.now * 1e6), subject=subject, origin="cli", detail=detail)


def whoever() -> Principal:
    """The system's user who typed the command. It is the server's own hand: it could read the database's files too."""
    try:
        return machine(getpass.getuser())
    except (OSError, KeyError):
        return machine("unknown")


@contextmanager
def desk(settings: Settings, operation: str) -> Iterator[Desk]:
    """The store, for a command that may do this operation.

    Raises:
        SettingsError: no database, or no server key. NotAllowedError. UnavailableError.
    """
    settings = resolve(settings, needs=(DATABASE,))
    ring, actor, now = keyring(settings), whoever(), time.time()
    decision = decide(actor, operation, None, now=now)
    if not decision.allowed:
        raise NotAllowedError(decision.why)
    with connect(settings, "command") as conn:
        yield Desk(conn, ring, actor, now, operation, decision.why)
