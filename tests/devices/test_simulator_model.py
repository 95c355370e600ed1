"""The province as a model: the same seed gives the same bytes, and what it says could be so."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import formats
from devices.simulators import faults, noise
from devices.simulators.catalogue import GAUGES
from devices.simulators.faults import Fault
from devices.simulators.kinds import Group
from devices.simulators.province import FIRST_ROUND, Province, communes
from devices.simulators.scenarios import DURATION, Scenario, Scenarios
from devices.simulators.weather import DAY, HOUR, Weather, weekday
from tram.clock import parse_rfc3339
from tram.properties import known
from tram.readings import Message
from tram.sensing import Thing

MONDAY = parse_rfc3339("2025-11-24T00:00:00+07:00") // 1000
MINUTE = 60_000


@pytest.fixture(scope="module")
def province() -> Province:
    return Province(7)


def group(province: Province, name: str) -> Group:
    return next(g for g in province.groups if g.kind.name == name)


def column(province: Province, kind: str, prop: str, times: Any, which: int | None = None) -> Any:
    """Values, shape (times, things): undisturbed by faults."""
    g = group(province, kind)
    at = [name for name, _ in g.kind.properties].index(prop)
    who = np.arange(len(g.names)) if which is None else np.array([which])
    shape = len(times), len(who)
    values = g.kind.evaluate(province.world, g, np.tile(who, shape[0]), np.repeat(np.asarray(times), shape[1]))
    return values[at].reshape(shape)


def test_size(province: Province) -> None:
    assert len(communes()) == 92
    assert province.datastreams >= 2000
    names = [name for g in province.groups for name in g.names]
    assert len(set(names)) == len(names) == province.things


def test_a_past_is_what_would_have_been_measured(province: Province) -> None:
    end = MONDAY + 2 * HOUR
    told = list(province.past(MONDAY, end, 600_000))
    assert len({(thing, name) for thing, name, _, _ in told}) == province.datastreams
    assert all(MONDAY <= at < end for _, _, at, _ in told)
    air = group(province, "air")
    mine = [(at, value) for thing, name, at, value in told if thing == air.names[5] and name == "pm2_5"]
    assert [later - at for (at, _), (later, _) in pairwise(mine)] == [600_000] * (len(mine) - 1)
    assert len(mine) == 12
    expected = column(province, "air", "pm2_5", [at for at, _ in mine], which=5)[:, 0]
    assert [value for _, value in mine] == pytest.approx(expected, abs=0.05)
    with pytest.raises(ValueError, match="1000 ms"):
        next(province.past(MONDAY, end, 10))


def test_same_seed_same_bytes() -> None:
    def story(seed: int, scenarios: Scenarios) -> list[tuple[str, bytes]]:
        made = Province(seed)
        made.world.scenarios = scenarios
        return [
            *made.states(),
            *(m for s in range(6) for m in made.tick(MONDAY + s * 4777, MONDAY + (s + 1) * 4777, MONDAY)),
        ]

    flood = Scenarios().with_(Scenario("flood", MONDAY, 60_000))
    assert story(7, Scenarios()) == story(7, Scenarios())
    assert story(7, flood) == story(7, flood)
    assert story(7, flood) != story(7, Scenarios())
    assert story(8, Scenarios()) != story(7, Scenarios())


@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(1, 29_999), max_size=6, unique=True))
def test_ticks_may_be_cut_anywhere(cuts: list[int]) -> None:
    made = Province(3)
    edges = [0, *sorted(cuts), 30_000]
    pieces = [message for start, end in pairwise(edges) for message in made.tick(MONDAY + start, MONDAY + end, MONDAY)]
    assert pieces == made.tick(MONDAY, MONDAY + 30_000, MONDAY)


def test_all_speak_within_30_s(province: Province) -> None:
    """All that are not silent by a fault; and they speak evenly, in the registry's own format."""
    seconds = [province.tick(MONDAY + s * 1000, MONDAY + (s + 1) * 1000, MONDAY) for s in range(30)]
    memory, streams = formats.memories(), set()
    for topic, payload in (message for second in seconds for message in second):
        name, decoded = formats.decode(Message(topic, payload, MONDAY * 1000), memory)
        assert name == "native"
        assert not decoded.bad
        streams |= {(r.thing, r.property) for r in decoded.readings}
    assert len(streams) >= 2000
    sizes, first = [len(second) for second in seconds], FIRST_ROUND // 1000
    for even in (sizes[:first], sizes[first:]):
        assert max(even) < 3 * min(even)


