"""`/cap`: the public's alerts, an Atom feed of CAP 1.2 documents; `/api/cap/rules`: which alarms they tell of."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from services.auth import request as http
from services.auth.guard import Permit, allowed
from services.deps import Database, Shared, Text
from services.errors import ANSWERS
from tram.alarms.model import Priority
from tram.cap import Category, Certainty, Entry, Severity, Urgency, feed
from tram.cap.chain import Rule
from tram.cap.feed import MEDIA_TYPE
from tram.store import cap

router = APIRouter(tags=["cap"], responses=ANSWERS)

FEED = 500
"""Most documents in the feed."""
XML = {"Cache-Control": "no-cache"}
Word = Literal["low", "medium", "high", "critical"]
RuleId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Match = Annotated[str | None, Header(alias="If-None-Match", max_length=1000)]


class Words(BaseModel):
    """The same in both languages."""

    vi: str = Field(default="", max_length=1000)
    en: str = Field(default="", max_length=1000)


class RuleBody(BaseModel):
    """Which alarms the public is told of, and in what words. What is not stated follows the alarm's priority."""

    alarm_rules: list[str] = Field(default_factory=list, max_length=200, description="ids; empty: all alarm rules")
    least: Word = "high"
    category: Category = Category.OTHER
    certainty: Certainty = Certainty.OBSERVED
    event: Words = Words(vi="Cảnh báo", en="Alert")
    instruction: Words = Words()
    severity: dict[Word, Severity] = Field(default_factory=dict)
    urgency: dict[Word, Urgency] = Field(default_factory=dict)
    expires_minutes: int = Field(default=360, ge=10, le=10_080)


class RuleModel(RuleBody):
    """A rule as it is stored."""

    id: str
    changed: AwareDatetime
    by: str


@router.get("/cap/feed.atom", response_class=Response, responses={200: {"content": {"application/atom+xml": {}}}})
def get_feed(
    permit: Annotated[Permit, allowed("cap.read")],
    conn: Database,
    shared: Shared,
    request: Request,
    match: Match = None,
) -> Response:
    """What holds now, newest first: the last word on each alarm, and for a day what was cancelled."""
    base = http.base_url(request, shared.settings, shared.proxies)
    listed = cap.newest(conn, FEED)
    entries = [
        Entry(one.identifier, one.title, one.summary, one.sent, f"{base}/cap/documents/{one.identifier}")
        for one in listed
    ]
    updated = max((one.sent for one in listed), default=datetime(2026, 1, 1, tzinfo=UTC))
    body = feed(
        id=f"urn:cap:{shared.settings.cap_sender}", title="Cảnh báo / Alerts", author=shared.settings.cap_sender_name,
        url=f"{base}/cap/feed.atom", updated=updated, entries=entries,
    )  # fmt: skip
    return _answer(body, "application/atom+xml; charset=utf-8", match)


@router.get("/cap/documents/{identifier}", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
def get_document(
    permit: Annotated[Permit, allowed("cap.read")], conn: Database,
    identifier: Annotated[Text, Path(min_length=1, max_length=400)], match: Match = None,
) -> Response:  # fmt: skip
    """One CAP 1.2 document. What was replaced or cancelled is still here; it never changes."""
    body, _ = cap.document(conn, identifier)
    return _answer(body, f"{MEDIA_TYPE}; charset=utf-8", match)


@router.get("/api/cap/rules")
def list_rules(permit: Annotated[Permit, allowed("cap.rules")], conn: Database) -> list[RuleModel]:
    """Which alarms the public is told of."""
    return [_shown(one) for one in cap.rules(conn)]


@router.put("/api/cap/rules/{id}")
def put_rule(permit: Annotated[Permit, allowed("cap.manage")], conn: Database, id: RuleId, body: RuleBody) -> RuleModel:
    """Adds a rule or changes it. It counts from the next change of an alarm on."""
    rule = Rule(
        id=id, alarm_rules=tuple(body.alarm_rules), least=Priority[body.least.upper()], category=body.category,
        certainty=body.certainty, event=(body.event.vi, body.event.en),
        instruction=(body.instruction.vi, body.instruction.en),
        severity={Priority[word.upper()]: value for word, value in body.severity.items()},
        urgency={Priority[word.upper()]: value for word, value in body.urgency.items()},
        expires=timedelta(minutes=body.expires_minutes),
    )  # fmt: skip
    cap.put_rule(conn, rule, permit.principal.id)
    permit.target, permit.detail = id, body.model_dump(mode="json")
    return next(_shown(one) for one in cap.rules(conn) if one.rule.id == id)


@router.delete("/api/cap/rules/{id}", status_code=204)
def remove_rule(permit: Annotated[Permit, allowed("cap.manage")], conn: Database, id: RuleId) -> None:
    """Takes a rule away; what it said that still holds is cancelled."""
    cap.remove_rule(conn, id)
    permit.target = id


def _shown(one: cap.StoredRule) -> RuleModel:
    rule = one.rule
    return RuleModel(
        id=rule.id, changed=one.changed, by=one.by, alarm_rules=list(rule.alarm_rules),
        least=rule.least.word, category=rule.category, certainty=rule.certainty,  # type: ignore[arg-type]
        event=Words(vi=rule.event[0], en=rule.event[1]),
        instruction=Words(vi=rule.instruction[0], en=rule.instruction[1]),
        severity={priority.word: value for priority, value in rule.severity.items()},  # type: ignore[misc]
        urgency={priority.word: value for priority, value in rule.urgency.items()},  # type: ignore[misc]
        expires_minutes=round(rule.expires.total_seconds() / 60),
    )  # fmt: skip


def _answer(body: bytes, media_type: str, match: str | None) -> Response:
    """200, or 304 for who has it already (RFC 9110, 13.1.2)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = XML | {"ETag": etag}
    if match is not None and (
        match.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in match.split(",")]
    ):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
