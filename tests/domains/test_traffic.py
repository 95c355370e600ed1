"""The traffic service: formulas by worked figures, incidents on made and on real detectors, and real databases."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import incidents as evaluation
from services.domains.traffic import flow, incidents, network
from tests.databases import Database
from tests.domains.world import MINUTE, T0, catch_up, computed, store, thing
from tests.servers.api import serve
from tram.clock import from_micros
from tram.quality import Quality
from tram.settings import Settings
from tram.store import observations
from tram.store.batch import Batch
from tram.store.database import Connection

NAN = np.nan
STEP = 5 * MINUTE


def one(value: float) -> np.ndarray:
    return np.array(value, float)


def test_a_loop() -> None:
    # 900 vehicles an hour of 6.5 m over 15 % of the time: 900 * 0.0065 / 0.15 = 39 km/h, 900 / 39 = 23.08 a kilometre.
    assert flow.speed(one(900), one(15)) == pytest.approx(39.0)
    assert flow.density(one(900), one(39)) == pytest.approx(23.0769, abs=1e-4)
    assert flow.speed(one(900), one(15), length=5.0) == pytest.approx(30.0)
    assert np.isnan(flow.speed(one(900), one(0)))
    assert np.isnan(flow.density(one(900), one(0)))


@pytest.mark.parametrize(
    ("per_mile", "grade"), list(zip([5, 11, 11.1, 18, 26, 35, 45, 45.1, 200], "AABBCDEFF", strict=True))
)
def test_levels_of_service_by_density(per_mile: float, grade: str) -> None:
    found = flow.service_by_density(one(per_mile / flow.MILE))
    assert flow.LETTERS[int(found) - 1] == grade
    assert flow.service_by_density(one(2 * per_mile / flow.MILE), lanes=2) == found


@pytest.mark.parametrize(("seconds", "grade"), list(zip([10, 10.1, 20, 35, 55, 80, 81], "ABBCDEF", strict=True)))
def test_levels_of_service_by_delay(seconds: float, grade: str) -> None:
    assert flow.LETTERS[int(flow.service_by_delay(one(seconds))) - 1] == grade


def test_bpr() -> None:
    assert flow.bpr(one(100), one(1800), 1800.0) == pytest.approx(115.0)
    assert flow.bpr(one(100), one(900), 1800.0) == pytest.approx(100.9375)
    assert flow.bpr(one(100), one(0), 1800.0) == 100


def test_congestion_is_the_speed_lost() -> None:
    assert flow.congestion(one(30), one(50)) == pytest.approx(40)
    assert flow.congestion(one(60), one(50)) == 0
    assert np.isnan(flow.congestion(one(30), one(NAN)))


def test_webster() -> None:
    # y = 600/1800 + 450/1800 = 0.5833; C = (1.5 * 10 + 5) / (1 - 0.5833) = 48 s; greens 38 * 4/7 and 38 * 3/7.
    found = flow.webster(np.array([600.0, 450.0]), np.array([1800.0, 1800.0]), 10.0)
    assert found.degree == pytest.approx(0.58333, abs=1e-5)
    assert found.cycle == pytest.approx(48.0)
    assert found.greens == pytest.approx((21.714, 16.286), abs=1e-3)
    assert found.service == "B"
    full = flow.webster(np.array([1000.0, 800.0]), np.array([1800.0, 1800.0]), 10.0)
    assert full.cycle is None
    assert full.degree == pytest.approx(1.0)


@given(st.lists(st.floats(10, 700), min_size=2, max_size=4), st.floats(4, 20))
def test_a_cycle_is_its_greens_and_what_is_lost(flows: list[float], lost: float) -> None:
    found = flow.webster(np.array(flows), np.full(len(flows), 3600.0), lost)
    assert found.cycle is not None
    assert found.greens is not None
    assert sum(found.greens) + lost == pytest.approx(found.cycle)
    assert flow.SHORTEST <= found.cycle <= flow.LONGEST


def test_a_corridor_takes_the_sum_of_its_segments() -> None:
    lengths = flow.segments(np.array([0.5, 1.5, 2.0]), 3.0)
    assert lengths.tolist() == [1.0, 0.75, 1.25]
    speeds = np.array([[60.0, 60, NAN], [30.0, NAN, NAN], [50.0, 50, 50]])
    found = flow.travel_time(lengths, speeds)
    assert found[0] == pytest.approx(60 + 90 + 90)
    assert found[1] == pytest.approx((60 + 90) * 3.0 / 2.25)
    assert np.isnan(found[2])  # 1.25 of 3 km is less than half


def states(up: list[float], down: list[float]) -> list[int]:
    return incidents.california(np.array([up], float), np.array([down], float))[0].tolist()


def test_california_8() -> None:
    # Downstream empties (20 -> 10: DOCCTD 0.5), upstream fills (30: OCCDF 20, OCCRDF 0.67): tentative, then confirmed.
    assert states([18, 18, 30, 32, 31, 18], [20, 20, 10, 10, 11, 17]) == [0, 0, 1, 2, 2, 0]
    # Not confirmed: five intervals must pass before it is looked at again.
    up = [18, 18, 30, 18, *[30] * 7]
    down = [20, 20, 10, 20, 20, 10, 20, 10, 20, 10, 6]
    found = states(up, down)
    assert found[2:9] == [1, 0, 0, 0, 0, 0, 0]
    # A wave of braking runs up from downstream: occupancy there jumps above 30 %.
    assert states([20, 20, 40, 60, 60, 60, 60], [20, 20, 45, 20, 12, 12, 12])[2:] == [0] * 5
    # Each threshold by itself.
    assert states([18, 18, 17.9], [20, 20, 10]) == [0, 0, 0]  # OCCDF 7.9
    assert states([18, 18, 30], [20, 20, 15.1]) == [0, 0, 0]  # OCCRDF 0.497
    assert states([18, 18, 30], [14, 14, 10]) == [0, 0, 0]  # DOCCTD 0.286
    assert states([18, 18, 30, NAN, 30], [20, 20, 10, NAN, 10]) == [0, 0, 1, 0, 0]


@given(st.integers(0, 2**32 - 1))
def test_pairs_do_not_know_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    up, down = rng.uniform(0, 60, (2, 5, 40))
    together = incidents.california(up, down)
    for k in range(5):
        assert np.array_equal(together[k], incidents.california(up[k : k + 1], down[k : k + 1])[0])


def test_a_fixed_threshold_wants_its_intervals_together() -> None:
    found = incidents.fixed(np.array([26.0, 20, 26, 27, 28, NAN, 30, 31]), 25.0, 2, above=True)
    assert found.tolist() == [False, False, False, True, True, False, False, True]


def test_measuring_detection() -> None:
    times = np.arange(10) * 300
    alarm = np.array([0, 1, 0, 0, 1, 1, 0, 0, 0, 1], bool)
    found = incidents.measure(times, alarm, [(900, 1800), (2100, 2400)])
    assert (found.windows, found.detected, found.alarms, found.false) == (2, 1, 3, 2)
    assert found.minutes == (5.0,)
    assert found.false_share == pytest.approx(2 / 4)


def test_on_real_detectors_the_guide_says_what_is_measured() -> None:
    where = Path(os.environ.get("TRAM_X_SHARED", "../shared")) / "data" / "traffic"
    if not where.is_dir():
        pytest.skip(f"there is no {where}")
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "traffic.md").read_text(encoding="utf-8")
    assert evaluation.table(evaluation.evaluate(where)) in guide, "run python -m bench.incidents, and print it there"


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.connect() as made:
        yield made


LOOP = {"traffic_count": "{veh}", "traffic_occupancy": "%", "traffic_speed": "km/h"}


def corridor(conn: Connection, start: int, steps: int = 24) -> dict[str, dict[str, int]]:
    """Three detectors of 20-second messages: 10 vehicles, 20 %, 45 km/h each."""
    found = {}
    for k in range(3):
        name = f"loop-{k}"
        found[name] = thing(conn, name, LOOP, (105.80 + 0.01 * k, 21.6), properties={"period_seconds": 20})
        conn.commit()
        times = start + np.arange(steps * 15) * 20_000_000
        for property, value in (("traffic_count", 10.0), ("traffic_occupancy", 20.0), ("traffic_speed", 45.0)):
            store(conn, found[name][property], times, np.full(len(times), value))
    given = {
        "vi": "Tuyến", "en": "Road", "km": 3.0, "lanes": 2, "capacity": 3600.0, "free": 60.0,
        "detectors": [{"thing": f"loop-{k}", "km": 0.5 + k} for k in range(3)],
    }  # fmt: skip
    network.put_corridor(conn, "road", "test", given, None)
    conn.commit()
    return found


def test_from_loops_to_states_and_travel_times(conn: Connection) -> None:
    corridor(conn, T0)
    catch_up(conn, "traffic", T0 + 24 * STEP + MINUTE)
    found = computed(conn, "traffic")
    at = T0 + 20 * STEP
    assert found["loop-1", "traffic_flow", at][0] == 1800
    assert found["loop-1", "traffic_density", at][0] == 40
    grade, _, told = found["loop-1", "level_of_service", at]
    assert flow.LETTERS[int(grade) - 1] == "D"  # 40 * 1.609 / 2 = 32.2 a mile and lane
    assert told == {"edition": "HCM 6th edition, 2016"}
    assert found["loop-1", "congestion_index", at][0] == 25
    assert found["corridor-road", "corridor_travel_time", at][0] == pytest.approx(240)
    assert found["corridor-road", "corridor_travel_time_bpr", at][0] == pytest.approx(180 * (1 + 0.15 / 16), abs=0.1)
    assert found["loop-1", "incident_threshold", at][0] == 0
    assert found["loop-0", "incident_california", T0 + 23 * STEP][0] == 0


def test_an_incident_is_seen_by_both_methods_and_late_data_takes_it_back(conn: Connection) -> None:
    ids = corridor(conn, T0, 48)
    begin = T0 + 48 * STEP
    for k, (up, down) in enumerate(((20, 20), (20, 20), (45, 9), (50, 9), (50, 9), (50, 9))):
        for name, occupancy in (("loop-0", up), ("loop-1", down), ("loop-2", 20)):
            store(conn, ids[name]["traffic_occupancy"], [begin + k * STEP + MINUTE], [occupancy])
    now = begin + 6 * STEP + MINUTE
    catch_up(conn, "traffic", now)
    found = computed(conn, "traffic")
    told = [found["loop-0", "incident_california", begin + k * STEP][0] for k in range(6)]
    assert told == [0, 0, 1, 2, 2, 2]
    assert [found["loop-0", "incident_threshold", begin + k * STEP][0] for k in range(6)] == [0, 0, 0, 1, 1, 1]
    before = found
    # What came late shows that downstream never emptied: the states after it change, what was before does not.
    store(conn, ids["loop-1"]["traffic_occupancy"], [begin + 2 * STEP + 2 * MINUTE], [60.0], Quality.LATE)
    catch_up(conn, "traffic", now)
    after = computed(conn, "traffic")
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed
    assert {name for name, p, _ in changed if p == "incident_california"} <= {"loop-0", "loop-1"}
    assert min(time for _, _, time in changed) >= begin + 2 * STEP
    assert after["loop-0", "incident_california", begin + 2 * STEP][0] == 0


def test_passages_are_counted_by_class_and_nothing_else_of_them_is_read(conn: Connection) -> None:
    id = thing(conn, "cam-1", {"vehicle_passage": ""}, (105.8, 21.6))["vehicle_passage"]
    conn.commit()
    seen = [b'"motorbike"', b'"Motorbike"', b'{"class":"car","plate":"20A-123.45"}', b'"tuk-tuk"', b"{}", b"7"]
    n = len(seen)
    batch = Batch(np.full(n, id, np.int32), T0 + np.arange(n) * 1_000_000, np.full(n, NAN), np.zeros(n, np.int16),
                  dict(enumerate(seen)))  # fmt: skip
    observations.write(conn, batch)
    conn.commit()
    catch_up(conn, "traffic", T0 + 2 * STEP)
    found = {p: row for (_, p, _), row in computed(conn, "traffic").items()}
    assert {p: row[0] for p, row in found.items()} == {
        "count_motorbike": 2, "count_bicycle": 0, "count_car": 1, "count_bus": 0, "count_truck": 0, "count_other": 3
    }  # fmt: skip
    assert all("20A" not in str(row) for row in found.values())


def test_answers(database: Database, conn: Connection) -> None:
    now = time.time_ns() // 1000
    start = (now // STEP - 24) * STEP
    corridor(conn, start)
    catch_up(conn, "traffic", now + MINUTE)
    with serve(replace(database.settings, http_timeout=30.0)) as api:
        row = next(row for row in api.get("/api/traffic/detectors").json() if row["name"] == "loop-1")
        assert (row["flow"], row["service"], row["edition"]) == (1800, "D", "HCM 6th edition, 2016")
        assert api.get("/api/traffic/incidents").json() == []
        road_now = next(row for row in api.get("/api/domains/now").json() if row["name"] == "traffic")
        assert (road_now["unit"], road_now["fresh"]) == ("%", 3)
        assert road_now["tone"] in ("ok", "notice", "warning")
        road = api.get("/api/traffic/corridors").json()[0]
        assert road["seconds"] == pytest.approx(240)
        until = from_micros(start + 24 * STEP).isoformat()
        grid = api.get("/api/traffic/corridors/road/time-space", hours=1, to=until).json()
        assert len(grid["speeds"]) == 3
        assert grid["speeds"][0] == [45.0] * 12
        phases = [{"vi": "a", "en": "a", "detectors": ["loop-0"], "saturation": 5400.0},
                  {"vi": "b", "en": "b", "detectors": ["loop-1", "loop-2"], "saturation": 7200.0}]  # fmt: skip
        made = api.client.put("/api/traffic/junctions/j1", json={"vi": "Nút", "en": "X", "lost": 10, "phases": phases})
        assert made.status_code == 200, made.text
        advice = api.get("/api/traffic/junctions/j1/signal").json()
        assert advice["degree"] == pytest.approx(0.58, abs=0.01)
        assert advice["cycle"] == pytest.approx(48.0)
        bad = {"vi": "x", "en": "x", "km": 1.0, "capacity": 100, "detectors": [{"thing": "loop-0", "km": 0.9}] * 2}
        assert api.client.put("/api/traffic/corridors/bad", json=bad).status_code == 422
        bad["detectors"] = [{"thing": "loop-0", "km": 0.1}, {"thing": "nowhere", "km": 0.9}]
        assert api.client.put("/api/traffic/corridors/bad", json=bad).status_code == 404
        assert api.client.get("/api/traffic/corridors/none/time-space").status_code == 404


def test_simulated_loops_become_a_demonstration_once(conn: Connection) -> None:
    conn.execute("INSERT INTO area (id, name) VALUES ('05440', 'Phan Đình Phùng')")
    for k in range(5):
        thing(conn, f"loop-05440-{k}", LOOP, (105.80 + 0.01 * k, 21.6), kind="loop", area="05440",
              properties={"simulated": True})  # fmt: skip
    network.demonstrate(conn, Settings())
    conn.commit()
    road = network.corridors(conn)[0]
    assert (road.id, road.area, len(road.detectors), road.source) == ("demo-1", "05440", 5, "demo")
    assert road.at.tolist() == sorted(road.at.tolist())
    network.demonstrate(conn, Settings())
    assert len(network.corridors(conn)) == 1
    assert len(network.junctions(conn)) == 1
