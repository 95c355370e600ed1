"""SenML packs as devices send them, well and badly: strategies for hypothesis."""

import json
from typing import Any

from hypothesis import strategies as st

Record = dict[str, Any]

NAMES = st.sampled_from(
    ["", "t", "temp", "p0", "p1", "a/b", "urn:dev:ow:10e2:rh", "độ ẩm", "a\x00b", "x}y", 'q"', "bt"]
)
BASES = st.sampled_from(["", "urn:dev:mac:0024befffe804ff1/", "urn:dev:ow:10e2073a01080063:", "dev-1:", "a}b/"])
UNITS = st.sampled_from(["", "Cel", "%RH", "lon", "lat", "W", "/100", "furlong", "u" * 41])
NUMBERS = st.floats(-1e6, 1e6) | st.integers(-1000, 1000) | st.sampled_from([0.0, -0.0, 1e308, 5e-324, 2**64, 10**320])
SHIFTS = st.sampled_from([0, -1, 0.5, -0.1234567, 3600, -9]) | st.floats(-1e5, 1e5)
TIMES = st.sampled_from([0, 1.320067464e9, 1320078429, 2.0**28, 2.0**28 - 1, 6.2135596799e10, 7e10]) | st.floats(0, 2e9)
BAD = st.sampled_from([None, "12", True, [], {}, {"v": 1}, "\ud800", 10**400])


def _record(*, first: bool) -> st.SearchStrategy[Record]:
    others: dict[str, st.SearchStrategy[Any]] = {"n": NAMES, "u": UNITS, "t": SHIFTS}
    if first:
        others |= {"bn": BASES, "bt": TIMES, "bu": UNITS}
        return st.fixed_dictionaries({}, optional={"v": NUMBERS, **others})
    return st.fixed_dictionaries({"v": NUMBERS}, optional=others)


def _as_sent(pack: list[Any], indent: int | None, ascii: bool) -> bytes:
    return json.dumps(pack, indent=indent, ensure_ascii=ascii).encode("utf-8", "surrogatepass")


def _sent(packs: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[bytes]:
    return st.builds(_as_sent, packs, st.sampled_from([None, 1]), st.booleans())


_regular = st.builds(
    lambda first, rest: [first, *rest], _record(first=True), st.lists(_record(first=False), max_size=6)
)


@st.composite
def _spoilt(draw: st.DrawFn) -> list[Any]:
    """A regular pack in which one thing is as it should not be, or is only rare."""
    pack: list[Any] = draw(_regular)
    labels = ["n", "u", "v", "t", "bn", "bt", "bu", "bv", "bs", "bver", "vs", "vb", "vd", "s", "ut", "x", "x_"]
    values = BAD | NUMBERS | NAMES | UNITS | TIMES
    index = draw(st.integers(0, len(pack) - 1))
    how = draw(st.integers(0, 9))
    if how == 0:
        pack[index] = draw(values)
    elif how == 1:
        pack.insert(index, {})
    else:
        pack[index] = pack[index] | {draw(st.sampled_from(labels)): draw(values)}
    return pack


plain_records = st.builds(
    lambda names, numbers, unit: [{"n": n, "v": v} | unit for n, v in zip(names, numbers, strict=False)],
    st.lists(st.sampled_from(["t", "rh", "p0"]), min_size=1, max_size=8),
    st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=8),
    st.sampled_from([{}, {"u": "Cel"}]),
)
"""Records that are plain behind any sound base."""

regular = _sent(_regular)
spoilt = _sent(_spoilt())
"""Packs of either kind as JSON."""
