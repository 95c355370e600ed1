-- Who belongs to which consult. What is said of the patient stands behind the wall (clinical.record); nothing here names
-- an illness or a patient.

CREATE TABLE consult (
    id        text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{8,64}$'),
    record    uuid NOT NULL UNIQUE REFERENCES clinical.record (id),
    station   text NOT NULL CHECK (station <> ''),     -- facility that asks
    hospital  text NOT NULL CHECK (hospital <> ''),    -- facility that is asked
    requested timestamptz NOT NULL DEFAULT now(),
    closed    timestamptz
);
CREATE INDEX consult_open ON consult (requested) WHERE closed IS NULL;

-- Who may take which seat of it. `until`: an emergency's access runs out, an assignment does not.
CREATE TABLE consult_person (
    consult text NOT NULL REFERENCES consult (id) ON DELETE CASCADE,
    account int NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    seat    text NOT NULL CHECK (seat IN ('station', 'doctor', 'specialist', 'interpreter', 'observer')),
    by      text NOT NULL,
    since   timestamptz NOT NULL DEFAULT now(),
    until   timestamptz CHECK (until > since),
    PRIMARY KEY (consult, account)
);
CREATE INDEX consult_person_account ON consult_person (account);

-- Telehealth remembers who belongs to the consults that are open in it, and the keys that join tokens are signed with.
CREATE FUNCTION notify_consult() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    PERFORM pg_notify('tram_identity', CASE
        WHEN TG_TABLE_NAME = 'signing_key' THEN 'keys:'
        WHEN TG_TABLE_NAME = 'consult' THEN 'consult:' || (changed->>'id')
        ELSE 'consult:' || (changed->>'consult') END);
    RETURN NULL;
END
$$;
CREATE TRIGGER consult_changed AFTER UPDATE OR DELETE ON consult FOR EACH ROW EXECUTE FUNCTION notify_consult();
CREATE TRIGGER consult_person_changed AFTER INSERT OR UPDATE OR DELETE ON consult_person
    FOR EACH ROW EXECUTE FUNCTION notify_consult();
CREATE TRIGGER signing_key_changed AFTER INSERT OR UPDATE OR DELETE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION notify_consult();
