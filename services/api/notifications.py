"""`/api/notifications`: how somebody is told of alarms, and what became of what was sent. See docs/notifications.md."""

import re
import secrets
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.auth.guard import Permit, allowed
from services.deps import Database, Id, Shared
from services.errors import ANSWERS, Problem
from services.notifications import fetching
from services.notifications.sending import purpose
from services.notifications.service import push_key
from services.paging import Cursor, Limit, Page, decode, page
from tram.alarms.model import Priority
from tram.errors import ConflictError
from tram.notices import signing, webpush
from tram.notices.policy import Preferences
from tram.store import notices
from tram.store.notices import Channel, Entry

router = APIRouter(prefix="/api/notifications", tags=["notifications"], responses=ANSWERS)

Word = Literal["low", "medium", "high", "critical"]
# What any mail server takes: RFC 5321's dot-string in ASCII; nothing that could end a command or a header.
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,188}[A-Za-z0-9])?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
Read = Annotated[Permit, allowed("notifications.read", own=True)]
Change = Annotated[Permit, allowed("notifications.change", own=True)]


class PreferencesModel(BaseModel):
    """What somebody wants to hear. Quiet hours are of the province's day and may pass midnight."""

    enabled: bool = True
    least: Word = Field(default="medium", description="the lowest priority")
    areas: list[str] = Field(default_factory=list, max_length=200, description="and what lies below; empty: all")
    rules: list[str] = Field(default_factory=list, max_length=200, description="ids of alarm rules; empty: all")
    returned: bool = Field(default=False, description="also when it is over")
    quiet_from: str | None = Field(default=None, pattern=_CLOCK.pattern, max_length=5, examples=["22:00"])
    quiet_until: str | None = Field(default=None, pattern=_CLOCK.pattern, max_length=5, examples=["06:00"])
    critical_passes: bool = Field(default=True, description="critical alarms come in quiet hours too")
    flood: int = Field(default=6, ge=1, le=100, description="messages in ten minutes; then a digest")


class ChannelModel(BaseModel):
    """Where somebody is reached."""

    id: int
    kind: Literal["email", "webhook", "push"]
    address: str
    label: str
    enabled: bool
    confirmed: bool
    failures: int
    error: str
    dropped: int
    created: AwareDatetime
    delivered: AwareDatetime | None


class NewChannel(BaseModel):
    """An email address (a code is sent to it), a webhook's URL, or a browser's push subscription."""

    kind: Literal["email", "webhook", "push"]
    address: str = Field(min_length=3, max_length=2000)
    label: str = Field(default="", max_length=100)
    p256dh: str = Field(default="", max_length=200, description="push: the browser's keys")
    auth: str = Field(default="", max_length=100)


class MadeChannel(ChannelModel):
    """`secret`: of a webhook, shown this once; it checks the signatures (standardwebhooks.com)."""

    secret: str | None = None


class ChannelChange(BaseModel):
    """What is to change."""

    label: str | None = Field(default=None, max_length=100)
    enabled: bool | None = None


class MailCode(BaseModel):
    """What came by mail."""

    code: str = Field(pattern=r"^\d{6}$")


class PushKey(BaseModel):
    """What a browser subscribes with."""

    key: str


class LogEntry(BaseModel):
    """One message to one channel. `message` is the same for all that went out in one digest, and at every try."""

    id: int
    account: int
    channel: int | None
    to_kind: str
    kind: str
    priority: str
    alarm: int | None
    text_vi: str
    text_en: str
    state: Literal["waiting", "sent", "failed", "dropped"]
    due: AwareDatetime
    message: UUID | None
    tries: int
    error: str
    created: AwareDatetime
    finished: AwareDatetime | None


def _account(permit: Permit) -> int:
    return int(permit.principal.id.removeprefix("p:"))


def _shown(one: Channel) -> ChannelModel:
    return ChannelModel.model_validate(one, from_attributes=True)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@router.get("/preferences")
def get_preferences(permit: Read, conn: Database) -> PreferencesModel:
    """What one wants to hear."""
    found = notices.preferences(conn, _account(permit))
    quiet = found.quiet
    return PreferencesModel(
        enabled=found.enabled, least=found.least.word, areas=list(found.areas), rules=list(found.rules),  # type: ignore[arg-type]
        returned=found.returned, quiet_from=_clock(quiet[0]) if quiet else None,
        quiet_until=_clock(quiet[1]) if quiet else None, critical_passes=found.critical_passes, flood=found.flood,
    )  # fmt: skip


@router.put("/preferences")
def put_preferences(permit: Change, conn: Database, body: PreferencesModel) -> PreferencesModel:
    """Sets it."""
    if (body.quiet_from is None) != (body.quiet_until is None):
        raise Problem("invalid", "quiet hours have a beginning and an end, or neither")
    quiet = None
    if body.quiet_from is not None and body.quiet_until is not None:
        quiet = (_minutes(body.quiet_from), _minutes(body.quiet_until))
    wanted = Preferences(
        enabled=body.enabled, least=Priority[body.least.upper()], areas=tuple(body.areas), rules=tuple(body.rules),
        returned=body.returned, quiet=quiet, critical_passes=body.critical_passes, flood=body.flood,
    )  # fmt: skip
    notices.prefer(conn, _account(permit), wanted)
    return body


@router.get("/channels")
def list_channels(permit: Read, conn: Database) -> list[ChannelModel]:
    """One's own channels."""
    return [_shown(one) for one in notices.channels(conn, _account(permit))]


