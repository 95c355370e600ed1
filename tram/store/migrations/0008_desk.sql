-- What people at a desk do with data: notes on charts, dead letters read once more, messages looked at as they come.

-- What somebody knows of a stretch of time (or a moment: ends = starts), of one Datastream or of all in an area.
CREATE TABLE annotation (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    datastream_id int REFERENCES datastream (id) ON DELETE CASCADE,
    area          text REFERENCES area (id) ON UPDATE CASCADE ON DELETE CASCADE,
    starts        timestamptz NOT NULL,
    ends          timestamptz NOT NULL,
    text          text NOT NULL CHECK (text <> ''),
    by            text NOT NULL,                      -- a principal's id
    by_name       text NOT NULL,                      -- what people call them
    created       timestamptz NOT NULL DEFAULT now(),
    changed       timestamptz NOT NULL DEFAULT now(),
    changed_by    text NOT NULL,
    CHECK ((datastream_id IS NULL) <> (area IS NULL)),
    CHECK (ends >= starts)
);
CREATE INDEX annotation_datastream ON annotation (datastream_id, starts) WHERE datastream_id IS NOT NULL;
CREATE INDEX annotation_area ON annotation (area, starts) WHERE area IS NOT NULL;

-- Dead letters that somebody asked to have read once more: docs/adr/0034-dead-letters-once-more.md.
ALTER TABLE dead_letter
    ADD COLUMN asked    timestamptz,
    ADD COLUMN asked_by text NOT NULL DEFAULT '',
    ADD COLUMN settled  timestamptz,
    ADD COLUMN outcome  text NOT NULL DEFAULT '',     -- stored, held, still-bad, cut, nothing
    ADD COLUMN stored   int NOT NULL DEFAULT 0;       -- observations that were new
CREATE INDEX dead_letter_asked ON dead_letter (id) WHERE asked IS NOT NULL AND settled IS NULL;

-- Things whose messages somebody looks at right now, and the newest of those: docs/adr/0035-messages-on-demand.md.
CREATE TABLE watch (
    thing_id int PRIMARY KEY REFERENCES thing (id) ON DELETE CASCADE,
    until    timestamptz NOT NULL,
    by       text NOT NULL
);
CREATE TABLE watched_message (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thing_id     int NOT NULL REFERENCES thing (id) ON DELETE CASCADE,
    received     timestamptz NOT NULL,
    topic        text NOT NULL,
    payload      bytea NOT NULL,                      -- its beginning
    payload_size int NOT NULL                         -- of the whole
);
CREATE INDEX watched_message_thing ON watched_message (thing_id, id);
