"""What OpenAPI says of SensorThings' routes: resource paths, query options, bodies. Nothing is checked here."""

from typing import Annotated, Any

from fastapi import Path

from services.sta.model import ENTITIES, SETS

_SETS = "|".join(SETS)
_LINKS = "|".join(sorted({name for entity in ENTITIES.values() for name in entity.links}))
_MEMBERS = "|".join(sorted({name for entity in ENTITIES.values() for name in entity.properties}))
_ID = r"\(([0-9]{1,9}|'[0-9]{1,9}\.-?[0-9]{1,18}')\)"
PATTERN = rf"^({_SETS})({_ID})?(/({_LINKS})({_ID})?){{0,2}}(/({_MEMBERS}))?(/(\$ref|\$value|\$count))?$"

ResourcePath = Annotated[
    str,
    Path(
        description="the resource path (OGC 18-088, 9.2.2)",
        json_schema_extra={"pattern": PATTERN},
        openapi_examples={"set": {"value": "Things"}, "inside": {"value": "Datastreams(1)/Observations"}},
    ),
]
_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "$filter": ("which entities (9.3.3.5)", {"type": "string", "example": "result gt 50"}),
    "$orderby": ("in which order (9.3.3.1)", {"type": "string", "example": "phenomenonTime desc"}),
    "$select": ("which members (9.3.2.1)", {"type": "string", "example": "id,name"}),
    "$expand": ("linked entities within (9.3.2.2)", {"type": "string", "example": "Observations($top=1)"}),
    "$top": ("most entities of the page (9.3.3.2)", {"type": "integer", "minimum": 0, "maximum": 999_999_999}),
    "$skip": ("how many to leave out (9.3.3.3)", {"type": "integer", "minimum": 0, "maximum": 999_999_999}),
    "$count": ("whether to say how many there are (9.3.3.4)", {"type": "boolean"}),
    "$resultFormat": ("another form of the answer", {"type": "string", "enum": ["dataArray", "GeoJSON", "CSV"]}),
    "$skiptoken": ("from a nextLink", {"type": "string"}),
}
_NAME = {"type": "string"}
_ENTITY = {
    "type": "object",
    "description": "an entity, or a part of one, with the properties and links of its type (OGC 18-088, clause 8)",
    "properties": {
        "name": _NAME, "description": _NAME, "encodingType": _NAME, "definition": _NAME, "observationType": _NAME,
        "phenomenonTime": _NAME, "resultTime": _NAME, "time": _NAME, "result": {}, "metadata": {},
        "properties": {"type": "object"}, "unitOfMeasurement": {"type": "object"}, "location": {"type": "object"},
        "feature": {"type": "object"}, **{
            name: {"type": "object", "properties": {"@iot.id": {"type": "integer"}}}
            for name in ("Thing", "Datastream", "Sensor", "ObservedProperty", "FeatureOfInterest")
        },
    },
}  # fmt: skip
_REQUEST = {
    "type": "object",
    "required": ["id", "method", "url"],
    "properties": {
        "id": _NAME, "method": {"enum": ["get", "post", "patch", "put", "delete"]}, "url": _NAME, "body": {},
        "atomicityGroup": _NAME,
    },
}  # fmt: skip
_TYPES = ("application/json", "text/plain", "text/csv", "application/geo+json")

READ: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "description": said, "schema": schema}
        for name, (said, schema) in _OPTIONS.items()
    ]
}
READ_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "what stands there", "content": {kind: {"schema": {}} for kind in _TYPES}},
    204: {"description": "the property has no value"},
}


def _writing(*bodies: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in bodies}},
    }


_PART = {"type": "object", "properties": {"Datastream": {}, "components": {}, "dataArray": {}}}
_ROWS = {"type": "array", "items": _PART}
CREATE = _writing(("application/json", {"anyOf": [_ENTITY, _ROWS]}))
CHANGE = _writing(("application/json", _ENTITY), ("application/json-patch+json", {"type": "array"}))
REPLACE = _writing(("application/json", _ENTITY))
BATCH: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["requests"],
                    "properties": {"requests": {"type": "array", "items": _REQUEST}},
                }
            }
        },
    }
}
