"""`/api/alarms`: what stands, what was, figures; and what people do to alarms. docs/alarms.md."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.api.alarm_models import (
    AlarmOut,
    Assignment,
    ChangeOut,
    FiguresOut,
    Least,
    OutIn,
    OutOut,
    Remark,
    Said,
    Shelf,
    rank,
    spoken_of,
)
from services.auth.guard import Permit, allowed
from services.deps import Database, Filter
from services.errors import ANSWERS, Problem
from services.paging import LIMIT, Cursor, Limit, Page, decode, page
from services.rfc3339 import Moment
from tram.alarms import lifecycle
from tram.alarms.model import Alarm, AlarmChange, State
from tram.identity import Target
from tram.store import alarm_actions, alarm_history, alarm_rules, alarms, assignees
from tram.store.alarm_history import Wanted
from tram.store.database import Connection

router = APIRouter(prefix="/api/alarms", tags=["alarms"], responses=ANSWERS)
Reading = Annotated[Permit, allowed("alarms.read")]
Acting = Annotated[Permit, allowed("alarms.act")]
AlarmId = Annotated[int, Path(ge=1, le=2**62)]


def wanted(
    permit: Permit, *, area: str | None = None, rule: str | None = None, thing: str | None = None,
    least: str = "low", states: list[State] | None = None, storm: int | None = None, grouped: bool = False,
) -> Wanted:  # fmt: skip
    """The filter, within what may be seen."""
    tree = permit.state.known.tree()
    seen = permit.decision.areas(tree)
    return Wanted(
        seen=None if seen is None else sorted(seen), areas=sorted(tree.below([area])) if area else None, rule=rule,
        thing=thing, least=rank(least), states=states or None, storm=storm, grouped=grouped,
    )  # fmt: skip


def target(permit: Permit, area: str | None, name: str) -> Target:
    """Where an alarm lies: in the area that it had when it was raised."""
    return Target(path=permit.state.known.tree().path(area), name=name)


@router.get("", summary="Alarms that stand, the newest first")
def list_current(
    permit: Reading, database: Database, area: Filter = None, rule: Filter = None, thing: Filter = None,
    state: Annotated[list[State] | None, Query(max_length=7)] = None, priority: Least = "low",
    storm: Annotated[int | None, Query(ge=1, le=2**62, description="members of this entry")] = None,
    grouped: Annotated[bool, Query(description="a storm's entry stands for its members")] = True,
    limit: Limit = LIMIT, cursor: Cursor = None,
) -> Page[AlarmOut]:  # fmt: skip
    """`area` counts with all below it. With `storm` its members are shown, with `thing` that Thing's own alarms."""
    key = decode(cursor, tuple[int])
    what = wanted(permit, area=area, rule=rule, thing=thing, least=priority, states=state, storm=storm,
                  grouped=grouped and storm is None and thing is None)  # fmt: skip
    rows = alarm_history.current(database, what, before=_id(key[0]) if key else alarm_history.LAST, limit=limit + 1)
    more = len(rows) > limit
    return page([AlarmOut.of(row) for row in rows[:limit]], limit, (rows[limit - 1].id,) if more else None)


@router.get("/history", summary="Alarms raised in a period, the newest first")
def list_history(
    permit: Reading, database: Database, start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None, area: Filter = None, rule: Filter = None,
    thing: Filter = None, priority: Least = "low", limit: Limit = LIMIT, cursor: Cursor = None,
) -> Page[AlarmOut]:  # fmt: skip
    """Over or not; without a period the last 7 days."""
    key = decode(cursor, tuple[datetime, int])
    first, last = _span(start, end)
    what = wanted(permit, area=area, rule=rule, thing=thing, least=priority)
    before = (key[0], _id(key[1])) if key else None
    if before and before[0].tzinfo is None:
        raise Problem("cursor", "start again without a cursor")
    rows = alarm_history.history(database, what, first, last, before=before, limit=limit + 1)
    last_key = (rows[limit - 1].raised, rows[limit - 1].id) if len(rows) > limit else None
    names = assignees.named(database, [row.assignee for row in rows])
    return page([AlarmOut.of(row, names) for row in rows[:limit]], limit, last_key)


@router.get("/statistics", summary="Figures of a period")
def statistics(
    permit: Reading, database: Database, start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None, area: Filter = None, rule: Filter = None,
) -> FiguresOut:  # fmt: skip
    """Count, duration, time to acknowledge, the most frequent, chattering; without a period the last 7 days."""
    first, last = _span(start, end)
    return FiguresOut.of(alarm_history.statistics(database, wanted(permit, area=area, rule=rule), first, last))


@router.get("/out", summary="Rules at Things that are suppressed or out of service")
def list_out(permit: Reading, database: Database) -> list[OutOut]:
    """All that whoever asks may see."""
    return [OutOut.of(row) for row in permit.visible(alarm_rules.out(database), lambda row: row.thing)]


@router.put("/out", summary="Suppress a rule at a Thing, take it out of service, or restore it")
def put_out(
    permit: Annotated[Permit, allowed("alarms.suppress")], database: Database, body: OutIn
) -> list[OutOut]:  # fmt: skip
    """It stays until somebody restores it with `in-service`. Answers with all that are out."""
    permit.require(permit.place(body.thing))
    permit.target, permit.detail = f"{body.rule}@{body.thing}", {"mode": body.mode, "comment": body.comment}
    mode = None if body.mode == "in-service" else State(body.mode)
    who = permit.principal.id
    alarm_actions.put_out(database, body.rule, body.thing, mode, who, _now(permit), body.comment)
    return list_out(permit, database)


