"""The river service: its arithmetic by worked figures, the replay, and real databases from what arrives to answers."""

import time
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.city.reading import Place
from services.domains.rivers import config, derive, forecast, hydro
from services.domains.rivers import replay as scenario
from tests.databases import Database
from tests.domains.world import HOUR, MINUTE, T0, catch_up, clock, computed, store, thing
from tests.servers.api import serve
from tram.clock import from_micros
from tram.quality import Quality
from tram.settings import Settings
from tram.store.database import Connection

NAN = np.nan
GIA_BAY = np.array([25.0, 26.0, 27.0])


@pytest.mark.parametrize(("level", "wanted"), [(24.99, 0), (25.0, 1), (25.99, 1), (26.0, 2), (27.0, 3), (29.9, 3)])
def test_alarm_levels_of_gia_bay(level: float, wanted: int) -> None:
    assert hydro.level_reached(np.array(level), GIA_BAY) == wanted


def test_no_level_is_no_alarm_level() -> None:
    assert np.isnan(hydro.level_reached(np.array(NAN), GIA_BAY))


def test_levels_of_the_built_in_stations() -> None:
    told = {name: (row["levels"], row["verified"]) for name, row in config.built_in().items()}
    assert told["gia-bay"] == ([25.0, 26.0, 27.0], ["I", "III"])  # II follows the spacing
    assert told["thac-gieng"][0][2] == 98.5
    assert told["cho-moi"][0][2] == 58.25
    assert told["cha"][0][0] == 8.0
    assert told["bac-kan"][0][0] == 132.0


def test_rate_is_the_slope_of_the_last_hour() -> None:
    steps = np.arange(24)
    rising = 20.0 + 0.03 * steps  # 3 cm in five minutes
    found = hydro.rate(rising, 5 / 60, 12)
    assert found[-1] == pytest.approx(0.36)
    assert np.isnan(found[4])  # five of twelve are too few
    assert found[5] == pytest.approx(0.36)
    gaps = rising.copy()
    gaps[14:20] = NAN
    assert hydro.rate(gaps, 5 / 60, 12)[-1] == pytest.approx(0.36)


@given(arrays(np.float64, 30, elements=st.one_of(st.just(NAN), st.floats(-5, 40))), st.floats(-3, 3))
def test_a_rate_does_not_know_the_datum(levels: np.ndarray, shift: float) -> None:
    a, b = hydro.rate(levels, 0.25, 8), hydro.rate(levels + shift, 0.25, 8)
    assert np.array_equal(np.isnan(a), np.isnan(b))
    assert a[~np.isnan(a)] == pytest.approx(b[~np.isnan(b)], abs=1e-6)


def test_rain_sums_make_up_for_a_gauge_that_missed_a_while() -> None:
    amounts = np.full(12, 2.0)
    assert hydro.running_sum(amounts, 6)[-1] == 12.0
    amounts[8] = NAN
    assert hydro.running_sum(amounts, 6)[-1] == pytest.approx(12.0)
    amounts[7:9] = NAN
    assert np.isnan(hydro.running_sum(amounts, 6)[-1])


def test_the_lag_is_found_where_the_water_moved_and_not_where_it_did_not() -> None:
    rng = np.random.default_rng(2)
    steps = np.arange(600)
    wave = 3 * np.exp(-0.5 * ((steps - 250) / 40) ** 2)
    later = 2 * np.exp(-0.5 * ((steps - 250 - 17) / 40) ** 2)
    noise = rng.normal(0, 0.005, (2, 600))
    assert hydro.lag(wave + noise[0], later + noise[1], 144)[0] == pytest.approx(17, abs=1)
    assert hydro.lag(noise[0], noise[1], 144)[0] is None
    assert hydro.lag(np.full(600, NAN), later, 144)[0] is None


def test_the_replay_tells_the_flood_of_2025() -> None:
    told = scenario.replay()
    assert told.levels.max() == pytest.approx(29.9)
    peak = next(event for event in told.events if event.kind == "peak")
    assert from_micros(peak.time).isoformat() == "2025-10-07T20:00:00+00:00"  # 03:00 on the 8th, +07
    reached = [event.en for event in told.events if event.kind == "level"]
    assert reached == [f"Alarm level {n} reached" for n in ("I", "II", "III")] + [
        f"Below alarm level {n} again" for n in ("III", "II", "I")
    ]
    # Each crossing was forecast, hours before, and so was the rise.
    early = [event for event in told.events if event.kind == "forecast"]
    assert len(early) == 3
    assert any(event.kind == "rise" for event in told.events)
    assert told.lag == pytest.approx(3.0, abs=0.2)
    for score in told.scores:
        assert score.rmse < 0.5 * score.baseline, score
        assert score.inside > 0.5, score
        assert score.pairs > 600


