-- The write path: tram/store/observations.py, docs/adr/0020-write-path.md.

-- name: savepoint
SAVEPOINT tram_write

-- name: rollback
ROLLBACK TO SAVEPOINT tram_write

-- name: copy_plain
COPY observation (phenomenon_time, datastream_id, quality, result) FROM STDIN (FORMAT binary)

-- name: copy_all
COPY observation (phenomenon_time, datastream_id, quality, result, result_json, parameters) FROM STDIN (FORMAT binary)

-- name: staging
-- One a session, kept; emptied at every commit. A temporary table is not logged.
CREATE TEMPORARY TABLE IF NOT EXISTS observation_staging (
    phenomenon_time timestamptz NOT NULL,
    datastream_id   int4 NOT NULL,
    quality         int2 NOT NULL,
    result          float8,
    result_json     jsonb,
    parameters      jsonb
) ON COMMIT DELETE ROWS

-- name: staging_clear
-- Of an earlier write of the same transaction.
DELETE FROM pg_temp.observation_staging

-- name: staging_plain
COPY pg_temp.observation_staging (phenomenon_time, datastream_id, quality, result) FROM STDIN (FORMAT binary)

-- name: staging_all
COPY pg_temp.observation_staging (phenomenon_time, datastream_id, quality, result, result_json, parameters)
FROM STDIN (FORMAT binary)

-- name: insert_staged
-- In the order in which every writer inserts. Two arrays instead of rows: they are read by numpy.
WITH new AS (
    INSERT INTO observation (phenomenon_time, datastream_id, quality, result, result_json, parameters)
    SELECT phenomenon_time, datastream_id, quality, result, result_json, parameters
    FROM pg_temp.observation_staging
    ORDER BY datastream_id, phenomenon_time
    ON CONFLICT (datastream_id, phenomenon_time) DO NOTHING
    RETURNING datastream_id, phenomenon_time
)
SELECT array_agg(datastream_id), array_agg(phenomenon_time) FROM new
