-- Rollups and latest values, kept by tram.store.rollups from the committed stream: docs/store.md, docs/adr/0110-rollups.md.

-- One row a bucket that holds a number. `sum` + `sum_low` is the sum in double-double (tram/store/aggregate.py), so that it does not
-- depend on the order of arrival. NaN there: it has none. Rows are updated in place (HOT) while their bucket fills.
-- hypertable: rollup_1m by bucket
CREATE TABLE rollup_1m (
    bucket        timestamptz NOT NULL,               -- its start
    first_time    timestamptz NOT NULL,
    last_time     timestamptz NOT NULL,
    sum           float8 NOT NULL,
    sum_low       float8 NOT NULL,
    min           float8 NOT NULL,
    max           float8 NOT NULL,
    first         float8 NOT NULL,
    last          float8 NOT NULL,
    datastream_id int4 NOT NULL,
    n             int4 NOT NULL,
    good          int4 NOT NULL                       -- of the n: quality says nothing against them
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX rollup_1m_key ON rollup_1m (datastream_id, bucket);

-- Few enough rows for one table.
CREATE TABLE rollup_1h (LIKE rollup_1m INCLUDING STORAGE) WITH (fillfactor = 80);
CREATE UNIQUE INDEX rollup_1h_key ON rollup_1h (datastream_id, bucket);
CREATE TABLE rollup_1d (LIKE rollup_1m INCLUDING STORAGE) WITH (fillfactor = 80);
CREATE UNIQUE INDEX rollup_1d_key ON rollup_1d (datastream_id, bucket);

-- Buckets that were computed anew from `observation`, which was ahead of the reader's position: they hold everything up to `seq`,
-- so that what comes up to there is not added again. Rows go when the position has passed them. The bucket -infinity stands
-- for the Datastream's row in `latest`.
CREATE TABLE rollup_ahead (
    datastream_id int4 NOT NULL,
    bucket        timestamptz NOT NULL,
    seq           bigint NOT NULL,
    PRIMARY KEY (datastream_id, bucket)
);

-- One row: for which days `rollup_1d` was computed.
CREATE TABLE rollup_state (
    one        bool PRIMARY KEY DEFAULT true CHECK (one),
    utc_offset int2 NOT NULL                          -- hours
);

-- First and last phenomenonTime of every Datastream, and its value then.
CREATE TABLE latest (
    datastream_id int4 PRIMARY KEY,
    quality       int2 NOT NULL,
    first_time    timestamptz NOT NULL,
    last_time     timestamptz NOT NULL,
    result        float8,
    result_json   jsonb
) WITH (fillfactor = 50);
