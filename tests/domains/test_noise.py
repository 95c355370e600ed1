"""The noise service: worked figures, and from levels to Leq and Lden on a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domains.noise import levels
from services.domains.noise.headline import of
from tests.databases import Database
from tests.domains.world import HOUR, MINUTE, T0, catch_up, computed, store, thing
from tram.quality import Quality
from tram.store.database import Connection


def test_energies_are_averaged_not_decibels() -> None:
    assert levels.leq(np.array([60.0, 70.0])) == pytest.approx(67.4036, abs=1e-4)
    assert levels.leq(np.array([60.0, np.nan])) == pytest.approx(60)
    assert np.isnan(levels.leq(np.array([np.nan])))


def test_lden() -> None:
    # (12 + 4 * 10^0.5 + 8 * 10) / 24 = 4.3604: 6.395 dB more than the level that never changes.
    assert levels.lden(*(np.array(60.0) for _ in range(3))) == pytest.approx(66.3952, abs=1e-4)
    # (12 * 10^6.5 + 4 * 10^6.5 + 8 * 10^6) / 24 = 2441514.8
    assert levels.lden(np.array(65.0), np.array(60.0), np.array(50.0)) == pytest.approx(63.8766, abs=1e-4)


@given(st.lists(st.floats(20, 120), min_size=1, max_size=30))
def test_leq_lies_between_the_mean_and_the_greatest(values: list[float]) -> None:
    found = float(levels.leq(np.array(values)))
    assert np.mean(values) - 1e-6 <= found <= max(values) + 1e-6


def test_lden_of_a_day_needs_three_quarters_of_each_part() -> None:
    hours = np.full(24, 60.0)
    assert levels.lden_of_hours(hours) == pytest.approx(66.3952, abs=1e-4)
    hours[[19, 20]] = np.nan
    assert np.isnan(levels.lden_of_hours(hours))


def test_the_headline_is_what_is_most_above_the_limit_of_its_hour() -> None:
    noon, night = datetime(2026, 10, 8, 5, tzinfo=UTC), datetime(2026, 10, 8, 14, tzinfo=UTC)  # 12 and 21 h (+07)
    told = of([(66.0, noon, "by-day"), (58.04, night, "at-night")], 3, 7)
    assert (told.value, told.thing, told.tone, told.fresh, told.all) == (58.0, "at-night", "warning", 2, 3)
    assert told.state == {"vi": "Vượt giới hạn 55 dB", "en": "Above the limit of 55 dB"}
    assert of([(66.0, noon, "by-day")], 1, 7).tone == "notice"
    assert of([(60.0, noon, "by-day")], 1, 7).tone == "ok"
    assert of([], 1, 7).value is None


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.connect() as made:
        yield made


def test_from_levels_to_leq_and_lden(conn: Connection) -> None:
    id = thing(conn, "noise-1", {"sound_level": "dB[SPL]"}, (105.8, 21.6))["sound_level"]
    conn.commit()
    quarters = T0 + np.arange(24 * 4) * 15 * MINUTE
    store(conn, id, quarters, np.full(len(quarters), 60.0))
    store(conn, id, quarters + MINUTE, np.full(len(quarters), 70.0))
    store(conn, id, [T0 + 2 * MINUTE], [150.0], Quality.STUCK)
    catch_up(conn, "noise", T0 + 25 * HOUR)
    found = computed(conn, "noise")
    assert found["noise-1", "leq_1h", T0][0] == 67.4
    assert found["noise-1", "lden", T0][0] == 73.8
    assert len(found) == 25
    told = dict(
        conn.execute("SELECT name, properties FROM observed_property WHERE name IN ('leq_1h', 'lden')").fetchall()
    )
    assert told["leq_1h"] == {"period_seconds": 3600, "fresh_seconds": 9000}
    assert told["lden"] == {"period_seconds": 86_400, "fresh_seconds": 176_400}
    store(conn, id, [T0 + 5 * HOUR + 2 * MINUTE], [90.0], Quality.LATE)
    catch_up(conn, "noise", T0 + 25 * HOUR)
    after = computed(conn, "noise")
    changed = {(p, time) for (_, p, time), row in after.items() if row != found["noise-1", p, time]}
    assert changed == {("leq_1h", T0 + 5 * HOUR), ("lden", T0)}
