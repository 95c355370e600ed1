"""GET: sets, entities, links to one, properties, $value, $ref, $count, and the other forms of $resultFormat."""

import msgspec

from services.sta import address as addresses
from services.sta import formats, options, resolve
from services.sta.answer import Answer, Request, of, text
from services.sta.mapping import TABLES, json_of
from services.sta.query import build
from services.sta.read import Reader
from services.sta.sql import Sql, join, make, value
from tram.errors import NotFoundError


def get(reader: Reader, request: Request) -> Answer:
    """Answers a GET below the service root. Raises QueryError, NotFoundError, TramError."""
    address = addresses.parse(request.path)
    asked = options.parse(request.query)
    reader.bound(asked)
    target = address.target
    found = resolve.scope(reader, address.steps)
    here = f"{reader.base}/{request.path.strip('/')}"
    if address.suffix == "$count":
        query = build(
            reader.conn, found.entity.name, found.alias, reader.access, asked, through=found.through, on=found.on
        )
        row = reader.run(query.count()).fetchone()
        return Answer(200, str(row[0] if row else 0).encode(), content_type="text/plain")
    if address.tail:
        return _property(reader, found, address)
    if address.suffix == "$ref":
        asked = options.parse([*[p for p in request.query if p[0] not in ("$select", "$expand")], ("$select", "id")])
    if target.many:
        if asked.result_format is not None:
            return formats.answer(reader, found, asked, here)
        page = reader.page(found.entity.name, asked, here, found.on, found.through, found.alias)
        return _refs(page) if address.suffix == "$ref" else text(page)
    if asked.result_format is not None:
        return formats.answer(reader, found, asked, here)
    one = reader.one(found.entity.name, asked, found.on, found.through, found.alias)
    if one is None:
        raise NotFoundError(f"there is no such {found.entity.name}")
    return _refs(one) if address.suffix == "$ref" else text(one)


def _refs(json: str) -> Answer:
    """Only the selfLinks."""
    page = msgspec.json.decode(json)
    if "value" not in page:
        return of({"@iot.selfLink": page["@iot.selfLink"]})
    page["value"] = [{"@iot.selfLink": one["@iot.selfLink"]} for one in page["value"]]
    return of(page)


def _property(reader: Reader, found: resolve.Scope, address: addresses.Address) -> Answer:
    resolve.find(reader, found, address.target.id)  # 404 for the entity before 204 for its property
    name, *parts = address.tail
    column = TABLES[found.entity.name].columns[name]
    sql = Sql(json_of(column).format(e=found.alias))
    if parts:
        whole = Sql(column.sql.format(e=found.alias))
        sql = make("({} #> {})::text", whole, value(parts, "text[]"))
    before = f"{found.through}, " if found.through else ""
    source = TABLES[found.entity.name].source.format(e=found.alias)
    query = make(f"SELECT {{}} FROM {before}{source} WHERE {{}}", sql, join(" AND ", [found.on]))
    row = reader.conn.execute(query.query, query.params).fetchone()
    if row is None or row[0] is None:
        return Answer(204)
    if address.suffix == "$value":
        raw = msgspec.json.decode(row[0]) if row[0].startswith('"') else row[0]
        kind = "text/plain; charset=utf-8" if row[0][:1] not in "{[" else "application/json"
        return Answer(200, str(raw).encode(), content_type=kind)
    return (
        text(f'{{"{parts[-1] if parts else name}":{row[0]}}}')
        if _plain(parts)
        else of({parts[-1]: msgspec.Raw(row[0].encode())})
    )


def _plain(parts: list[str]) -> bool:
    return all(part.replace("_", "").isalnum() for part in parts)