def test_a_forecast_that_learnt_nothing_is_the_damped_trend() -> None:
    flat = np.full(500, 20.0)
    model = forecast.fit(flat, np.zeros(500), None, None)
    assert model.weights[:, 0] == pytest.approx(np.ones(6))
    told = forecast.forecast(model, np.array([20.0]), forecast.features(np.array([20.0]), np.array([0.5]), None, None))[
        0
    ]
    assert told[0, 0] == pytest.approx(20.5)
    assert np.all(told[:, 1] <= told[:, 0])
    assert np.all(told[:, 0] <= told[:, 2])
    assert np.all(np.diff(told[:, 0]) > 0)


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.connect() as made:
        yield made


def flooding(conn: Connection) -> dict[str, int]:
    """Two stations and a gauge through the replay's rise: minutes of the 12 hours before the peak."""
    ids = {}
    hours, here, above = scenario.flood(scenario.PEAK)
    for name, levels, place in (("river-gia-bay", here, (105.84, 21.60)), ("river-cho-moi", above, (105.78, 21.88))):
        ids[name] = thing(conn, name, {"water_level": "m"}, place)["water_level"]
        conn.commit()
        store(conn, ids[name], T0 + (np.round(hours * 60).astype(np.int64) + 48 * 60) * MINUTE, levels)
    ids["rain"] = thing(conn, "rain-1", {"rainfall": "mm"}, (105.84, 21.75))["rainfall"]
    conn.commit()
    store(conn, ids["rain"], T0 + np.arange(26 * 60) * MINUTE, np.full(26 * 60, 5.0))
    config.adopt(conn, Settings())
    conn.commit()
    return ids


CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
PEAK_AT = T0 + 48 * HOUR


def test_from_levels_to_alarm_levels_rates_rain_and_forecasts(conn: Connection) -> None:
    flooding(conn)
    now = PEAK_AT - 6 * HOUR
    catch_up(conn, "rivers", now)
    assert clock(conn, "rivers", "forecast", now)
    assert not clock(conn, "rivers", "forecast", now)
    found = computed(conn, "rivers")
    hours, here, _ = scenario.flood(scenario.PEAK)
    at = now - 10 * MINUTE
    level = float(here[np.searchsorted(hours, -6 - 1 / 6)])
    assert found["river-gia-bay", "flood_level", at][0] == np.searchsorted(GIA_BAY, level, side="right")
    assert 0.2 < found["river-gia-bay", "level_rate", at][0] < 1.0
    ahead = [found["river-gia-bay", "level_forecast", at + k * HOUR][0] for k in forecast.LEADS]
    low = [found["river-gia-bay", "level_forecast_low", at + k * HOUR][0] for k in forecast.LEADS]
    high = [found["river-gia-bay", "level_forecast_high", at + k * HOUR][0] for k in forecast.LEADS]
    assert ahead[0] > level
    assert all(a <= b <= c for a, b, c in zip(low, ahead, high, strict=True))
    assert found["river-gia-bay", "flood_level_forecast", at][0] >= found["river-gia-bay", "flood_level", at][0]
    rain = {p: found["river-gia-bay", p, T0 + 25 * HOUR][0] for p in ("rain_1h", "rain_3h", "rain_6h", "rain_24h")}
    assert rain == {"rain_1h": 30.0, "rain_3h": 90.0, "rain_6h": 180.0, "rain_24h": 720.0}


def test_a_late_level_changes_its_own_five_minutes_and_the_hour_after(conn: Connection) -> None:
    ids = flooding(conn)
    catch_up(conn, "rivers", PEAK_AT)
    before = computed(conn, "rivers")
    at = PEAK_AT - 10 * HOUR
    store(conn, ids["river-gia-bay"], [at + 2 * MINUTE], [30.0], Quality.LATE)
    catch_up(conn, "rivers", PEAK_AT)
    after = computed(conn, "rivers")
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {name for name, _, _ in changed} == {"river-gia-bay"}
    assert {p for _, p, _ in changed} <= {"flood_level", "level_rate"}
    assert {t for _, p, t in changed if p == "flood_level"} <= {at}
    assert {t for _, _, t in changed} <= {at + k * 5 * MINUTE for k in range(12)}
    assert changed


