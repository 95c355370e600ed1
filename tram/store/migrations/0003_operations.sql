-- What could not be stored, what waits, and who runs.

CREATE TABLE dead_letter (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    received     timestamptz NOT NULL,
    topic        text NOT NULL,
    username     text NOT NULL,
    reason       text NOT NULL,                       -- a stable code
    detail       text NOT NULL,
    payload      bytea NOT NULL,                      -- its beginning
    payload_size int NOT NULL                         -- of the whole
);
CREATE INDEX dead_letter_reason ON dead_letter (reason, id);

-- What was given up because a limit was reached.
CREATE TABLE dropped (
    what text PRIMARY KEY,
    n    bigint NOT NULL
);

-- Messages of Things that wait to be accepted, as they were received.
CREATE TABLE pending_message (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id int NOT NULL REFERENCES thing (id) ON DELETE CASCADE,
    topic    text NOT NULL,
    username text NOT NULL,
    received timestamptz NOT NULL,
    payload  bytea NOT NULL
);
CREATE INDEX pending_message_thing ON pending_message (thing_id, id);

-- Logged, so that it is still true after a crash of the database; a row is updated in place.
CREATE TABLE process (
    name    text NOT NULL,
    host    text NOT NULL,
    pid     int NOT NULL,
    version text NOT NULL,
    state   text NOT NULL CHECK (state IN ('starting', 'ready', 'degraded', 'stopping', 'stopped')),
    started timestamptz NOT NULL,
    seen    timestamptz NOT NULL DEFAULT clock_timestamp(),
    detail  jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (name, host, pid)
) WITH (fillfactor = 50);
