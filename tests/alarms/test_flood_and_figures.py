"""Flood control by examples and a property; figures against a recomputation from the events."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tram.alarms.flood import Begin, Flood, Join
from tram.alarms.load import MOST_BARS, STEPS, step_of
from tram.alarms.model import Kind, Priority, State
from tram.alarms.statistics import Event, Figures, figures

T = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def seconds(n: float) -> datetime:
    return T + timedelta(seconds=n)


def test_a_storm_begins_takes_all_and_ends() -> None:
    flood = Flood({"r": (3, timedelta(seconds=60))})
    verdicts = [flood.raised("r", n, seconds(n)) for n in range(4)]
    assert verdicts == [None, None, None, Begin("r", (0, 1, 2, 3))]
    flood.began("r", 99, seconds(3))
    assert flood.raised("r", 5, seconds(100)) == Join("r", 99)
    assert flood.raised("r", 6, seconds(390)) == Join("r", 99)  # quiet for less than five windows
    assert flood.raised("r", 7, seconds(800)) is None
    flood.began("r", 100, seconds(800))
    flood.ended("r")
    assert flood.raised("r", 8, seconds(801)) is None


def test_slow_alarms_are_no_storm_and_many_rules_are_one() -> None:
    slow = Flood({"r": (3, timedelta(seconds=60))})
    assert all(slow.raised("r", n, seconds(n * 30)) is None for n in range(50))
    many = Flood({f"r{n}": (10, timedelta(seconds=60)) for n in range(60)}, (50, timedelta(seconds=60)))
    verdicts = [many.raised(f"r{n}", n, seconds(n / 10)) for n in range(51)]
    assert verdicts[-1] == Begin("", tuple(range(51)))
    assert verdicts[:-1] == [None] * 50


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=120), st.integers(2, 8))
def test_every_alarm_is_told_by_itself_or_in_one_storm(given: list[tuple[str, int]], count: int) -> None:
    flood = Flood({key: (count, timedelta(seconds=60)) for key in "abc"}, (12, timedelta(seconds=60)))
    now = T
    belongs: dict[int, int] = {}
    for number, (rule, wait) in enumerate(given):
        now += timedelta(seconds=wait)
        verdict = flood.raised(rule, number, now)
        if isinstance(verdict, Join):
            assert number not in belongs
            belongs[number] = verdict.storm
        elif isinstance(verdict, Begin):
            storm = 1000 + number
            assert number in verdict.members
            for member in verdict.members:
                assert member not in belongs
                belongs[member] = storm
            flood.began(verdict.key, storm, now)
    # Within a window, of those that stand alone, no more than the bound were of one rule.
    moments = []
    clock = T
    for number, (rule, wait) in enumerate(given):
        clock += timedelta(seconds=wait)
        moments.append((rule, clock, number))
    for rule in "abc":
        alone = [at for r, at, n in moments if r == rule and n not in belongs]
        for at in alone:
            assert sum(at - timedelta(seconds=60) < other <= at for other in alone) <= count


states = st.sampled_from(["raise", "ack", "return", "shelve", "unshelve"])


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Alarms of few points, each through a plausible life."""
    events, now = [], T
    alarms: dict[int, tuple[State, bool]] = {}
    for number in range(draw(st.integers(0, 40))):
        now += timedelta(seconds=draw(st.sampled_from([1, 5, 20, 40, 300, 2000])))
        id = draw(st.integers(0, 5))
        state, active = alarms.get(id, (State.NORMAL, False))
        step = draw(states)
        kind: Kind | None = None
        if step == "raise" and not active:
            kind, active = Kind.RAISED, True
            state = state if state is State.SHELVED else State.UNACKNOWLEDGED
        elif step == "return" and active:
            kind, active = Kind.RETURNED, False
            state = {State.UNACKNOWLEDGED: State.RETURNED, State.ACKNOWLEDGED: State.NORMAL}.get(state, state)
        elif step == "ack" and state in (State.UNACKNOWLEDGED, State.RETURNED):
            kind, state = Kind.ACKNOWLEDGED, State.ACKNOWLEDGED if active else State.NORMAL
        elif step == "shelve" and state not in (State.NORMAL, State.SHELVED):
            kind, state = Kind.SHELVED, State.SHELVED
        elif step == "unshelve" and state is State.SHELVED:
            kind, state = Kind.UNSHELVED, State.UNACKNOWLEDGED if active else State.NORMAL
        if kind is not None:
            alarms[id] = (state, active)
            events.append(Event(now, kind, id, f"r{id % 2}", f"t{id % 3}", None, Priority(id % 4 + 1), state, active))
        assert number >= 0
    return events


