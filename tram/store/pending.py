"""Messages of Things that wait to be accepted. They wait as they came, bounded; accepted, they are replayed once."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tram.clock import from_micros, to_micros
from tram.readings import Message
from tram.store import sqlfile
from tram.store.batch import storable_text
from tram.store.database import Connection, available


class Waiting(NamedTuple):
    """One stored message of one Thing. A message that spoke for two Things waits once for each."""

    id: int
    thing_id: int
    message: Message


def hold(conn: Connection, messages: Sequence[tuple[int, Message]], limit: int) -> int:
    """Stores (thing_id, message) pairs; of each Thing the newest `limit` are kept. Returns how many went.

    What goes is counted in the Thing's `dropped`; that is the oldest, and all of a Thing that was refused meanwhile.
    `limit` is settings.pending_messages. Never commits.
    """
    if not messages:
        return 0
    queries = sqlfile.load("pending")
    with available():
        things = sorted({thing_id for thing_id, _ in messages})
        status: dict[int, str] = dict(conn.execute(queries["lock_things"], (things,)).fetchall())
        kept = [(thing_id, m) for thing_id, m in messages if status.get(thing_id, "refused") != "refused"]
        dropped = Counter(thing_id for thing_id, _ in messages if status.get(thing_id) == "refused")
        arrays = {
            "things": [thing_id for thing_id, _ in kept],
            "topics": [storable_text(m.topic) for _, m in kept],
            "usernames": [storable_text(m.username) for _, m in kept],
            "received": [from_micros(m.received) for _, m in kept],
            "payloads": [m.payload for _, m in kept],
        }
        with conn.cursor(binary=True) as cursor:
            cursor.execute(queries["add"], arrays)
        trimmed = conn.execute(queries["drop_oldest"], {"things": things, "limit": limit}).fetchall()
        dropped.update(dict(trimmed))
        if dropped:
            counts = {"things": list(dropped), "counts": list(dropped.values())}
            conn.execute(queries["count_dropped"], counts)
    return dropped.total()


def claim(conn: Connection, limit: int = 1000) -> list[Waiting]:
    """The oldest waiting messages of ONE Thing that is active by now, in order of arrival; [] when none wait.

    They stay locked for this transaction, and other processes are given other Things. Store their observations and
    call `done` in the same transaction: rolled back, they wait as before.
    """
    queries = sqlfile.load("pending")
    with available(), conn.cursor(binary=True) as cursor:
        row = cursor.execute(queries["claim_thing"]).fetchone()
        if row is None:
            return []
        return [
            Waiting(id, thing_id, Message(topic, bytes(payload), to_micros(received), username))
            for id, thing_id, topic, payload, received, username in cursor.execute(
                queries["messages_of"], (row[0], limit)
            )
        ]


def done(conn: Connection, waiting: Sequence[Waiting]) -> None:
    """Removes claimed messages, in the transaction that stores their observations (or dead-letters them)."""
    with available():
        conn.execute(sqlfile.load("pending")["remove"], ([w.id for w in waiting],))
