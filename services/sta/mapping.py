"""How each entity stands in the tables: its FROM, its id, and one piece of SQL a property. What reads is generic.

In every piece `{e}` is the alias of the entity's main table. Pieces of properties give a value of `kind`; `json` gives
the JSON text of the property where it differs from the usual one of its kind.
"""

from dataclasses import dataclass
from typing import NamedTuple

ID = "id"
MICROS = "(extract(epoch FROM {e}.phenomenon_time) * 1000000)::bigint"
LATER = "\x01"
"""No JSON text has this character unescaped."""
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


class Column(NamedTuple):
    """`kind`: text, number, moment, json, geo, period, any. A period has `end`. `null`: whether it can be NULL.

    `json`: SQL of its JSON text. `always`: it is written even when it has no value. `later`: an entity's JSON has LATER
    in its place, which services.sta.read fills in for all entities at once. `plain`: SQL of its JSON text in rows where
    the table's `plain` holds; None: the same; "": it has no value there.
    """

    kind: str
    sql: str
    null: bool = False
    end: str = ""
    json: str = ""
    always: bool = False
    later: bool = False
    plain: str | None = None


class Join(NamedTuple):
    """A navigation: `on` says how `{e}` (the parent) and `{t}` (the target) belong together.

    `through`: a table between, aliased `{l}`, with its condition in `on`. `key`: SQL of the target's id in the parent
    alone, for links to one entity.
    """

    on: str
    key: str = ""
    through: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One entity.

    Attributes:
        source: what stands behind FROM; `{e}` is the main table.
        keys: the columns that order and identify it, unique together and never NULL.
        id: SQL of the id as JSON text.
        main: the main table's name, to write to.
        where: what must hold of every row that is shown.
        seen: for callers who see some Things only: the condition on `{e}`, with `{things}` for a query of their ids;
            "" where everybody sees it.
        columns: by property.
        links: by navigation.
        plain: a condition that holds of nearly all rows, in which columns have a cheaper `plain`.
    """

    source: str
    keys: tuple[str, ...]
    id: str
    main: str
    where: str
    seen: str
    columns: dict[str, Column]
    links: dict[str, Join]
    plain: str = ""


def _time(sql: str) -> str:
    """JSON text of a timestamptz: to the microsecond, with Z."""
    return f"replace(to_json({sql})::text, '+00:00', 'Z')"


def _period(start: str, end: str) -> str:
    return (
        f"CASE WHEN {end} IS NULL OR {end} = {start} THEN {_time(start)} "
        f"ELSE replace(replace(to_json({start})::text || '/' || to_json({end})::text, '\"/\"', '/'), '+00:00', 'Z') END"
    )


def _extra(name: str) -> str:
    return f"({{e}}.extra ->> '{name}')::timestamptz"


_PROPERTIES = Column("json", "{e}.properties", json="nullif({e}.properties, '{{}}')::text", null=True)
_NAME = Column("text", "{e}.name")
_DESCRIPTION = Column("text", "{e}.description")
_ENCODING = Column("text", "{e}.encoding")
_END = f"coalesce({_extra('end')}, {{e}}.phenomenon_time)"
_FIRST = "(SELECT min(o.phenomenon_time) FROM observation o WHERE o.datastream_id = {e}.id)"
_LAST = "(SELECT max(o.phenomenon_time) FROM observation o WHERE o.datastream_id = {e}.id)"
_PLACE = (
    "(SELECT min(l.feature_id) FROM thing_location tl JOIN location l ON l.id = tl.location_id "
    "JOIN datastream d ON d.thing_id = tl.thing_id WHERE d.id = {e}.datastream_id)"
)

TABLES: dict[str, Table] = {
    "Thing": Table(
        "thing {e}",
        ("{e}.id",),
        "{e}.id",
        "thing",
        "{e}.status = 'active'",
        "{e}.id IN ({things})",
        {
            "name": Column("text", "coalesce(nullif({e}.label, ''), {e}.name)"),
            "description": Column("text", "coalesce(nullif({e}.description, ''), {e}.name)"),
            "properties": _PROPERTIES,
        },
        {
            "Locations": Join("{l}.thing_id = {e}.id AND {l}.location_id = {t}.id", through="thing_location"),
            "HistoricalLocations": Join("{t}.thing_id = {e}.id"),
            "Datastreams": Join("{t}.thing_id = {e}.id"),
        },
    ),
    "Location": Table(
        "location {e}",
        ("{e}.id",),
        "{e}.id",
        "location",
        "true",
        "EXISTS (SELECT FROM thing_location s WHERE s.location_id = {e}.id AND s.thing_id IN ({things}))",
        {
            "name": _NAME,
            "description": _DESCRIPTION,
            "encodingType": _ENCODING,
            "location": Column("geo", "{e}.geometry"),
            "properties": _PROPERTIES,
        },
        {
            "Things": Join("{l}.location_id = {e}.id AND {l}.thing_id = {t}.id", through="thing_location"),
            "HistoricalLocations": Join(
                "{l}.location_id = {e}.id AND {l}.historical_location_id = {t}.id",
                through="historical_location_location",
            ),
        },
    ),
    "HistoricalLocation": Table(
        "historical_location {e}",
        ("{e}.id",),
        "{e}.id",
        "historical_location",
        "{e}.thing_id IN (SELECT id FROM thing WHERE status = 'active')",
        "{e}.thing_id IN ({things})",
        {"time": Column("moment", "{e}.time")},
        {
            "Thing": Join("{t}.id = {e}.thing_id", key="{e}.thing_id"),
            "Locations": Join(
                "{l}.historical_location_id = {e}.id AND {l}.location_id = {t}.id",
                through="historical_location_location",
            ),
        },
    ),
    "Datastream": Table(
        "datastream {e} JOIN thing {e}_t ON {e}_t.id = {e}.thing_id "
        "JOIN observed_property {e}_p ON {e}_p.id = {e}.observed_property_id",
        ("{e}.id",),
        "{e}.id",
        "datastream",
        "{e}_t.status = 'active'",
        "{e}.thing_id IN ({things})",
        {
            "name": Column(
                "text",
                "coalesce(nullif({e}.name, ''), coalesce(nullif({e}_t.label, ''), {e}_t.name) || ' ' || {e}_p.name)",
            ),
            "description": Column("text", "coalesce(nullif({e}.description, ''), {e}_p.labels ->> 'vi', {e}_p.name)"),
            "observationType": Column("text", "{e}.observation_type"),
            "unitOfMeasurement": Column(
                "json",
                "coalesce({e}.unit_of_measurement, jsonb_build_object('name', {e}.unit, 'symbol', {e}.unit, "
                "'definition', 'https://ucum.org/ucum#' || {e}.unit))",
                # The same text as of the object, at a quarter of its cost.
                json="coalesce({e}.unit_of_measurement::text, replace("
                """'{{"name": "$", "symbol": "$", "definition": "https://ucum.org/ucum#$"}}', """
                "'$', left(substr(to_json({e}.unit)::text, 2), -1)))",
            ),
            "observedArea": Column("geo", "{e}.observed_area", null=True),
            "phenomenonTime": Column("period", _FIRST, null=True, end=_LAST, later=True),
            "resultTime": Column("period", "NULL::timestamptz", null=True, end="NULL::timestamptz"),
            "properties": _PROPERTIES,
        },
        {
            "Thing": Join("{t}.id = {e}.thing_id", key="{e}.thing_id"),
            "Sensor": Join(
                "{t}.id = coalesce({e}.sensor_id, (SELECT id FROM sensor WHERE generic))",
                key="coalesce({e}.sensor_id, (SELECT id FROM sensor WHERE generic))",
            ),
            "ObservedProperty": Join("{t}.id = {e}.observed_property_id", key="{e}.observed_property_id"),
            "Observations": Join("{t}.datastream_id = {e}.id"),
        },
    ),
    "Sensor": Table(
        "sensor {e}",
        ("{e}.id",),
        "{e}.id",
        "sensor",
        "true",
        "",
        {
            "name": _NAME,
            "description": _DESCRIPTION,
            "encodingType": _ENCODING,
            "metadata": Column("any", "{e}.metadata"),
            "properties": _PROPERTIES,
        },
        {
            "Datastreams": Join(
                "({t}.sensor_id = {e}.id OR ({e}.generic AND {t}.sensor_id IS NULL))",
            )
        },
    ),
    "ObservedProperty": Table(
        "observed_property {e}",
        ("{e}.id",),
        "{e}.id",
        "observed_property",
        "true",
        "",
        {
            "name": Column("text", "coalesce({e}.title, {e}.name)"),
            "description": Column("text", "coalesce(nullif({e}.description, ''), {e}.labels ->> 'vi', {e}.name)"),
            "definition": Column("text", "{e}.definition"),
            "properties": _PROPERTIES,
        },
        {"Datastreams": Join("{t}.observed_property_id = {e}.id")},
    ),
    "Observation": Table(
        "observation {e}",
        ("{e}.datastream_id", "{e}.phenomenon_time"),
        "coalesce({e}.extra ->> 'id', {e}.datastream_id || '.' || " + MICROS + ")",
        "observation",
        # Hardly ever one: Things that wait or were refused after they had been observed.
        "{e}.datastream_id <> ALL (ARRAY(SELECT d.id FROM thing w JOIN datastream d ON d.thing_id = w.id "
        "WHERE w.status <> 'active'))",
        "{e}.datastream_id IN (SELECT d.id FROM datastream d WHERE d.thing_id IN ({things}))",
        {
            "phenomenonTime": Column(
                "period",
                "{e}.phenomenon_time",
                end=_END,
                json=f"CASE WHEN {{e}}.extra IS NULL THEN {_time('{e}.phenomenon_time')} "
                f"ELSE {_period('{e}.phenomenon_time', _END)} END",
                plain=_time("{e}.phenomenon_time"),
            ),
            "result": Column(
                "any",
                "coalesce({e}.result_json, to_jsonb({e}.result))",
                null=True,
                json="coalesce({e}.result_json::text, {e}.result::text)",
                always=True,
            ),
            "resultTime": Column("moment", _extra("resultTime"), null=True, always=True, plain=""),
            "resultQuality": Column("any", "({e}.extra -> 'resultQuality')", null=True, plain=""),
            "validTime": Column("period", _extra("validTime"), null=True, end=_extra("validEnd"), plain=""),
            "parameters": Column("json", "{e}.parameters", null=True),
        },
        {
            "Datastream": Join("{t}.id = {e}.datastream_id", key="{e}.datastream_id"),
            "FeatureOfInterest": Join(
                f"{{t}}.id = coalesce(({{e}}.extra ->> 'feature')::bigint, {_PLACE})",
                key=f"coalesce(({{e}}.extra ->> 'feature')::bigint, {_PLACE})",
            ),
        },
        "{e}.extra IS NULL",
    ),
    "FeatureOfInterest": Table(
        "feature_of_interest {e}",
        ("{e}.id",),
        "{e}.id",
        "feature_of_interest",
        "true",
        "EXISTS (SELECT FROM location f JOIN thing_location s ON s.location_id = f.id "
        "WHERE f.feature_id = {e}.id AND s.thing_id IN ({things}))",
        {
            "name": _NAME,
            "description": _DESCRIPTION,
            "encodingType": _ENCODING,
            "feature": Column("geo", "{e}.feature"),
            "properties": _PROPERTIES,
        },
        {
            "Observations": Join(
                "(({t}.extra IS NOT NULL AND ({t}.extra ->> 'feature')::bigint = {e}.id) OR "
                "({t}.datastream_id IN (SELECT d.id FROM datastream d "
                "JOIN thing_location tl ON tl.thing_id = d.thing_id "
                "JOIN location l ON l.id = tl.location_id WHERE l.feature_id = {e}.id) "
                "AND ({t}.extra ->> 'feature') IS NULL))"
            )
        },
    ),
}


def json_of(column: Column) -> str:
    """SQL of a property's JSON text; NULL when it has no value."""
    if column.json:
        return column.json
    match column.kind:
        case "text":
            return f"to_json({column.sql})::text"
        case "moment":
            return _time(column.sql)
        case "period":
            return _period(column.sql, column.end)
        case _:
            return f"({column.sql})::text"
