"""From the outbox to the world: what is due is put into messages, sent at once through several channels, and noted.

Three steps: a transaction gives the rows a message and a lease; threads send, outside any transaction; a transaction
notes what came of it. Who dies in between has the message sent again when the lease ends, under the same id.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as waiting
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from prometheus_client import Counter

from services.notifications.sending import Outgoing, Result, Sender
from tram.alarms.model import AlarmChange
from tram.identity.secrets import Keyring
from tram.notices import policy, words
from tram.store import notices
from tram.store.database import Connection
from tram.store.notices import LEASE, Waiting

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Channels that are sent to at the same time; each has timeouts of its own, shorter than the lease."""
ROWS = 500
CLOSING = 8.0
"""Seconds that the end waits for what is being sent."""
ONE_BY_ONE = 3
"""Alarms at once up to which each has a message of its own."""

MESSAGES = Counter("tram_notifications", "Messages by kind of channel and what came of them", ["kind", "outcome"])


Done = list[tuple[Outgoing, Result | None]]
"""None: not even tried, since the one before it failed."""


class Deliverer:
    """Delivers: one thread a channel, so the messages of one arrive in order, and a slow one delays no other.

    Args:
        sender: sends one message.
        ring: opens sealed codes.
        url: base of the links.
        utc_offset: hours.
    """

    def __init__(self, sender: Sender, ring: Keyring, url: str, utc_offset: int) -> None:
        self._sender, self._ring, self._url, self._offset = sender, ring, url, utc_offset
        self._threads = ThreadPoolExecutor(AT_ONCE, "notify")
        self._sending: dict[int, tuple[Future[Done], list[Outgoing]]] = {}

    def deliver(self, conn: Connection, now: datetime) -> bool:
        """Notes what came of what was being sent, and sends what is due; commits by itself. Whether it did anything."""
        noted = self.note(conn, now)
        rows = notices.claim(conn, now, ROWS, list(self._sending))
        by_channel: dict[int, list[Outgoing]] = {}
        for id, group in self._groups(conn, rows, now):
            one = self._composed(group, id, now)
            notices.lease(conn, [row.id for row in group], id, now + LEASE)
            by_channel.setdefault(one.to.channel, []).append(one)
        conn.commit()
        for channel, outgoing in by_channel.items():
            self._sending[channel] = (self._threads.submit(self._all, outgoing), outgoing)
        return noted or bool(by_channel)

    def note(self, conn: Connection, now: datetime, *, wait: float = 0.0) -> bool:
        """Stores what came of what was sent; commits by itself. `wait`: seconds for what is still being sent."""
        if wait and self._sending:
            waiting([future for future, _ in self._sending.values()], timeout=wait)
        done = [channel for channel, (future, _) in self._sending.items() if future.done()]
        for channel in done:
            future, outgoing = self._sending[channel]
            if future.cancelled():  # it was never begun: whoever comes next sends it at once
                notices.unlease(conn, [row.id for one in outgoing for row in one.rows], now)
            else:
                for one, result in future.result():
                    self._note(conn, one, result, now)
            conn.commit()
            # Only now: should the database be away, it is noted when it is back.
            del self._sending[channel]
        return bool(done)

    def close(self, conn: Connection | None) -> None:
        """Waits for what is being sent and stores what came of it, if there is a database to store it in."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if conn is not None:
            self.note(conn, datetime.now(UTC), wait=CLOSING)

    def _all(self, outgoing: Sequence[Outgoing]) -> Done:
        found: Done = []
        for n, one in enumerate(outgoing):
            result = self._sender.send(one)
            found.append((one, result))
            if result.error and not result.permanent:
                return found + [(other, None) for other in outgoing[n + 1 :]]
        return found

    def _note(self, conn: Connection, one: Outgoing, result: Result | None, now: datetime) -> None:
        ids = [row.id for row in one.rows]
        if result is None:
            notices.unlease(conn, ids, now + timedelta(seconds=policy.wait(one.to.tries + 1)))
            return
        tries = one.to.tries + 1
        outcome = "sent" if not result.error else "failed" if result.permanent else "again"
        if not result.error:
            notices.sent(conn, one.to.channel, ids)
        elif result.permanent or tries >= policy.TRIES:
            notices.failed(conn, one.to.channel, ids, result.error, off=result.off)
        else:
            wait = max(policy.wait(tries), result.wait)
            notices.again(conn, one.to.channel, ids, now + timedelta(seconds=wait), result.error)
        MESSAGES.labels(one.to.to_kind, outcome).inc()
        if result.error:
            # Neither the address nor the words: a log is read by more people than the message is for.
            log.warning("not delivered", extra={"channel": one.to.channel, "tries": tries, "outcome": outcome})

    def _groups(self, conn: Connection, rows: Sequence[Waiting], now: datetime) -> list[tuple[UUID, list[Waiting]]]:
        """Which rows go out together, each group with its id. Rows that were tried keep their message."""
        groups: dict[UUID, list[Waiting]] = {}
        fresh: dict[int, list[Waiting]] = {}
        for row in rows:
            if row.message is not None:
                groups.setdefault(row.message, []).append(row)
            elif row.kind != "alarm":
                groups[uuid4()] = [row]
            else:
                fresh.setdefault(row.channel, []).append(row)
        lately = notices.sent_lately(conn, list(fresh), now - policy.WINDOW)
        for channel, mine in fresh.items():
            for critical in (True, False):  # what is critical is counted by itself: a flood does not hide it
                some = [row for row in mine if (row.priority >= 4) is critical]
                count, last = lately.get((channel, critical), (0, now))
                for group in self._messages(conn, some, count, last, now):
                    groups[uuid4()] = group
        return list(groups.items())

    def _messages(
        self, conn: Connection, rows: list[Waiting], count: int, last: datetime, now: datetime
    ) -> list[list[Waiting]]:
        """One by one while it is quiet; in a flood one digest in ten minutes."""
        if not rows:
            return []
        flood = rows[0].preferences.flood
        if len(rows) <= ONE_BY_ONE and count + len(rows) <= flood:
            return [[row] for row in rows]
        if count > flood and last + policy.WINDOW > now:
            notices.postpone(conn, [row.id for row in rows], last + policy.WINDOW)
            return []
        return [rows]

    def _composed(self, rows: list[Waiting], id: UUID, now: datetime) -> Outgoing:
        first = rows[0]
        if first.kind == "test":
            message = words.test(first.language, self._url, now, self._offset)
        elif first.kind == "code":
            sealed = bytes.fromhex(msgspec.json.decode(first.document)["sealed"])
            message = words.code(self._ring.open(sealed, f"notice-code:{first.channel}").decode(), first.language)
        else:
            changes = [msgspec.json.decode(row.document, type=AlarmChange) for row in rows]
            if len(changes) == 1:
                message = words.alarm(changes[0], first.language, self._url, self._offset)
            else:
                message = words.digest(changes, first.language, self._url, self._offset)
        return Outgoing(rows, id, message)
