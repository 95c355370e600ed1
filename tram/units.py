"""Units: UCUM case-sensitive codes (ucum.org), and linear conversion between units of one dimension.

A short table of what sensors really send, not a UCUM parser: a unit not in it is unknown, which is said, not guessed.
How people write them stands in unit_names.json, which the pages read as well.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from tram.errors import UnitError


class Unit(NamedTuple):
    """base = value * scale + offset, in the base unit of `dimension`."""

    dimension: str
    scale: float
    offset: float = 0.0


UNITS: dict[str, Unit] = {
    "1": Unit("ratio", 1.0),
    "%": Unit("ratio", 0.01),
    "[ppm]": Unit("ratio", 1e-6),
    "[ppb]": Unit("ratio", 1e-9),
    "m": Unit("length", 1.0),
    "km": Unit("length", 1e3),
    "cm": Unit("length", 1e-2),
    "mm": Unit("length", 1e-3),
    "[in_i]": Unit("length", 0.0254),
    "[ft_i]": Unit("length", 0.3048),
    "m/s": Unit("speed", 1.0),
    "km/h": Unit("speed", 1 / 3.6),
    "cm/h": Unit("speed", 0.01 / 3600),
    "mm/h": Unit("speed", 0.001 / 3600),
    "m/h": Unit("speed", 1 / 3600),
    "[kn_i]": Unit("speed", 1852 / 3600),
    "[mi_i]/h": Unit("speed", 1609.344 / 3600),
    "m3": Unit("volume", 1.0),
    "L": Unit("volume", 1e-3),
    "m3/s": Unit("flow", 1.0),
    "m3/h": Unit("flow", 1 / 3600),
    "L/s": Unit("flow", 1e-3),
    "L/min": Unit("flow", 1e-3 / 60),
    "s": Unit("time", 1.0),
    "ms": Unit("time", 1e-3),
    "min": Unit("time", 60.0),
    "h": Unit("time", 3600.0),
    "d": Unit("time", 86400.0),
    "Cel": Unit("temperature", 1.0, 273.15),
    "K": Unit("temperature", 1.0),
    "[degF]": Unit("temperature", 5 / 9, 459.67 * 5 / 9),
    "Pa": Unit("pressure", 1.0),
    "hPa": Unit("pressure", 100.0),
    "kPa": Unit("pressure", 1e3),
    "mbar": Unit("pressure", 100.0),
    "bar": Unit("pressure", 1e5),
    "mm[Hg]": Unit("pressure", 133.322387415),
    "ug/m3": Unit("concentration", 1.0),
    "mg/m3": Unit("concentration", 1e3),
    "V": Unit("voltage", 1.0),
    "mV": Unit("voltage", 1e-3),
    "kV": Unit("voltage", 1e3),
    "A": Unit("current", 1.0),
    "mA": Unit("current", 1e-3),
    "W": Unit("power", 1.0),
    "kW": Unit("power", 1e3),
    "MW": Unit("power", 1e6),
    "V.A": Unit("apparent power", 1.0),
    "kV.A": Unit("apparent power", 1e3),
    "var": Unit("reactive power", 1.0),
    "kvar": Unit("reactive power", 1e3),
    "J": Unit("energy", 1.0),
    "W.h": Unit("energy", 3600.0),
    "kW.h": Unit("energy", 3.6e6),
    "MW.h": Unit("energy", 3.6e9),
    "Hz": Unit("frequency", 1.0),
    "kHz": Unit("frequency", 1e3),
    "/min": Unit("frequency", 1 / 60),
    "lx": Unit("illuminance", 1.0),
    "cd": Unit("luminous intensity", 1.0),
    "lm": Unit("luminous flux", 1.0),
    "W/m2": Unit("irradiance", 1.0),
    "dB": Unit("level", 1.0),
    "dB[SPL]": Unit("sound level", 1.0),
    "dB[mW]": Unit("power level", 1.0),
    "deg": Unit("angle", 1.0),
    "rad": Unit("angle", 57.29577951308232),
    "g": Unit("mass", 1.0),
    "kg": Unit("mass", 1e3),
    "mg": Unit("mass", 1e-3),
    "t": Unit("mass", 1e6),
    "[pH]": Unit("acidity", 1.0),
    "uS/cm": Unit("conductivity", 1e-4),
    "mS/cm": Unit("conductivity", 0.1),
    "S/m": Unit("conductivity", 1.0),
    "mg/L": Unit("mass concentration", 1.0),
    "g/L": Unit("mass concentration", 1e3),
    "mmol/L": Unit("substance concentration", 1.0),
    "[NTU]": Unit("turbidity", 1.0),
    "{veh}/h": Unit("traffic flow", 1.0),
    "{veh}/km": Unit("traffic density", 1.0),
    "{veh}": Unit("count", 1.0),
    "{count}": Unit("count", 1.0),
    "Bq/m3": Unit("radon", 1.0),
    "uSv/h": Unit("dose rate", 1.0),
    "N": Unit("force", 1.0),
    "B": Unit("data", 1.0),
    "kB": Unit("data", 1e3),
    "bit/s": Unit("data rate", 1.0),
}

# What is met on the wire for these codes: RFC 8428 sections 12.1 and 12.2 (SenML), device makers' own spellings.
SPELLINGS: dict[str, str] = {
    "/": "1", "%RH": "%", "%EL": "%", "ppm": "[ppm]", "ppb": "[ppb]",
    "°C": "Cel", "ºC": "Cel", "C": "Cel", "degC": "Cel", "℃": "Cel", "°F": "[degF]", "F": "[degF]", "degF": "[degF]",
    "µg/m³": "ug/m3", "μg/m³": "ug/m3", "ug/m³": "ug/m3", "µg/m3": "ug/m3", "μg/m3": "ug/m3", "µg⋅m⁻³": "ug/m3",
    "μg⋅m⁻³": "ug/m3", "mg/m³": "mg/m3",
    "m³": "m3", "m³/s": "m3/s", "m³/h": "m3/h", "l": "L", "l/s": "L/s", "l/min": "L/min",
    "kWh": "kW.h", "Wh": "W.h", "MWh": "MW.h", "VA": "V.A", "kVA": "kV.A", "VAr": "var", "kVAr": "kvar",
    "mmHg": "mm[Hg]", "inch": "[in_i]", "ft": "[ft_i]", "kn": "[kn_i]", "mph": "[mi_i]/h", "kmh": "km/h", "kph": "km/h",
    "°": "deg", "dBm": "dB[mW]", "dBW": "dB", "dBA": "dB[SPL]", "dB(A)": "dB[SPL]", "pH": "[pH]", "NTU": "[NTU]",
    "W/m²": "W/m2", "µS/cm": "uS/cm", "μS/cm": "uS/cm", "lux": "lx", "count": "{count}", "veh/h": "{veh}/h",
    "bpm": "/min", "1/min": "/min", "sec": "s", "hr": "h",
}  # fmt: skip


def ucum(text: str) -> str | None:
    """The UCUM code of a unit as it was sent, or None when it is unknown."""
    if text in UNITS:
        return text
    return SPELLINGS.get(text) or SPELLINGS.get(text.strip().replace(" ", ""))


@cache
def _names() -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = json.loads(files("tram").joinpath("unit_names.json").read_text("utf-8"))
    return found


def written(code: str, language: Literal["vi", "en"]) -> str:
    """A UCUM code as people write it (`Cel` is °C); one that has no such name as it is."""
    known = _names().get(code, code)
    return known if isinstance(known, str) else known[("vi", "en").index(language)]


def linear(source: str, target: str) -> tuple[float, float]:
    """(scale, offset) so that target = source * scale + offset. Both are UCUM codes.

    Raises:
        UnitError: one is unknown, or the two measure different things.
    """
    if source == target:
        return 1.0, 0.0
    try:
        a, b = UNITS[source], UNITS[target]
    except KeyError as missing:
        raise UnitError(f"unit {missing.args[0]!r} is not known") from None
    if a.dimension != b.dimension:
        raise UnitError(f"{source!r} is a {a.dimension}, {target!r} a {b.dimension}")
    return a.scale / b.scale, (a.offset - b.offset) / b.scale


def convert(value: float, source: str, target: str) -> float:
    """A value in another unit of the same dimension. Raises UnitError like `linear`."""
    scale, offset = linear(source, target)
    return value * scale + offset
