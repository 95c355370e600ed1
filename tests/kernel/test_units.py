"""Units: conversions by worked figures, round trips, and refusals that say why."""

import json
import math
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tram.errors import UnitError
from tram.properties import catalogue, known
from tram.units import SPELLINGS, UNITS, convert, ucum, written


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (212.0, "[degF]", "Cel", 100.0),
        (0.0, "Cel", "K", 273.15),
        (36.0, "km/h", "m/s", 10.0),
        (1013.25, "hPa", "kPa", 101.325),
        (1.0, "kW.h", "J", 3.6e6),
        (0.5, "mg/m3", "ug/m3", 500.0),
        (760.0, "mm[Hg]", "hPa", 1013.25),
        (0.42, "1", "%", 42.0),
    ],
)
def test_worked_figures(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-6)


@given(st.floats(-1e6, 1e6), st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_there_and_back(value: float, source: str, target: str) -> None:
    if UNITS[source].dimension != UNITS[target].dimension:
        with pytest.raises(UnitError):
            convert(value, source, target)
        return
    back = convert(convert(value, source, target), target, source)
    size = abs(value) + abs(UNITS[source].offset / UNITS[source].scale) + abs(UNITS[target].offset)
    assert math.isclose(back, value, rel_tol=1e-9, abs_tol=1e-9 * size + 1e-12)


def test_every_spelling_names_a_unit() -> None:
    assert {target for target in SPELLINGS.values() if target not in UNITS} == set()
    assert ucum("µg/m³") == "ug/m3"
    assert ucum("furlong") is None


def test_units_are_written_as_people_know_them() -> None:
    assert (written("Cel", "vi"), written("ug/m3", "en"), written("{veh}/h", "vi")) == ("°C", "µg/m³", "xe/giờ")
    assert (written("1", "en"), written("hPa", "en"), written("furlong", "vi")) == ("", "hPa", "furlong")
    named = json.loads(files("tram").joinpath("unit_names.json").read_text("utf-8"))
    assert [code for code in named if code not in UNITS] == []
    assert [code for code in UNITS if code not in named and set(code) & set("[]{}")] == []


def test_the_catalogue_knows_aliases_and_both_languages() -> None:
    observed = known("PM2.5")
    assert observed is not None
    assert (observed.name, observed.unit) == ("pm2_5", "ug/m3")
    assert all(set(p.labels) == {"vi", "en"} for p in catalogue()[0].values())
