"""The past computed again: by the command, and where somebody changed a river station's alarm levels."""

import numpy as np

from services.city import recompute
from services.domains.rivers import config, derive
from tests.cli.typed import in_a_process, tram
from tests.databases import Database
from tests.domains.world import HOUR, MINUTE, T0, catch_up, computed, store, thing
from tram.clock import DAY, from_micros
from tram.quality import Quality
from tram.settings import Settings

LATER = 40 * DAY
"""A service that comes so long after the data starts with the last three days."""


def test_a_span_that_is_past_is_computed_by_the_command_and_once(one_database: Database) -> None:
    with one_database.connect() as conn:
        id = thing(conn, "river-gia-bay", {"water_level": "m"})["water_level"]
        config.adopt(conn, Settings())
        conn.commit()
        times = T0 + 10 * MINUTE * np.arange(24 * 6)
        store(conn, id, times, np.linspace(24.0, 27.5, len(times)))
        catch_up(conn, "rivers", T0 + LATER)
        assert computed(conn, "rivers") == {}

        span = ["--from", from_micros(T0 + 7 * HOUR).date().isoformat(), "--to", from_micros(T0 + DAY).isoformat()]
        told = in_a_process(one_database, "domain", "recompute", "rivers", *span)
        found = computed(conn, "rivers")
        levels = [value for (_, name, _), (value, _, _) in sorted(found.items()) if name == "flood_level"]
        assert levels == sorted(levels)
        assert set(levels) == {0, 1, 2, 3}
        assert told == f"{len(found)} new, 0 corrected, 0 taken away, 0 as they were\n"
        told = tram(one_database, "domain", "recompute", "rivers", *span)
        assert told == f"0 new, 0 corrected, 0 taken away, {len(found)} as they were\n"
        assert computed(conn, "rivers") == found
        rows = conn.execute("SELECT target, operation, detail FROM audit ORDER BY seq").fetchall()
        assert rows[0] == ("domain recompute rivers", "server.data", {"from": span[1], "to": span[3]})

    assert "there is no service 'tides'" in tram(
        one_database, "domain", "recompute", "tides", "--from", "2026-01-01", expected=2
    )
    assert "'soon' is no day" in tram(one_database, "domain", "recompute", "air", "--from", "soon", expected=2)
    assert "--from must be before" in tram(
        one_database, "domain", "recompute", "air", "--from", "2026-02-01", "--to", "2026-01-01", expected=2
    )


def test_alarm_levels_changed_by_hand_change_the_past(one_database: Database) -> None:
    with one_database.connect() as conn:
        catch_up(conn, "rivers", T0)
        id = thing(conn, "river-gia-bay", {"water_level": "m"})["water_level"]
        config.adopt(conn, Settings())
        conn.commit()
        times = T0 + 10 * MINUTE * np.arange(12)
        store(conn, id, times, np.full(12, 25.4))
        catch_up(conn, "rivers", T0 + DAY)
        before = computed(conn, "rivers")
        assert {v for (_, n, _), (v, _, _) in before.items() if n == "flood_level"} == {1.0}

        station = config.stations(conn)[0]
        config.put(conn, station.thing, "somebody", {"levels": (24.0, 25.2, 26.0)})
        recompute.note(conn, "rivers", derive.LEVEL, station.thing)
        conn.commit()
        catch_up(conn, "rivers", T0 + DAY)
        after = computed(conn, "rivers")
        assert after.keys() == before.keys()
        for (_, name, _), (value, quality, _) in after.items():
            if name == "flood_level":
                assert value == 2.0
                assert quality & Quality.CORRECTED
            else:
                assert not quality & Quality.CORRECTED