def test_states_are_read_by_the_native_format(province: Province) -> None:
    memory = formats.memories()
    things: dict[str, Thing] = {}
    for topic, payload in province.states():
        _, decoded = formats.decode(Message(topic, payload, 0), memory)
        assert not decoded.bad
        things[decoded.things[0].name] = decoded.things[0]
    assert len(things) == province.things
    gia_bay = things["river-gia-bay"]
    assert gia_bay.label == "Trạm thủy văn Gia Bảy"
    assert gia_bay.properties["alarm_levels"] == [25.0, 26.0, 27.0]
    codes = {commune.code for commune in communes()}
    for thing in things.values():
        assert thing.area in codes
        assert thing.location is not None
        assert 105.3 < thing.location.longitude < 106.4
        assert 21.2 < thing.location.latitude < 22.8


def test_all_values_are_possible(province: Province) -> None:
    """Over a year, every hour of some days: within the catalogue's range, and of a number's form."""
    for g in province.groups:
        who = np.arange(len(g.names))
        for day in range(0, 365, 45):
            for hour in range(0, 24, 3):
                values = g.kind.evaluate(province.world, g, who, np.full(len(who), MONDAY + day * DAY + hour * HOUR))
                assert len(values) == len(g.kind.properties)
                for (name, _), value in zip(g.kind.properties, values, strict=True):
                    prop = known(name)
                    assert np.isfinite(value).all(), name
                    if prop is not None:
                        assert prop.low is None or (value >= prop.low).all(), (name, value.min())
                        assert prop.high is None or (value <= prop.high).all(), (name, value.max())


def test_traffic_has_its_week(province: Province) -> None:
    def mean(day: int, hour: float) -> float:
        times = MONDAY + day * DAY + int(hour * HOUR) + np.arange(0, 30 * MINUTE, 5 * MINUTE)
        return float(column(province, "loop", "traffic_count", times).mean())

    assert mean(1, 17.0) > 5 * mean(1, 2.5)
    assert mean(1, 7.0) > 1.5 * mean(1, 10.0)
    assert mean(1, 7.0) > 2 * mean(6, 7.0)
    fast = column(province, "loop", "traffic_speed", [MONDAY + DAY + 3 * HOUR]).mean()
    slow = column(province, "loop", "traffic_speed", [MONDAY + DAY + 17 * HOUR]).mean()
    assert slow < 0.85 * fast


def test_energy_counts_up(province: Province) -> None:
    times = MONDAY + np.arange(0, 2 * DAY, 7 * MINUTE)
    energy = column(province, "meter", "active_energy", times)
    power = column(province, "meter", "active_power", times)
    assert (np.diff(energy, axis=0) >= 0).all()
    used = energy[-1] - energy[0]
    assert np.allclose(used, power.mean(axis=0) * (times[-1] - times[0]) / HOUR, rtol=0.35)


def test_neighbours_share_the_weather() -> None:
    weather = Weather(5)
    times = MONDAY + np.arange(0, 60 * DAY, 3 * HOUR)
    here, near, far = (np.full(len(times), x) for x in (105.80, 105.85, 106.30))
    lat, far_lat = np.full(len(times), 21.6), np.full(len(times), 22.6)

    def alike(a: Any, b: Any) -> float:
        return float(np.corrcoef(a, b)[0, 1])

    rain = weather.rain(here, lat, times)
    assert 0.02 < (rain > 0.2).mean() < 0.6
    assert alike(rain, weather.rain(near, lat, times)) > 0.8
    assert alike(rain, weather.rain(far, far_lat, times)) < 0.6


