"""Signing in at the identity provider: start, callback, and what the provider says of signing out."""

import json
import time
from dataclasses import asdict
from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.auth import request as http
from services.auth.guard import Permit, allowed
from services.auth.oidc import ATTEMPT_LASTS, Attempt, Identity, Provider, ProviderError
from services.deps import State
from services.errors import ANSWERS, Problem
from tram.errors import ConflictError, UnavailableError
from tram.identity import claims as mapping
from tram.identity.principal import Kind, Principal
from tram.identity.secrets import OpeningError
from tram.store import audit, events, people, sessions
from tram.store.database import Connection, available
from tram.store.people import Account

router = APIRouter(prefix="/auth/oidc", tags=["identity provider"], responses=ANSWERS)
COOKIE = "tram_oidc"
PATH = "/auth/oidc"


@router.get("/start", summary="Go to the identity provider", response_class=RedirectResponse, status_code=303)
def start(
    request: Request,
    permit: Annotated[Permit, allowed("session.open")],
    after: Annotated[str, Query(alias="next", max_length=300)] = "/",
    prove: bool = False,
) -> Response:
    """Sends the browser there; with `prove`, to be asked again (a step-up)."""
    shared, provider = permit.state, _provider(permit.state)
    account = permit.session.account if prove and permit.session is not None else 0
    url, attempt = provider.start(_redirect(request, shared), local_path(after), prove=account)
    answer = RedirectResponse(url, 303)
    sealed = shared.keyring.seal(json.dumps(asdict(attempt)).encode(), "oidc").hex()
    # Lax: the provider's answer is a navigation from its site to ours.
    answer.set_cookie(
        COOKIE, sealed, max_age=int(ATTEMPT_LASTS), path=PATH, httponly=True, samesite="lax",
        secure=http.secure(request, shared.proxies),
    )  # fmt: skip
    return answer


@router.get("/callback", summary="Back from the identity provider", response_class=RedirectResponse, status_code=303)
def callback(request: Request, permit: Annotated[Permit, allowed("session.open")]) -> Response:
    """Ends in a session, or on the sign-in page with a reason."""
    shared, provider = permit.state, _provider(permit.state)
    try:
        attempt = _attempt(request, shared)
        found = provider.finish(attempt, _redirect(request, shared), dict(request.query_params))
        secret = _enter(shared, found, attempt, permit, request.headers.get("user-agent", ""))
        answer = RedirectResponse(attempt.after, 303)
        http.set_cookie(request, answer, shared.proxies, secret)
    except (ProviderError, UnavailableError) as error:
        with available(), shared.pool.connection() as conn:
            at = int(time.time() * 1e6)
            events.security(conn, "sign-in.failed", at=at, origin=permit.origin, detail={"oidc": str(error)[:200]})
        answer = RedirectResponse(f"/sign-in?problem={quote(str(error)[:200])}", 303)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer


@router.post("/back-channel-logout", summary="The provider says somebody signed out", status_code=200)
async def back_channel_logout(request: Request, permit: Annotated[Permit, allowed("session.close")]) -> Response:
    """OpenID Connect Back-Channel Logout 1.0: the sessions it names end at once."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    from fastapi.concurrency import run_in_threadpool

    await run_in_threadpool(_logout, permit.state, form.get("logout_token", [""])[0], permit.origin)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


@router.get("/front-channel-logout", summary="The provider's page says somebody signed out")
def front_channel_logout(
    permit: Annotated[Permit, allowed("session.close")],
    iss: Annotated[str, Query(max_length=300)] = "",
    sid: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """OpenID Connect Front-Channel Logout 1.0, with the session's name: our cookie does not come along in a frame."""
    provider = _provider(permit.state)
    if iss == provider.issuer and sid:
        _close(permit.state, sid, None, permit.origin)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


def local_path(text: str) -> str:
    """A path of this site to go on to; `/` for anything else (another site, a script)."""
    fine = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if fine else "/"


def _provider(shared: State) -> Provider:
    if shared.oidc is None:
        raise Problem("not-found", "there is no identity provider to sign in at")
    return shared.oidc


