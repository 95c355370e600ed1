"""Who a cookie or a token is, remembered: the database is asked once, then told when something changes.

Every change of an account, role, session or token notifies (migrations/identity/0001_people.sql), and what is
remembered of it is dropped at once. While the listening connection is away nothing is remembered at all.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from psycopg_pool import ConnectionPool

from tram.errors import UnavailableError
from tram.identity.principal import Principal
from tram.identity.scope import AreaTree, Target
from tram.identity.secrets import fingerprint
from tram.settings import Settings
from tram.store import access_tokens, people, registry, sessions
from tram.store.database import Connection, available
from tram.store.notify import Listener
from tram.store.sessions import Session

log = logging.getLogger(__name__)

MOST = 20_000  # sessions and tokens remembered; then those not used for longest go
FRESH = 60.0  # seconds after which one is looked up again in any case, and its use is noted
CONNECTION_SECONDS = 0.8
PLACES_FRESH = 300.0
RETRY = 1.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `session` is None for tokens. `until`: seconds since 1970 from which they are nobody."""

    principal: Principal
    session: Session | None
    until: float


class Known:
    """The memory of one process. `start` begins listening, `stop` ends it."""

    def __init__(
        self, settings: Settings, pool: ConnectionPool[Connection], clock: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._pool, self._clock = settings, pool, clock
        self._lock = threading.Lock()
        self._callers: OrderedDict[bytes, tuple[Caller, float, str]] = OrderedDict()
        self._by_owner: dict[str, set[bytes]] = {}
        self._generation = 0
        self._listening = False
        self._places: tuple[dict[str, Target], AreaTree, float] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="identity", daemon=True)
        self.factor_required = settings.totp_required == "yes" or (
            settings.totp_required == "auto" and settings.environment == "production"
        )

    def start(self) -> None:
        """Begins to listen for changes."""
        self._thread.start()

    def stop(self) -> None:
        """Ends listening."""
        self._stop.set()
        self._thread.join(2)

    def remembered(self, secret: str) -> Caller | None:
        """Who it is, if that is remembered; no query is made."""
        key = fingerprint(secret)
        now = self._clock()
        with self._lock:
            found = self._callers.get(key)
            if found is None or now >= found[1] or now >= found[0].until:
                return None
            self._callers.move_to_end(key)
            return found[0]

    def session(self, secret: str) -> Caller | None:
        """The session of a cookie, from the database; then it is remembered. Raises UnavailableError."""
        now = self._clock()
        generation = self._generation
        with available(), self._pool.connection(timeout=CONNECTION_SECONDS) as conn:
            idle = self._settings.session_idle
            found = sessions.find(conn, secret, now=now, idle=idle, factor_required=self.factor_required)
            if found is None:
                return None
            if now - found.seen >= FRESH / 2:
                sessions.touch(conn, found.id, now)
        ends = [g.expires for g in found.grants if g.expires is not None and g.expires > now]
        caller = Caller(found.principal, found, min([found.ends, now + idle, *ends]))
        self._remember(secret, caller, f"account:{found.account}", now, generation)
        return caller

    def token(self, secret: str) -> Caller | None:
        """Who sends this token, from the database; then it is remembered. Raises UnavailableError."""
        now = self._clock()
        generation = self._generation
        with available(), self._pool.connection(timeout=CONNECTION_SECONDS) as conn:
            found = access_tokens.find(conn, secret, now=now)
            if found is None:
                return None
            principal, expires, account = found
            access_tokens.touch(conn, int(principal.id.removeprefix("t:")), now)
        owner = f"token:{principal.id.removeprefix('t:')}" if account is None else f"account:{account}"
        caller = Caller(principal, None, expires)
        self._remember(secret, caller, owner, now, generation)
        return caller

    def target(self, thing: str) -> Target:
        """Where a Thing stands, and whether it is public. An unknown one stands nowhere. Raises UnavailableError."""
        return self._map()[0].get(thing, Target(name=thing))

    def find(self, thing: str) -> Target | None:
        """The same; None: there is no such Thing. Raises UnavailableError."""
        return self._map()[0].get(thing)

    def tree(self) -> AreaTree:
        """The tree of areas. Raises UnavailableError."""
        return self._map()[1]

    def _map(self) -> tuple[dict[str, Target], AreaTree, float]:
        now = self._clock()
        held = self._places
        if held is not None and now < held[2] and self._listening:
            return held
        generation = self._generation
        with available(), self._pool.connection(timeout=CONNECTION_SECONDS) as conn:
            tree = people.area_tree(conn)
            places = {
                name: Target(path=tree.path(area), public=public, name=name)
                for name, area, public in registry.places(conn)
            }
        held = (places, tree, now + PLACES_FRESH)
        with self._lock:
            if self._generation == generation:
                self._places = held
        return held

    def _remember(self, secret: str, caller: Caller, owner: str, now: float, generation: int) -> None:
        key = fingerprint(secret)
        with self._lock:
            # Something changed while the database was asked: the answer may be the old one.
            if not self._listening or generation != self._generation:
                return
            self._callers[key] = (caller, now + FRESH, owner)
            self._callers.move_to_end(key)
            self._by_owner.setdefault(owner, set()).add(key)
            while len(self._callers) > MOST:
                gone, (_, _, theirs) = self._callers.popitem(last=False)
                keys = self._by_owner.get(theirs, set())
                keys.discard(gone)
                if not keys:
                    self._by_owner.pop(theirs, None)

    def _forget(self, owner: str = "") -> None:
        with self._lock:
            self._generation += 1
            if owner:
                for key in self._by_owner.pop(owner, ()):
                    self._callers.pop(key, None)
            else:
                self._callers.clear()
                self._by_owner.clear()
                self._places = None

    def _listen(self) -> None:
        listener = Listener(self._settings, [sessions.CHANNEL, registry.CHANNEL], "identity")
        while not self._stop.is_set():
            try:
                for channel, payload in listener.wait(0.5, self._stop):
                    if channel == registry.CHANNEL and payload:
                        with self._lock:
                            self._generation += 1
                            self._places = None
                    else:
                        self._forget(payload)
                self._listening = True
            except UnavailableError:
                self._listening = False
                self._forget()
                self._stop.wait(RETRY)
        listener.close()
