"""One's own account: password, second factor, sessions, tokens."""

from datetime import datetime
from typing import Annotated

import segno
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr

from services.api.session import waiting
from services.auth import request as http
from services.auth import signin
from services.auth.guard import Permit, allowed
from services.deps import Database, Id
from services.errors import ANSWERS, Problem
from tram.errors import ConflictError
from tram.identity import Grant, Role, lockout, passwords, totp
from tram.identity.claims import parse_grant
from tram.identity.roles import SECOND_FACTOR
from tram.store import access_tokens, events, factors, people, sessions
from tram.store.access_tokens import AccessToken
from tram.store.database import Connection
from tram.store.people import Account
from tram.store.sessions import Session

router = APIRouter(prefix="/api/account", tags=["account"], responses=ANSWERS)
Reading = Annotated[Permit, allowed("account.read", own=True)]
Changing = Annotated[Permit, allowed("account.change", own=True)]
ISSUER = "Trạm"


class AccountOut(BaseModel):
    """One's own account."""

    login: str
    name: str
    email: str
    language: str
    second_factor: bool
    recovery_codes: int = Field(description="how many are left")
    has_password: bool


class Profile(BaseModel):
    """What one may change of it without proof."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(max_length=254)] = ""
    language: Annotated[str, Field(pattern="^(vi|en)$")] = "vi"


class NewPassword(BaseModel):
    """The old one, where there is one, and the new one."""

    current: Annotated[SecretStr, Field(max_length=1024)] = SecretStr("")
    new: Annotated[SecretStr, Field(max_length=1024)]


class Enrolment(BaseModel):
    """What an authenticator is told; shown once."""

    secret: str = Field(description="to type by hand")
    uri: str
    qr: str = Field(description="the same as a picture: SVG")


class Confirmation(BaseModel):
    """The first code."""

    code: Annotated[SecretStr, Field(min_length=1, max_length=40)]


class RecoveryCodes(BaseModel):
    """Each good once; shown once."""

    codes: list[str]


class SessionOut(BaseModel):
    """A browser that is signed in."""

    id: int
    current: bool
    opened: datetime
    seen: datetime
    ends: datetime
    address: str
    agent: str
    provider: bool


class TokenIn(BaseModel):
    """A token to make."""

    label: Annotated[str, Field(min_length=1, max_length=100)]
    role: Annotated[
        str, Field(max_length=300, examples=["operator:area=05482"], description="role[:area=…|:facility=…]")
    ]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class TokenOut(BaseModel):
    """A token; `secret` only in the answer that made it."""

    id: int
    label: str
    owner: str | None
    role: str
    areas: list[str] | None
    facilities: list[str] | None
    created: datetime
    expires: datetime
    seen: datetime | None
    revoked: datetime | None
    secret: str | None = None

    @classmethod
    def of(cls, row: AccessToken) -> "TokenOut":
        """From the store."""
        places = row.areas, row.facilities
        areas, facilities = (None if place is None else list(place) for place in places)
        return cls(
            id=row.id, label=row.label, owner=row.login, role=row.role, areas=areas, facilities=facilities,
            created=row.created, expires=row.expires, seen=row.seen, revoked=row.revoked,
        )  # fmt: skip


@router.get("", summary="One's own account")
def get_account(permit: Reading, database: Database) -> AccountOut:
    """Never its secrets."""
    account = own(permit, database)
    return AccountOut(
        login=account.login, name=account.name, email=account.email, language=account.language,
        second_factor=account.second_factor, recovery_codes=factors.recovery_left(database, account.id),
        has_password=account.password is not None,
    )  # fmt: skip


@router.patch("", summary="Change name, e-mail address, language")
def describe(given: Profile, permit: Changing, database: Database) -> AccountOut:
    """What people see of one."""
    account = own(permit, database)
    people.describe(database, account.id, name=given.name, email=given.email, language=given.language)
    return get_account(permit, database)


@router.post("/password", summary="Set a new password", status_code=204)
def set_password(given: NewPassword, permit: Changing, database: Database) -> None:
    """Ends all other sessions."""
    account, session = own(permit, database), in_browser(permit)
    tries = {f"login:{account.login}": lockout.ACCOUNT}
    with permit.state.pool.connection() as conn:  # its own transaction: a wrong try counts, whatever is answered
        seconds = factors.wait(conn, tries, permit.now)
        right = account.password is None or signin.right_password(
            permit.state, account, given.current.get_secret_value()
        )
        if not seconds and not right:
            factors.failed(conn, tries, permit.now)
    if seconds:
        raise waiting(seconds)
    if not right:
        raise Problem("wrong-credentials", "the current password is not right")
    new = given.new.get_secret_value()
    check_password(new, account)
    if account.password is not None and signin.right_password(permit.state, account, new):
        raise Problem("weak-password", "it is the old one")
    people.set_password(database, account.id, signin.hash_password(new))
    sessions.close_all(database, account.id, keep=session.id)
    _event(permit, database, "password.changed")
    permit.detail = {"change": "password"}


@router.post("/totp", summary="Begin to enrol a second factor")
def begin_totp(permit: Changing, database: Database) -> Enrolment:
    """It counts once a first code was given; an old one stays until then."""
    account = own(permit, database)
    secret = factors.propose(database, account.id, permit.state.keyring)
    uri = totp.provisioning_uri(secret, account=account.login, issuer=ISSUER)
    picture = segno.make(uri, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff")
    permit.detail = {"change": "second factor proposed"}
    return Enrolment(secret=totp.spoken(secret), uri=uri, qr=picture)


@router.post("/totp/confirm", summary="Enrol it with its first code")
def confirm_totp(given: Confirmation, permit: Changing, database: Database) -> RecoveryCodes:
    """Answers with ten recovery codes, shown once."""
    account = own(permit, database)
    tries = {f"code:{account.id}": lockout.SECOND_FACTOR}
    with permit.state.pool.connection() as conn:
        seconds = factors.wait(conn, tries, permit.now)
    if seconds:
        raise waiting(seconds)
    codes = factors.enrol(database, account.id, permit.state.keyring, given.code.get_secret_value(), permit.now)
    if codes is None:
        with permit.state.pool.connection() as conn:
            factors.failed(conn, tries, permit.now)
        raise Problem("wrong-credentials", "the code is not right: does the phone's clock go right?")
    _event(permit, database, "second-factor.enrolled")
    permit.detail = {"change": "second factor enrolled"}
    return RecoveryCodes(codes=codes)


@router.delete("/totp", summary="Remove the second factor", status_code=204)
def remove_totp(permit: Changing, database: Database) -> None:
    """Refused where the role needs one."""
    account, session = own(permit, database), in_browser(permit)
    if permit.state.known.factor_required and any(g.role in SECOND_FACTOR for g in session.grants):
        raise ConflictError("your role needs a second factor: enrol another one in its place instead")
    factors.remove(database, account.id)
    _event(permit, database, "second-factor.removed")
    permit.detail = {"change": "second factor removed"}


@router.post("/recovery-codes", summary="Ten new recovery codes")
def new_codes(permit: Changing, database: Database) -> RecoveryCodes:
    """The old ones are void."""
    account = own(permit, database)
    if not account.second_factor:
        raise ConflictError("there is no second factor to recover")
    permit.detail = {"change": "recovery codes"}
    return RecoveryCodes(codes=factors.new_recovery_codes(database, account.id, permit.state.keyring))


@router.get("/sessions", summary="Where one is signed in")
def list_sessions(permit: Reading, database: Database) -> list[SessionOut]:
    """Last used first."""
    account = own(permit, database)
    current = permit.session.id if permit.session else 0
    rows = sessions.listed(database, account.id, now=permit.now, idle=permit.state.settings.session_idle)
    return [
        SessionOut(
            id=row.id, current=row.id == current, opened=row.opened, seen=row.seen, ends=row.ends,
            address=row.address, agent=row.agent, provider=row.issuer is not None,
        )
        for row in rows if row.complete
    ]  # fmt: skip


@router.delete("/sessions/{id}", summary="End one session", status_code=204)
def end_session(id: Id, permit: Reading, database: Database) -> None:
    """No proof is asked for: signing out must be easy."""
    sessions.close_own(database, own(permit, database).id, id)
    permit.audit(
        database, operation="account.change", target=permit.principal.id, detail={"change": f"session {id} ended"}
    )


@router.delete("/sessions", summary="Sign out everywhere", status_code=204)
def end_all(request: Request, response: Response, permit: Reading, database: Database) -> None:
    """This session too."""
    ended = sessions.close_all(database, own(permit, database).id)
    http.set_cookie(request, response, permit.state.proxies, None)
    detail = {"change": "signed out everywhere", "ended": ended}
    permit.audit(database, operation="account.change", target=permit.principal.id, detail=detail)


@router.get("/tokens", summary="One's access tokens")
def list_tokens(permit: Reading, database: Database) -> list[TokenOut]:
    """Newest first, revoked ones too."""
    return [TokenOut.of(row) for row in access_tokens.listed(database, own(permit, database).id, limit=100)]


@router.post("/tokens", summary="Make an access token", status_code=201)
def make_token(given: TokenIn, permit: Changing, database: Database) -> TokenOut:
    """It may do what its owner may, narrowed to one role and place. Its secret is shown in this answer only."""
    account, session = own(permit, database), in_browser(permit)
    wanted = Grant(Role.CITIZEN) if given.role == "citizen" else parse_grant(given.role)
    # Its scope is narrowed at every use, so it need not be compared with the owner's here.
    if wanted.role is not Role.CITIZEN and not any(g.role is wanted.role for g in session.grants):
        raise Problem("forbidden", "you do not have that role yourself")
    id, secret = access_tokens.make(
        database, given.label, wanted, account=account.id, by=permit.principal.id, now=permit.now,
        lifetime=given.days * 86_400.0,
    )  # fmt: skip
    _event(permit, database, "token.made", {"token": id, "role": str(wanted.role)})
    permit.target, permit.detail = f"t:{id}", {"role": given.role, "days": given.days}
    made = next(row for row in access_tokens.listed(database, account.id) if row.id == id)
    return TokenOut.of(made).model_copy(update={"secret": secret})


@router.delete("/tokens/{id}", summary="Revoke a token", status_code=204)
def revoke_token(id: Id, permit: Reading, database: Database) -> None:
    """At once. No proof is asked for."""
    access_tokens.revoke(database, id, account=own(permit, database).id)
    _event(permit, database, "token.revoked", {"token": id})
    permit.audit(database, operation="account.change", target=f"t:{id}", detail={"change": "token revoked"})


def own(permit: Permit, database: Connection) -> Account:
    """The account of who asks."""
    return people.get(database, int(permit.principal.id.removeprefix("p:")))


def in_browser(permit: Permit) -> Session:
    """The session of who asks. Raises Problem: a program asks."""
    if permit.session is None:
        raise Problem("forbidden", "sign in with a browser for that")
    return permit.session


def check_password(password: str, account: Account) -> None:
    """Raises Problem: it is not good enough, and why."""
    why = passwords.fault(password, [account.login, account.name, account.email])
    if why is not None:
        raise Problem("weak-password", " · ".join(passwords.MESSAGES[why]))


def _event(permit: Permit, database: Connection, code: str, detail: dict[str, object] | None = None) -> None:
    at = int(permit.now * 1e6)
    events.security(database, code, at=at, subject=permit.principal.id, origin=permit.origin, detail=detail)
