"""The air service on real databases: from what arrives to its Datastreams, late data, answers."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from services.alarms.process import Alarms
from services.city.follow import Follower
from services.city.seeds import Seeds
from services.domains.air import derive
from tests.databases import Database
from tests.domains.world import HOUR, MINUTE, T0, catch_up, clock, computed, domain, store, thing
from tests.servers.api import serve
from tram.quality import Quality
from tram.runtime.readiness import Readiness
from tram.settings import Settings
from tram.store import alarm_rules, alarms, areas, committed, observations
from tram.store.batch import Batch
from tram.store.database import Connection

DUST = {"pm2_5": "ug/m3"}
FULL = {"pm2_5": "ug/m3", "o3": "ug/m3"}
WORKED = [26.9, 24.7, 20.5, 23.5, 19.5, 16.5, 19.0, 16.5, 20.3, 22.4, 19.6, 20.6]
NOW = T0 + 21 * HOUR + 10 * MINUTE
"""At 21:10 the hour from 20:00 is over."""


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    """With a province of one commune: what needs all of them seeds them itself."""
    square = [[105.83, 21.58], [105.87, 21.58], [105.87, 21.62], [105.83, 21.62], [105.83, 21.58]]
    shape = {"type": "Polygon", "coordinates": [square]}
    with database.connect() as made:
        areas.put(made, [
            areas.Area("19", "Thái Nguyên", "", "Tỉnh", None, None, {}),
            areas.Area("05860", "Phổ Yên", "", "Phường", "19", shape, {}),
        ])  # fmt: skip
        made.commit()
        yield made


def worked_day(conn: Connection) -> dict[str, int]:
    """A station with the Decision's worked hours (three values each), one with gas alone, one with dust alone."""
    ids = thing(conn, "aq-full", FULL, (105.84, 21.59))
    other = thing(conn, "aq-dust", DUST, (105.86, 21.60))
    gas = thing(conn, "aq-gas", {"o3": "ug/m3"}, (105.80, 21.50))
    conn.commit()
    for k, value in enumerate(WORKED):
        start = T0 + (9 + k) * HOUR
        times = [start, start + 20 * MINUTE, start + 59 * MINUTE]
        store(conn, ids["pm2_5"], times, [value - 1, value, value + 1])
        store(conn, ids["o3"], times, [136.1] * 3)
        store(conn, other["pm2_5"], times, [60.0] * 3)
        store(conn, gas["o3"], times, [200.0] * 3)
    return ids | {"other": other["pm2_5"], "gas": gas["o3"]}


def test_the_worked_hour_from_end_to_end(conn: Connection) -> None:
    worked_day(conn)
    catch_up(conn, "air", NOW)
    found = computed(conn, "air")
    value, quality, told = found["aq-full", "vn_aqi", T0 + 20 * HOUR]
    assert (value, told["worst"], told["sub"]) == (43, "o3", {"pm2_5": 41, "o3": 43})
    assert told["edition"] == "1459/QĐ-TCMT, 2019"
    assert quality == Quality.ESTIMATED
    assert found["aq-full", "us_aqi", T0 + 20 * HOUR][0] == 72
    # No dust sensor: no index, whatever the gas. The first hour has one of the last three: none either.
    assert not any(name == "aq-gas" for name, _, _ in found)
    assert ("aq-full", "vn_aqi", T0 + 9 * HOUR) not in found
    assert ("aq-full", "vn_aqi", T0 + 10 * HOUR) in found
    # The hour that is not over has none, though values of it may be there.
    assert ("aq-full", "vn_aqi", T0 + 21 * HOUR) not in found


def test_communes_are_estimated_and_the_error_is_told(conn: Connection) -> None:
    areas.put(conn, areas.schematic())
    worked_day(conn)
    third = thing(conn, "aq-third", DUST, (105.70, 21.70))
    store(conn, third["pm2_5"], [T0 + (9 + k) * HOUR for k in range(12)], [80.0] * 12)
    catch_up(conn, "air", NOW)
    found = computed(conn, "air")
    at = T0 + 20 * HOUR
    estimates = {name: row[0] for (name, p, time), row in found.items() if p == "vn_aqi_estimate" and time == at}
    assert len(estimates) > 60
    assert all(name.startswith("area-") for name in estimates)
    stations = [found[name, "vn_aqi", at][0] for name in ("aq-full", "aq-dust", "aq-third")]
    assert min(stations) <= min(estimates.values()) <= max(estimates.values()) <= max(stations)
    assert found["area-19", "vn_aqi_estimate_error", at][0] > 0


