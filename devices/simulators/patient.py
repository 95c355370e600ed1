"""A simulated patient: an ECG at 250 Hz and the vital signs around it, by scenario and seed. Pure: time is handed in.

The ECG is a sum of bells over the beat's phase, one for each of P, Q, R, S and T (McSharry et al., IEEE Trans Biomed
Eng 50(3), 2003); in atrial fibrillation the P is gone, the baseline flickers and the beats come irregularly. The
course of a scenario is a table of what each sign drifts towards. Never for training or testing of anything that
decides.
"""

import math
import random
from dataclasses import dataclass

RATE = 250
"""ECG samples a second."""
LEAD = "II"

# (phase of the beat in radians, height in mV, width in radians)
_WAVES = (
    (-1.22, 0.12, 0.25),  # P
    (-0.26, -0.10, 0.10),  # Q
    (0.00, 1.10, 0.09),  # R
    (0.26, -0.22, 0.10),  # S
    (1.75, 0.30, 0.38),  # T
)


@dataclass(frozen=True, slots=True)
class Course:
    """Where the signs start and drift to, and with which time constant (s)."""

    start: dict[str, float]
    end: dict[str, float]
    constant: float
    fibrillates: bool = False


_HEALTHY = {
    "heart_rate": 76.0,
    "respiratory_rate": 15.0,
    "oxygen_saturation": 97.5,
    "systolic": 122.0,
    "diastolic": 78.0,
    "temperature": 36.7,
}

SCENARIOS: dict[str, Course] = {
    "stable": Course(_HEALTHY, _HEALTHY, 600.0),
    "sepsis": Course(
        {**_HEALTHY, "heart_rate": 98.0, "respiratory_rate": 21.0, "temperature": 38.6, "systolic": 108.0},
        {
            "heart_rate": 128.0,
            "respiratory_rate": 28.0,
            "oxygen_saturation": 92.0,
            "systolic": 86.0,
            "diastolic": 50.0,
            "temperature": 39.4,
        },
        900.0,
    ),
    "asthma": Course(
        {**_HEALTHY, "heart_rate": 104.0, "respiratory_rate": 26.0, "oxygen_saturation": 94.0},
        {**_HEALTHY, "heart_rate": 126.0, "respiratory_rate": 34.0, "oxygen_saturation": 89.0, "systolic": 132.0},
        600.0,
    ),
    "arrhythmia": Course(
        {**_HEALTHY, "heart_rate": 118.0, "systolic": 112.0},
        {**_HEALTHY, "heart_rate": 142.0, "systolic": 100.0, "diastolic": 66.0, "respiratory_rate": 19.0},
        600.0,
        fibrillates=True,
    ),
}

_NOISE = {
    "heart_rate": 1.2,
    "respiratory_rate": 0.6,
    "oxygen_saturation": 0.3,
    "systolic": 2.5,
    "diastolic": 1.8,
    "temperature": 0.03,
}
CUFF_EVERY = 60.0
"""Seconds between blood pressures: a cuff measures now and then, and says nothing between."""


class Patient:
    """One patient. The same scenario and seed give the same samples.

    Args:
        scenario: a name of SCENARIOS.
        seed: of the noise and of the beats.
    """

    def __init__(self, scenario: str = "stable", seed: int = 1) -> None:
        if scenario not in SCENARIOS:
            raise ValueError(f"there is no scenario {scenario}: {', '.join(SCENARIOS)}")
        self.scenario = scenario
        self._course = SCENARIOS[scenario]
        self._random = random.Random(seed)  # noqa: S311 - a reproducible patient, no secret
        self._elapsed = 0.0
        self._phase = -math.pi
        self._speed = 0.0
        self._cuff_at = -CUFF_EVERY
        self._pressure = (0.0, 0.0)
        self._begin_beat()

    def ecg(self, count: int) -> list[int]:
        """The next samples, in microvolts."""
        out = []
        for _ in range(count):
            self._elapsed += 1 / RATE
            self._phase += self._speed / RATE
            if self._phase >= math.pi:
                self._phase -= 2 * math.pi
                self._begin_beat()
            value = 0.0
            for index, (at, height, width) in enumerate(_WAVES):
                if index == 0 and self._course.fibrillates:
                    continue
                off = (self._phase - at) / width
                if -4 < off < 4:
                    value += height * math.exp(-0.5 * off * off)
            if self._course.fibrillates:
                value += 0.05 * math.sin(2 * math.pi * 6.1 * self._elapsed + 1.7 * math.sin(1.9 * self._elapsed))
            value += 0.04 * math.sin(2 * math.pi * 0.25 * self._elapsed)  # breathing moves the baseline
            value += self._random.gauss(0.0, 0.012)
            out.append(round(value * 1000))
        return out

    def numbers(self) -> dict[str, float]:
        """The signs at this moment, in the units of the vitals channel; blood pressure only when the cuff has
        measured."""
        values = {}
        for name in ("heart_rate", "respiratory_rate", "oxygen_saturation", "temperature"):
            values[name] = round(self._at(name) + self._random.gauss(0.0, _NOISE[name]), 1)
        values["oxygen_saturation"] = min(100.0, values["oxygen_saturation"])
        if self._elapsed - self._cuff_at >= CUFF_EVERY:
            self._cuff_at = self._elapsed
            self._pressure = (
                round(self._at("systolic") + self._random.gauss(0.0, _NOISE["systolic"])),
                round(self._at("diastolic") + self._random.gauss(0.0, _NOISE["diastolic"])),
            )
            values["systolic"], values["diastolic"] = (float(x) for x in self._pressure)
        return values

    @property
    def elapsed(self) -> float:
        """Seconds of this patient's time."""
        return self._elapsed

    def _at(self, name: str) -> float:
        start, end = self._course.start[name], self._course.end[name]
        return end + (start - end) * math.exp(-self._elapsed / self._course.constant)

    def _begin_beat(self) -> None:
        rate = max(25.0, self._at("heart_rate"))
        spread = 0.22 if self._course.fibrillates else 0.03
        interval = 60 / rate * max(0.45, self._random.gauss(1.0, spread))
        self._speed = 2 * math.pi / interval


@dataclass(slots=True)
class SimulatedSource:
    """A Patient as the station kit's device."""

    patient: Patient
    subject: str
    device: str = "tram-sim-monitor"
    lead: str = LEAD
    rate: int = RATE

    def ecg(self, count: int) -> list[int]:
        """See Patient."""
        return self.patient.ecg(count)

    def numbers(self) -> dict[str, float]:
        """See Patient."""
        return self.patient.numbers()


def open_source(argument: str) -> SimulatedSource:
    """`scenario` or `scenario,seed`.

    Raises:
        ValueError: there is no such scenario.
    """
    scenario, _, seed = argument.partition(",")
    patient = Patient(scenario or "stable", int(seed or 1))
    return SimulatedSource(patient, subject=f"sim-{patient.scenario}-{seed or 1}")
