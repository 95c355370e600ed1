"""Notifications: preferences, channels, the outbox that is also the delivery log. Nothing here commits.

changes of alarms --plan--> notice (waiting) --claim, lease--> sent | again later | failed        docs/notifications.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from tram.alarms.model import AlarmChange
from tram.errors import ConflictError, NotFoundError
from tram.notices.policy import Preferences
from tram.store import alarms, sqlfile
from tram.store.batch import storable_text
from tram.store.database import Connection, available

CHANNEL = "tram_notices"
"""NOTIFY channel: something was put into the outbox by a person."""
CHANNELS = 20
"""Most channels of one person."""
WAITING = 500
"""Most messages that wait for one channel; more are dropped and counted."""
CODE_TRIES = 5
LEASE = timedelta(seconds=90)
"""Longer than any one delivery may take."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where somebody is reached. `kind`: email, webhook or push. `dropped`: messages that were too many."""

    id: int
    account: int
    kind: str
    address: str
    label: str
    enabled: bool
    confirmed: bool
    failures: int
    error: str
    dropped: int
    created: datetime
    delivered: datetime | None


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody with channels that work: (id, kind, messages that wait) of each."""

    account: int
    language: str
    preferences: Preferences
    channels: list[tuple[int, str, int]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One row of the outbox that is due, with what is needed to send it."""

    id: int
    kind: str
    priority: int
    document: str
    message: UUID | None
    tries: int
    created: datetime
    channel: int
    to_kind: str
    address: str
    secret: bytes | None
    language: str
    preferences: Preferences


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the delivery log."""

    id: int
    account: int
    channel: int | None
    to_kind: str
    kind: str
    priority: int
    alarm_id: int | None
    state: str
    due: datetime
    message: UUID | None
    tries: int
    error: str
    created: datetime
    finished: datetime | None
    vi: str | None
    en: str | None


# Position


def follow(conn: Connection, reader: str, limit: int = 500) -> list[AlarmChange]:
    """The next changes of alarms for a follower, moving its position: commit it with their effects.

    A follower that is new begins at the end: nobody is told of what happened before there was anybody to tell.
    """
    queries = sqlfile.load("notices")
    with available():
        row = conn.execute(queries["position"], (reader,)).fetchone()
        if row is None:
            conn.execute(queries["start"], (reader, alarms.position(conn)))
            return []
        found = alarms.changes(conn, row[0], limit)
        if found:
            conn.execute(queries["move"], (found[-1].seq, reader))
    return found


# Preferences and channels


def preferences(conn: Connection, account: int) -> Preferences:
    """What somebody wants to hear."""
    with available():
        row = conn.execute(sqlfile.load("notices")["preference"], (account,)).fetchone()
    return _preferences(row[0] if row else None)


def prefer(conn: Connection, account: int, wanted: Preferences) -> None:
    """Stores it."""
    with available():
        conn.execute(sqlfile.load("notices")["prefer"], (account, msgspec.json.encode(wanted).decode()))


def channels(conn: Connection, account: int) -> list[Channel]:
    """Somebody's channels, oldest first."""
    with available():
        rows = conn.execute(sqlfile.load("notices")["channels"], {"account": account, "id": None}).fetchall()
    return [Channel(*row) for row in rows]


