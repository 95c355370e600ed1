"""The real hub over a real database: snapshots, events, rates, alarms, whoever comes back."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from services.live.client import Live, RefusedError, follow
from services.live.messages import Beat, Events, Filter, Hello, Pong, Problem, Resumed, Snapshot
from services.live.mirror import Mirror
from services.live.position import parse
from tests.live.conftest import AREA, OTHER, PATIENCE, Place, Sockets, cookie
from tests.live.worlds import content
from tests.services.filling import now, store
from tests.waiting import until as settled
from tram.alarms.model import Alarm, AlarmChange, Kind, Priority, State
from tram.clock import to_micros
from tram.store import alarms, observations, registry
from tram.store.batch import Batch
from tram.store.database import Connection

WHEN = datetime(2026, 11, 22, tzinfo=UTC)


def write(place: Place, *keys: tuple[str, str], at: int | None = None) -> int:
    """One value of each Datastream, committed; returns its time."""
    time = now() if at is None else at
    with place.database.connect() as conn:
        store(conn, [place.ids[key] for key in keys], [time])
        conn.commit()
    return time


def alarm(conn: Connection, thing: str, area: str | None, priority: Priority = Priority.HIGH) -> Alarm:
    """A new alarm, committed."""
    made = Alarm(
        rule="r", state=State.UNACKNOWLEDGED, priority=priority, level=1, peak=1, active=True, thing=thing, area=area,
        since=WHEN, changed=WHEN, raised=WHEN, alerted=WHEN,
    )  # fmt: skip
    change = AlarmChange(at=WHEN, time=WHEN, kind=Kind.RAISED, before=State.NORMAL, level_before=0, alarm=made)
    found = alarms.write(conn, [change])[0].alarm
    conn.commit()
    return found


def change(conn: Connection, of: Alarm, kind: Kind, **fields: object) -> Alarm:
    """The next thing that happens to an alarm, committed."""
    after = replace(of, **fields)  # type: ignore[arg-type]
    done = AlarmChange(at=WHEN, time=WHEN, kind=kind, before=of.state, level_before=of.level, alarm=after)
    alarms.write(conn, [done])
    conn.commit()
    return after


def fresh(sockets: Sockets, filter: dict[str, list[str]] | None = None) -> Mirror:
    """What a new subscription shows now."""
    socket = sockets()
    socket.say(op="subscribe", id="f", filter=filter or {})
    socket.mirror.apply(socket.next(Snapshot))
    socket.close()
    return socket.mirror


async def until(live: Live, condition: Callable[[], bool], what: str) -> None:
    """Waits for what a mirror shows."""
    async with asyncio.timeout(PATIENCE):
        async for _ in live:
            if condition():
                return
    raise AssertionError(what)


def test_hello_snapshot_events_pong(place: Place, sockets: Sockets) -> None:
    socket = sockets()
    hello = socket.hear()
    assert isinstance(hello, Hello)
    assert (hello.version, hello.limits["streams"]) == (1, 10_000)
    socket.say(op="subscribe", id="a", filter={"domains": ["air"], "properties": ["pm2_5"]}, rate=20)
    first = socket.next(Snapshot)
    stream = place.ids["aq-01", "pm2_5"]
    assert {thing.name: [s.property for s in thing.streams] for thing in first.things} == {
        "aq-01": ["pm2_5"], "aq-02": ["pm2_5"],
    }  # fmt: skip
    assert len(first.values) == 2
    at = write(place, ("aq-01", "pm2_5"), ("river-01", "water_level"))
    events = socket.next(Events)
    assert (events.after, [row[:2] for row in events.values]) == (first.seq, [[stream, at]])
    socket.say(op="ping", at=7.5)
    assert socket.next(Pong).at == 7.5
    assert socket.next(Beat).source == "ok"
    socket.say(op="unsubscribe", id="a")
    socket.say(op="resync", id="a")
    assert socket.next(Problem).code == "unknown"


def test_values_are_conflated_to_the_rate_and_the_last_is_told(place: Place, sockets: Sockets) -> None:
    socket = sockets()
    socket.say(op="subscribe", id="a", filter={"things": ["aq-01"]}, rate=2)
    socket.next(Snapshot)
    began, last, frames = time.monotonic(), 0, 0
    for _ in range(40):
        last = write(place, ("aq-01", "pm2_5"))
    told = 0
    while told < last:
        frames += 1
        told = max([told, *(row[1] for row in socket.next(Events).values)])
    assert frames <= (time.monotonic() - began) * 2 + 2
    assert frames < 40


def test_alarms_are_never_conflated(place: Place, sockets: Sockets) -> None:
    socket = sockets()
    socket.say(op="subscribe", id="a", filter={"things": ["aq-01"]}, rate=0.1)
    socket.mirror.apply(socket.next(Snapshot))
    with place.database.connect() as conn:
        one = alarm(conn, "aq-01", OTHER)
        alarm(conn, "aq-02", AREA)
        for n in range(30):
            one = change(conn, one, Kind.COMMENTED, raises=n + 2)
        change(conn, one, Kind.CLOSED, state=State.NORMAL)
    found: list[AlarmChange] = []
    while len(found) < 32:
        events = socket.next(Events)
        assert socket.mirror.apply(events)
        found += events.alarms
    assert [c.alarm.raises for c in found] == [*range(1, 32), 31]
    assert socket.mirror.alarms == {}


def test_a_downgraded_alarm_leaves_a_view_of_severe_ones(place: Place, sockets: Sockets) -> None:
    socket = sockets()
    socket.say(op="subscribe", id="a", filter={"severity": "high"}, values=False)
    socket.mirror.apply(socket.next(Snapshot))
    assert socket.mirror.things == {}
    with place.database.connect() as conn:
        one = alarm(conn, "aq-01", OTHER)
        socket.mirror.apply(socket.next(Events))
        assert list(socket.mirror.alarms) == [one.id]
        change(conn, one, Kind.DOWNGRADED, priority=Priority.LOW)
    events = socket.next(Events)
    assert (events.left, [c.kind for c in events.alarms]) == ([one.id], [Kind.DOWNGRADED])
    socket.mirror.apply(events)
    assert socket.mirror.alarms == {}


def test_a_seq_is_gone_on_from_and_nonsense_is_not(place: Place, sockets: Sockets) -> None:
    first = sockets()
    first.say(op="subscribe", id="a", filter={"things": ["aq-01"]}, rate=20)
    seq = first.next(Snapshot).seq
    first.close()
    at = write(place, ("aq-01", "pm2_5"))
    second = sockets()
    second.say(op="subscribe", id="a", filter={"things": ["aq-01"]}, after=seq)
    assert second.next(Resumed, Snapshot) == Resumed(id="a", seq=seq)
    events = second.next(Events)
    assert (events.after, events.values[0][1]) == (seq, at)
    for n, after in enumerate(("nonsense", "1-2", "0-0-00000000", "99999999-0-00000000", seq[:-1] + "x")):
        second.say(op="subscribe", id=f"n{n}", filter={"things": ["aq-01"]}, after=after)
        assert second.next(Resumed, Snapshot).reason == "old"


def test_new_things_and_datastreams_come_and_go(place: Place, sockets: Sockets) -> None:
    socket = sockets()
    socket.say(op="subscribe", id="a", filter={"areas": ["19"]}, rate=20)
    socket.mirror.apply(socket.next(Snapshot))
    with place.database.connect() as conn:
        key = registry.Key("aq-01", "no2", "ug/m3")
        found = registry.resolve(conn, [key], "open")[key]
        assert isinstance(found, registry.Resolved)
        store(conn, [found.datastream_id], [now()])
        conn.commit()
        while found.datastream_id not in socket.mirror.values:
            assert socket.mirror.apply(socket.next(Events))
        conn.execute("UPDATE thing SET area = NULL WHERE name = 'aq-01'")
        conn.execute("UPDATE thing SET area = %s WHERE name = 'river-01'", (AREA,))
        conn.commit()
    while {thing.name for thing in socket.mirror.things.values()} != {"aq-02", "river-01"}:
        assert socket.mirror.apply(socket.next(Events))
    assert content(socket.mirror) == content(fresh(sockets, {"areas": ["19"]}))


def history(place: Place, seed: int, steps: int) -> None:
    """Random changes of all sorts, each committed."""
    chance = random.Random(seed)
    keys = list(place.ids)
    with place.database.connect() as conn:
        open_alarms: list[Alarm] = []
        for n in range(steps):
            kind = chance.choice("vvvvvldcctanr")
            stream = place.ids[chance.choice(keys)]
            if kind in "vl":  # new, or late
                times = [now() - (chance.randrange(10**9) if kind == "l" else 0) for _ in range(2)]
                store(conn, chance.sample(list(place.ids.values()), 3), times)
            elif kind in "dc":
                latest = conn.execute(
                    "SELECT max(phenomenon_time) FROM observation WHERE datastream_id = %s", (stream,)
                ).fetchone()
                if latest and latest[0]:
                    at = np.array([to_micros(latest[0])])
                    if kind == "d":
                        observations.delete(conn, [stream], at)
                    else:
                        one = np.array([stream], np.int32), at, np.array([float(n)]), np.zeros(1, np.int16)
                        observations.correct(conn, Batch(*one))
            elif kind == "t":
                label, area = f"số {n}", chance.choice([AREA, OTHER, None])
                values = label, area, chance.choice(keys)[0]
                conn.execute("UPDATE thing SET label = %s, area = %s WHERE name = %s", values)
            elif kind == "n":
                registry.resolve(conn, [registry.Key(f"new-{n}", "pm2_5", "ug/m3")], "open")
            elif kind == "r":
                status = chance.choice(["active", "refused"])
                conn.execute("UPDATE thing SET status = %s WHERE name = 'aq-02'", (status,))
            elif kind == "a" and (not open_alarms or chance.random() < 0.5):
                open_alarms.append(alarm(conn, chance.choice(keys)[0], chance.choice([AREA, OTHER, None])))
            elif open_alarms:
                one = open_alarms.pop(chance.randrange(len(open_alarms)))
                after = change(conn, one, Kind.UPGRADED, state=chance.choice(list(State)), raises=n)
                if after.state is not State.NORMAL:
                    open_alarms.append(after)
            conn.commit()


def ends(place: Place) -> tuple[int, int]:
    """The last seq of the values and of the alarms."""
    with place.database.connect() as conn:
        row = conn.execute("SELECT max(seq) FROM committed").fetchone()
        assert row is not None
        return row[0], alarms.position(conn)


@pytest.mark.parametrize("seed", [1, 2])
def test_snapshot_and_events_make_a_fresh_snapshot(place: Place, sockets: Sockets, seed: int) -> None:
    filters = (Filter(), Filter(areas=["19"]), Filter(domains=["air"], severity="medium"))

    async def run() -> None:
        async with (
            follow(place.url, cookie=cookie(place.cookies["admin"])["Cookie"], filter=filters[0], rate=20) as one,
            follow(place.url, cookie=cookie(place.cookies["admin"])["Cookie"], filter=filters[1], rate=1) as two,
            follow(place.url, cookie=cookie(place.cookies["admin"])["Cookie"], filter=filters[2], rate=5) as three,
        ):
            lives = (one, two, three)
            for live in lives:
                await until(live, lambda live=live: live.mirror.seq is not None, "a snapshot")
            await asyncio.to_thread(history, place, seed, 60)
            end = await asyncio.to_thread(ends, place)
            for live, filter in zip(lives, filters, strict=True):
                asked = {"areas": filter.areas, "domains": filter.domains, "severity": filter.severity}
                async with asyncio.timeout(PATIENCE):
                    while True:
                        wanted = await asyncio.to_thread(fresh, sockets, {k: v for k, v in asked.items() if v})
                        at = parse(str(wanted.seq))
                        assert at is not None
                        # The hub has read all, and the registry's changes may be a moment behind the values.
                        if (at.values, at.alarms) == end and content(live.mirror) == content(wanted):
                            break
                assert live.sockets == 1

    asyncio.run(run())


def test_a_clock_that_jumps_changes_nothing(place: Place, sockets: Sockets, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = sockets()
    socket.say(op="subscribe", id="a", filter={"things": ["aq-01"]}, rate=20)
    socket.mirror.apply(socket.next(Snapshot))
    real, real_ns = time.time, time.time_ns
    for jump in (-86_400, 300, -3_000_000):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        monkeypatch.setattr(time, "time_ns", lambda jump=jump: real_ns() + jump * 10**9)
        at = write(place, ("aq-01", "pm2_5"), at=real_ns() // 1000)
        beats = 0
        while not beats or socket.mirror.values[place.ids["aq-01", "pm2_5"]][0] != at:
            message = socket.next(Beat, Events)
            beats += isinstance(message, Beat)
            if isinstance(message, Events):
                assert socket.mirror.apply(message)


def test_the_python_client_says_when_it_is_refused(place: Place) -> None:
    async def run(**more: str) -> None:
        async with asyncio.timeout(PATIENCE), follow(place.url, **more) as live:  # type: ignore[arg-type]
            async for _ in live:
                pass

    with pytest.raises(RefusedError, match="4401"):
        asyncio.run(run(token="no-such-token"))


def test_filters_that_fit_all_of_very_many_are_errors_and_the_rest_goes_on(place: Place, sockets: Sockets) -> None:
    socket = sockets()
    assert socket.next(Hello).limits["streams"] == 10_000
    socket.say(op="subscribe", id="few", filter={"things": ["aq-01"]}, rate=20)
    socket.mirror.apply(socket.next(Snapshot))
    with place.database.connect() as conn:
        conn.execute("SET LOCAL session_replication_role = replica")  # one notification for all, not one for each
        conn.execute(
            "INSERT INTO thing (name, kind, area) SELECT 'many-' || n, 'many', %s FROM generate_series(1, 10001) n",
            (AREA,),
        )
        conn.execute(
            "INSERT INTO datastream (thing_id, observed_property_id) SELECT t.id, p.id FROM thing t,"
            " observed_property p WHERE t.kind = 'many' AND p.name = 'pm2_5'"
        )
        conn.execute("SELECT pg_notify(%s, '')", (registry.CHANNEL,))
        conn.commit()
    wide = ({}, {"domains": ["many"]}, {"properties": ["pm2_5"]}, {"areas": ["19"], "domains": ["many"]})

    def known() -> bool:
        other = sockets()
        other.say(op="subscribe", id="one", filter={"things": ["many-10001"]})
        return bool(other.next(Snapshot).things)

    settled(known, "the hub has read them", PATIENCE)
    for n, filter in enumerate(wide):
        socket.say(op="subscribe", id=f"all{n}", filter=filter)
        problem = socket.next(Problem)
        assert (problem.code, problem.id) == ("too-many", f"all{n}")
    at = write(place, ("aq-01", "pm2_5"))
    while socket.mirror.values[place.ids["aq-01", "pm2_5"]][0] != at:
        assert socket.mirror.apply(socket.next(Events))
