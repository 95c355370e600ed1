-- The write path: tram/store/observations.py, docs/adr/0020-write-path.md.

-- name: savepoint
SAVEPOINT tram_write

-- name: rollback
ROLLBACK TO SAVEPOINT tram_write

-- name: copy_plain
COPY observation (phenomenon_time, datastream_id, quality, result) FROM STDIN (FORMAT binary)

-- name: copy_all
COPY observation (phenomenon_time, datastream_id, quality, result, result_json, parameters, extra) FROM STDIN (FORMAT binary)

-- name: staging
-- One a session, kept; emptied at every commit. A temporary table is not logged.
CREATE TEMPORARY TABLE IF NOT EXISTS observation_staging (
    phenomenon_time timestamptz NOT NULL,
    datastream_id   int4 NOT NULL,
    quality         int2 NOT NULL,
    result          float8,
    result_json     jsonb,
    parameters      jsonb,
    extra           jsonb
) ON COMMIT DELETE ROWS

-- name: staging_clear
-- Of an earlier write of the same transaction.
DELETE FROM pg_temp.observation_staging

-- name: staging_plain
COPY pg_temp.observation_staging (phenomenon_time, datastream_id, quality, result) FROM STDIN (FORMAT binary)

-- name: staging_all
COPY pg_temp.observation_staging (phenomenon_time, datastream_id, quality, result, result_json, parameters, extra)
FROM STDIN (FORMAT binary)

-- name: insert_staged
-- In the order in which every writer inserts. Two arrays instead of rows: they are read by numpy.
WITH new AS (
    INSERT INTO observation (phenomenon_time, datastream_id, quality, result, result_json, parameters, extra)
    SELECT phenomenon_time, datastream_id, quality, result, result_json, parameters, extra
    FROM pg_temp.observation_staging
    ORDER BY datastream_id, phenomenon_time
    ON CONFLICT (datastream_id, phenomenon_time) DO NOTHING
    RETURNING datastream_id, phenomenon_time
)
SELECT array_agg(datastream_id), array_agg(phenomenon_time) FROM new

-- name: index_only
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)

-- name: index_only_no_more
SELECT set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)

-- name: lock_staged
-- In one order for all who change rows, so that they wait for each other and never deadlock.
SELECT FROM observation o
JOIN pg_temp.observation_staging s
  ON o.datastream_id = s.datastream_id AND o.phenomenon_time = s.phenomenon_time
WHERE o.phenomenon_time BETWEEN %s AND %s
ORDER BY s.datastream_id, s.phenomenon_time
FOR UPDATE OF o

-- name: correct_staged
WITH changed AS (
    UPDATE observation o
    SET quality = s.quality, result = s.result, result_json = s.result_json, parameters = s.parameters,
        extra = s.extra
    FROM pg_temp.observation_staging s
    WHERE o.datastream_id = s.datastream_id AND o.phenomenon_time = s.phenomenon_time
      AND o.phenomenon_time BETWEEN %s AND %s
    RETURNING o.datastream_id, o.phenomenon_time
)
SELECT array_agg(datastream_id), array_agg(phenomenon_time) FROM changed

-- name: put_staged
-- In the order in which every writer inserts. Names the rows that were there: what was inserted has no xmax, what was
-- updated has that of the lock that was taken on it.
WITH put AS (
    INSERT INTO observation AS o (phenomenon_time, datastream_id, quality, result, result_json, parameters, extra)
    SELECT phenomenon_time, datastream_id, quality, result, result_json, parameters, extra
    FROM pg_temp.observation_staging
    ORDER BY datastream_id, phenomenon_time
    ON CONFLICT (datastream_id, phenomenon_time) DO UPDATE
    SET quality = excluded.quality | %s::int2, result = excluded.result, result_json = excluded.result_json,
        parameters = excluded.parameters, extra = excluded.extra
    RETURNING o.datastream_id, o.phenomenon_time, o.xmax <> 0 AS there
)
SELECT array_agg(datastream_id), array_agg(phenomenon_time) FROM put WHERE there

-- name: delete_staged
DELETE FROM observation o
USING pg_temp.observation_staging s
WHERE o.datastream_id = s.datastream_id AND o.phenomenon_time = s.phenomenon_time
  AND o.phenomenon_time BETWEEN %s AND %s
RETURNING o.datastream_id, (extract(epoch FROM o.phenomenon_time) * 1000000)::bigint, o.quality,
          coalesce(o.result, 'NaN'), o.result_json::text, o.parameters::text, o.extra::text

-- name: interval_cut
-- The time after so many rows of the interval; none when it has no more than that.
SELECT phenomenon_time
FROM observation
WHERE datastream_id = %(datastream)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
ORDER BY phenomenon_time
OFFSET %(rows)s LIMIT 1

-- name: delete_interval
DELETE FROM observation
WHERE datastream_id = %(datastream)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
RETURNING datastream_id, (extract(epoch FROM phenomenon_time) * 1000000)::bigint, quality,
          coalesce(result, 'NaN'), result_json::text, parameters::text, extra::text
