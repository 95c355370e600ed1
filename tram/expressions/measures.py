"""What a value measures: its dimension as powers of base units, and the unit it is carried in.

Values are carried in the unit they came in, and converted only where two units meet: so 21.3 °C in is 21.3 °C out, to
the last bit. tram.units knows each unit's dimension by name; here a dimension is a product of powers, so that
mm / h is a speed and kW * h an energy.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from tram.units import UNITS, ucum

Powers = tuple[tuple[str, Fraction], ...]


def _powers(**powers: int) -> Powers:
    return tuple(sorted((name, Fraction(power)) for name, power in powers.items()))


_POWER = _powers(kg=1, m=2, s=-3)

DIMENSIONS: Mapping[str, tuple[float, Powers]] = {
    # tram.units dimension -> (its base unit in SI, powers). Levels (dB, pH) are logarithms: bases of their own.
    "ratio": (1.0, ()),
    "count": (1.0, ()),
    "length": (1.0, _powers(m=1)),
    "speed": (1.0, _powers(m=1, s=-1)),
    "volume": (1.0, _powers(m=3)),
    "flow": (1.0, _powers(m=3, s=-1)),
    "time": (1.0, _powers(s=1)),
    "temperature": (1.0, _powers(K=1)),
    "pressure": (1.0, _powers(kg=1, m=-1, s=-2)),
    "concentration": (1e-9, _powers(kg=1, m=-3)),
    "mass concentration": (1e-3, _powers(kg=1, m=-3)),
    "substance concentration": (1.0, _powers(mol=1, m=-3)),
    "voltage": (1.0, _powers(kg=1, m=2, s=-3, A=-1)),
    "current": (1.0, _powers(A=1)),
    "power": (1.0, _POWER),
    "apparent power": (1.0, _POWER),
    "reactive power": (1.0, _POWER),
    "energy": (1.0, _powers(kg=1, m=2, s=-2)),
    "frequency": (1.0, _powers(s=-1)),
    "traffic flow": (1 / 3600, _powers(s=-1)),
    "traffic density": (1 / 1000, _powers(m=-1)),
    "illuminance": (1.0, _powers(lm=1, m=-2)),
    "luminous intensity": (1.0, _powers(cd=1)),
    "luminous flux": (1.0, _powers(lm=1)),
    "irradiance": (1.0, _powers(kg=1, s=-3)),
    "level": (1.0, _powers(dB=1)),
    "sound level": (1.0, _powers(dB_SPL=1)),
    "power level": (1.0, _powers(dB_mW=1)),
    "angle": (math.pi / 180, _powers(rad=1)),
    "mass": (1e-3, _powers(kg=1)),
    "acidity": (1.0, _powers(pH=1)),
    "conductivity": (1.0, _powers(A=2, s=3, kg=-1, m=-3)),
    "turbidity": (1.0, _powers(NTU=1)),
    "radon": (1.0, _powers(s=-1, m=-3)),
    "dose rate": (1e-6 / 3600, _powers(Sv=1, s=-1)),
    "force": (1.0, _powers(kg=1, m=1, s=-2)),
    "data": (8.0, _powers(bit=1)),
    "data rate": (1.0, _powers(bit=1, s=-1)),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """What a value measures and how it is carried.

    Attributes:
        powers: the dimension; () has none.
        scale, offset: coherent SI value = value * scale + offset. An offset that is not 0 (°C, °F) makes a point on a
            scale: two of them have a difference, but no sum and no product.
        text: the unit as people write it, for messages.
        truth: 0 or 1, from a comparison.
        zero: the literal 0, which fits every unit.
    """

    powers: Powers = ()
    scale: float = 1.0
    offset: float = 0.0
    text: str = "1"
    truth: bool = False
    zero: bool = False

    @property
    def point(self) -> bool:
        """Whether it is a point on a scale that has its zero elsewhere."""
        return self.offset != 0.0

    @property
    def step(self) -> "Measure":
        """What a difference of two such values is."""
        names = {"Cel": "K", "[degF]": "K·5/9"}
        return replace(self, offset=0.0, text=names.get(self.text, self.text), truth=False, zero=False)


NUMBER = Measure()
TRUTH = Measure(truth=True)
RADIAN = Measure(_powers(rad=1), 1.0, 0.0, "rad")
SECOND = Measure(_powers(s=1), 1.0, 0.0, "s")


def of_unit(unit: str) -> Measure:
    """The measure of a UCUM unit. One that is not known is a dimension of its own: it only fits itself; "" is 1."""
    if not unit:
        return NUMBER
    code = ucum(unit)
    if code is None:
        return Measure(((f"[{unit}]", Fraction(1)),), 1.0, 0.0, unit)
    found = UNITS[code]
    factor, powers = DIMENSIONS[found.dimension]
    return Measure(powers, found.scale * factor, found.offset * factor, code)


def product(a: Measure, b: Measure) -> Measure:
    """a times b."""
    return Measure(_combined(a.powers, b.powers, 1), a.scale * b.scale, 0.0, _joined(a.text, "·", b.text))


def quotient(a: Measure, b: Measure) -> Measure:
    """a over b."""
    return Measure(_combined(a.powers, b.powers, -1), a.scale / b.scale, 0.0, _joined(a.text, "/", b.text))


def power(a: Measure, exponent: Fraction) -> Measure:
    """a to a power."""
    if not a.powers and a.scale == 1.0:
        return NUMBER
    powers = tuple((name, p * exponent) for name, p in a.powers if exponent)
    return Measure(powers, a.scale ** float(exponent), 0.0, f"({a.text})^{exponent}")


def conversion(source: Measure, target: Measure) -> tuple[float, float] | None:
    """(factor, shift) so that value in target = value * factor + shift; None when they measure different things."""
    if source.zero and not target.point:
        return 1.0, 0.0
    if source.powers != target.powers:
        return None
    if source.scale == target.scale and source.offset == target.offset:
        return 1.0, 0.0
    return source.scale / target.scale, (source.offset - target.offset) / target.scale


def _combined(a: Powers, b: Powers, sign: int) -> Powers:
    total = dict(a)
    for name, p in b:
        total[name] = total.get(name, Fraction(0)) + sign * p
    return tuple(sorted((name, p) for name, p in total.items() if p))


def _joined(a: str, sign: str, b: str) -> str:
    if b == "1":
        return a
    if a == "1" and sign == "·":
        return b
    right = f"({b})" if sign == "/" and ("/" in b or "·" in b) else b
    return f"{a}{sign}{right}"
