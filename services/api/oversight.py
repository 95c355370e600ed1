"""The audit and the security events."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.auth.guard import Permit, allowed
from services.deps import Database, Text
from services.errors import ANSWERS, Problem
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from services.rfc3339 import Moment
from tram.clock import from_micros
from tram.identity.chain import Linked
from tram.identity.events import CATALOGUE
from tram.store import audit, events
from tram.store.database import connect

router = APIRouter(prefix="/api", tags=["oversight"], responses=ANSWERS)
Word = Annotated[Text, Query(max_length=200)]


class AuditRow(BaseModel):
    """Who did what to what, from where, and why it was allowed."""

    seq: int
    at: datetime
    actor: str
    actor_name: str
    operation: str
    target: str
    outcome: str = Field(description="allowed, refused or failed")
    why: str
    origin: str
    detail: dict[str, Any]
    hash: str

    @classmethod
    def of(cls, row: Linked) -> "AuditRow":
        """From the store."""
        e = row.entry
        return cls(
            seq=e.seq, at=from_micros(e.at), actor=e.actor, actor_name=e.actor_name, operation=e.operation,
            target=e.target, outcome=e.outcome, why=e.why, origin=e.origin, detail=dict(e.detail), hash=row.hash.hex(),
        )  # fmt: skip


class ChainFaultOut(BaseModel):
    """A fault of the chain."""

    seq: int
    kind: str
    message: str


class Verification(BaseModel):
    """Whether the audit is as it was written."""

    rows: int
    anchors: int = Field(description="hashes that were written outside the database")
    faults: list[ChainFaultOut]


class EventOut(BaseModel):
    """A security event."""

    at: datetime
    code: str
    label: dict[str, str]
    severity: str
    subject: str
    origin: str
    detail: dict[str, Any]


@router.get("/audit", summary="Search the audit")
def search(
    permit: Annotated[Permit, allowed("audit.read")],
    database: Database,
    actor: Word = "",
    operation: Word = "",
    target: Word = "",
    outcome: Word = "",
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[AuditRow]:
    """Newest first. That somebody looked is in the audit too."""
    before = decode(cursor, tuple[int])
    if before and not 0 < before[0] < 2**63:
        raise Problem("cursor", "start again without a cursor")
    what = audit.Search(actor, operation, target, outcome, start, end)
    rows = audit.search(database, what, before=before[0] if before else None, limit=limit + 1)
    more = len(rows) > limit
    permit.target, permit.detail = "audit", {k: str(v) for k, v in _asked(what).items()}
    return page([AuditRow.of(row) for row in rows[:limit]], limit, (rows[limit - 1].entry.seq,) if more else None)


@router.get("/audit/export", summary="Take the audit out", response_class=StreamingResponse)
def export(permit: Annotated[Permit, allowed("audit.export")]) -> StreamingResponse:
    """One JSON object a line, with the hashes: `tram audit verify --file` checks it by itself."""
    settings = permit.state.settings

    def lines() -> Iterator[bytes]:
        with connect(settings, "export") as conn:
            for row in audit.rows(conn):
                yield json.dumps(audit.exported(row), ensure_ascii=False).encode() + b"\n"

    permit.target = "audit"
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)


@router.get("/audit/verify", summary="Verify the audit's chain")
def verify(permit: Annotated[Permit, allowed("audit.verify")], database: Database) -> Verification:
    """Every row, and every hash that was written outside."""
    anchors = audit.read_anchors(permit.state.settings.home / audit.ANCHORS)
    faults = audit.verify(database, anchors)
    permit.target, permit.detail = "audit", {"faults": len(faults)}
    if faults:
        at = int(permit.now * 1e6)
        events.security(database, "audit.fault", at=at, subject="audit", detail={"faults": len(faults)})
    return Verification(
        rows=audit.head(database)[0], anchors=len(anchors),
        faults=[ChainFaultOut(seq=f.seq, kind=f.kind, message=f.message) for f in faults[:1000]],
    )  # fmt: skip


@router.get("/events/security", summary="Security events, newest first")
def list_events(
    permit: Annotated[Permit, allowed("events.read")],
    database: Database,
    code: Word = "",
    subject: Word = "",
    before: Moment | None = None,
    limit: Limit = LIMIT,
) -> list[EventOut]:
    """The next page is `before` the last one's time."""
    rows = events.newest(database, code=code, subject=subject, before=before, limit=limit)
    return [
        EventOut(
            at=row.at, code=row.code, label={"vi": CATALOGUE[row.code].vi, "en": CATALOGUE[row.code].en},
            severity=row.severity, subject=row.subject, origin=row.origin, detail=dict(row.detail),
        )
        for row in rows if row.code in CATALOGUE
    ]  # fmt: skip


def _asked(what: audit.Search) -> dict[str, object]:
    names = ("actor", "operation", "target", "outcome", "start", "end")
    return {name: getattr(what, name) for name in names if getattr(what, name)}