def test_configuration_by_hand_counts_and_levels_must_rise(database: Database, conn: Connection) -> None:
    now = time.time_ns() // 1000
    id = thing(conn, "river-x", {"water_level": "m"}, (105.8, 21.6))["water_level"]
    conn.commit()
    store(conn, id, [now - k * MINUTE for k in range(90, 0, -1)], np.linspace(24.0, 24.7, 90))
    store(conn, id, [now + HOUR], [29.0])  # of a clock that is wrong: not the present
    config.adopt(conn, Settings())
    conn.commit()
    assert config.stations(conn) == []  # nobody knows its levels: none are made up
    conn.commit()
    with serve(replace(database.settings, http_timeout=30.0)) as api:
        assert api.get("/api/rivers/stations").json() == []
        wrong = api.client.put("/api/rivers/stations/river-x", json={"levels": [26, 25, 27]})
        assert wrong.status_code == 409
        set_ = api.client.put("/api/rivers/stations/river-x", json={"levels": [24.5, 25.5, 26.5], "river": "sông Cầu"})
        assert set_.status_code == 200, set_.text
        catch_up(conn, "rivers", now)
        clock(conn, "rivers", "forecast", now)
        told = api.get("/api/rivers/stations/river-x").json()
        assert told["now"]["flood_level"] == 1
        river = next(row for row in api.get("/api/domains/now").json() if row["name"] == "rivers")
        assert (river["tone"], river["state"]["vi"], river["unit"]) == ("warning", "Báo động I", "m")
        assert river["value"] == pytest.approx(24.7, abs=0.02)
        assert told["now"]["to_next"] == pytest.approx(25.5 - 24.7, abs=0.02)
        assert told["now"]["rate"] == pytest.approx(0.7 / 1.5, abs=0.05)
        assert told["configuration"]["levels"] == [24.5, 25.5, 26.5]
        ahead = api.get("/api/rivers/stations/river-x/forecast").json()
        assert [item["level"] is not None for item in ahead["items"]] == [True] * 6
        assert ahead["lag"] is None
        draft = ElementTree.fromstring(api.get("/api/rivers/stations/river-x/cap").content)
        assert draft.findtext(f"{CAP}status") == "Test"
        assert [info.findtext(f"{CAP}language") for info in draft.findall(f"{CAP}info")] == ["vi-VN", "en-US"]
        exercise = ElementTree.fromstring(api.get("/api/rivers/replays/2025-10/cap").content)
        assert exercise.findtext(f"{CAP}status") == "Exercise"
        told_of = exercise.find(f"{CAP}info")
        assert told_of is not None
        assert told_of.findtext(f"{CAP}severity") == "Extreme"
        assert told_of.findtext(f"{CAP}onset") == "2025-10-07T19:00:00+07:00"
        replayed = api.get("/api/rivers/replays/2025-10").json()
        assert replayed["timeline"][0]["text"]["vi"]


def test_devices_tell_their_own_levels(conn: Connection) -> None:
    thing(conn, "r-1", {"water_level": "m"}, (105.8, 21.6), properties={"alarm_levels": [1, 2, 3], "river": "Đu"})
    thing(conn, "r-2", {"water_level": "m"}, (105.8, 21.6), properties={"alarm_levels": [3, 2, "x"]})
    thing(conn, "river-cho-moi", {"water_level": "m"}, (105.8, 21.6))
    config.adopt(conn, Settings())
    conn.commit()
    found = {one.name: one for one in config.stations(conn)}
    assert set(found) == {"r-1", "river-cho-moi"}
    assert found["r-1"].levels == (1, 2, 3)
    assert found["r-1"].source == "device"
    assert found["river-cho-moi"].upstream == "river-thac-gieng"


def test_catchments_lie_up_the_river() -> None:
    station = config.Station(1, "s", "", "", (1, 2, 3), (), None, None, None, None, 30.0, "x", 105.84, 21.60)
    gauges = {n: Place(n, str(n), "", "", None, 105.84, lat, {}) for n, lat in ((1, 21.75), (2, 21.50), (3, 22.2))}
    assert derive.upstream_gauges(station, gauges) == [1, 2]
    assert derive.interval({"rain_interval_minutes": 5}) == 5
    assert derive.interval({"rain_interval_minutes": "x"}) == 10
