"""CAP documents for the public, from the changes of alarms by rule: docs/cap.md. Nothing here commits."""

from datetime import datetime, timedelta, timezone

from tram.alarms.model import Alarm
from tram.cap import Status
from tram.cap.chain import Rule, Sender, next_document
from tram.settings import Settings
from tram.store import cap, notices
from tram.store.database import Connection

READER = "cap"
STEP = 200
NOBODY = ".invalid"


def sender(settings: Settings) -> Sender:
    """Who speaks. Without a sender of one's own, or in a demo, documents are marked Test."""
    real = settings.environment == "production" and not settings.cap_sender.endswith(NOBODY)
    web = f"{settings.public_url.rstrip('/')}/alarms" if settings.public_url else ""
    return Sender(settings.cap_sender, settings.cap_sender_name, Status.ACTUAL if real else Status.TEST, web)


def publish(conn: Connection, settings: Settings, now: datetime) -> int:
    """Takes the next changes and writes what the public is to be told; the position moves with it.

    Returns:
        How many changes were taken.
    """
    local = now.astimezone(timezone(timedelta(hours=settings.utc_offset)))
    taken = notices.follow(conn, READER, STEP)
    rules = [stored.rule for stored in cap.rules(conn)]
    for change in taken:
        for rule in rules:
            _say(conn, settings, rule, change.alarm, local, change.seq)
    return len(taken)


def renew(conn: Connection, settings: Settings, now: datetime) -> int:
    """Renews documents that run out while their alarm stands, and ends those whose rule is gone; how many."""
    local = now.astimezone(timezone(timedelta(hours=settings.utc_offset)))
    rules = {stored.rule.id: stored.rule for stored in cap.rules(conn)}
    longest = max((rule.expires for rule in rules.values()), default=timedelta(0))
    said = 0
    for id, alarm in cap.to_renew(conn, now + longest / 6, STEP):
        if id in rules:
            said += _say(conn, settings, rules[id], alarm, local, None)
    for id, alarm in cap.abandoned(conn, STEP):
        # A rule that tells nothing ends what it said.
        said += _say(conn, settings, Rule(id=id, alarm_rules=("-",)), alarm, local, None)
    return said


def _say(conn: Connection, settings: Settings, rule: Rule, alarm: Alarm, now: datetime, seq: int | None) -> bool:
    chain = cap.chain(conn, alarm.id, rule.id)
    if not chain and not rule.tells(alarm):
        return False
    number = f"{rule.id}-{len(chain) + 1}" if seq is None else f"{rule.id}-{len(chain) + 1}-{seq}"
    made = next_document(
        rule, alarm, chain, sender=sender(settings), place=cap.place(conn, alarm), now=now, number=number
    )
    if made is not None:
        cap.add(conn, rule.id, alarm, made)
    return made is not None
