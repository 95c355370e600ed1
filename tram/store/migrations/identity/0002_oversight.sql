-- What happened: the audit (who did what, never changed) and events (what is no number over time).

-- hypertable: event by at
CREATE TABLE event (
    at       timestamptz NOT NULL,
    kind     text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9-]*$'),      -- `security`; others as services come: `plate`, …
    code     text NOT NULL CHECK (code ~ '^[a-z][a-z0-9.-]*$'),     -- of the kind's catalogue (tram.identity.events)
    severity text NOT NULL CHECK (severity IN ('info', 'notice', 'warning', 'alert')),
    subject  text NOT NULL DEFAULT '',                 -- who or what it is about: `p:12`, `d:air-07`
    origin   text NOT NULL DEFAULT '',                 -- where from: an address, a topic
    thing_id int,
    area     text,
    detail   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX event_kind ON event (kind, at DESC);
CREATE INDEX event_code ON event (code, at DESC);
CREATE INDEX event_subject ON event (subject, at DESC) WHERE subject <> '';

-- The audit: hash-chained (tram.identity.chain), so written in one order by one function (tram.store.audit). Rows are never changed.
CREATE TABLE audit (
    seq        bigint PRIMARY KEY CHECK (seq > 0),
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    actor_name text NOT NULL,
    operation  text NOT NULL,
    target     text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('allowed', 'refused', 'failed')),
    why        text NOT NULL,
    origin     text NOT NULL,
    detail     json NOT NULL,                          -- json, not jsonb: the very text that was hashed
    previous   bytea NOT NULL CHECK (length(previous) = 32),
    hash       bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_operation ON audit (operation, seq);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
-- Also where somebody replays changes as a replica, which skips ordinary triggers.
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_change;
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_no_truncate;
REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM PUBLIC;
