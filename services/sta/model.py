"""The entities of OGC SensorThings 1.1 (18-088 clause 8): their properties and how they are linked. No SQL here.

The eight entities differ only by these tables, so whatever serves them is written once.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Property(NamedTuple):
    """`kind`: text, json (an object), any (any JSON), geo (GeoJSON), moment (instant), period (instant or interval)."""

    kind: str
    required: bool = False
    read_only: bool = False


class Link(NamedTuple):
    """A navigation property: to `target`, one or `many`, `required` when the entity cannot be without it."""

    target: str
    many: bool
    required: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity type. `name` as in Thing, `set_name` as in Things."""

    name: str
    set_name: str
    properties: dict[str, Property]
    links: dict[str, Link]


_NAMED = {"name": Property("text", required=True), "description": Property("text", required=True)}
_PROPERTIES = {"properties": Property("json")}

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            "Thing",
            "Things",
            {**_NAMED, **_PROPERTIES},
            {
                "Locations": Link("Location", many=True),
                "HistoricalLocations": Link("HistoricalLocation", many=True),
                "Datastreams": Link("Datastream", many=True),
            },
        ),
        Entity(
            "Location",
            "Locations",
            {
                **_NAMED,
                "encodingType": Property("text", required=True),
                "location": Property("geo", required=True),
                **_PROPERTIES,
            },
            {
                "Things": Link("Thing", many=True),
                "HistoricalLocations": Link("HistoricalLocation", many=True),
            },
        ),
        Entity(
            "HistoricalLocation",
            "HistoricalLocations",
            {"time": Property("moment", required=True)},
            {
                "Thing": Link("Thing", many=False, required=True),
                "Locations": Link("Location", many=True),
            },
        ),
        Entity(
            "Datastream",
            "Datastreams",
            {
                **_NAMED,
                "observationType": Property("text", required=True),
                "unitOfMeasurement": Property("json", required=True),
                "observedArea": Property("geo", read_only=True),
                "phenomenonTime": Property("period", read_only=True),
                "resultTime": Property("period", read_only=True),
                **_PROPERTIES,
            },
            {
                "Thing": Link("Thing", many=False, required=True),
                "Sensor": Link("Sensor", many=False, required=True),
                "ObservedProperty": Link("ObservedProperty", many=False, required=True),
                "Observations": Link("Observation", many=True),
            },
        ),
        Entity(
            "Sensor",
            "Sensors",
            {
                **_NAMED,
                "encodingType": Property("text", required=True),
                "metadata": Property("any", required=True),
                **_PROPERTIES,
            },
            {"Datastreams": Link("Datastream", many=True)},
        ),
        Entity(
            "ObservedProperty",
            "ObservedProperties",
            {**_NAMED, "definition": Property("text", required=True), **_PROPERTIES},
            {"Datastreams": Link("Datastream", many=True)},
        ),
        Entity(
            "Observation",
            "Observations",
            {
                "phenomenonTime": Property("period"),
                "result": Property("any", required=True),
                "resultTime": Property("moment"),
                "resultQuality": Property("any"),
                "validTime": Property("period"),
                "parameters": Property("json"),
            },
            {
                "Datastream": Link("Datastream", many=False, required=True),
                "FeatureOfInterest": Link("FeatureOfInterest", many=False),
            },
        ),
        Entity(
            "FeatureOfInterest",
            "FeaturesOfInterest",
            {
                **_NAMED,
                "encodingType": Property("text", required=True),
                "feature": Property("geo", required=True),
                **_PROPERTIES,
            },
            {"Observations": Link("Observation", many=True)},
        ),
    )
}

SETS: dict[str, Entity] = {entity.set_name: entity for entity in ENTITIES.values()}
"""The entity sets of the service root, by their names."""
