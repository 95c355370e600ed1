-- Things and what describes them, in the words of OGC SensorThings 1.1 (18-088). City data only: nothing here may ever
-- identify a patient; a wearable's feature_of_interest is a pseudonym.

-- An administrative area (commune, ward, facility): the scope of rights and the unit of maps and figures.
CREATE TABLE area (
    id          text PRIMARY KEY CHECK (id <> ''),
    name        text NOT NULL,
    name_en     text NOT NULL DEFAULT '',
    kind        text NOT NULL DEFAULT '',
    parent      text REFERENCES area (id) ON UPDATE CASCADE,
    geometry    jsonb,                                -- GeoJSON (RFC 7946), WGS 84
    properties  jsonb NOT NULL DEFAULT '{}'
);

-- A device or place. `name` is what it is called on the wire, `label` what people read.
CREATE TABLE thing (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> '' AND length(name) <= 255),
    label       text NOT NULL DEFAULT '',
    kind        text NOT NULL DEFAULT '',
    status      text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'pending', 'refused')),
    area        text REFERENCES area (id) ON UPDATE CASCADE ON DELETE SET NULL,
    longitude   float8 CHECK (longitude BETWEEN -180 AND 180),
    latitude    float8 CHECK (latitude BETWEEN -90 AND 90),
    height      float8,                               -- metres above the ellipsoid
    properties  jsonb NOT NULL DEFAULT '{}',
    created     timestamptz NOT NULL DEFAULT now(),
    seen        timestamptz,                          -- last heard of; noted now and then, not with every message
    dropped     bigint NOT NULL DEFAULT 0,            -- messages that were too many while it was pending
    CHECK ((longitude IS NULL) = (latitude IS NULL)),
    CHECK (height IS NULL OR longitude IS NOT NULL)
) WITH (fillfactor = 80);                             -- room for `seen` to be updated in place (HOT)
CREATE INDEX thing_area ON thing (area);
CREATE INDEX thing_waiting ON thing (name) WHERE status <> 'active';

CREATE TABLE location (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    geometry    jsonb NOT NULL,
    properties  jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE sensor (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    encoding    text NOT NULL DEFAULT '',
    metadata    text NOT NULL DEFAULT '',
    properties  jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE observed_property (
    id          int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> '' AND length(name) <= 255),
    labels      jsonb NOT NULL DEFAULT '{}',          -- language -> label
    definition  text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    properties  jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE feature_of_interest (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    feature     jsonb NOT NULL,
    properties  jsonb NOT NULL DEFAULT '{}'
);

-- One property of one Thing over time, in one unit (UCUM, or as sent when that is unknown).
CREATE TABLE datastream (
    id                   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id             int NOT NULL REFERENCES thing (id),
    observed_property_id int NOT NULL REFERENCES observed_property (id),
    sensor_id            int REFERENCES sensor (id),
    unit                 text NOT NULL DEFAULT '' CHECK (length(unit) <= 255),
    name                 text NOT NULL DEFAULT '',
    description          text NOT NULL DEFAULT '',
    properties           jsonb NOT NULL DEFAULT '{}',
    created              timestamptz NOT NULL DEFAULT now(),
    UNIQUE (thing_id, observed_property_id)
);

-- Every process caches the registry; a change of a Thing says its name, so that the caches drop it. `seen` and `dropped`
-- are not in the list: they change all the time and no cache holds them.
CREATE FUNCTION notify_registry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('tram_registry', OLD.name);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('tram_registry', NEW.name);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER thing_changed
    AFTER INSERT OR DELETE OR UPDATE OF name, label, kind, status, area, longitude, latitude, height, properties ON thing
    FOR EACH ROW EXECUTE FUNCTION notify_registry();

CREATE FUNCTION notify_datastream() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tram_registry', name) FROM thing WHERE id = OLD.thing_id;
    RETURN NULL;
END
$$;
-- Not on INSERT: nobody caches that a Datastream is missing, and a first message makes many.
CREATE TRIGGER datastream_changed AFTER DELETE OR UPDATE ON datastream
    FOR EACH ROW EXECUTE FUNCTION notify_datastream();
