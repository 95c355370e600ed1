-- What OGC SensorThings 1.1 (18-088) knows beyond what gateways need: docs/sensorthings.md, docs/adr/0100.

-- Descriptions, and names that need not be unique: thing.name and observed_property.name stay the keys of the wire.
ALTER TABLE thing ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE observed_property ADD COLUMN title text;
ALTER TABLE location ADD COLUMN encoding text NOT NULL DEFAULT 'application/geo+json';
ALTER TABLE feature_of_interest ADD COLUMN encoding text NOT NULL DEFAULT 'application/geo+json';

-- Sensor.metadata may be any JSON.
ALTER TABLE sensor ALTER COLUMN metadata DROP DEFAULT;
ALTER TABLE sensor ALTER COLUMN metadata TYPE jsonb USING to_jsonb(metadata);
ALTER TABLE sensor ALTER COLUMN metadata SET DEFAULT '""';

-- The Sensor of Datastreams that gateways make: what measures is not said on the wire.
ALTER TABLE sensor ADD COLUMN generic bool NOT NULL DEFAULT false;
CREATE UNIQUE INDEX sensor_generic ON sensor (generic) WHERE generic;
INSERT INTO sensor (name, description, encoding, metadata, generic)
VALUES ('Cảm biến / Sensor', 'Không rõ loại / not described', 'text/html', '""', true);

-- A Thing may have several Datastreams of one property through SensorThings; the gateway's is the one of channel ''.
ALTER TABLE datastream ADD COLUMN channel text NOT NULL DEFAULT '' CHECK (length(channel) <= 64);
ALTER TABLE datastream DROP CONSTRAINT datastream_thing_id_observed_property_id_key;
ALTER TABLE datastream ADD CONSTRAINT datastream_key UNIQUE (thing_id, observed_property_id, channel);
ALTER TABLE datastream ADD COLUMN observation_type text NOT NULL
    DEFAULT 'http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement';
ALTER TABLE datastream ADD COLUMN unit_of_measurement jsonb;  -- as sent; NULL: made from `unit`
ALTER TABLE datastream ADD COLUMN observed_area jsonb;
CREATE INDEX datastream_property ON datastream (observed_property_id);
CREATE INDEX datastream_sensor ON datastream (sensor_id);

-- What few Observations have: {"end", "resultTime", "validTime", "resultQuality", "feature", "id"}; NULL for all others,
-- which costs them nothing (7 columns: the null bitmap stays within the row's header).
ALTER TABLE observation ADD COLUMN extra jsonb;
CREATE INDEX observation_feature ON observation (((extra ->> 'feature')::bigint)) WHERE extra IS NOT NULL;
CREATE INDEX observation_moved ON observation ((extra ->> 'id')) WHERE extra IS NOT NULL;

-- Where Things are and were.
ALTER TABLE location ADD COLUMN feature_id bigint REFERENCES feature_of_interest (id) ON DELETE SET NULL;
CREATE INDEX location_feature ON location (feature_id);
CREATE TABLE thing_location (
    thing_id    int NOT NULL REFERENCES thing (id) ON DELETE CASCADE,
    location_id int NOT NULL REFERENCES location (id) ON DELETE CASCADE,
    PRIMARY KEY (thing_id, location_id)
);
CREATE INDEX thing_location_location ON thing_location (location_id);
CREATE TABLE historical_location (
    id       int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id int NOT NULL REFERENCES thing (id) ON DELETE CASCADE,
    time     timestamptz NOT NULL
);
CREATE INDEX historical_location_thing ON historical_location (thing_id, time);
CREATE TABLE historical_location_location (
    historical_location_id int NOT NULL REFERENCES historical_location (id) ON DELETE CASCADE,
    location_id            int NOT NULL REFERENCES location (id) ON DELETE CASCADE,
    PRIMARY KEY (historical_location_id, location_id)
);
CREATE INDEX historical_location_location_location ON historical_location_location (location_id);

-- A time out of JSON, NULL when it is none: a cast would fail the whole query.
CREATE FUNCTION sta_moment(text text) RETURNS timestamptz LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF text !~ '^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$' THEN
        RETURN NULL;
    END IF;
    RETURN text::timestamptz;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;

-- A Thing's place from the registry (a gateway, an operator) becomes its Location. Writes through SensorThings set
-- both themselves, and say so by tram.sta.
CREATE FUNCTION locate_thing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place    jsonb;
    at       int;
    feature  bigint;
    history  int;
BEGIN
    IF current_setting('tram.sta', true) = 'on' THEN
        RETURN NULL;
    END IF;
    DELETE FROM thing_location WHERE thing_id = NEW.id;
    IF NEW.longitude IS NULL THEN
        RETURN NULL;
    END IF;
    place := jsonb_build_object('type', 'Point', 'coordinates',
        CASE WHEN NEW.height IS NULL THEN jsonb_build_array(NEW.longitude, NEW.latitude)
             ELSE jsonb_build_array(NEW.longitude, NEW.latitude, NEW.height) END);
    INSERT INTO feature_of_interest (name, feature) VALUES (coalesce(nullif(NEW.label, ''), NEW.name), place)
    RETURNING id INTO feature;
    INSERT INTO location (name, geometry, feature_id) VALUES (coalesce(nullif(NEW.label, ''), NEW.name), place, feature)
    RETURNING id INTO at;
    INSERT INTO thing_location VALUES (NEW.id, at);
    INSERT INTO historical_location (thing_id, time) VALUES (NEW.id, now()) RETURNING id INTO history;
    INSERT INTO historical_location_location VALUES (history, at);
    RETURN NULL;
END
$$;
CREATE TRIGGER thing_placed AFTER INSERT ON thing FOR EACH ROW
    WHEN (NEW.longitude IS NOT NULL) EXECUTE FUNCTION locate_thing();
CREATE TRIGGER thing_moved AFTER UPDATE OF longitude, latitude, height ON thing FOR EACH ROW
    WHEN ((OLD.longitude, OLD.latitude, OLD.height) IS DISTINCT FROM (NEW.longitude, NEW.latitude, NEW.height))
    EXECUTE FUNCTION locate_thing();

-- The places that Things have already.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT id, longitude, latitude, height FROM thing WHERE longitude IS NOT NULL LOOP
        UPDATE thing SET longitude = NULL, latitude = NULL, height = NULL WHERE id = t.id;
        UPDATE thing SET longitude = t.longitude, latitude = t.latitude, height = t.height WHERE id = t.id;
    END LOOP;
END
$$;
