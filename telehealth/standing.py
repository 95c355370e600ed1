"""Who belongs to which consult and the keys of join tokens, in memory and kept true: read at a join, then by NOTIFY.

One thread listens (tram_identity): a role, an account, an assignment or a key that changed is read again at once, so
that whoever lost a right is out within a second. While the database is away nothing new is learned, nobody new comes
in, and who is inside stays: a consult survives an outage.
"""

import asyncio
import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from telehealth.rights import PeopleRights
from tram.errors import TramError, UnavailableError
from tram.identity.tokens import SigningKey
from tram.settings import Settings
from tram.store import consults, keys, sessions
from tram.store.database import Connection, available, connect
from tram.store.notify import Listener

log = logging.getLogger(__name__)
T = TypeVar("T")

MOST = 5_000
"""Consults remembered; then those not asked about for a minute go."""
IDLE = 60.0
KEYS_AGAIN = 1.0
"""Seconds between two readings of the keys, however many unknown ones are named."""
KEYS_FRESH = 60.0
RETRY = 1.0


class Standings(PeopleRights):
    """PeopleRights with the database behind it. `start` begins to listen, `stop` ends it."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        super().__init__(production=settings.environment == "production", clock=clock)
        self._settings = settings
        self._keys: tuple[SigningKey, ...] = ()
        self._keys_read = self._keys_tried = float("-inf")
        self._lock = threading.Lock()
        self._conn: Connection | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="standings", daemon=True)

    def start(self) -> None:
        """Begins to listen for changes."""
        self._thread.start()

    def stop(self) -> None:
        """Ends listening."""
        self._stop.set()
        self._thread.join(2)
        with self._lock:
            self._close()

    def keys(self) -> Sequence[SigningKey]:
        """The keys that join tokens may be signed with."""
        return self._keys

    async def meet(self, token: str) -> None:
        """See Rights. A key that cannot be read is a key that is not there: the token is refused."""
        kid = _kid(token)
        if kid is None or any(key.kid == kid for key in self._keys):
            return
        arrived = time.monotonic()
        await asyncio.sleep(max(0.0, self._keys_tried + KEYS_AGAIN - arrived))
        try:
            await asyncio.to_thread(self._read_keys, arrived)
        except UnavailableError as error:
            log.warning("the signing keys could not be read", extra={"reason": str(error)})

    async def learn(self, consult: str) -> None:
        """See Rights."""
        await asyncio.to_thread(self._read, consult)

    def _read(self, consult: str) -> None:
        with self._lock:
            found = self._asked(lambda conn: consults.standings(conn, consult))
            if found or consult in self.standings:
                self.standings[consult] = found
                self.asked[consult] = self.clock()
            if len(self.asked) > MOST:
                old = self.clock() - IDLE
                for idle in [id for id, at in list(self.asked.items()) if at < old]:
                    self.asked.pop(idle, None)
                    self.standings.pop(idle, None)

    def _read_keys(self, since: float = float("inf")) -> None:
        """Unless that was begun since then and succeeded: what came before is in it."""
        with self._lock:
            if self._keys_read >= since:
                return
            self._keys_tried = time.monotonic()
            self._keys = tuple(self._asked(lambda conn: keys.load(conn, None, self.clock())))
            self._keys_read = self._keys_tried

    def _asked(self, question: Callable[[Connection], T]) -> T:
        """The answer of the database, over a connection that is kept. Raises UnavailableError."""
        try:
            with available():
                if self._conn is None or self._conn.closed:
                    self._conn = connect(self._settings, "telehealth-people", autocommit=True)
                return question(self._conn)
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _listen(self) -> None:
        listener = Listener(self._settings, [sessions.CHANNEL], "telehealth-identity")
        pending: set[str] = set()
        while not self._stop.is_set():
            try:
                pending |= {payload for _, payload in listener.wait(0.5, self._stop)}
                self._again(pending)
                pending.clear()  # only now: what could not be read is read again
                if time.monotonic() - self._keys_tried >= KEYS_FRESH:
                    self._read_keys()
            except UnavailableError:
                self._stop.wait(RETRY)
            except TramError as error:
                log.warning("what changed could not be read", extra={"reason": str(error)})
                self._stop.wait(RETRY)
        listener.close()

    def _again(self, changes: set[str]) -> None:
        """Reads again what the changes concern; "" is everything: something may have been missed."""
        concerned: set[str] = set()
        for change in changes:
            sort, _, id = change.partition(":")
            if sort in ("", "keys"):
                self._read_keys()
            if sort == "":
                concerned |= set(self.standings)
            elif sort == "consult" and id in self.standings:
                concerned.add(id)
            elif sort == "account":
                concerned |= {consult for consult, people in list(self.standings.items()) if f"p:{id}" in people}
        for consult in concerned:
            self._read(consult)


def _kid(token: str) -> str | None:
    """The key a signed token names; None: it is of another sort, or malformed."""
    head = token.split(".", 1)[0]
    if token.startswith("v1.") or len(head) > 1024:
        return None
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return None
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else None