def test_late_data_corrects_the_hours_it_is_in_and_nothing_else(conn: Connection) -> None:
    ids = worked_day(conn)
    catch_up(conn, "air", NOW)
    before = computed(conn, "air")
    reader = committed.Reader("test")
    reader.start(conn)
    conn.commit()
    # An hour that had nothing yet, of one station: 14:00 of the other one is replaced by a reading that came late.
    store(conn, ids["other"], [T0 + 14 * HOUR + 30 * MINUTE], [1500.0], Quality.LATE)
    catch_up(conn, "air", NOW + HOUR // 2)
    after = computed(conn, "air")
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    stations = {key for key in changed if not key[0].startswith("area-")}
    hours = {T0 + h * HOUR for h in range(14, 21)}
    assert {name for name, _, _ in stations} == {"aq-dust"}
    assert {time for _, p, time in stations if p == "vn_aqi"} == hours
    assert {time for _, _, time in changed} == hours
    for key in stations:
        assert after[key][1] == Quality.ESTIMATED | Quality.CORRECTED
    # The stream says so: whoever follows it (alarms, live, rollups) hears corrections of these rows and no others.
    ops = [(one.op, len(one.batch)) for one in reader.take(conn)]
    conn.commit()
    assert (committed.Op.CORRECT, len(changed)) in ops
    assert sum(n for op, n in ops if op is committed.Op.INSERT) == 1


def test_data_taken_away_takes_its_index_with_it(conn: Connection) -> None:
    ids = thing(conn, "aq-one", DUST, (105.84, 21.59))
    conn.commit()
    times = [T0 + h * HOUR for h in range(4)]
    store(conn, ids["pm2_5"], times, [30.0] * 4)
    catch_up(conn, "air", T0 + 5 * HOUR)
    assert ("aq-one", "vn_aqi", times[3]) in computed(conn, "air")
    observations.delete(conn, [ids["pm2_5"]] * 2, times[2:])
    conn.commit()
    catch_up(conn, "air", T0 + 5 * HOUR)
    left = {time for name, p, time in computed(conn, "air") if name == "aq-one" and p == "vn_aqi"}
    assert left == {times[1], times[2]}  # two of hour 2's last three are there still, one of hour 3's


def test_flagged_values_do_not_count(conn: Connection) -> None:
    ids = thing(conn, "aq-one", DUST, (105.84, 21.59))
    conn.commit()
    times = [T0 + h * HOUR for h in range(3)]
    store(conn, ids["pm2_5"], times, [25.0] * 3)
    store(conn, ids["pm2_5"], [t + MINUTE for t in times], [1900.0] * 3, Quality.STUCK)
    catch_up(conn, "air", T0 + 4 * HOUR)
    assert computed(conn, "air")["aq-one", "vn_aqi", times[2]][0] == 50


def test_a_step_that_is_rolled_back_is_done_again_and_one_done_twice_changes_nothing(conn: Connection) -> None:
    worked_day(conn)
    follower = Follower(domain("air"), domain("air").derivations[0])
    follower.step(conn, Settings(), NOW)
    conn.rollback()
    assert computed(conn, "air") == {}
    catch_up(conn, "air", NOW)
    first = computed(conn, "air")
    assert first
    with conn.transaction():
        conn.execute("DELETE FROM committed_position WHERE reader LIKE 'city.%'")
    catch_up(conn, "air", NOW)  # the lost position touches everything of the last days again
    assert computed(conn, "air") == first


def test_a_lost_stream_is_made_good(conn: Connection) -> None:
    worked_day(conn)
    catch_up(conn, "air", T0 + 9 * HOUR)
    with conn.transaction():
        conn.execute("TRUNCATE committed")
        conn.execute("UPDATE committed_ring SET trimmed = (SELECT last_value FROM committed_seq)")
        conn.execute("UPDATE committed_position SET seq = 0 WHERE reader LIKE 'city.%'")
        conn.execute("DELETE FROM city_touched")
    catch_up(conn, "air", NOW)
    assert computed(conn, "air")["aq-full", "vn_aqi", T0 + 20 * HOUR][0] == 43


def test_days(conn: Connection) -> None:
    ids = thing(conn, "aq-one", FULL, (105.84, 21.59))
    conn.commit()
    hours = np.arange(24)
    store(conn, ids["pm2_5"], T0 + hours * HOUR, np.full(24, 55.7))
    store(conn, ids["o3"], T0 + hours * HOUR, np.where(hours == 13, 114.6, 60.0))
    catch_up(conn, "air", T0 + 23 * HOUR)
    assert ("aq-one", "vn_aqi_day", T0) not in computed(conn, "air")
    catch_up(conn, "air", T0 + 25 * HOUR)
    value, _, told = computed(conn, "air")["aq-one", "vn_aqi_day", T0]
    assert (value, told["worst"], told["sub"]["o3"]) == (110, "pm2_5", 36)


def test_the_forecast_is_made_once_an_hour_and_its_skill_is_measured(conn: Connection) -> None:
    names = [f"aq-{k}" for k in range(3)]
    hours = np.arange(28 * 24)
    rng = np.random.default_rng(3)
    last = T0 + 20 * HOUR
    for k, name in enumerate(names):
        ids = thing(conn, name, DUST, (105.80 + 0.05 * k, 21.59))
        conn.commit()
        value = 40 + 15 * np.sin(2 * np.pi * (hours + 20 - 671) / 24) + rng.normal(0, 2, len(hours))
        store(conn, ids["pm2_5"], last - (27 * 24 + 23 - hours) * HOUR, value)
    follower = Follower(domain("air"), domain("air").derivations[0])
    follower.follow(conn, NOW)
    rows = conn.execute("SELECT d.id FROM datastream d WHERE d.channel = ''").fetchall()
    for (id,) in rows:
        follower.touch(conn, [id] * len(hours), (last - (27 * 24 + 23 - hours) * HOUR).tolist())
    conn.commit()
    catch_up(conn, "air", NOW)
    assert clock(conn, "air", "forecast", NOW)
    assert not clock(conn, "air", "forecast", NOW)
    found = computed(conn, "air")
    ahead = [found["aq-1", "vn_aqi_forecast", last + k * HOUR][0] for k in range(1, 25)]
    assert max(ahead) - min(ahead) > 20
    skill, _, told = found["area-19", "vn_aqi_forecast_skill", last]
    assert -1 < skill < 1
    assert told["pairs"] == 3 * (7 * 24 - 24)
    assert clock(conn, "air", "forecast", NOW + HOUR) is False  # the hour's index is not there
    row = conn.execute("SELECT id FROM thing WHERE name = 'aq-1'").fetchone()
    assert row is not None
    begins = [derive.forecast_from(conn, row[0], NOW + k * HOUR) for k in range(3)]
    assert begins == [last, last, last + 2 * HOUR]  # an hour without a newer one; then there is none


def test_answers(database: Database, conn: Connection) -> None:
    """Beside the examples: what stands in them, for a station now."""
    now = time.time_ns() // 1000
    areas.put(conn, areas.schematic())
    ids = thing(conn, "aq-full", FULL, (105.84, 21.59))
    gas = thing(conn, "aq-gas", {"o3": "ug/m3"}, (105.80, 21.50))
    conn.commit()
    start = (now // HOUR - 13) * HOUR
    for k, value in enumerate(WORKED):
        store(conn, ids["pm2_5"], [start + (k + 1) * HOUR], [value])
        store(conn, ids["o3"], [start + (k + 1) * HOUR], [136.1])
        store(conn, gas["o3"], [start + (k + 1) * HOUR], [136.1])
    catch_up(conn, "air", now // HOUR * HOUR + 3 * MINUTE)  # however late in the hour the test runs
    with serve(replace(database.settings, http_timeout=30.0)) as api:
        stations = {row["name"]: row for row in api.get("/api/air/stations").json()}
        assert stations["aq-full"]["index"]["value"] == 43
        assert stations["aq-full"]["index"]["band"] == "good"
        assert stations["aq-gas"]["index"]["value"] is None
        told_now = {row["name"]: row for row in api.get("/api/domains/now").json()}
        assert {"air", "noise", "rivers", "traffic"} <= set(told_now)
        air = told_now["air"]
        assert (air["value"], air["tone"], air["state"]["vi"], air["thing"]) == (43, "ok", "Tốt", "aq-full")
        assert (air["fresh"], air["all"]) == (1, 2)
        assert (told_now["noise"]["value"], told_now["noise"]["tone"]) == (None, "unknown")
        detail = api.get("/api/air/stations/aq-full").json()
        assert detail["index"]["worst"] == "o3"
        assert detail["us"]["value"] == 72
        assert detail["advice"]["children"]["vi"]
        communes = api.get("/api/air/communes").json()
        assert communes["method"] == "idw-2-5"
        assert len(communes["items"]) == 92
        picture = api.get("/api/air/public/05860/badge.svg")
        assert picture.headers["content-type"] == "image/svg+xml"
        assert picture.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "public" in picture.headers["cache-control"]
        page = api.get("/api/air/public/page", lang="en").text
        assert "Air quality in Thái Nguyên" in page
        assert "<script" not in page
        assert "style=" not in page
        drawn = ElementTree.fromstring(api.get("/api/air/public/map.svg").content)
        filled = [path.get("fill") for path in drawn.findall("{http://www.w3.org/2000/svg}path")]
        assert len(filled) == 92
        assert "#00e400" in filled
        forecast = api.get("/api/air/stations/aq-full/forecast").json()
        assert forecast["persistence"] == 43
        assert all(step["value"] is None for step in forecast["items"])  # twelve hours teach nothing
        compare = api.get("/api/air/things/aq-full/compare", property="vn_aqi").json()
        assert any(hour["mean"] == 43 for hour in compare["hours"])
        told = api.get("/api/air/export", property="vn_aqi").text.splitlines()
        assert len(told) == 12  # the heading and eleven hours
        assert api.client.get("/api/air/stations/nowhere").status_code == 404
        assert api.client.get("/api/air/things/aq-full/history?property=water_level").status_code == 422


def test_late_data_takes_an_alarm_back_and_its_history_says_so(database: Database, conn: Connection) -> None:
    """From a reading to the index to the alarm, and from a correction back."""
    now = time.time_ns() // 1000
    at = (now // HOUR - 1) * HOUR
    ids = thing(conn, "aq-one", DUST, (105.84, 21.59))
    conn.commit()
    store(conn, ids["pm2_5"], [at - HOUR, at, at + MINUTE], [40.0, 200.0, 200.0])
    Seeds(domain("air"))(conn, Settings())
    conn.commit()
    catch_up(conn, "air", now // HOUR * HOUR + 3 * MINUTE)
    process = Alarms(database.settings, threading.Event(), Readiness("database"))
    work = database.connect(autocommit=True)
    while process.step(work):
        pass
    raised = alarms.current(conn)
    conn.commit()
    mine = [one for one in raised if one.rule == "air-vn-aqi" and one.thing == "aq-one"]
    assert len(mine) == 1
    assert mine[0].active
    # The two readings were wrong: what they were corrected to came late.
    quality, both = np.zeros(2, np.int16), np.full(2, ids["pm2_5"], np.int32)
    observations.correct(conn, Batch(both, np.array([at, at + MINUTE]), np.full(2, 30.0), quality))
    conn.commit()
    catch_up(conn, "air", now // HOUR * HOUR + 3 * MINUTE)
    while process.step(work):
        pass
    told = [change.kind.value for change in alarms.changes(conn, 0, 1000) if change.alarm.rule == "air-vn-aqi"]
    assert told[0] == "raised"
    assert told[-1] == "returned"
    conn.commit()


def test_what_is_computed_does_not_say_that_a_device_sends(conn: Connection) -> None:
    worked_day(conn)
    catch_up(conn, "air", NOW)
    found = alarm_rules.catalogue(conn, [])
    silent = found.by_property["*"]
    names = {found.places[id].name for id in silent}
    assert names == {"aq-full", "aq-dust", "aq-gas"}
    assert {found.places[id].name for id in found.by_property["vn_aqi_estimate"]} == {"area-05860"}