def test_rain_comes_before_the_river(province: Province) -> None:
    """The level follows the rain of its own upstream, best some hours later, and never much before."""
    times = MONDAY + 200 * DAY + np.arange(0, 40 * DAY, HOUR)
    g = group(province, "river")
    at = g.names.index("river-gia-bay")
    level = column(province, "river", "water_level", times, at)[:, 0]
    lon, lat = np.full(len(times), g.lon[at]), np.full(len(times), g.lat[at])
    rain = np.convolve(province.world.weather.rain(lon - 0.06, lat + 0.09, times), np.ones(6) / 6, "same")

    def alike(lag: int) -> float:
        return float(np.corrcoef(rain[: len(rain) - lag], level[lag:])[0, 1])

    best = max(range(40), key=alike)
    assert 4 <= best <= 24, best
    assert alike(best) > 0.5
    assert alike(best) > alike(0) + 0.1


def test_flood(province: Province) -> None:
    """Rain first; then Gia Bảy passes alarm level III towards its record, and those downstream follow."""
    world = province.world
    usual = Province(7)
    world.scenarios = Scenarios().with_(Scenario("flood", MONDAY, DURATION))
    try:
        times = MONDAY + np.arange(0, DURATION, 30_000)
        levels = column(province, "river", "water_level", times)
        rain = column(province, "rain", "rainfall", times)
        names = [gauge.name for gauge in GAUGES]
        gia_bay, bac_kan, cha = (names.index(n) for n in ("Gia Bảy", "Bắc Kạn", "Chã"))
        assert 28.5 < levels[:, gia_bay].max() < 30.2
        assert rain.max() > 8.0
        heavy = times[np.argmax(rain.mean(axis=1) > 2.0)]
        over = [times[np.argmax(levels[:, i] > GAUGES[i].alarms[0])] for i in (bac_kan, gia_bay, cha)]
        assert heavy < over[0] < over[1] < over[2]
        calm = column(usual, "river", "water_level", [MONDAY + DURATION * 3 // 2])
        after = column(province, "river", "water_level", [MONDAY + DURATION * 3 // 2])
        assert np.abs(after - calm).max() < 0.5
    finally:
        world.scenarios = Scenarios()


@pytest.mark.parametrize(
    ("scenario", "kind", "prop", "changed"),
    [
        ("smog", "station", "pm2_5", lambda before, during: during.mean() > 2.5 * before.mean()),
        ("jam", "loop", "traffic_speed", lambda before, during: during.min() < 0.4 * before.min()),
        ("jam", "loop", "traffic_occupancy", lambda before, during: during.max() > 2 * before.max()),
    ],
)
def test_scenarios(
    province: Province, scenario: str, kind: str, prop: str, changed: Callable[[Any, Any], bool]
) -> None:
    at = [MONDAY + 9 * HOUR + DURATION // 2]
    before = column(province, kind, prop, at)
    province.world.scenarios = Scenarios().with_(Scenario(scenario, MONDAY + 9 * HOUR, DURATION))
    try:
        assert changed(before, column(province, kind, prop, at))
    finally:
        province.world.scenarios = Scenarios()


def test_faults_have_their_shares() -> None:
    things = np.repeat(np.arange(600), 50)
    times = MONDAY + np.tile(np.arange(50) * 3 * HOUR, 600)
    found, since = faults.faults_of(1, things, times)
    for kind, share in faults.SHARES.items():
        assert 0.6 * share < (found == kind).mean() < 1.6 * share
    assert ((times >= since) & (times < since + faults.WINDOW)).all()


def test_faults_are_to_be_seen(province: Province) -> None:
    """Each fault in the messages of its Thing: found by the model, then looked for in what is said."""
    told: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    span = 20 * MINUTE
    for start in range(MONDAY, MONDAY + span, MINUTE):
        for topic, payload in province.tick(start, start + MINUTE):
            told[topic.split("/")[2]].append((start, json.loads(payload)))
    seen: set[int] = set()
    for g in province.groups:
        for name, number in zip(g.names, g.number, strict=True):
            both, _ = faults.faults_of(7, np.array([number, number]), np.array([MONDAY, MONDAY + span]))
            fault = int(both[0])
            if both[0] != both[1] or (fault == Fault.STUCK and g.kind.name == "river"):
                continue
            said = told.get(name, [])
            stamps = [record["ts"] for _, record in said]
            values = [tuple(v for k, v in record.items() if k != "ts") for _, record in said]
            if fault == Fault.SILENT:
                assert not said
            elif fault == Fault.STUCK:
                assert len(set(values)) == 1
                assert len(set(stamps)) == len(stamps) > 1
            elif fault == Fault.LATE:
                assert all(start - ts > faults.LATE - MINUTE for (start, _), ts in zip(said, stamps, strict=True))
            elif fault == Fault.DUPLICATE:
                assert stamps[::2] == stamps[1::2]
                assert values[::2] == values[1::2]
            else:
                assert stamps == sorted(set(stamps))
            seen.add(fault)
    assert seen == set(Fault)


def test_drift_grows() -> None:
    since, value = np.array([0, 0, 0]), np.full(3, 10.0)
    drifted = faults.drift(value, np.full(3, Fault.DRIFTING), since, np.array([0, faults.WINDOW // 2, faults.WINDOW]))
    assert np.allclose(drifted, [10.0, 11.25, 12.5])


def test_burst_times_differ(province: Province) -> None:
    n = 5000
    said = province.burst(np.arange(n) % province.things, MONDAY + np.arange(n) * 50 // n)
    assert len(said) == n
    stamps = MONDAY + np.arange(n) * 250 // n
    said = province.burst(np.arange(n) % province.things, stamps)
    assert len({(topic, json.loads(payload)["ts"]) for topic, payload in said}) == n


def test_noise_is_noise() -> None:
    many = np.arange(20_000)
    drawn = noise.uniform(1, many)
    assert 0 <= drawn.min() < 0.001
    assert 0.999 < drawn.max() < 1
    assert abs(drawn.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(noise.uniform(1, many), noise.uniform(2, many))[0, 1]) < 0.03
    assert abs(np.corrcoef(noise.uniform(1, many, 5), noise.uniform(1, many, 6))[0, 1]) < 0.03
    normal = noise.normal(1, many)
    assert abs(normal.mean()) < 0.03
    assert abs(normal.std() - 1) < 0.03
    smooth = noise.wander(1, np.zeros(1000, np.int64), np.arange(1000) * 10, 1000)
    assert np.abs(np.diff(smooth)).max() < 0.2


def test_scenario_limits() -> None:
    with pytest.raises(ValueError):
        Scenario("earthquake", 0)
    with pytest.raises(ValueError):
        Scenario("flood", 0, 0)
    one = Scenario("flood", 0, 100_000)
    assert one.strength(np.array([-5, 0, 100_000, 200_000])).tolist() == [0, 0, 0, 0]
    assert one.strength(np.array([50_000])).tolist() == [1.0]
    both = Scenarios().with_(one).with_(replace(one, name="jam")).with_(replace(one, started=5))
    assert [(s.name, s.started) for s in both.running] == [("jam", 0), ("flood", 5)]
    assert [s.name for s in both.without("jam").running] == ["flood"]


def test_week() -> None:
    assert weekday(np.array([MONDAY, MONDAY + 6 * DAY, MONDAY - 1])).tolist() == [0, 6, 6]
