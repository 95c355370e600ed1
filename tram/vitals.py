"""What is measured of a person's body: such messages are nobody's to look at outside the clinical record."""

from collections.abc import Iterable

VITALS = frozenset(
    {
        "heart_rate", "pulse_rate", "respiratory_rate", "oxygen_saturation", "spo2", "systolic", "diastolic",
        "systolic_pressure", "diastolic_pressure", "blood_pressure", "body_temperature", "blood_glucose", "ecg",
        "body_weight", "body_mass",
    }
)  # fmt: skip
"""Names of observed properties, as devices and docs/formats.md write them."""


def carries_vitals(properties: Iterable[str]) -> bool:
    """Whether one of these is a vital sign."""
    return any(name.lower() in VITALS for name in properties)
