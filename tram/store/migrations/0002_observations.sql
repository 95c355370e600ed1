-- Observations and the committed stream: docs/store.md.

-- hypertable: observation by phenomenon_time
-- The order of the columns leaves no padding but two bytes. No foreign key: it would cost more than the row.
-- Of the indexes the unique one is all there is: it is what makes a replay harmless, and it answers every query by
-- Datastream; another would cost as much as the row again.
CREATE TABLE observation (
    phenomenon_time timestamptz NOT NULL,
    datastream_id   int4 NOT NULL,
    quality         int2 NOT NULL,                    -- bits: tram/quality.py
    result          float8,                           -- NULL: no number; then result_json has the value
    result_json     jsonb,
    parameters      jsonb
);
CREATE UNIQUE INDEX observation_key ON observation (datastream_id, phenomenon_time);

-- The committed stream. One row a stored batch; its columns packed as in tram/store/batch.py.
CREATE SEQUENCE committed_seq AS bigint;

-- A ring of partitions: the writers fill the one that committed_ring names; the worker moves them on and truncates those
-- whose rows are all older than the stream is kept (tram.store.committed.trim). Should nobody trim, it only grows.
CREATE TABLE committed (
    seq   bigint NOT NULL,
    at    timestamptz NOT NULL,
    slot  int2 NOT NULL,
    op    int2 NOT NULL,                              -- 0 insert, 1 correct, 2 delete
    n     int4 NOT NULL,
    batch bytea NOT NULL
) PARTITION BY LIST (slot);
-- Numbers do not compress well enough to pay for the CPU.
ALTER TABLE committed ALTER COLUMN batch SET STORAGE EXTERNAL;
CREATE TABLE committed_0 PARTITION OF committed FOR VALUES IN (0);
CREATE TABLE committed_1 PARTITION OF committed FOR VALUES IN (1);
CREATE TABLE committed_2 PARTITION OF committed FOR VALUES IN (2);
CREATE TABLE committed_3 PARTITION OF committed FOR VALUES IN (3);
CREATE TABLE committed_4 PARTITION OF committed FOR VALUES IN (4);
CREATE TABLE committed_5 PARTITION OF committed FOR VALUES IN (5);
CREATE INDEX committed_by_seq ON committed (seq);
CREATE INDEX committed_by_time ON committed (at);   -- one entry a batch: what was stored in the last minute

-- One row. `trimmed` is the largest seq that is gone: a reader whose position is smaller has fallen behind.
CREATE TABLE committed_ring (
    one     bool PRIMARY KEY DEFAULT true CHECK (one),
    slot    int2 NOT NULL,
    since   timestamptz NOT NULL,
    trimmed bigint NOT NULL
);
INSERT INTO committed_ring (slot, since, trimmed) VALUES (0, now(), 0);

-- How far each reader has read.
CREATE TABLE committed_position (
    reader text PRIMARY KEY CHECK (reader <> ''),
    seq    bigint NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Appends one batch. The lock is held to the end of the transaction, and released only after its commit is visible; so
-- seq, taken under it, rises in the order of commit, and a reader never steps over a smaller one
-- (docs/adr/0021-committed-stream-order.md). 0x7472616d is "tram".
CREATE FUNCTION committed_append(op int2, n int4, batch bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(x'7472616d'::int, 1);
    number := nextval('committed_seq');
    INSERT INTO committed SELECT number, clock_timestamp(), slot, op, n, batch FROM committed_ring;
    PERFORM pg_notify('tram_committed', number::text);
    RETURN number;
END
$$;
