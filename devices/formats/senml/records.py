"""The records of a pack as they were sent, from JSON (RFC 8428 section 5) or CBOR (section 6)."""

import base64
import io
import json
import math
from collections.abc import Mapping
from typing import Any

import cbor2
import msgspec

from tram.errors import PayloadError

VERSION = 10
"""The newest version that is understood (section 4.4)."""
DIGITS_LIMIT = 400
"""Longest run of digits read as an integer: more is beyond any double."""
DEPTH_LIMIT = 16
"""Deepest nesting of CBOR; a pack needs 2, an extension of it may have more."""
UNIT_LIMIT = 40
"""Longest unit in characters."""


class Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One record. None is a label that is not there (or null, which JSON packs of careless senders hold)."""

    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    bs: float | None = None
    bver: float | None = None
    n: str | None = None
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None
    vd: str | None = None
    s: float | None = None
    t: float | None = None
    ut: float | None = None


_NUMBERS = frozenset(("bt", "bv", "bs", "bver", "v", "s", "t", "ut"))
_TEXTS = frozenset(("bn", "bu", "n", "u", "vs", "vd"))
_BASES = frozenset(("bn", "bt", "bu", "bv", "bs"))
# Section 6, table 4.
_CBOR_LABELS: dict[Any, str] = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip

parse_plain = msgspec.json.Decoder(list[Record]).decode
"""Reads a JSON pack of nothing but known labels of the right types; raises ValueError or RecursionError on others."""


def read(payload: bytes) -> tuple[list[Record], dict[int, str]]:
    """The records of a pack, and by index the reason why one is faulty (its base values still count).

    Raises:
        PayloadError: no pack (codes empty, utf-8, json, cbor, depth, type), a newer version ("version"), a label that
            must be understood and is not ("label", section 4.4), a base value that cannot be read ("base").
    """
    faults: dict[int, str] = {}
    try:
        records = parse_plain(payload)  # plain packs: known labels of the right types
    except (ValueError, RecursionError):
        generic = _generic(payload)
        if not isinstance(generic, list):
            raise PayloadError("a SenML pack is an array of records", code="type") from None
        records = _plain_cbor(generic) or [_record(item, index, faults) for index, item in enumerate(generic)]
    for r in records:
        if r.bver is not None and not 0 < r.bver <= VERSION:
            raise PayloadError(f"SenML version {r.bver:g} is not supported: at most {VERSION}", code="version")
        if r.bu is not None or r.u is not None:
            _check_units(r)
    return records, faults


def _check_units(r: Record) -> None:
    for unit in (r.bu, r.u):
        if unit is not None and (len(unit) > UNIT_LIMIT or not unit.isprintable()):
            raise PayloadError(f"a unit is a text of at most {UNIT_LIMIT} characters that can be shown", code="unit")


def _generic(payload: bytes) -> Any:
    lead = payload[:1]
    if not payload.strip():
        raise PayloadError("the payload is empty", code="empty")
    if b"\x80" <= lead <= b"\x9f" or payload[:3] == b"\xd9\xd9\xf7":
        return _cbor(payload)
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadError(f"not UTF-8: {error.reason} at byte {error.start}", code="utf-8") from None
    try:
        return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) <= DIGITS_LIMIT else math.inf)
    except RecursionError:
        raise PayloadError("nested too deep", code="depth") from None
    except ValueError as error:
        raise PayloadError(f"not JSON: {error}", code="json") from None


def _cbor(payload: bytes) -> Any:
    stream = io.BytesIO(payload)
    try:
        decoded = cbor2.CBORDecoder(stream, max_depth=DEPTH_LIMIT).decode()
    # A hostile tag may make the decoder raise nearly anything: a date out of range, a fraction over 0, a bad pattern.
    except Exception as error:
        raise PayloadError(f"not CBOR: {type(error).__name__}: {error}"[:200], code="cbor") from None
    if stream.tell() != len(payload):
        raise PayloadError(f"not CBOR: {len(payload) - stream.tell()} bytes are left over", code="cbor")
    return list(decoded) if isinstance(decoded, tuple) else decoded


def _plain_cbor(generic: list[Any]) -> list[Record] | None:
    """Records of nothing but labels of table 4 with the right types, all at once; None where one is not."""
    try:
        named = [{_CBOR_LABELS[label]: value for label, value in item.items()} for item in generic]
        records = msgspec.convert(named, list[Record])
    except (KeyError, AttributeError, TypeError, ValueError, RecursionError):
        return None
    bases = (base for r in records for base in (r.bt, r.bv, r.bs, r.bver) if base is not None)
    return records if all(map(math.isfinite, bases)) else None


def _record(item: Any, index: int, faults: dict[int, str]) -> Record:
    record = Record()
    if not isinstance(item, Mapping):
        faults[index] = f"type: a record is a map of labels, not {type(item).__name__}"
        return record
    for key, value in item.items():
        label = _CBOR_LABELS.get(key, key) if isinstance(key, int) and not isinstance(key, bool) else key
        if isinstance(label, str) and label in Record.__struct_fields__:
            _set(record, label, value, index, faults)
        elif isinstance(label, str) and label.endswith("_"):
            raise PayloadError(f"the label {label[:40]!r} must be understood, and is not", code="label")
        # Any other label is an extension that may be left unread (section 4.4).
    return record


def _set(record: Record, label: str, value: Any, index: int, faults: dict[int, str]) -> None:
    if value is None:
        return
    fitted: Any = None
    if label in _NUMBERS and isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            fitted = float(value)
        except OverflowError:
            fitted = math.inf
        if fitted - fitted != 0.0:
            fault = "nan: NaN is no number" if fitted != fitted else "range: infinite, or beyond any double"
            fitted = None
        else:
            fault = ""
    else:
        fault = f"type: {label} cannot be of type {type(value).__name__}"
        if (label in _TEXTS and isinstance(value, str)) or (label == "vb" and isinstance(value, bool)):
            fitted = value
        elif label == "vd" and isinstance(value, bytes):
            fitted = base64.urlsafe_b64encode(value).decode().rstrip("=")
    if fitted is not None:
        setattr(record, label, fitted)
    elif label in _BASES or label == "bver":
        raise PayloadError(
            f"{label} of record {index} cannot be read ({fault}): later records stand on it", code="base"
        )
    else:
        faults.setdefault(index, fault)
