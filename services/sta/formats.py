"""$resultFormat: dataArray (OGC 18-088 clause 12), GeoJSON and CSV, streamed."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
from psycopg import ServerCursor
from psycopg.rows import TupleRow

from services.sta import skiptoken
from services.sta.answer import Answer, text
from services.sta.lexer import QueryError
from services.sta.mapping import TABLES, json_of
from services.sta.paging import next_address, page_limit, shape_of
from services.sta.query import Query, build, selected
from services.sta.read import ENTITIES_MOST, Reader, TooLongError
from services.sta.resolve import Scope
from services.sta.sql import Sql
from services.sta.syntax import Options

ROWS_MOST = 1_000_000
"""Most rows of one CSV or GeoJSON answer without $top; they are streamed."""
CHUNK = 1_000
PIECE = "5s"
"""What each piece but the first may take."""


def answer(reader: Reader, found: Scope, options: Options, here: str) -> Answer:
    """A set in another form. Raises QueryError."""
    if options.result_format == "dataArray":
        return text(_data_array(reader, found, options, here))
    if options.expand:
        raise QueryError(f"$expand goes not with $resultFormat={options.result_format}", "$expand", 0)
    query = _query(reader, found, options)
    properties, _, _ = selected(query.entity, options.select)
    skip, limit = options.skip or 0, ROWS_MOST if options.top is None else min(options.top, ROWS_MOST)
    own = Sql(f"({query.table.id.format(e=query.alias)})::text")
    columns = [own, *(Sql(json_of(query.table.columns[name]).format(e=query.alias)) for name in properties)]
    behind = query.behind(shape_of(here, options), options.skip_token)
    rows = _rows(reader, query.select(columns, limit=limit, skip=skip, behind=behind))
    if options.result_format == "CSV":
        return Answer(stream=_csv(rows, properties), content_type="text/csv; charset=utf-8")
    geometry = next((name for name in properties if query.table.columns[name].kind == "geo"), None)
    return Answer(stream=_geojson(rows, properties, geometry), content_type="application/geo+json")


def _query(reader: Reader, found: Scope, options: Options) -> Query:
    return build(
        reader.conn, found.entity.name, found.alias, reader.access, options, through=found.through, on=found.on
    )


def _rows(reader: Reader, query: Sql) -> Iterator[list[tuple[Any, ...]]]:
    """In pieces from a cursor of the server, so that memory does not grow with the answer.

    A filter's time runs to the first piece: what comes after that is a long answer, not a costly question.
    """
    cursor = reader.conn.cursor("sta_rows")
    reader.limit()
    try:
        cursor.execute(query.query, query.params)
        first = cursor.fetchmany(CHUNK)
    except psycopg.errors.QueryCanceled:
        raise TooLongError from None
    reader.conn.execute("SELECT set_config('statement_timeout', %s, true)", (PIECE,))
    return _following(cursor, first)


def _following(cursor: ServerCursor[TupleRow], rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    with cursor:
        while rows:
            yield rows
            rows = cursor.fetchmany(CHUNK)


def _flat(json: str | None) -> str:
    """A cell: text as it is, everything else as its JSON."""
    if json is None:
        return ""
    return str(msgspec.json.decode(json)) if json.startswith('"') else json


def _csv(pieces: Iterator[list[tuple[Any, ...]]], properties: list[str]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["id", *properties])
    yield buffer.getvalue().encode()
    for rows in pieces:
        buffer.seek(0)
        buffer.truncate()
        writer.writerows([row[0], *map(_flat, row[1:])] for row in rows)
        yield buffer.getvalue().encode()


def _geojson(pieces: Iterator[list[tuple[Any, ...]]], properties: list[str], geometry: str | None) -> Iterator[bytes]:
    """A FeatureCollection; a stored Feature gives its geometry, and its own properties stay in `feature`."""
    yield b'{"type":"FeatureCollection","features":['
    comma = b""
    place = None if geometry is None else properties.index(geometry) + 1
    for rows in pieces:
        for row in rows:
            shape = None if place is None or row[place] is None else msgspec.json.decode(row[place])
            if isinstance(shape, dict) and shape.get("type") == "Feature":
                shape = shape.get("geometry")
            if not isinstance(shape, dict) or "type" not in shape or shape["type"] == "FeatureCollection":
                shape = None
            members: dict[str, Any] = {"id": row[0]}
            for index, name in enumerate(properties, 1):
                if index != place and row[index] is not None:
                    members[name] = msgspec.Raw(row[index].encode())
            yield comma + msgspec.json.encode(
                {"type": "Feature", "id": row[0], "geometry": shape, "properties": members}
            )
            comma = b","
    yield b"]}"


def _data_array(reader: Reader, found: Scope, options: Options, here: str) -> str:
    """Observations by Datastream as rows of values: one object for each Datastream of the page, in order."""
    if found.entity.name != "Observation":
        raise QueryError("$resultFormat=dataArray is for Observations", "$resultFormat", 0)
    if options.expand:
        raise QueryError("$expand goes not with $resultFormat=dataArray", "$expand", 0)
    query = _query(reader, found, options)
    properties, _, with_id = selected(query.entity, options.select)
    names = [*(["id"] if with_id else []), *properties]
    table, alias = TABLES["Observation"], query.alias
    own = f"to_json({table.id.format(e=alias)})::text"
    cells = [own if n == "id" else json_of(table.columns[n]).format(e=alias) for n in names]
    cell = "'[' || concat_ws(',', " + ", ".join(f"coalesce({sql}, 'null')" for sql in cells) + ") || ']'"
    limit, shape = page_limit("Observation", options), shape_of(here, options)
    columns = [Sql(f"{alias}.datastream_id"), Sql(cell), *query.key_texts()]
    skip = 0 if options.skip_token else options.skip or 0
    rows = reader.selected(query, columns, min(limit, ENTITIES_MOST - 1) + 1, skip, shape, options.skip_token)
    tail = ""
    if len(rows) > limit > 0:
        token = skiptoken.encode(shape, rows[limit - 1][-len(query.keys) :])
        tail = ',"@iot.nextLink":' + msgspec.json.encode(next_address(here, options, token)).decode()
    streams: dict[int, list[str]] = {}
    for row in rows[:limit]:
        streams.setdefault(row[0], []).append(row[1])
    components = msgspec.json.encode(names).decode()
    made = [
        f'{{"Datastream@iot.navigationLink":"{reader.base}/Datastreams({id})","components":{components},'
        f'"dataArray@iot.count":{len(cells)},"dataArray":[{",".join(cells)}]}}'
        for id, cells in streams.items()
    ]
    count = ""
    if options.count:
        total = reader.run(query.count()).fetchone()
        count = f'"@iot.count":{total[0] if total else 0},'
    return f'{{{count}"value":[{",".join(made)}]{tail}}}'
