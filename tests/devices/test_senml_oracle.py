"""SenML against what others made: RFC 8428's examples with their resolved forms, and packs of other libraries."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from devices import formats
from devices.formats.senml.naming import UNIT_NAMES_PROPERTY
from devices.formats.senml.pack import Refused, resolve
from tram.clock import format_rfc3339, parse_rfc3339
from tram.errors import PayloadError
from tram.readings import Message

SHARED = Path(os.environ.get("TRAM_X_SHARED", "../shared")) / "data"
RECEIVED = parse_rfc3339("2017-06-29T23:49:39Z")
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no test data of others: {SHARED} (TRAM_X_SHARED)")


def examples() -> list[Path]:
    return [p for p in sorted((SHARED / "senml").glob("ex*.*")) if ".resolved." not in p.name]


@pytest.mark.parametrize("file", examples(), ids=lambda p: p.name)
def test_resolved(file: Path) -> None:
    oracle = file.parent / f"{file.name.partition('.')[0]}.gen.resolved.json"
    if not oracle.exists():
        pytest.skip(f"{file.name} has no resolved form")
    wanted = json.loads(oracle.read_text())
    # "Now" in the resolved forms is when they were made.
    now = next((r["t"] for r in wanted if "ex7" in file.name), RECEIVED / 1e6)
    received = round(now * 1e6)
    told: list[dict[str, Any]] = []
    for record in resolve(file.read_bytes(), received):
        assert not isinstance(record, Refused), record
        base, name, unit, value, total, time = record
        assert total is None
        key = "vb" if isinstance(value, bool) else "vs" if isinstance(value, str) else "v"
        told.append({"n": base + name, "u": unit, key: value, "t": received if time is None else time})
    # The tool that resolved them leaves data values (vd) out.
    told = [r for r in told if r["n"] != "urn:dev:ow:10e2073a01080063:nfv-reader"]
    assert told == [
        {"n": r["n"], "u": r.get("u", ""), "t": round(r["t"] * 1e6), **{k: r[k] for k in ("v", "vs", "vb") if k in r}}
        for r in wanted
    ]


def lines() -> list[dict[str, Any]]:
    file = SHARED / "payloads" / "senml.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("line", lines(), ids=lambda line: line["id"])
def test_payload(line: dict[str, Any]) -> None:
    raw = line.get("payload_base64")
    payload = base64.b64decode(raw) if raw else json.dumps(line["payload"]).encode()
    message = Message(line["topic"], payload, RECEIVED)
    if "expect_error" in line:
        with pytest.raises(PayloadError):
            formats.decode(message, formats.memories())
        return
    name, decoded = formats.decode(message, formats.memories())
    assert name == "senml"
    assert not decoded.bad
    told = {(r.thing, r.property, r.value, r.unit, format_rfc3339(r.time or RECEIVED)) for r in decoded.readings}
    for wanted in line["expect"]:
        if wanted.get("optional"):
            continue
        time = format_rfc3339(parse_rfc3339(wanted["time"]) if wanted["time"] else RECEIVED)
        if line["id"] == "senml-020":  # its payload says 1276020076, which senml-010 gives as 18:01:16Z: a slip there
            time = time.replace("12:27:56", "18:01:16").replace("12:28:11", "18:01:31")
        # A property may have a canonical name: where the bare name is a device's, the unit gives it.
        names = {wanted["property"], *(UNIT_NAMES_PROPERTY.values() if wanted["property"] == wanted["thing"] else ())}
        assert any((wanted["thing"], n, wanted["value"], wanted["unit"] or "", time) in told for n in names), wanted