def naive(events: list[Event], start: datetime, end: datetime) -> tuple[object, ...]:
    """Second by second what the figures say at once. Times of the histories are whole seconds."""
    inside = [e for e in events if start <= e.at < end]
    raised = [e for e in inside if e.kind is Kind.RAISED]
    held, waits, waiting = 0.0, [], 0
    for id in {e.alarm for e in events}:
        mine = [e for e in events if e.alarm == id and e.at < end]
        for k, e in enumerate(mine):
            until = mine[k + 1].at if k + 1 < len(mine) else end
            if e.active and e.state is not State.NORMAL:
                held += max(0.0, (until - max(e.at, start)).total_seconds())
        asked: datetime | None = None
        for e in mine:
            if e.kind is Kind.ACKNOWLEDGED:
                if asked is not None and e.at >= start:
                    waits.append((e.at - asked).total_seconds())
                asked = None
            elif e.state is State.UNACKNOWLEDGED and e.kind in (Kind.RAISED, Kind.UNSHELVED):
                asked = asked or e.at
            elif e.state is not State.RETURNED:
                asked = None
        waiting += asked is not None and asked >= start
    points = {(e.rule, e.thing) for e in raised}
    chatters = {
        p for p in points
        for e in raised if (e.rule, e.thing) == p
        if sum((o.rule, o.thing) == p and e.at - timedelta(seconds=60) < o.at <= e.at for o in raised) >= 3
    }  # fmt: skip
    busiest = max((sum(e.at - timedelta(minutes=10) < o.at <= e.at for o in raised) for e in raised), default=0)
    return len(raised), held, sorted(waits), waiting, chatters, busiest


@settings(max_examples=300, deadline=None, derandomize=True)
@given(histories(), st.integers(0, 20_000), st.integers(1, 20_000))
def test_figures_are_a_recomputation(events: list[Event], first: int, length: int) -> None:
    start, end = seconds(first), seconds(first + length)
    found: Figures = figures(events, start, end)
    raised, held, waits, waiting, chatters, busiest = naive(events, start, end)
    assert (found.raised, found.active, found.unacknowledged, found.busiest) == (raised, held, waiting, busiest)
    assert found.acknowledged == len(waits)  # type: ignore[arg-type]
    if waits:
        assert found.ack_longest == max(waits)  # type: ignore[call-overload]
    assert {(one.rule, one.thing) for one in found.chattering} == chatters
    assert sum(found.by_rule.values()) == sum(found.by_priority.values()) == raised
    assert sum(one.times for one in found.frequent) == raised
    assert sum(n for _, counts in found.bars for n in counts.values()) == raised
    assert len(found.bars) <= MOST_BARS
    assert found.flooded == flooded([e.at for e in events if start <= e.at < end and e.kind is Kind.RAISED], end)


def flooded(raised: list[datetime], end: datetime) -> float:
    """The same by looking at every second. Times of the histories are whole seconds."""
    total, on = 0, False
    if raised:
        for n in range(int((end - raised[0]).total_seconds())):
            now = raised[0] + timedelta(seconds=n)
            lately = sum(now - timedelta(minutes=10) < at <= now for at in raised)
            on = lately >= 5 if on else lately >= 10
            total += on
    return float(total)


def test_bars_begin_at_midnight_here_and_a_flood_ends_below_five() -> None:
    raised = [Event(seconds(20 * n), Kind.RAISED, n, "r", "t", None, Priority(n % 2 + 1), State.UNACKNOWLEDGED, True)
              for n in range(12)]  # fmt: skip
    found = figures(raised, T - timedelta(hours=12), T + timedelta(hours=12))
    assert found.step == 900
    assert found.bars == [(T, {"low": 6, "medium": 6})]
    # From the tenth (180 s) until the eighth leaves and four are left: at 140 s and ten minutes.
    assert found.flooded == 740 - 180
    month = figures(raised, T - timedelta(days=365), T)
    assert month.bars == []
    year = figures(raised, T - timedelta(days=360), T + timedelta(days=5))
    assert year.bars == [(datetime(2026, 11, 15, 17, tzinfo=UTC), {"low": 6, "medium": 6})]  # a Monday at +07
    assert step_of(T, T + timedelta(days=365 * 30)) in STEPS
    assert [step_of(T, T + timedelta(days=days)) for days in (1 / 24, 1 / 4, 1, 7, 30)] == [60, 300, 900, 7200, 21_600]