def _redirect(request: Request, shared: State) -> str:
    return http.base_url(request, shared.settings, shared.proxies) + "/auth/oidc/callback"


def _attempt(request: Request, shared: State) -> Attempt:
    try:
        sealed = bytes.fromhex(request.cookies.get(COOKIE, ""))
        return Attempt(**json.loads(shared.keyring.open(sealed, "oidc")))
    except (OpeningError, ValueError, TypeError):
        raise ProviderError("the sign-in was begun in another browser, or too long ago: start again") from None


def _enter(shared: State, found: Identity, attempt: Attempt, permit: Permit, agent: str) -> str:
    assert shared.oidc is not None
    now = time.time()
    at = int(now * 1e6)
    given = mapping.grants(found.claims, shared.oidc.claim, shared.oidc.mapping)
    with available(), shared.pool.connection() as conn:
        account = people.by_identity(conn, found.issuer, found.subject)
        if attempt.prove:
            session = permit.session
            if account is None or session is None or account.id != attempt.prove or session.account != account.id:
                raise ProviderError("that was somebody else")
            return sessions.step_up(conn, session.id, now=now)
        if account is None:
            account = _made(conn, found)
            events.security(
                conn, "account.added", at=at, subject=account.principal_id, origin=permit.origin, detail={"by": "oidc"}
            )
        if account.disabled is not None:
            raise ProviderError("this account is disabled here")
        if people.set_from_claims(conn, account.id, found.issuer, given):
            roles = sorted(str(grant.role) for grant in given)
            events.security(
                conn, "role.granted", at=at, subject=account.principal_id, origin=found.issuer, detail={"roles": roles}
            )
        people.signed_in(conn, account.id, now)
        secret = sessions.open_session(
            conn, account.id, now=now, lifetime=shared.settings.session_lifetime, address=permit.origin, agent=agent,
            complete=True, issuer=found.issuer, provider_sid=found.sid,
            id_token=shared.keyring.seal(found.id_token.encode(), "id-token"),
        )  # fmt: skip
        who = Principal(Kind.PERSON, account.principal_id, account.login)
        events.security(
            conn, "sign-in.succeeded", at=at, subject=who.id, origin=permit.origin, detail={"by": found.issuer}
        )
        audit.write(conn, who, "session.open", at=at, target=who.id, why=f"oidc {found.issuer}", origin=permit.origin)
    return secret


def _made(conn: Connection, found: Identity) -> Account:
    """An account for somebody new. Never an existing one by name or e-mail: those are not proof of being the same."""
    wanted = str(found.claims.get("preferred_username") or found.claims.get("email") or found.subject)
    base = "".join(c if c.isascii() and (c.isalnum() or c in "._@-") else "-" for c in wanted.lower())[:50].strip(
        ".-_@"
    )
    name = str(found.claims.get("name") or wanted)[:200]
    for suffix in ("", *(f"-{n}" for n in range(2, 100))):
        try:
            login = f"{base or 'oidc'}{suffix}"
            id = people.add(conn, login if len(login) > 1 else f"{login}-oidc", name=name, password=None)
        except ConflictError:
            continue
        people.link(conn, id, found.issuer, found.subject)
        return people.get(conn, id)
    raise ProviderError("no free sign-in name was found")


def _logout(shared: State, token: str, origin: str) -> None:
    try:
        sid, subject = _provider(shared).signed_out(token)
    except ProviderError as error:
        raise Problem("bad-request", str(error)) from None
    _close(shared, sid, subject, origin)


def _close(shared: State, sid: str | None, subject: str | None, origin: str) -> None:
    assert shared.oidc is not None
    with available(), shared.pool.connection() as conn:
        ended = sessions.close_provider(conn, shared.oidc.issuer, sid=sid, subject=subject)
        if ended:
            at = int(time.time() * 1e6)
            events.security(
                conn, "sign-out", at=at, subject="", origin=origin, detail={"provider": True, "ended": ended}
            )
