"""Messages of Things that wait to be accepted. They wait as they came, bounded; accepted, they are replayed once."""

from collections.abc import Sequence
from typing import NamedTuple

from tram.readings import Message
from tram.store.database import Connection


class Waiting(NamedTuple):
    """One stored message of one Thing. A message that spoke for two Things waits once for each."""

    id: int
    thing_id: int
    message: Message


def hold(conn: Connection, messages: Sequence[tuple[int, Message]], limit: int) -> int:
    """Stores (thing_id, message) pairs; of each Thing the newest `limit` are kept. Returns how many old ones went.

    What goes is counted in the Thing's `dropped`. `limit` is settings.pending_messages. Never commits.
    """
    raise NotImplementedError


def claim(conn: Connection, limit: int = 1000) -> list[Waiting]:
    """The oldest waiting messages of ONE Thing that is active by now, in order of arrival; [] when none wait.

    They stay locked for this transaction, and other processes are given other Things. Store their observations and
    call `done` in the same transaction: rolled back, they wait as before.
    """
    raise NotImplementedError


def done(conn: Connection, waiting: Sequence[Waiting]) -> None:
    """Removes claimed messages, in the transaction that stores their observations (or dead-letters them)."""
    raise NotImplementedError
