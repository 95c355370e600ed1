"""The thread of the worker that plans, delivers and publishes: docs/notifications.md, docs/adr/0128.

Several workers may run: the one whose session holds an advisory lock works. Positions, outbox and results are in the
database, so what dies in between is done again and nothing is lost.
"""

import threading
import time
from datetime import UTC, datetime, timedelta

from services.led import Led
from services.notifications import planning, public
from services.notifications.delivering import Deliverer
from services.notifications.sending import Sender
from tram.embedded.secret import keyring
from tram.identity.secrets import Keyring
from tram.notices import webpush
from tram.settings import Settings
from tram.store import alarms, cap, notices
from tram.store.database import Connection, available
from tram.store.notify import Listener

WAIT = 1.0
"""Seconds after which it looks again, for what has become due."""
LOOK_AFTER = 30.0
"""Seconds between looking for documents to renew and old rows to delete."""
STEP = 5_000
PUSH_KEY = "push-key"


class Notifications(Led):
    """The thread."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        super().__init__(settings, stopping, "notifications", lock=128, channels=(alarms.CHANNEL, notices.CHANNEL))
        self._ring = keyring(settings)
        self._looked = 0.0
        self._deliverer: Deliverer | None = None

    def serve(self, conn: Connection, listener: Listener) -> None:
        settings = self._settings
        if self._deliverer is None:
            sender = Sender(settings, self._ring, push_key(conn, self._ring)[0])
            conn.commit()
            self._deliverer = Deliverer(sender, self._ring, settings.public_url.rstrip("/"), settings.utc_offset)
        while not self._stopping.is_set():
            with available():
                busy = self._round(conn, self._deliverer)
            if not busy:
                listener.wait(WAIT, self._stopping)
        self._deliverer.close(conn)

    def _round(self, conn: Connection, deliverer: Deliverer) -> bool:
        """Each step in a transaction of its own; whether there may be more to do at once."""
        settings = self._settings
        busy = public.publish(conn, settings, datetime.now(UTC)) > 0
        conn.commit()
        busy |= planning.plan(conn, datetime.now(UTC), settings.utc_offset) > 0
        conn.commit()
        busy |= deliverer.deliver(conn, datetime.now(UTC))
        conn.commit()
        if time.monotonic() - self._looked >= LOOK_AFTER:
            self._looked = time.monotonic()
            now = datetime.now(UTC)
            public.renew(conn, settings, now)
            conn.commit()
            notices.drop_disabled(conn)
            before = now - timedelta(days=settings.notify_days)
            notices.trim(conn, before, STEP)
            cap.trim(conn, before)
            conn.commit()
        return busy


def push_key(conn: Connection, ring: Keyring) -> tuple[bytes, str]:
    """(private, public) key that push services know this server by; made the first time. Never commits."""
    found = notices.push_key(conn)
    if found is None:
        key = webpush.new_key()
        notices.set_push_key(conn, ring.seal(key, PUSH_KEY), webpush.public_key(key))
        found = notices.push_key(conn)
        assert found is not None
    return ring.open(found[0], PUSH_KEY), found[1]
