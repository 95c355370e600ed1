"""SenML units (RFC 8428 section 12.1, RFC 8798) as UCUM codes."""

from tram.units import ucum

# Where SenML's registry means something else than the same letters elsewhere, or has a unit of its own.
_SENML = {
    "C": "C",  # coulomb, where most devices write C for degrees Celsius
    "F": "F",  # farad, likewise
    "lon": "deg",
    "lat": "deg",
    "EL": "s",  # remaining seconds of battery
    "/100": "%",
    "beat/min": "/min",
    "Bspl": "B[SPL]",
    "Ah": "A.h",
    "VAh": "V.A.h",
    "kVAh": "kV.A.h",
    "varh": "var.h",
    "kvarh": "kvar.h",
}
_SUMS = {"W": "J", "m/s": "m", "L/s": "L", "m3/s": "m3", "A": "C", "bit/s": "bit"}


def ucum_of(unit: str) -> str:
    """The UCUM code of a SenML unit; an unknown one stays as it was sent."""
    return _SENML.get(unit) or ucum(unit) or unit


def unit_of_sum(unit: str) -> str:
    """The unit of a sum: the integral over time in seconds of a value in `unit` (UCUM)."""
    return _SUMS.get(unit) or f"{unit}.s" if unit else ""
