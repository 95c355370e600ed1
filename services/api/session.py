"""Signing in and out, and who is there."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr

from services.auth import request as http
from services.auth import signin
from services.auth.guard import Permit, allowed
from services.auth.signin import Answer, Visitor
from services.deps import Database, Shared, State
from services.errors import ANSWERS, Problem
from tram.identity import STEP_UP_LASTS, Role, decide
from tram.identity.operations import OPERATIONS
from tram.identity.roles import LABELS
from tram.store import events, sessions
from tram.store.sessions import Session

router = APIRouter(prefix="/api/session", tags=["session"], responses=ANSWERS)


class Credentials(BaseModel):
    """Who, and the password."""

    login: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]


class Code(BaseModel):
    """A one-time code or a recovery code."""

    code: Annotated[SecretStr, Field(min_length=1, max_length=40)]


class Proof(BaseModel):
    """For a step-up: the code where there is a second factor, else the password."""

    password: Annotated[SecretStr, Field(max_length=1024)] = SecretStr("")
    code: Annotated[SecretStr, Field(max_length=40)] = SecretStr("")


class Next(BaseModel):
    """What comes next."""

    next: str = Field(description="done, or code: the second factor is asked for")


class RoleOut(BaseModel):
    """A role and where it holds."""

    role: str
    label: dict[str, str]
    areas: list[str] | None = Field(description="null: everywhere")
    facilities: list[str] | None


class Me(BaseModel):
    """Who is there."""

    signed_in: bool
    id: str = ""
    login: str = ""
    name: str = ""
    language: str = "vi"
    kind: str = "anonymous"
    roles: list[RoleOut] = Field(default_factory=list)
    may: list[str] = Field(
        default_factory=list, description="operations of which there is something one may do, by name",
        examples=[["alarms.act", "alarms.read"]],
    )  # fmt: skip
    second_factor: bool = Field(default=False, description="whether the account has one")
    restricted: str | None = Field(
        default=None, description="must-change, must-enrol: what is to be done before anything else"
    )
    stepped_up: bool = Field(default=False, description="whether a step-up is still good")
    provider: bool = Field(default=False, description="signed in at the identity provider")
    waiting_code: bool = Field(default=False, description="the password was right, the code is still to come")
    providers: list[str] = Field(default_factory=list, description="names of identity providers to sign in at")
    environment: str = ""


@router.post("", summary="Sign in")
def sign_in(
    given: Credentials, request: Request, response: Response, permit: Annotated[Permit, allowed("session.open")]
) -> Next:
    """With name and password. 401 says how many tries are left; 429 how long to wait."""
    shared = permit.state
    answer = signin.with_password(shared, given.login, given.password.get_secret_value(), visitor(request, permit))
    return _answered(shared, request, response, answer)


@router.post("/code", summary="The second factor")
def sign_in_code(
    given: Code, request: Request, response: Response, permit: Annotated[Permit, allowed("session.open")]
) -> Next:
    """After a right password of an account that has one."""
    half = half_session(request, permit.state)
    if half is None:
        raise Problem("unauthenticated", "start again with the password")
    answer = signin.with_code(permit.state, half, given.code.get_secret_value(), visitor(request, permit))
    return _answered(permit.state, request, response, answer)


@router.post("/prove", summary="Prove again who one is")
def prove(
    given: Proof, request: Request, response: Response, permit: Annotated[Permit, allowed("account.prove", own=True)]
) -> Next:
    """Step-up: good for five minutes, for what asks for it."""
    if permit.session is None:
        raise Problem("forbidden", "a program cannot step up")
    answer = signin.prove(
        permit.state, permit.session, given.password.get_secret_value(), given.code.get_secret_value(),
        visitor(request, permit),
    )  # fmt: skip
    return _answered(permit.state, request, response, answer)


@router.get("", summary="Who is there")
def who(request: Request, shared: Shared, permit: Annotated[Permit, allowed("session.open")]) -> Me:
    """Also for nobody: then `signed_in` is false."""
    principal, session = permit.principal, permit.session
    names = [shared.settings.oidc_name] if shared.settings.oidc_issuer else []
    if not principal.known:
        half = half_session(request, shared)
        return Me(
            signed_in=False, waiting_code=half is not None, providers=names, environment=shared.settings.environment
        )
    roles = [
        RoleOut(
            role=grant.role, label=LABELS[grant.role]._asdict(),
            areas=None if grant.scope.areas is None else sorted(grant.scope.areas),
            facilities=None if grant.scope.facilities is None else sorted(grant.scope.facilities),
        )
        for grant in principal.grants if grant.role is not Role.CITIZEN
    ]  # fmt: skip
    me: dict[str, Any] = {"signed_in": True, "id": principal.id, "login": principal.name, "kind": principal.kind}
    if session is not None:
        fresh = session.stepped_up is not None and 0 <= permit.now - session.stepped_up < STEP_UP_LASTS
        me |= {
            "name": session.name, "language": session.language, "second_factor": session.has_second_factor,
            "restricted": session.restricted, "stepped_up": fresh, "provider": session.issuer is not None,
        }  # fmt: skip
    may = [name for name in OPERATIONS if decide(principal, name, now=permit.now).code in ("allowed", "step-up")]
    return Me(**me, roles=roles, may=sorted(may), providers=names, environment=shared.settings.environment)


class Out(BaseModel):
    """Signed out here; and where to go to sign out at the identity provider too."""

    provider: str | None = None


@router.delete("", summary="Sign out")
def sign_out(
    request: Request, response: Response, database: Database, permit: Annotated[Permit, allowed("session.close")]
) -> Out:
    """Ends this session. Signing out when nobody is signed in changes nothing."""
    shared = permit.state
    session = permit.session or half_session(request, shared)
    http.set_cookie(request, response, shared.proxies, None)
    if session is None:
        return Out()
    provider = None
    if session.issuer is not None and shared.oidc is not None:
        held = sessions.id_token(database, session.id)
        hint = None if held is None else shared.keyring.open(held[1], "id-token").decode()
        provider = shared.oidc.end_session_url(hint, http.base_url(request, shared.settings, shared.proxies))
    sessions.close(database, session.id)
    events.security(database, "sign-out", at=int(permit.now * 1e6), subject=permit.principal.id, origin=permit.origin)
    permit.audit(database, target=f"p:{session.account}")
    return Out(provider=provider)


def visitor(request: Request, permit: Permit) -> Visitor:
    """Where this request comes from."""
    return Visitor(permit.origin, request.headers.get("user-agent", "")[:200], time.time())


def half_session(request: Request, shared: State) -> Session | None:
    """The session of this browser that waits for its code."""
    secret = http.cookie(request, shared.proxies)
    if secret is None:
        return None
    with shared.pool.connection() as conn:
        found = sessions.find(
            conn,
            secret,
            now=time.time(),
            idle=shared.settings.session_idle,
            factor_required=shared.known.factor_required,
        )
    return found if found is not None and not found.complete else None


def _answered(shared: State, request: Request, response: Response, answer: Answer) -> Next:
    if answer.step == "wait":
        raise waiting(answer.seconds)
    if answer.step == "wrong":
        if answer.seconds:
            raise waiting(answer.seconds)
        raise Problem("wrong-credentials", f"{answer.left} tries are left before a wait")
    old = http.cookie(request, shared.proxies)
    if old is not None and answer.step == "done":
        _close_other(shared, old, answer.secret)
    http.set_cookie(request, response, shared.proxies, answer.secret)
    return Next(next=answer.step)


def _close_other(shared: State, old: str, new: str | None) -> None:
    """Whoever was signed in in this browser before is not any more."""
    if old == new:
        return
    with shared.pool.connection() as conn:
        found = sessions.find(conn, old, now=time.time(), idle=shared.settings.session_idle, factor_required=False)
        if found is not None:
            sessions.close(conn, found.id)


def waiting(seconds: float) -> Problem:
    """The answer to one who must wait."""
    whole = max(1, round(seconds))
    return Problem("locked", f"try again in {whole} s", {"Retry-After": str(whole)})
