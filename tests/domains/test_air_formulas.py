"""VN_AQI and US AQI against the worked figures of the Decision and the EPA; what no example shows, by properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.domains.air import forecast, spatial, us_aqi, vn_aqi, watch
from services.domains.air.badge import badge
from services.domains.air.bands import band, bands

WORKED = np.array([26.9, 24.7, 20.5, 23.5, 19.5, 16.5, 19.0, 16.5, 20.3, 22.4, 19.6, 20.6])
"""PM2.5 from 09:00 to 20:00."""
NAN = np.nan
GAPPY = st.one_of(st.just(NAN), st.floats(0, 900))


def index(pollutant: str, value: float) -> float:
    return float(vn_aqi.half_up(vn_aqi.sub_index(pollutant, np.array(value))))


def test_the_worked_nowcast() -> None:
    found = vn_aqi.nowcast(WORKED)[-1]
    assert round(float(found), 1) == 20.3
    assert index("pm2_5", found) == 41


def test_the_worked_hour() -> None:
    found, subs = vn_aqi.hourly_index({"pm2_5": WORKED, "o3": np.full(12, 136.1)})
    assert subs["o3"][-1] == 43
    assert subs["pm2_5"][-1] == 41
    assert found[-1] == 43
    assert vn_aqi.worst(subs)[-1] == "o3"


def test_the_worked_day() -> None:
    day = {"o3_8h": 89.3, "o3": 114.6, "no2": 130.8, "pm2_5": 55.7}
    assert index("o3_8h", 89.3) == 45
    found, subs = vn_aqi.daily_index({name: np.array(value) for name, value in day.items()})
    assert {name: float(value) for name, value in subs.items()} == {"o3": 45, "no2": 65, "pm2_5": 110}
    assert index("o3", 114.6) == 36
    assert found == 110


@pytest.mark.parametrize("pollutant", sorted(vn_aqi.BREAKS))
def test_every_point_of_the_table(pollutant: str) -> None:
    for point, wanted in zip(vn_aqi.BREAKS[pollutant], vn_aqi.INDEX, strict=False):
        assert index(pollutant, point) == wanted
    if pollutant == "o3_8h":
        assert np.isnan(vn_aqi.sub_index("o3_8h", np.array(400.1)))
    else:
        assert index(pollutant, 1e7) == 500


def test_half_is_rounded_up() -> None:
    assert index("pm2_5", 12.75) == 26  # 25.5
    assert index("o3", 80.0) == 25


def test_without_dust_there_is_no_index() -> None:
    found, subs = vn_aqi.hourly_index({"o3": np.array([300.0]), "no2": np.array([50.0])})
    assert np.isnan(found).all()
    assert subs["o3"][0] == 150
    found, _ = vn_aqi.hourly_index({"o3": np.full(3, 300.0), "pm10": np.array([NAN, NAN, 20.0])})
    assert np.isnan(found).all()  # one of the last three hours is not two
    found, _ = vn_aqi.daily_index({"o3": np.array(300.0)})
    assert np.isnan(found)


def test_two_of_the_last_three_hours() -> None:
    assert np.isnan(vn_aqi.nowcast(np.array([30.0, 30, 30, NAN, NAN, 30]))[-1])
    assert vn_aqi.nowcast(np.array([NAN] * 9 + [30.0, NAN, 30]))[-1] == pytest.approx(30)


def test_the_printed_form_at_one_half() -> None:
    c = np.array([80.0] + [20.0] * 10 + [100.0])
    wanted = sum(0.5**i * value for i, value in enumerate(c[::-1], 1))
    assert vn_aqi.nowcast(c)[-1] == pytest.approx(wanted)
    # A gap is left out of both sums: half the weight gone does not make half the dust.
    assert vn_aqi.nowcast(np.array([100.0] * 10 + [10.0, NAN]))[-1] != pytest.approx(0)


@given(arrays(np.float64, (2, 30), elements=GAPPY))
def test_nowcast_lies_between_what_was_measured(hourly: np.ndarray) -> None:
    found = vn_aqi.nowcast(hourly)
    for s in range(2):
        for h in range(30):
            window = hourly[s, max(0, h - 11) : h + 1]
            enough = (~np.isnan(window[-3:])).sum() >= 2
            assert np.isnan(found[s, h]) != enough
            if enough:
                low, high = np.nanmin(window), np.nanmax(window)
                assert low * (1 - 2**-11) - 1e-9 <= found[s, h] <= high + 1e-9


@given(arrays(np.float64, 40, elements=GAPPY), st.integers(0, 39), st.floats(0, 900))
def test_an_hour_changes_itself_and_the_eleven_after(hourly: np.ndarray, at: int, value: float) -> None:
    before = vn_aqi.nowcast(hourly)
    hourly[at] = value
    after = vn_aqi.nowcast(hourly)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    assert same[:at].all()
    assert same[at + vn_aqi.HOURS :].all()


def test_days_need_eighteen_hours_for_dust_and_six_of_eight_for_ozone() -> None:
    dust = np.full(24, 40.0)
    dust[:6] = NAN
    ozone = np.full(24, NAN)
    ozone[2:8] = 90.0
    found = vn_aqi.day_values({"pm2_5": dust, "o3": ozone})
    assert found["pm2_5"] == 40
    assert found["o3_8h"] == 90
    assert found["o3"] == 90
    dust[6] = NAN
    ozone[2] = NAN
    found = vn_aqi.day_values({"pm2_5": dust, "o3": ozone})
    assert np.isnan(found["pm2_5"])
    assert np.isnan(found["o3_8h"])


# (µg/m³, index) at the ends of the categories of the EPA's table of 2024, and its cutting to a tenth.
US = [(0, 0), (9.0, 50), (9.09, 50), (9.1, 51), (35.4, 100), (35.5, 101), (55.4, 150), (55.5, 151), (125.4, 200),
      (125.5, 201), (225.4, 300), (225.5, 301), (325.4, 500), (999, 500), (20.0, 71)]  # fmt: skip


@pytest.mark.parametrize(("value", "wanted"), US)
def test_us_aqi_2024(value: float, wanted: int) -> None:
    assert us_aqi.sub_index("pm2_5", np.array(float(value))) == wanted


def test_us_aqi_takes_the_larger_of_the_two_dusts() -> None:
    found = us_aqi.hourly_index({"pm2_5": np.full(3, 5.0), "pm10": np.full(3, 200.0), "o3": np.full(3, 900.0)})
    assert found[-1] == us_aqi.sub_index("pm10", np.array(200.0))
    assert np.isnan(us_aqi.hourly_index({"o3": np.full(3, 900.0)})).all()


def test_bands_are_the_official_ones() -> None:
    assert [(b.to, b.colour) for b in bands()] == [
        (50, "#00e400"), (100, "#ffff00"), (150, "#ff7e00"), (200, "#ff0000"), (300, "#8f3f97"), (500, "#7e0023")
    ]  # fmt: skip
    for value, key in (
        (0, "good"),
        (50, "good"),
        (51, "moderate"),
        (300, "very-bad"),
        (301, "hazardous"),
        (500, "hazardous"),
    ):
        found = band(value)
        assert found is not None
        assert found.key == key
    assert band(None) is None
    assert band(NAN) is None
    for one in bands():
        assert set(one.advice) == {"everybody", "children", "elderly", "athletes"}
        assert all(set(said) == {"vi", "en"} and all(said.values()) for said in one.advice.values())


def test_a_badge_says_what_it_shows_and_holds_nothing_foreign() -> None:
    drawn = badge('Xã <b>"X"</b>', 62, "14:00 08/10", "vi", estimated=True)
    assert "<b>" not in drawn
    assert "script" not in drawn
    assert "style=" not in drawn
    assert "VN_AQI · ước tính 62, Trung bình, 14:00 08/10" in drawn
    assert "no index" in badge("X", None, "", "en", estimated=True)


def test_estimates_lie_between_their_stations_and_a_station_alone_is_itself() -> None:
    stations = np.array([[105.8, 21.6], [105.9, 21.6], [105.8, 21.7], [120.0, 10.0]])
    values = np.array([[10.0, NAN], [20.0, 40.0], [30.0, NAN], [500.0, 500.0]])
    away = spatial.distances(np.array([[105.8, 21.6], [105.85, 21.65], [90.0, 0.0]]), stations)
    found = spatial.estimate(values, away)
    assert 10 <= found[0, 0] < 12
    assert 10 < found[1, 0] < 30
    assert found[0, 1] == pytest.approx(40)  # the only one with a value then
    assert np.isnan(found[2]).all()  # nobody near
    assert np.isnan(spatial.leave_one_out(values[:2], spatial.distances(stations[:2], stations[:2]))).all()
    flat = np.full((5, 2), 70.0)
    where = np.array([[105.8 + 0.01 * k, 21.6] for k in range(5)])
    assert spatial.leave_one_out(flat, spatial.distances(where, where)) == pytest.approx([0, 0])


def test_distances_are_kilometres() -> None:
    here = np.array([[105.84, 21.60]])
    there = np.array([[105.84, 21.50], [105.94, 21.60]])
    assert spatial.distances(here, there)[0] == pytest.approx([11.12, 10.34], abs=0.02)


def test_the_forecast_beats_persistence_where_days_repeat_and_says_so_where_they_do_not() -> None:
    rng = np.random.default_rng(5)
    hours = np.arange(28 * 24) % 24
    days = 60 + 25 * np.sin(2 * np.pi * hours / 24) + rng.normal(0, 3, (6, 28 * 24))
    model = forecast.fit(days, hours)
    assert model.skill[11] > 0.7
    assert abs(model.skill[-1]) < 0.5  # after a whole day persistence knows the hour too
    assert model.pairs[0] == 6 * (7 * 24 - 1)
    ahead = forecast.forecast(model, days[:, -1], 23)
    assert ahead.shape == (6, 24)
    assert ahead[:, 6] == pytest.approx(np.full(6, 85), abs=6)
    walk = np.cumsum(rng.normal(0, 3, (6, 28 * 24)), axis=1) + 100
    assert forecast.fit(walk, hours).skill[0] < 0.05
    little = forecast.fit(days[:, :20], hours[:20])
    assert np.isnan(little.keep).all()
    assert np.isnan(forecast.forecast(little, days[:, 19], 19)).all()


def test_episodes() -> None:
    values = np.array([90, 110, 120, 130, NAN, 150, 160, 90, 101, 101, 101, 101.0])
    assert [(e.first, e.last, e.peak) for e in watch.episodes(values)] == [(1, 3, 130), (8, 11, 101)]
    assert watch.episodes(np.full(5, NAN)) == []


def test_drift_is_seen_against_neighbours_and_weather_is_not() -> None:
    rng = np.random.default_rng(1)
    weather = 40 + 20 * rng.random(14)
    values = weather * (1 + 0.02 * rng.normal(size=(8, 14)))
    values[3] *= np.linspace(1.0, 1.6, 14)
    values[5, 2] = 400  # one bad day is no drift
    values[7, 4:] = NAN
    where = np.array([[105.8 + 0.02 * k, 21.6] for k in range(8)])
    change, days = watch.drift(values, spatial.distances(where, where))
    assert change[3] == pytest.approx(0.45, abs=0.15)
    assert np.all(np.abs(np.delete(change, [3, 7])) < watch.DRIFT)
    assert np.isnan(change[7])
    assert days[7] == 4
