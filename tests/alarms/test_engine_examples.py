"""What the random histories do not reach: quality, points, other Things, rules that fail, a large silence."""

from typing import Any

import numpy as np
import pytest

from tests.alarms.plant import threshold
from tram.alarms.engine import Engine, Readings, unpack
from tram.alarms.plan import Catalogue, Place, plan
from tram.alarms.rules import read
from tram.alarms.unit import Unit
from tram.quality import Quality

T = 1_767_225_600_000_000
SECOND = 1_000_000
CATALOGUE = Catalogue(
    {1: Place(1, "up", kind="river"), 2: Place(2, "down", kind="river"), 3: Place(3, "truck", kind="vehicle")},
    [(11, 1, "water_level"), (21, 2, "water_level"), (31, 3, "location")],
)


def engine(*documents: dict[str, Any]) -> Engine:
    return Engine([plan(read(one), 1, CATALOGUE) for one in documents], 7 * 3600 * SECOND, T)


def reading(stream: int, seconds: float, value: float, quality: int = 0, point: Any = None) -> Readings:
    t = np.array([T + round(seconds * SECOND)], np.int64)
    points = {0: point} if point else {}
    return Readings(np.array([stream], np.int32), t, np.array([value]), np.array([quality], np.int16), t, points)


def levels(made: Engine, *given: Readings) -> list[tuple[str, int, int]]:
    return [(t.rule, t.thing_id, t.level) for one in given for t in made.apply(one)]


def test_suspect_values_change_nothing_unless_asked_for() -> None:
    odd = reading(11, 1, 9.0, int(Quality.RANGE))
    assert levels(engine(threshold("r", 5.0)), odd) == []
    assert levels(engine(threshold("r", 5.0, quality="any")), odd) == [("r", 1, 1)]
    for harmless in (Quality.LATE, Quality.CLOCK, Quality.ESTIMATED, Quality.CORRECTED):
        assert levels(engine(threshold("r", 5.0)), reading(11, 1, 9.0, int(harmless))) == [("r", 1, 1)]


def test_a_suspect_value_is_a_sign_of_life() -> None:
    silent = {"id": "s", "vi": "x", "en": "x", "scope": {"thing": "up"},
              "levels": [{"priority": "low", "when": {"type": "no-data", "after": "60s"}}]}  # fmt: skip
    made = engine(silent)
    assert levels(made, reading(11, 50, 1.0), reading(11, 100, float("nan"))) == []
    assert made.tick(T + 159 * SECOND) == []
    assert [t.at for t in made.tick(T + 160 * SECOND)] == [T + 160 * SECOND]


def test_a_condition_on_another_thing() -> None:
    both = {"type": "all", "of": [
        {"type": "threshold", "property": "water_level", "op": ">", "value": 5},
        {"type": "threshold", "property": "water_level", "op": ">", "value": 8, "thing": "up"},
    ]}  # fmt: skip
    rule = {"id": "r", "vi": "x", "en": "x", "scope": {"thing": "down"}, "levels": [{"priority": "low", "when": both}]}
    made = engine(rule)
    assert levels(made, reading(21, 1, 6.0), reading(11, 2, 9.0), reading(11, 3, 7.0)) == [("r", 2, 1), ("r", 2, 0)]


def test_points_are_positions() -> None:
    ring = [[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5], [0.5, 0.5]]
    when = {"type": "geofence", "on": "stay", "polygon": {"type": "Polygon", "coordinates": [ring]}}
    rule = {"id": "r", "vi": "x", "en": "x", "scope": {"kind": "vehicle"},
            "levels": [{"priority": "low", "for": "60s", "when": when}]}  # fmt: skip
    made = engine(rule)
    nan = float("nan")
    told = [*made.apply(reading(31, 1, nan, point=(1.0, 1.0))), *made.apply(reading(31, 31, nan, point=(2.0, 2.0)))]
    assert told == []
    (stayed,) = made.tick(T + 120 * SECOND)
    assert (stayed.since, stayed.at, stayed.value) == (T + SECOND, T + 61 * SECOND, None)
    assert levels(made, reading(31, 130, nan, point=(9.0, 9.0))) == [("r", 3, 0)]
    assert made.apply(reading(31, 140, nan)) == []  # no Point at all


def test_a_rule_that_fails_stops_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = engine(threshold("bad", 5.0), threshold("good", 5.0))
    whole = Unit.apply

    def fails(self: Unit, *given: Any) -> Any:
        if self.plan.rule.id == "bad":
            raise ZeroDivisionError("nobody foresaw this")
        return whole(self, *given)

    monkeypatch.setattr(Unit, "apply", fails)
    assert levels(made, reading(11, 1, 9.0), reading(11, 2, 1.0)) == [("good", 1, 1), ("good", 1, 0)]
    assert made.faults()["bad"][0].what == "stopped: ZeroDivisionError: nobody foresaw this"
    assert made.faults()["good"] == []


def test_a_year_of_silence_is_soon_over() -> None:
    night = {"type": "all", "of": [{"type": "threshold", "property": "water_level", "op": ">", "value": 5},
                                   {"type": "schedule", "start": "22:00", "end": "06:00"}]}  # fmt: skip
    rule = {"id": "r", "vi": "x", "en": "x", "scope": {"thing": "up"}, "levels": [{"priority": "low", "when": night}]}
    made = engine(rule)
    made.apply(reading(11, 1, 9.0))
    day = 86_400 * SECOND
    made.apply(reading(11, 365 * 86_400, 1.0))
    for _ in range(20):
        made.tick(T + 366 * day)
    assert made.next_due > T + 366 * day


@pytest.mark.parametrize("data", [b"", b"x", b"\x92\x01\x90"[:2], b"\x92\x09\x90", b"\x93\x01\x90\x90"])
def test_bytes_that_are_no_memory_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not an engine's memory"):
        unpack(data)
