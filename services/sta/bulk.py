"""CreateObservations (OGC 18-088, 12.3.2): many Observations of several Datastreams as rows of values."""

import re
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from services.sta import bodies
from services.sta.answer import Answer
from services.sta.bodies import BodyError, Raw
from services.sta.model import ENTITIES
from services.sta.results import Rows
from services.sta.writer import Writer
from tram.clock import EPOCH, MICROSECOND, from_micros
from tram.errors import TramError
from tram.store import observations
from tram.store.batch import Batch

MOST = 100_000
"""Most Observations of one request."""
_LONG = re.compile(rb"\d{16}|\d\.\d{14}|\d{8}\.\d{8}")
_PROPERTIES = {**ENTITIES["Observation"].properties}
TAKEN = "error: there is an Observation of this Datastream at this phenomenonTime already"


class Part(msgspec.Struct):
    """What is said of one Datastream."""

    stream: Raw = msgspec.field(name="Datastream")
    components: list[str]
    rows: list[Raw] = msgspec.field(name="dataArray")


class Plain(msgspec.Struct):
    """The usual one: every row a time and a number."""

    stream: Raw = msgspec.field(name="Datastream")
    components: list[str]
    rows: list[tuple[str, float | int]] = msgspec.field(name="dataArray")


def create(writer: Writer, body: bytes) -> Answer:
    """One selfLink a row, or a text that begins with `error`. Raises BodyError."""
    plain = _plain(writer, body)
    streams, times, texts, batch = plain if plain is not None else _any(writer, body)
    errors = {row: text for row, text in enumerate(texts) if text.startswith("error")}
    kept = np.array([row for row in range(len(streams)) if row not in errors], np.intp) if errors else None
    wanted = batch if kept is None else batch.take(kept)
    taken = _taken(writer, wanted)
    if taken.any():
        numbers = np.arange(len(streams)) if kept is None else kept
        errors |= {int(row): TAKEN for row in numbers[taken]}
        wanted = wanted.take(np.flatnonzero(~taken))
    observations.write(writer.conn, wanted)
    base = f"\"{writer.reader.base}/Observations('"
    links = [f"{base}{s}.{t}')\"" for s, t in zip(streams, times, strict=True)]
    for row, text in errors.items():
        links[row] = msgspec.json.encode(text).decode()
    return Answer(201, f"[{','.join(links)}]".encode())


Columns = tuple[list[int], list[int], list[str], Batch]


def _plain(writer: Writer, body: bytes) -> Columns | None:
    """All times and numbers, by column; None when something else is in it."""
    if _LONG.search(body):  # perhaps more digits than a double holds
        return None
    try:
        parts = msgspec.json.decode(body, type=list[Plain])
    except msgspec.DecodeError:
        return None
    if any(part.components != ["phenomenonTime", "result"] for part in parts):
        return None
    _bounded(sum(len(part.rows) for part in parts))
    streams: list[int] = []
    times: list[int] = []
    values: list[float] = []
    parse = datetime.fromisoformat
    for part in parts:
        id = _stream(writer, bytes(part.stream))
        try:
            times += [(parse(text) - EPOCH) // MICROSECOND for text, _ in part.rows]
        except (ValueError, TypeError, OverflowError):
            return None  # the other way says which row
        values += [number for _, number in part.rows]
        streams += [id] * len(part.rows)
    n = len(streams)
    batch = Batch(
        np.array(streams, np.int32), np.array(times, np.int64), np.array(values, np.float64), np.zeros(n, np.int16)
    )
    return streams, times, [], batch


def _any(writer: Writer, body: bytes) -> Columns:
    bodies.decode(body)
    try:
        parts = msgspec.json.decode(body, type=list[Part])
    except msgspec.DecodeError as error:
        raise BodyError(f"CreateObservations is a list of Datastream, components and dataArray: {error}") from None
    _bounded(sum(len(part.rows) for part in parts))
    rows, texts = Rows(), []
    for part in parts:
        stream = _stream(writer, bytes(part.stream))
        for name in part.components:
            if name not in _PROPERTIES and name != "FeatureOfInterest/id" and name != "id":
                raise BodyError(
                    f"{name[:40]!r} is no component: these are {', '.join(_PROPERTIES)}, FeatureOfInterest/id"
                )
        if "result" not in part.components:
            raise BodyError("the components lack result")
        texts += [_row(writer, rows, stream, part.components, bytes(raw)) for raw in part.rows]
    return rows.ids, rows.times, texts, rows.batch()


def _row(writer: Writer, rows: Rows, stream: int, components: list[str], raw: bytes) -> str:
    """Adds one row; the text of an error takes its place in the answer."""
    try:
        cells = msgspec.json.decode(raw, type=list[Raw])
        if len(cells) != len(components):
            raise BodyError(f"{len(cells)} values for {len(components)} components")
        sent: dict[str, Any] = {}
        feature = None
        for name, cell in zip(components, cells, strict=True):
            if name == "FeatureOfInterest/id":
                feature = writer.find("FeatureOfInterest", str(msgspec.json.decode(bytes(cell)))).keys[0]
            elif name != "id":
                sent[name] = bodies.read_property(name, _PROPERTIES[name].kind, bytes(cell))
        rows.add(stream, sent, feature)
        return ""
    except (TramError, msgspec.DecodeError) as error:
        rows.add(stream, {"result": "0", "phenomenonTime": (EPOCH, None)}, None)
        return f"error: {error}"


def _bounded(n: int) -> None:
    if n > MOST:
        raise BodyError(f"at most {MOST} Observations in one request, not {n}")


def _stream(writer: Writer, raw: bytes) -> int:
    id = bodies.reference(raw)
    if id is None:
        raise BodyError('each part names its Datastream: {"@iot.id": …}')
    return int(writer.find("Datastream", id).keys[0])


def _taken(writer: Writer, batch: Batch) -> Any:
    """Which rows are there already, or came before in the same request: shape (n,), bool."""
    n = len(batch)
    if n == 0:
        return np.zeros(0, bool)
    keys = np.stack([batch.datastream_id.astype(np.int64), batch.phenomenon_time])
    _, first = np.unique(keys, axis=1, return_index=True)
    taken = np.ones(n, bool)
    taken[first] = False
    spans = []
    for stream in np.unique(batch.datastream_id):
        mine = batch.phenomenon_time[batch.datastream_id == stream]
        spans.append((int(stream), from_micros(int(mine.min())), from_micros(int(mine.max()))))
    streams, starts, ends = (list(column) for column in zip(*spans, strict=True))
    # By stretches, not by keys: new data has none of them, and that is the usual case.
    there = writer.conn.execute(
        "SELECT w.id, (extract(epoch FROM o.phenomenon_time) * 1000000)::bigint "
        "FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[]) AS w (id, first, last) "
        "CROSS JOIN LATERAL (SELECT phenomenon_time FROM observation WHERE datastream_id = w.id "
        "AND phenomenon_time BETWEEN w.first AND w.last LIMIT 1000000) AS o",
        (streams, starts, ends),
    ).fetchall()
    if there:
        known = set(there)
        pairs = zip(batch.datastream_id.tolist(), batch.phenomenon_time.tolist(), strict=True)
        taken |= np.fromiter((pair in known for pair in pairs), bool, n)
    return taken
