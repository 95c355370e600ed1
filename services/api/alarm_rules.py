"""`/api/alarm-rules`: rules of alarms, their versions, and trials on history. docs/alarms.md."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query

from services.api.alarm_models import RuleOut, TrialIn, TrialOut
from services.auth.guard import Permit, allowed
from services.deps import Database, Text
from services.errors import ANSWERS, Problem
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from tram.alarms import rules
from tram.alarms.rules import Rule, RuleError
from tram.clock import from_micros, to_micros
from tram.errors import NotFoundError, PayloadError
from tram.identity import Target
from tram.store import alarm_rules, alarm_trial
from tram.store.alarm_rules import Stored

router = APIRouter(prefix="/api/alarm-rules", tags=["alarms"], responses=ANSWERS)
Reading = Annotated[Permit, allowed("alarm-rules.read")]
Managing = Annotated[Permit, allowed("alarm-rules.manage")]
RuleId = Annotated[Text, Path(min_length=1, max_length=63)]
Expected = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="the version it must have now; 0: none")]


@router.get("", summary="Rules, by id")
def list_rules(permit: Reading, database: Database, limit: Limit = LIMIT, cursor: Cursor = None) -> Page[RuleOut]:
    """With what the engine found wrong with each."""
    key = decode(cursor, tuple[str])
    rows = alarm_rules.list_rules(database, after=key[0] if key else "", limit=limit + 1)
    last = (rows[limit - 1].id,) if len(rows) > limit else None
    shown = [RuleOut.of(row) for row in rows[:limit] if _sees(permit, row)]
    return page(shown, limit, last)


@router.post("/trial", summary="Try a rule on history")
def trial(permit: Annotated[Permit, allowed("alarm-rules.try")], database: Database, body: TrialIn) -> TrialOut:
    """When and where it would have fired; nothing is stored. Without a span the last 7 days."""
    rule = _read(body.rule)
    _require(permit, rule)
    end = body.end or datetime.now(UTC)
    start = body.start or end - timedelta(days=7)
    offset = permit.state.settings.utc_offset
    try:
        found = alarm_trial.trial(database, rule, to_micros(start), to_micros(end), utc_offset=offset)
    except PayloadError as error:
        raise Problem("query", str(error)) from None
    return TrialOut.of(found, from_micros)


@router.get("/{id}", summary="One rule")
def get_rule(permit: Reading, database: Database, id: RuleId) -> RuleOut:
    """As it is in force."""
    return RuleOut.of(_one(permit, alarm_rules.get(database, id)))


@router.get("/{id}/versions", summary="Every version of a rule, the newest first")
def list_versions(permit: Reading, database: Database, id: RuleId) -> list[RuleOut]:
    """Also of one that was deleted."""
    found = alarm_rules.versions(database, id)
    if not found:
        raise NotFoundError(f"there is no alarm rule {id!r}")
    return [RuleOut.of(row) for row in found if _sees(permit, row)]


@router.put("/{id}", summary="Add a rule, or a new version of it")
def put_rule(
    permit: Managing, database: Database, id: RuleId, body: Annotated[dict[str, Any], Body()], version: Expected = None
) -> RuleOut:
    """In force within a second. The same once more changes nothing."""
    rule = _read({**body, "id": body.get("id", id)})
    if rule.id != id:
        raise Problem("invalid", f"$.id: {rule.id!r} is not the {id!r} of the address")
    _require(permit, rule)
    with suppress(NotFoundError):
        _one(permit, alarm_rules.get(database, id))  # who may not reach what stands may not replace it
    stored = alarm_rules.put(database, rule, permit.principal.id, expected=version)
    permit.target, permit.detail = f"alarm rule {id}", {"version": stored.version, "enabled": stored.enabled}
    return RuleOut.of(stored)


@router.delete("/{id}", summary="Delete a rule", status_code=204)
def delete_rule(permit: Managing, database: Database, id: RuleId, version: Expected = None) -> None:
    """Its alarms are closed; its versions and history stay."""
    _one(permit, alarm_rules.get(database, id))
    alarm_rules.delete(database, id, permit.principal.id, expected=version)
    permit.target = f"alarm rule {id}"


def _read(document: object) -> Rule:
    try:
        return rules.read(document)
    except RuleError as error:
        raise Problem("invalid", str(error)) from None


def _target(permit: Permit, document: Any) -> Target:
    """A rule lies where its Things do: in its scope's area, or where its one Thing stands; else everywhere."""
    scope = document.get("scope", {}) if isinstance(document, dict) else {}
    if scope.get("thing"):
        return permit.place(str(scope["thing"]))
    area = scope.get("area")
    return Target(path=permit.state.known.tree().path(area) if area else (), name="an alarm rule of no one area")


def _require(permit: Permit, rule: Rule) -> None:
    document = rules.document(rule)
    permit.require(_target(permit, document))
    others = {place for level in rule.levels for _, leaf in rules.leaves(level.when) for place in _named(leaf)}
    for thing in sorted(others):
        permit.require(permit.place(thing))


def _named(leaf: rules.Leaf) -> list[str]:
    """Other Things that a condition looks at."""
    sides = [leaf.left.thing, leaf.right.thing] if isinstance(leaf, rules.Compare) else [getattr(leaf, "thing", None)]
    return [side for side in sides if side]


def _sees(permit: Permit, row: Stored) -> bool:
    """Rules without a place of their own are for all who may read rules."""
    found = _target(permit, dict(row.document))
    return permit.unbounded or not found.path or permit.decision.covers(found)


def _one(permit: Permit, row: Stored) -> Stored:
    if permit.decision.operation == "alarm-rules.manage":
        permit.require(_target(permit, dict(row.document)))
    elif not _sees(permit, row):
        raise NotFoundError(f"there is no alarm rule {row.id!r}")
    return row