@router.post("/channels", status_code=201)
def add_channel(permit: Change, conn: Database, shared: Shared, body: NewChannel) -> MadeChannel:
    """Adds one. An address of email is used once its code was given; a webhook's secret is shown this once."""
    account, ring = _account(permit), shared.keyring
    secret: str | None = None
    if body.kind == "email":
        if len(body.address) > 254 or not _EMAIL.fullmatch(body.address):
            raise Problem("invalid", "this is no email address")
        code = f"{secrets.randbelow(1_000_000):06}"
        mark = ring.mark(code, f"notice-code:{account}")
        made = notices.add_channel(conn, account, "email", body.address, label=body.label, code=mark)
        sealed = ring.seal(code.encode(), f"notice-code:{made.id}").hex()
        _send(conn, permit, made, "code", msgspec.json.encode({"sealed": sealed}).decode())
        return MadeChannel(**_shown(made).model_dump())
    try:
        fetching.check(body.address, private=shared.settings.notify_private == "allow")
        if body.kind == "push":
            webpush.check_subscription(body.p256dh, body.auth)
    except (fetching.RefusedError, webpush.PushError) as error:
        raise Problem("invalid", str(error)) from None
    made = notices.add_channel(conn, account, body.kind, body.address, label=body.label)
    if body.kind == "webhook":
        raw = signing.new_secret()
        secret = signing.shown(raw)
    else:
        raw = msgspec.json.encode({"p256dh": body.p256dh, "auth": body.auth})
    notices.seal_channel(conn, made.id, ring.seal(raw, purpose(made.id)))
    return MadeChannel(**_shown(made).model_dump(), secret=secret)


@router.patch("/channels/{id}")
def change_channel(permit: Change, conn: Database, id: Id, body: ChannelChange) -> ChannelModel:
    """Names one, switches it on or off."""
    account = _account(permit)
    notices.channel(conn, account, id)
    return _shown(notices.set_channel(conn, account, id, label=body.label, enabled=body.enabled))


@router.delete("/channels/{id}", status_code=204)
def remove_channel(permit: Change, conn: Database, id: Id) -> None:
    """Takes one away, and what waits for it."""
    notices.remove_channel(conn, _account(permit), id)


@router.post("/channels/{id}/confirm")
def confirm_channel(permit: Change, conn: Database, shared: Shared, id: Id, body: MailCode) -> ChannelModel:
    """Gives the code that came by mail. After five wrong ones the channel must be added again."""
    account = _account(permit)
    if not notices.confirm(conn, account, id, shared.keyring.marks(body.code, f"notice-code:{account}")):
        conn.commit()  # the wrong try counts
        raise Problem("invalid", "this is not the code")
    return _shown(notices.channel(conn, account, id))


@router.post("/channels/{id}/test", status_code=202)
def test_channel(permit: Change, conn: Database, id: Id) -> ChannelModel:
    """Sends oneself a message; the log says what became of it."""
    one = notices.channel(conn, _account(permit), id)
    if not one.confirmed:
        raise ConflictError("confirm the address first, by the code that was sent to it")
    if not one.enabled:
        raise ConflictError("this channel is off: switch it on first")
    if notices.tested_lately(conn, id):
        raise Problem("rate-limited", "a test message is on its way", headers={"Retry-After": "20"})
    _send(conn, permit, one, "test", "{}")
    return _shown(one)


@router.get("/push-key")
def get_push_key(permit: Read, conn: Database, shared: Shared) -> PushKey:
    """The key that a browser subscribes with (applicationServerKey)."""
    return PushKey(key=push_key(conn, shared.keyring)[1])


@router.get("/log")
def own_log(permit: Read, conn: Database, limit: Limit = 100, cursor: Cursor = None) -> Page[LogEntry]:
    """What was sent to oneself, newest first."""
    return _log(conn, _account(permit), None, limit, cursor)


@router.get("/log/all")
def whole_log(
    permit: Annotated[Permit, allowed("notifications.log")], conn: Database, limit: Limit = 100, cursor: Cursor = None,
    state: Annotated[Literal["waiting", "sent", "failed", "dropped"] | None, Query()] = None,
) -> Page[LogEntry]:  # fmt: skip
    """What was sent to everybody, newest first; no addresses."""
    return _log(conn, None, state, limit, cursor)


def _log(conn: Database, account: int | None, state: str | None, limit: int, cursor: str | None) -> Page[LogEntry]:
    before = decode(cursor, tuple[int])
    rows = notices.log(conn, account, before=before[0] if before else None, state=state, limit=limit + 1)
    return page([_entry(row) for row in rows], limit, (rows[limit - 1].id,) if len(rows) > limit else None)


def _entry(row: Entry) -> LogEntry:
    return LogEntry(
        id=row.id, account=row.account, channel=row.channel, to_kind=row.to_kind, kind=row.kind,
        priority=Priority(row.priority).word if row.priority else "", alarm=row.alarm_id, text_vi=row.vi or "",
        text_en=row.en or "", state=row.state, due=row.due, message=row.message, tries=row.tries,  # type: ignore[arg-type]
        error=row.error, created=row.created, finished=row.finished,
    )  # fmt: skip


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _send(conn: Database, permit: Permit, one: Channel, kind: str, document: str) -> None:
    from_now = one.created.fromtimestamp(permit.now, one.created.tzinfo)
    notices.put(conn, one.account, one.id, one.kind, kind, document, from_now)
    notices.wake(conn)
