"""Where writes go: the main table of each entity, the columns of its properties, and of its links to one."""

# Property -> (column, its type); what is not here is no column of the main table.
COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    "Thing": {"name": ("label", "text"), "description": ("description", "text"), "properties": ("properties", "jsonb")},
    "Location": {
        "name": ("name", "text"), "description": ("description", "text"), "encodingType": ("encoding", "text"),
        "location": ("geometry", "jsonb"), "properties": ("properties", "jsonb"),
    },
    "HistoricalLocation": {"time": ("time", "timestamptz")},
    "Datastream": {
        "name": ("name", "text"), "description": ("description", "text"),
        "observationType": ("observation_type", "text"), "unitOfMeasurement": ("unit_of_measurement", "jsonb"),
        "observedArea": ("observed_area", "jsonb"), "properties": ("properties", "jsonb"),
    },
    "Sensor": {
        "name": ("name", "text"), "description": ("description", "text"), "encodingType": ("encoding", "text"),
        "metadata": ("metadata", "jsonb"), "properties": ("properties", "jsonb"),
    },
    "ObservedProperty": {
        "name": ("title", "text"), "description": ("description", "text"), "definition": ("definition", "text"),
        "properties": ("properties", "jsonb"),
    },
    "FeatureOfInterest": {
        "name": ("name", "text"), "description": ("description", "text"), "encodingType": ("encoding", "text"),
        "feature": ("feature", "jsonb"), "properties": ("properties", "jsonb"),
    },
}  # fmt: skip
MAIN = {
    "Thing": "thing", "Location": "location", "HistoricalLocation": "historical_location", "Datastream": "datastream",
    "Sensor": "sensor", "ObservedProperty": "observed_property", "FeatureOfInterest": "feature_of_interest",
}  # fmt: skip
LINK_COLUMNS = {
    ("Datastream", "Thing"): "thing_id",
    ("Datastream", "Sensor"): "sensor_id",
    ("Datastream", "ObservedProperty"): "observed_property_id",
    ("HistoricalLocation", "Thing"): "thing_id",
}