def channel(conn: Connection, account: int, id: int) -> Channel:
    """One of somebody's channels. Raises NotFoundError."""
    with available():
        row = conn.execute(sqlfile.load("notices")["channels"], {"account": account, "id": id}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no channel {id}")
    return Channel(*row)


def add_channel(
    conn: Connection, account: int, kind: str, address: str, *, label: str = "", code: bytes | None = None
) -> Channel:
    """Adds a channel; with `code` it waits to be confirmed.

    Raises:
        ConflictError: the address is there already, or there are too many.
    """
    queries = sqlfile.load("notices")
    with available():
        row = conn.execute(queries["count_channels"], (account,)).fetchone()
        assert row is not None
        if row[0] >= CHANNELS:
            raise ConflictError(f"there are {CHANNELS} channels already: remove one first")
        values = {"account": account, "kind": kind, "address": storable_text(address), "label": storable_text(label),
                  "secret": None, "code": code}  # fmt: skip
        made = conn.execute(queries["add_channel"], values).fetchone()
    if made is None:
        raise ConflictError("this address is among your channels already")
    return channel(conn, account, made[0])


def seal_channel(conn: Connection, id: int, sealed: bytes) -> None:
    """Stores a channel's sealed secret."""
    with available():
        conn.execute(sqlfile.load("notices")["seal_channel"], (sealed, id))


def set_channel(conn: Connection, account: int, id: int, *, label: str | None, enabled: bool | None) -> Channel:
    """Names it, switches it on or off. Raises NotFoundError."""
    values = {"account": account, "id": id, "label": label, "enabled": enabled}
    with available():
        conn.execute(sqlfile.load("notices")["set_channel"], values)
    return channel(conn, account, id)


def remove_channel(conn: Connection, account: int, id: int) -> None:
    """Takes it away, and what waits for it. Raises NotFoundError."""
    channel(conn, account, id)
    with available():
        conn.execute(sqlfile.load("notices")["remove_channel"], {"account": account, "id": id})


def confirm(conn: Connection, account: int, id: int, marks: Sequence[bytes]) -> bool:
    """Whether one of the marks is the code's; the channel is confirmed then.

    Raises:
        NotFoundError: no such channel.
        ConflictError: it is confirmed, or too many codes were wrong: remove it and add it again.
    """
    queries = sqlfile.load("notices")
    with available():
        row = conn.execute(queries["code_of"], {"account": account, "id": id}).fetchone()
        if row is None:
            raise NotFoundError(f"there is no channel {id}")
        code, tries = row
        if code is None:
            raise ConflictError("this channel is confirmed already")
        if tries >= CODE_TRIES:
            raise ConflictError("too many wrong codes: remove the channel and add it again")
        if bytes(code) not in marks:
            conn.execute(queries["wrong_code"], (id,))
            return False
        conn.execute(queries["confirmed"], (id,))
    return True


# The outbox


def listeners(conn: Connection) -> list[Listener]:
    """Everybody who can be told."""
    found: dict[int, Listener] = {}
    with available():
        rows = conn.execute(sqlfile.load("notices")["listeners"]).fetchall()
    for account, language, document, id, kind, waiting in rows:
        one = found.setdefault(account, Listener(account, language, _preferences(document), []))
        one.channels.append((id, kind, waiting))
    return list(found.values())


def put(
    conn: Connection, account: int, channel: int, to_kind: str, kind: str, document: str, due: datetime, *,
    key: str | None = None, priority: int = 0, alarm_id: int | None = None, dropped: bool = False,
) -> None:  # fmt: skip
    """Puts a message into the outbox; one of the same key is there already: nothing. `dropped`: only noted."""
    values = {"key": key, "account": account, "channel": channel, "to_kind": to_kind, "kind": kind,
              "priority": priority, "alarm_id": alarm_id, "document": document, "due": due}  # fmt: skip
    with available():
        conn.execute(sqlfile.load("notices")["put_dropped" if dropped else "put"], values)


def wake(conn: Connection) -> None:
    """Tells the sender to look, at the commit."""
    with available():
        conn.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


def tested_lately(conn: Connection, channel: int) -> bool:
    """Whether a test message was asked for within the last seconds."""
    with available():
        row = conn.execute(sqlfile.load("notices")["tested_lately"], (channel,)).fetchone()
    return bool(row and row[0])


def claim(conn: Connection, now: datetime, limit: int, busy: Sequence[int] = ()) -> list[Waiting]:
    """What is due, but for channels that are `busy`; the rows stay locked until the transaction ends."""
    values = {"now": now, "limit": limit, "busy": list(busy)}
    with available():
        rows = conn.execute(sqlfile.load("notices")["claim"], values).fetchall()
    return [_waiting(row) for row in rows]


def sent_lately(
    conn: Connection, channels: Sequence[int], since: datetime
) -> Mapping[tuple[int, bool], tuple[int, datetime]]:
    """(channel, critical) -> (messages since then, when the last went)."""
    values = {"channels": list(channels), "since": since}
    with available():
        rows = conn.execute(sqlfile.load("notices")["sent_lately"], values).fetchall()
    return {(channel, critical): (n, last) for channel, critical, n, last in rows}


def postpone(conn: Connection, ids: Sequence[int], due: datetime) -> None:
    """They wait until then."""
    _run(conn, "postpone", ids=list(ids), due=due)


def lease(conn: Connection, ids: Sequence[int], message: UUID, until: datetime) -> None:
    """They are being sent, as one message; one that dies meanwhile has them sent again after `until`."""
    _run(conn, "lease", ids=list(ids), message=message, due=until)


def unlease(conn: Connection, ids: Sequence[int], due: datetime) -> None:
    """They were not tried after all."""
    _run(conn, "unlease", ids=list(ids), due=due)


def sent(conn: Connection, channel: int, ids: Sequence[int]) -> None:
    """They arrived."""
    _run(conn, "sent", ids=list(ids))
    with available():
        conn.execute(sqlfile.load("notices")["channel_worked"], (channel,))


def again(conn: Connection, channel: int, ids: Sequence[int], due: datetime, error: str) -> None:
    """They did not; they are tried again."""
    _run(conn, "again", ids=list(ids), due=due, error=error)
    _run(conn, "channel_failed", id=channel, error=error, off=False)


def failed(conn: Connection, channel: int, ids: Sequence[int], error: str, *, off: bool) -> None:
    """They never will. `off`: nothing will through this channel; it is switched off."""
    _run(conn, "failed", ids=list(ids), error=error)
    _run(conn, "channel_failed", id=channel, error=error, off=off)


def drop_disabled(conn: Connection) -> int:
    """Ends what waits for channels that are off; returns how many."""
    with available():
        return conn.execute(sqlfile.load("notices")["drop_disabled"]).rowcount


def log(
    conn: Connection, account: int | None, *, before: int | None = None, state: str | None = None, limit: int = 100
) -> list[Entry]:
    """The delivery log, newest first; of one person or (None) of all."""
    values = {"account": account, "before": before, "state": state, "limit": limit}
    with available():
        return [Entry(*row) for row in conn.execute(sqlfile.load("notices")["log"], values).fetchall()]


def trim(conn: Connection, before: datetime, limit: int) -> int:
    """Deletes at most `limit` rows that were finished before then; returns how many."""
    with available():
        return conn.execute(sqlfile.load("notices")["trim"], {"before": before, "limit": limit}).rowcount


def push_key(conn: Connection) -> tuple[bytes, str] | None:
    """(sealed private key, public key) that push services know this server by."""
    with available():
        row = conn.execute(sqlfile.load("notices")["push_key"]).fetchone()
    return None if row is None else (bytes(row[0]), row[1])


def set_push_key(conn: Connection, sealed: bytes, public: str) -> None:
    """Stores one where there is none; of two at once the first stays."""
    with available():
        conn.execute(sqlfile.load("notices")["set_push_key"], (sealed, public))


def _run(conn: Connection, query: str, **values: Any) -> None:
    with available():
        conn.execute(sqlfile.load("notices")[query], values)


def _preferences(document: Any) -> Preferences:
    return msgspec.convert(document or {}, Preferences)


def _waiting(row: Sequence[Any]) -> Waiting:
    id, kind, priority, document, message, tries, created, channel, to_kind, address, secret, language, wanted = row
    sealed = None if secret is None else bytes(secret)
    preferred = _preferences(msgspec.json.decode(wanted))
    return Waiting(
        id, kind, priority, document, message, tries, created, channel, to_kind, address, sealed, language, preferred
    )
