"""The guard: authorisation as an annotated type of every endpoint.

    @router.get("/things/{name}")
    def get_thing(permit: Annotated[Permit, allowed("things.read")], …) -> Thing:
        permit.require(permit.place(name))      # where what is asked for has a place of its own

An endpoint without it does not start (`check_routes`), and a test fails on one without a case for allowed and refused.
What an audited operation did is written in the endpoint's own transaction; refusals go to the ledger.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.requests import HTTPConnection

from services.auth import devices
from services.auth import request as http
from services.deps import Database, Shared, State
from services.errors import Problem
from tram import web
from tram.identity import ANONYMOUS, OPERATIONS, AreaTree, Decision, Kind, Principal, Reach, Target, decide
from tram.runtime.known import Caller
from tram.runtime.ledger import REFUSED, Note
from tram.store import audit
from tram.store.sessions import Session

OPEN = "open.read"
_CODES = {"sign-in": "unauthenticated", "step-up": "step-up"}


@dataclass(slots=True)
class Permit:
    """A decision that allowed something, in the hands of an endpoint.

    Attributes:
        decision: who asks, what, why they may; for lists `decision.covers`.
        session: the browser's session; None for programs and the unknown.
        origin: address it came from.
        target, detail: what the audit writes of it; an endpoint may set them.
    """

    decision: Decision
    session: Session | None
    origin: str
    state: State
    now: float
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        return self.decision.principal

    def require(self, target: Target, operation: str | None = None) -> Decision:
        """The same, or another, operation on this very target.

        Raises:
            Problem: it is outside what they may reach, or needs a sign-in or step-up.
        """
        decision = decide(self.principal, operation or self.decision.operation, target, now=self.now)
        if not decision.allowed:
            raise refusal(self.state, decision, self.origin, target.name)
        self.target = self.target or target.name
        return decision

    def place(self, thing: str) -> Target:
        """Where a Thing stands."""
        return self.state.known.target(thing)

    @property
    def unbounded(self) -> bool:
        """Whether a list needs no filter: all of it may be seen."""
        return self.decision.areas(AreaTree()) is None

    def visible(self, rows: Iterable[Any], name: Callable[[Any], str]) -> list[Any]:
        """Of a list, the rows whose Thing may be seen."""
        if self.unbounded:
            return list(rows)
        return [row for row in rows if self.decision.covers(self.place(name(row)))]

    def audit(self, conn: Any, *, operation: str = "", target: str = "", detail: dict[str, Any] | None = None) -> None:
        """Writes a row now, for what is not audited by itself."""
        audit.write(
            conn, self.principal, operation or self.decision.operation, at=int(self.now * 1e6),
            target=target or self.target, why=self.decision.why, origin=self.origin, detail=detail or self.detail,
        )  # fmt: skip


def allowed(operation: str, *, own: bool = False, device: bool = False) -> Any:
    """The dependency that lets a request in, or refuses it; for `Annotated[Permit, allowed("things.read")]`.

    Args:
        operation: of tram.identity.operations (else KeyError, when the module is read).
        own: the target is the caller's own account (or the device's own credential).
        device: a device asks, with its MQTT user name and password.
    """
    rule = OPERATIONS[operation]

    async def check_open(request: Request, shared: Shared) -> Permit:
        # For everybody, whoever they are: nobody is looked up, so that probes answer without a database.
        return Permit(decide(ANONYMOUS, operation, now=0.0), None, http.origin(request, shared.proxies), shared, 0.0)

    async def check(request: Request, shared: Shared) -> Permit:
        caller = await (run_in_threadpool(devices.caller, request, shared) if device else caller_of(request, shared))
        return permit_of(request, shared, operation, caller, own=own or device)

    def audited(permit: Annotated[Permit, Depends(check)], database: Database, request: Request) -> Iterator[Permit]:
        yield permit
        permit.audit(database, target=permit.target or _named(request))

    if operation == OPEN:
        check_open.__dict__["operation"] = operation
        return Depends(check_open)
    if rule.audited:
        audited.__dict__["operation"] = operation
        return Depends(audited, scope="function")
    check.__dict__["operation"] = operation
    return Depends(check)


def permit_of(
    request: HTTPConnection, shared: State, operation: str, caller: Caller | None, *, own: bool = False
) -> Permit:
    """Decides on one request. Raises Problem."""
    now = time.time()
    principal = caller.principal if caller else ANONYMOUS
    origin = http.origin(request, shared.proxies)
    wait = shared.rates.take(principal.id if caller else f"address:{origin}", now)
    if wait:
        shared.ledger.note(Note("request.rate-limited", principal.id, origin))
        REFUSED.labels("rate-limited").inc()
        raise Problem("rate-limited", headers={"Retry-After": str(math.ceil(wait))})
    target = None
    if own:  # a program has no account of its own, and does not act on its owner's
        owner = principal.id if principal.kind in (Kind.PERSON, Kind.DEVICE) else None
        target = Target(owner=owner, name=principal.id)
    decision = decide(principal, operation, target, now=now)
    if not decision.allowed:
        raise refusal(shared, decision, origin, _named(request), caller.session if caller else None)
    return Permit(decision, caller.session if caller else None, origin, shared, now)


async def caller_of(request: HTTPConnection, shared: State) -> Caller | None:
    """Who sends it: by token or by cookie; None: nobody known.

    Raises:
        Problem: a token or a cookie that is none, or is over. A browser is told to sign in again, not let in as nobody.
    """
    token = http.bearer(request)
    if token is not None:
        caller = shared.known.remembered(token) or await run_in_threadpool(shared.known.token, token)
        if caller is None:
            shared.ledger.note(Note("token.refused", "", http.origin(request, shared.proxies), {"sort": "token"}))
            REFUSED.labels("token").inc()
            raise Problem("unauthenticated", "this token is not in force", {"WWW-Authenticate": "Bearer"})
        return caller
    secret = http.cookie(request, shared.proxies)
    if secret is None:
        return None
    caller = shared.known.remembered(secret) or await run_in_threadpool(shared.known.session, secret)
    if caller is None or caller.session is None or not caller.session.complete:
        return None
    return caller


def refusal(
    shared: State, decision: Decision, origin: str, target: str = "", session: Session | None = None
) -> Problem:
    """Notes a refusal and makes the answer to it."""
    who = decision.principal
    REFUSED.labels(decision.code).inc()
    if decision.code != "step-up" and who.known:
        shared.ledger.note(
            Note(
                "access.refused", who.id, origin, {"why": decision.code}, who, decision.operation, target, decision.why
            )
        )
    code = _CODES.get(decision.code, "unauthenticated" if not who.known else "forbidden")
    detail = decision.why
    if session is not None and session.restricted:
        code, detail = session.restricted, ""
    headers = {"WWW-Authenticate": "Bearer"} if code == "unauthenticated" else None
    return Problem(code, detail if who.known else "", headers)


def _named(request: HTTPConnection) -> str:
    """What the path names: `name=aq-01`."""
    return ",".join(f"{key}={value}" for key, value in request.path_params.items())[:200]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of the application and the operation it names; None: it names none."""

    methods: tuple[str, ...]
    path: str
    operation: str | None


