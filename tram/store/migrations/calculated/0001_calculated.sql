-- Calculated Datastreams: docs/calculated.md, tram/store/calculated.py.

-- One definition writes one Datastream, and is the only one that does.
CREATE TABLE calculated (
    id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label        text NOT NULL DEFAULT '' CHECK (length(label) <= 200),
    expression   text NOT NULL CHECK (length(expression) <= 2000),
    output_id    int UNIQUE REFERENCES datastream (id) ON DELETE SET NULL,
    max_age      bigint NOT NULL CHECK (max_age > 0),   -- microseconds after which a newest value counts no more
    enabled      boolean NOT NULL DEFAULT true,
    created_by   text NOT NULL,
    created      timestamptz NOT NULL DEFAULT now(),
    changed      timestamptz NOT NULL DEFAULT now(),
    fault        text NOT NULL DEFAULT '',              -- why nothing is computed; '': nothing is wrong
    fault_at     timestamptz,
    computed_at  timestamptz,                           -- when a value was last computed
    written      bigint NOT NULL DEFAULT 0,             -- values added, changed or removed
    undefined    bigint NOT NULL DEFAULT 0,             -- values that came out as no number (a division by zero, …)
    undefined_at timestamptz                            -- phenomenonTime of the newest of them
);

-- What it is computed from. A Datastream that is deleted leaves its name here: that is the fault that shows.
CREATE TABLE calculated_input (
    calculated_id int NOT NULL REFERENCES calculated (id) ON DELETE CASCADE,
    name          text NOT NULL,
    datastream_id int REFERENCES datastream (id) ON DELETE SET NULL,
    was           text NOT NULL,                        -- thing / property, for when it is gone
    reach         bigint NOT NULL,                      -- microseconds that it is looked back at
    triggers      boolean NOT NULL,                     -- whether each of its values makes one of the result
    PRIMARY KEY (calculated_id, name)
);
CREATE INDEX calculated_input_datastream ON calculated_input (datastream_id);

-- Spans of time whose values are to be computed anew: written in the transaction that moves the reader of the committed
-- stream, taken away in the one that stores the values. Microseconds since 1970, both ends belong to it.
CREATE TABLE calculated_mark (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    calculated_id int NOT NULL REFERENCES calculated (id) ON DELETE CASCADE,
    first         bigint NOT NULL,
    last          bigint NOT NULL,
    CHECK (first <= last)
) WITH (fillfactor = 50);
CREATE INDEX calculated_mark_of ON calculated_mark (calculated_id);