@router.get("/{id}", summary="One alarm")
def get_alarm(permit: Reading, database: Database, id: AlarmId) -> AlarmOut:
    """Over or not."""
    alarm = reached(permit, database, id)
    return AlarmOut.of(alarm, assignees.named(database, [alarm.assignee]))


@router.get("/{id}/changes", summary="What happened to an alarm, in order")
def list_changes(
    permit: Reading, database: Database, id: AlarmId, limit: Limit = LIMIT, cursor: Cursor = None
) -> Page[ChangeOut]:
    """By whom, when, and what was said."""
    reached(permit, database, id)
    key = decode(cursor, tuple[int])
    rows = alarm_history.changes_of(database, id, after=_id(key[0]) if key else 0, limit=limit + 1)
    more = len(rows) > limit
    names = assignees.named(database, [one for row in rows for one in spoken_of(row)])
    return page([ChangeOut.of(row, names) for row in rows[:limit]], limit, (rows[limit - 1].seq,) if more else None)


@router.post("/{id}/acknowledge", summary="Acknowledge an alarm, or a storm with its members")
def acknowledge(permit: Acting, database: Database, id: AlarmId, body: Said | None = None) -> AlarmOut:
    """Somebody has seen it; twice is once."""
    reached(permit, database, id)
    said = body.comment if body else ""
    permit.detail = {"comment": said}

    def may(member: Alarm) -> bool:
        return permit.unbounded or permit.decision.covers(target(permit, member.area, ""))

    done = alarm_actions.acknowledge(database, id, permit.principal.id, _now(permit), said, may)
    return AlarmOut.of(done)


@router.post("/{id}/assign", summary="Give an alarm to somebody")
def assign(permit: Acting, database: Database, id: AlarmId, body: Assignment) -> AlarmOut:
    """To a person who may act on it (`/assignees`), by id; or to nobody."""
    alarm = reached(permit, database, id)
    if body.to and not assignees.able(database, path_of(permit, database, alarm), account=int(body.to[2:]), limit=1):
        raise Problem("invalid", f"{body.to} is nobody who may act on this alarm: see /api/alarms/{id}/assignees")
    permit.detail = {"to": body.to, "comment": body.comment}
    who, now = permit.principal.id, _now(permit)
    return _act(permit, database, id, lambda a: lifecycle.assign(a, body.to, who, now, body.comment))


@router.post("/{id}/comment", summary="Say something to an alarm")
def comment(permit: Acting, database: Database, id: AlarmId, body: Remark) -> AlarmOut:
    """Also to one that is over."""
    who, now = permit.principal.id, _now(permit)
    return _act(permit, database, id, lambda a: lifecycle.comment(a, body.comment, who, now))


@router.post("/{id}/shelve", summary="Put an alarm aside until a time")
def shelve(permit: Acting, database: Database, id: AlarmId, body: Shelf) -> AlarmOut:
    """At most 7 days; it comes back by itself."""
    permit.detail = {"until": body.until.isoformat(), "comment": body.comment}
    until, who, now = body.until.astimezone(UTC), permit.principal.id, _now(permit)
    return _act(permit, database, id, lambda a: lifecycle.shelve(a, until, who, now, body.comment))


@router.post("/{id}/unshelve", summary="Take an alarm from the shelf")
def unshelve(permit: Acting, database: Database, id: AlarmId, body: Said | None = None) -> AlarmOut:
    """Before its time."""
    reached(permit, database, id)
    who, now, said = permit.principal.id, _now(permit), body.comment if body else ""
    permit.detail = {"comment": said}

    def decide(alarm: Alarm, steps: object) -> AlarmChange | None:
        if alarm.state is not State.SHELVED:
            return None
        return lifecycle.restore(alarm, who, now, alarm_actions.steps(database, alarm.rule), said)

    return AlarmOut.of(alarm_actions.act(database, id, decide, now))


@router.post("/{id}/close", summary="End an alarm by hand")
def close(permit: Acting, database: Database, id: AlarmId, body: Said | None = None) -> AlarmOut:
    """While its condition holds, with a comment; it comes back when its level changes."""
    said = body.comment if body else ""
    permit.detail = {"comment": said}
    who, now = permit.principal.id, _now(permit)
    return _act(permit, database, id, lambda a: lifecycle.close(a, who, now, said))


def _act(permit: Permit, conn: Connection, id: int, decide: Callable[[Alarm], AlarmChange | None]) -> AlarmOut:
    reached(permit, conn, id)
    return AlarmOut.of(alarm_actions.act(conn, id, lambda alarm, _: decide(alarm), _now(permit)))


def reached(permit: Permit, conn: Connection, id: int) -> Alarm:
    """The alarm, if it may be reached. A storm entry is reached where one of its members is."""
    alarm = alarms.get(conn, id)
    permit.target = f"alarm {id}"
    if alarm.kind == "storm" and not permit.unbounded:
        for member in alarms.members(conn, [id]):
            if permit.decision.covers(target(permit, member.area, "")):
                return alarm
    permit.require(target(permit, alarm.area, f"alarm {id}"))
    return alarm


def path_of(permit: Permit, conn: Connection, alarm: Alarm) -> list[str]:
    """Codes of the areas it lies in; a storm entry lies where its members lie."""
    tree = permit.state.known.tree()
    inside = [alarm, *(alarms.members(conn, [alarm.id]) if alarm.kind == "storm" else [])]
    return sorted({code for one in inside for code in tree.path(one.area)})


def _now(permit: Permit) -> datetime:
    return datetime.fromtimestamp(permit.now, UTC)


def _id(given: int) -> int:
    if not 0 < given < 2**63:
        raise Problem("cursor", "start again without a cursor")
    return given


def _span(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    last = end or datetime.now(UTC) + timedelta(seconds=1)
    return start or last - timedelta(days=7), last
