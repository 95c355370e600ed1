"""Who asks over HTTP: the session's cookie or a personal token, the same as at the API; and whether they may.

The planes share the database, so that who signed in there is signed in here: production has one origin for both, and on
one machine a cookie holds for every port of a host.
"""

import math
import time

from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from telehealth.tokens import TokenError
from tram.identity import ANONYMOUS, Decision, Principal, decide
from tram.runtime import visitor
from tram.runtime.known import Known
from tram.runtime.ledger import Ledger, Note
from tram.runtime.rates import Rates
from tram.settings import Settings
from tram.store.database import open_pool


class People:
    """The people of the house, for this process. `start` begins, `stop` ends it."""

    def __init__(self, settings: Settings) -> None:
        self.proxies = visitor.proxies(settings)
        self._pool = open_pool(settings, "telehealth-people")
        self._known, self._ledger = Known(settings, self._pool), Ledger(self._pool)
        self._rates = Rates(settings.http_rate, settings.http_rate / 2)

    def start(self) -> None:
        """Begins to listen for changes, and to write refusals."""
        self._known.start()
        self._ledger.start()

    def stop(self) -> None:
        """Writes what waits and closes the connections."""
        self._known.stop()
        self._ledger.stop()
        self._pool.close(2)

    async def permit(self, request: HTTPConnection, operation: str) -> Decision:
        """The decision on a list: its `covers` says which rows belong in the answer.

        Raises:
            TokenError: `token` (nobody known asks), `forbidden`, `rate`.
            UnavailableError: the database is away.
        """
        now, origin = time.time(), visitor.origin(request, self.proxies)
        who = await self._who(request)
        wait = self._rates.take(who.id if who.known else f"address:{origin}", now)
        if wait:
            self._ledger.note(Note("request.rate-limited", who.id, origin))
            raise TokenError(f"too many requests: wait {math.ceil(wait)} s", code="rate")
        decision = decide(who, operation, None, now=now)
        if decision.allowed:
            return decision
        if not who.known:
            raise TokenError("sign in first")
        note = Note("access.refused", who.id, origin, {"why": decision.code}, who, operation, "", decision.why)
        self._ledger.note(note)
        raise TokenError(decision.why, code="forbidden")

    async def _who(self, request: HTTPConnection) -> Principal:
        token = visitor.bearer(request)
        if token is not None:
            caller = self._known.remembered(token) or await run_in_threadpool(self._known.token, token)
            if caller is None:  # a browser's cookie does not help somebody with a wrong token
                raise TokenError("this token is not in force")
            return caller.principal
        secret = visitor.cookie(request, self.proxies)
        if secret is None:
            return ANONYMOUS
        caller = self._known.remembered(secret) or await run_in_threadpool(self._known.session, secret)
        if caller is None or caller.session is None or not caller.session.complete:
            return ANONYMOUS
        return caller.principal
