"""PATCH and PUT of an Observation, by the write path: a new phenomenonTime makes another row of the same id."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from services.sta.bodies import Sent
from services.sta.resolve import Handle
from services.sta.results import Rows
from tram.clock import to_micros
from tram.errors import ConflictError
from tram.store import observations
from tram.store.database import Connection


def correct(conn: Connection, find: Callable[[str, str], Handle], one: Handle, sent: Sent, *, whole: bool) -> None:
    """Changes an Observation. `find`: the entity of a name and id, or BodyError. Raises BodyError, ConflictError."""
    row = conn.execute(
        "SELECT coalesce(result_json::text, result::text, 'null'), parameters::text, extra, quality "
        "FROM observation WHERE datastream_id = %s AND phenomenon_time = %s",
        one.keys,
    ).fetchone()
    assert row is not None
    before: dict[str, Any] = dict(row[2] or {})
    properties: dict[str, Any] = {"result": row[0], "phenomenonTime": (one.keys[1], _moment(before.get("end")))}
    if not whole:
        properties |= {
            "parameters": row[1],
            "resultTime": _moment(before.get("resultTime")),
            "resultQuality": _text(before.get("resultQuality")),
            "validTime": (_moment(before["validTime"]), _moment(before.get("validEnd")))
            if "validTime" in before
            else None,
        }
    properties |= {n: v for n, v in sent.properties.items() if v is not None or n != "phenomenonTime"}
    feature = before.get("feature")
    if sent.links.get("FeatureOfInterest"):
        feature = find("FeatureOfInterest", str(sent.links["FeatureOfInterest"][0])).keys[0]
    stream = one.keys[0]
    if sent.links.get("Datastream"):
        stream = find("Datastream", str(sent.links["Datastream"][0])).keys[0]
    changed = Rows(quality=row[3])
    moved = stream != one.keys[0] or properties["phenomenonTime"][0] != one.keys[1]
    changed.add(stream, properties, feature, one.id if moved or "id" in before else None)
    if not moved:
        observations.correct(conn, changed.batch())
        return
    observations.delete(conn, np.array([one.keys[0]]), np.array([to_micros(one.keys[1])]))
    if observations.write(conn, changed.batch()).duplicates:
        raise ConflictError("there is another Observation of that Datastream at that phenomenonTime")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
