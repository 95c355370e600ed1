"""The state machine: every path of figure 3, and what holds on any path."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tram.alarms import lifecycle
from tram.alarms.durations import Duration
from tram.alarms.model import OPEN, Alarm, AlarmChange, Kind, Priority, State
from tram.alarms.rules import Step
from tram.errors import ConflictError

T = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
STEPS = (Step(after=Duration(300_000_000), to="a"), Step(after=Duration(900_000_000), to="b"))


def fresh(**more: object) -> Alarm:
    base = Alarm(
        id=1, rule="r", state=State.UNACKNOWLEDGED, priority=Priority.LOW, level=1, peak=1, active=True, since=T,
        changed=T, raised=T, alerted=T,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def level(alarm: Alarm, to: int, now: datetime = T) -> AlarmChange:
    return lifecycle.levelled(
        alarm, to, Priority(max(1, to)), now, since=T, time=T, value=1.0, vi="v", en="e", steps=STEPS
    )


MOVES: dict[str, Callable[[Alarm, datetime], AlarmChange | None]] = {
    "acknowledge": lambda a, t: lifecycle.acknowledge(a, "p:1", t),
    "shelve": lambda a, t: lifecycle.shelve(a, t + timedelta(hours=1), "p:1", t),
    "suppress": lambda a, t: lifecycle.aside(a, State.SUPPRESSED, "p:1", t),
    "out": lambda a, t: lifecycle.aside(a, State.OUT_OF_SERVICE, "p:1", t),
    "restore": lambda a, t: lifecycle.restore(a, "p:1", t, STEPS),
    "close": lambda a, t: lifecycle.close(a, "p:1", t, "because"),
    "assign": lambda a, t: lifecycle.assign(a, "p:2", "p:1", t),
    "comment": lambda a, t: lifecycle.comment(a, "x", "p:1", t),
    "clock": lambda a, t: lifecycle.clock(a, t, STEPS),
    "up": lambda a, t: level(a, a.level + 1, t) if a.level < 4 and a.state in OPEN else None,
    "down": lambda a, t: level(a, a.level - 1, t) if a.level > 0 and a.state in OPEN else None,
}


def walk(*moves: str, state: Alarm | None = None) -> list[tuple[str, str]]:
    alarm, told = state or lifecycle.raised(fresh(), T, STEPS).alarm, []
    for move in moves:
        change = MOVES[move](alarm, T)
        if change is not None:
            alarm = change.alarm
            told.append((change.kind.value, alarm.state.value))
    return told


@pytest.mark.parametrize(
    ("moves", "told"),
    [
        (["acknowledge", "down"], [("acknowledged", "acknowledged"), ("returned", "normal")]),
        (["down", "acknowledge"], [("returned", "returned-unacknowledged"), ("acknowledged", "normal")]),
        (["down", "up"], [("returned", "returned-unacknowledged"), ("raised", "unacknowledged")]),
        (["acknowledge", "up"], [("acknowledged", "acknowledged"), ("upgraded", "unacknowledged")]),
        (["up", "acknowledge", "down"], [("upgraded", "unacknowledged"), ("acknowledged", "acknowledged"),
                                         ("downgraded", "acknowledged")]),
        (["shelve", "down", "up", "restore"], [("shelved", "shelved"), ("returned", "shelved"), ("raised", "shelved"),
                                               ("unshelved", "unacknowledged")]),
        (["out", "down", "restore"], [("out-of-service", "out-of-service"), ("returned", "out-of-service"),
                                      ("restored", "normal")]),
        (["shelve", "suppress", "suppress"], [("shelved", "shelved"), ("suppressed", "suppressed")]),
        (["close", "close"], [("closed", "normal")]),
    ],
)  # fmt: skip
def test_paths(moves: list[str], told: list[tuple[str, str]]) -> None:
    assert walk(*moves) == told


def test_what_cannot_be_done_says_why() -> None:
    shelved = lifecycle.shelve(fresh(), T + timedelta(hours=1), "p:1", T)
    assert shelved is not None
    with pytest.raises(ConflictError, match="shelved"):
        lifecycle.acknowledge(shelved.alarm, "p:1", T)
    with pytest.raises(ConflictError, match="7 days"):
        lifecycle.shelve(fresh(), T + timedelta(days=8), "p:1", T)
    with pytest.raises(ConflictError, match="still holds"):
        lifecycle.close(fresh(), "p:1", T)
    with pytest.raises(ConflictError, match="over"):
        lifecycle.assign(fresh(state=State.NORMAL), "p:1", "p:1", T)


def test_the_escalation_clock_starts_when_attention_is_asked_for() -> None:
    alarm = lifecycle.raised(fresh(), T, STEPS).alarm
    assert alarm.escalate_at == T + timedelta(minutes=5)
    assert lifecycle.clock(alarm, T + timedelta(seconds=299), STEPS) is None
    first = lifecycle.clock(alarm, T + timedelta(minutes=6), STEPS)
    assert first is not None
    assert (first.detail, first.alarm.escalate_at) == ({"to": "a", "step": 1}, T + timedelta(minutes=15))
    higher = level(first.alarm, 2, T + timedelta(minutes=7)).alarm
    assert (higher.escalation, higher.escalate_at) == (0, T + timedelta(minutes=12))
    seen = lifecycle.acknowledge(higher, "p:1", T)
    assert seen is not None
    assert seen.alarm.escalate_at is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 7200)), max_size=25))
def test_whatever_is_done(moves: list[tuple[str, int]]) -> None:
    alarm, now = lifecycle.raised(fresh(), T, STEPS).alarm, T
    for move, seconds in moves:
        now += timedelta(seconds=seconds)
        try:
            change = MOVES[move](alarm, now)
        except ConflictError:
            continue
        if change is None:
            continue
        assert change.before is alarm.state
        assert change.level_before == alarm.level
        again = change.alarm
        if move not in ("comment", "up", "down", "clock"):
            assert MOVES[move](again, now) is None or again.state in OPEN  # twice is once, or it is another state
        alarm = again
        assert (alarm.level > 0) == alarm.active
        assert alarm.peak >= alarm.level
        assert (alarm.closed is not None) == (alarm.state is State.NORMAL)
        assert alarm.escalate_at is None or alarm.state is State.UNACKNOWLEDGED
        assert (alarm.shelved_until is not None) == (alarm.state is State.SHELVED)
        if alarm.state in (State.UNACKNOWLEDGED, State.ACKNOWLEDGED):
            assert alarm.active
        if alarm.state is State.RETURNED:
            assert not alarm.active
        if change.kind is Kind.ACKNOWLEDGED:
            assert alarm.acknowledged_by == "p:1"
