"""From changes of alarms to the outbox: who is told, through what, and when. One transaction with the position."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tram.alarms.model import AlarmChange, Kind
from tram.identity import Decision, decide
from tram.identity.principal import Kind as PrincipalKind
from tram.identity.principal import Principal
from tram.identity.scope import AreaTree, Target
from tram.notices import policy
from tram.store import notices, people
from tram.store.database import Connection
from tram.store.notices import Listener

READER = "people"
RECEIVE = "notifications.receive"
_INTERESTING = policy.TOLD | {Kind.RETURNED, Kind.ASSIGNED}


def plan(conn: Connection, now: datetime, utc_offset: int, limit: int = 500) -> int:
    """Takes the next changes and puts what people want to hear into the outbox. Never commits.

    Returns:
        How many changes were taken.
    """
    taken = notices.follow(conn, READER, limit)
    told = [change for change in taken if change.kind in _INTERESTING]
    if told:
        tree = people.area_tree(conn)
        for listener in notices.listeners(conn):
            _tell(conn, listener, _right(conn, listener.account, now), told, tree, now, utc_offset)
    return len(taken)


def _right(conn: Connection, account: int, now: datetime) -> Decision:
    """What of alarms somebody may hear of."""
    grants = tuple(row.grant for row in people.grants(conn, account))
    principal = Principal(PrincipalKind.PERSON, people.principal_id(account), grants=grants)
    return decide(principal, RECEIVE, None, now=now.timestamp())


def _tell(
    conn: Connection, listener: Listener, right: Decision, told: Sequence[AlarmChange], tree: AreaTree, now: datetime,
    utc_offset: int,
) -> None:  # fmt: skip
    if not right.allowed:
        return
    storms = right.areas(tree) is None and not listener.preferences.areas
    roles = {grant.role.value for grant in right.principal.grants}
    waiting = {id: count for id, _, count in listener.channels}
    for change in told:
        path = tree.path(change.alarm.area)
        if not right.covers(Target(path=path)):
            continue
        if not policy.wants(listener.preferences, right.principal.id, change, path, storms=storms, roles=roles):
            continue
        due = policy.due(listener.preferences, change.alarm.priority, now, utc_offset)
        for id, kind, _ in listener.channels:
            notices.put(
                conn, listener.account, id, kind, "alarm", msgspec.json.encode(change).decode(), due,
                key=f"{change.seq}:{id}", priority=int(change.alarm.priority), alarm_id=change.alarm.id,
                dropped=waiting[id] >= notices.WAITING,
            )  # fmt: skip
            waiting[id] += 1