OPEN_MOUNTS = ("/static", web.PREFIX)
"""Folders of files that everybody may have."""


def endpoints(app: FastAPI) -> list[Endpoint]:
    """Every endpoint there is, from the application itself: none can be forgotten."""

    def walk(dependant: Dependant) -> Iterator[str]:
        found = getattr(dependant.call, "__dict__", {}).get("operation")
        if found:
            yield found
        for inner in dependant.dependencies:
            yield from walk(inner)

    found = []
    for context in iter_route_contexts(app.routes):
        path, dependant = str(context.path or ""), getattr(context, "dependant", None)
        operation = None if dependant is None else next(walk(dependant), None)
        if path in OPEN_MOUNTS or path == app.openapi_url:
            operation = OPEN
        found.append(Endpoint(tuple(sorted(context.methods or ())), path, operation))
    return found


def check_routes(app: FastAPI) -> None:
    """Refuses to start an application with an endpoint that names no rule.

    Raises:
        RuntimeError: names the first one.
    """
    for endpoint in endpoints(app):
        if endpoint.operation is None:
            raise RuntimeError(f"{endpoint.methods} {endpoint.path} names no rule: see services/auth/guard.py")


__all__ = ["Permit", "Reach", "allowed", "caller_of", "check_routes", "endpoints", "permit_of", "refusal"]
