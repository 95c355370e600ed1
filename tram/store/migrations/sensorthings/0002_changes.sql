-- What SensorThings tells subscribers over MQTT beside Observations: docs/sensorthings.md.

-- An entity that was made or changed and has not been published since: one row each, so never more than there are
-- entities. The publisher reads rows, publishes, and removes those whose version is still the one it read: nobody waits
-- for it, and nothing is missed.
CREATE TABLE entity_change (
    entity  text NOT NULL,
    id      bigint NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created bool NOT NULL,
    columns text[] NOT NULL,                          -- that changed
    PRIMARY KEY (entity, id)
);

-- Topics with $select that somebody has subscribed to, as the broker said.
CREATE TABLE sta_topic (
    topic text PRIMARY KEY CHECK (length(topic) <= 1024),
    seen  timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION note_change(entity text, id bigint, created bool, columns text[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO entity_change AS c (entity, id, created, columns) VALUES ($1, $2, $3, $4)
    ON CONFLICT ON CONSTRAINT entity_change_pkey DO UPDATE SET
        version = c.version + 1,
        created = c.created OR excluded.created,
        columns = ARRAY(SELECT DISTINCT unnest(c.columns || excluded.columns) ORDER BY 1)
$$;

CREATE FUNCTION note_entity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_change(TG_ARGV[0], NEW.id, true, '{}');
        RETURN NULL;
    END IF;
    SELECT array_agg(n.key ORDER BY n.key) INTO changed
    FROM jsonb_each(to_jsonb(NEW)) n JOIN jsonb_each(to_jsonb(OLD)) o ON o.key = n.key AND o.value <> n.value;
    IF changed IS NOT NULL THEN
        PERFORM note_change(TG_ARGV[0], NEW.id, false, changed);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER thing_noted AFTER INSERT OR UPDATE OF name, label, description, status, properties ON thing
    FOR EACH ROW EXECUTE FUNCTION note_entity('Thing');
CREATE TRIGGER location_noted AFTER INSERT OR UPDATE ON location
    FOR EACH ROW EXECUTE FUNCTION note_entity('Location');
CREATE TRIGGER historical_location_noted AFTER INSERT OR UPDATE ON historical_location
    FOR EACH ROW EXECUTE FUNCTION note_entity('HistoricalLocation');
CREATE TRIGGER datastream_noted AFTER INSERT OR UPDATE ON datastream
    FOR EACH ROW EXECUTE FUNCTION note_entity('Datastream');
CREATE TRIGGER sensor_noted AFTER INSERT OR UPDATE ON sensor
    FOR EACH ROW EXECUTE FUNCTION note_entity('Sensor');
CREATE TRIGGER observed_property_noted AFTER INSERT OR UPDATE ON observed_property
    FOR EACH ROW EXECUTE FUNCTION note_entity('ObservedProperty');
CREATE TRIGGER feature_of_interest_noted AFTER INSERT OR UPDATE ON feature_of_interest
    FOR EACH ROW EXECUTE FUNCTION note_entity('FeatureOfInterest');

-- A Location that is there already and becomes a Thing's is new in that Thing's Locations.
CREATE FUNCTION note_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_change('Location', NEW.location_id, false, '{thing}');
    RETURN NULL;
END
$$;
CREATE TRIGGER thing_location_noted AFTER INSERT ON thing_location FOR EACH ROW EXECUTE FUNCTION note_place();
