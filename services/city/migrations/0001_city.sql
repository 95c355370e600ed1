-- What city services have still to compute: services/city/follow.py.

-- One row a bucket of a measured Datastream in which something was stored, corrected or deleted since it was computed.
CREATE TABLE city_touched (
    derivation    text NOT NULL,                      -- service and name, e.g. air.hourly
    datastream_id int NOT NULL,
    bucket        timestamptz NOT NULL,
    PRIMARY KEY (derivation, bucket, datastream_id)
);

-- The procedures of computed Datastreams: one Sensor a formula and edition.
CREATE TABLE city_formula (
    domain    text NOT NULL,
    name      text NOT NULL,                          -- formula and edition
    sensor_id int NOT NULL REFERENCES sensor (id),
    PRIMARY KEY (domain, name)
);
