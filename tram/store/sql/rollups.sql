-- Rollups: tram/store/rollups.py. {table} is one of rollup_1m, rollup_1h, rollup_1d.

-- name: state
SELECT utc_offset FROM rollup_state

-- name: set_state
INSERT INTO rollup_state (utc_offset) VALUES (%s) ON CONFLICT (one) DO UPDATE SET utc_offset = excluded.utc_offset

-- name: stream_is_whole
-- Nothing has been trimmed from the stream yet, and the store has no row that is not in it.
SELECT trimmed = 0 AND (EXISTS (SELECT FROM committed) OR NOT EXISTS (SELECT FROM observation)) FROM committed_ring

-- name: staging
CREATE TEMPORARY TABLE IF NOT EXISTS rollup_staging (LIKE rollup_1h) ON COMMIT DELETE ROWS

-- name: staging_clear
DELETE FROM pg_temp.rollup_staging

-- name: staging_copy
COPY pg_temp.rollup_staging
    (datastream_id, bucket, n, good, sum, sum_low, min, max, first, last, first_time, last_time)
FROM STDIN (FORMAT binary)

-- name: merge
-- The sum is tram.store.aggregate.add written out: s = a + b, back = s - a, rest = ((a - (s - back)) + (b - back)) + lows;
-- high = s + rest, low = rest - (high - s). PostgreSQL's float8 is IEEE 754 double, as numpy's.
INSERT INTO {table} AS r
    (datastream_id, bucket, n, good, sum, sum_low, min, max, first, last, first_time, last_time)
SELECT datastream_id, bucket, n, good, sum, sum_low, min, max, first, last, first_time, last_time
FROM pg_temp.rollup_staging
ORDER BY datastream_id, bucket
ON CONFLICT (datastream_id, bucket) DO UPDATE SET
    n          = r.n + excluded.n,
    good       = r.good + excluded.good,
    sum        = (r.sum + excluded.sum)
                 + (((r.sum - ((r.sum + excluded.sum) - ((r.sum + excluded.sum) - r.sum)))
                     + (excluded.sum - ((r.sum + excluded.sum) - r.sum)))
                    + (r.sum_low + excluded.sum_low)),
    sum_low    = (((r.sum - ((r.sum + excluded.sum) - ((r.sum + excluded.sum) - r.sum)))
                   + (excluded.sum - ((r.sum + excluded.sum) - r.sum)))
                  + (r.sum_low + excluded.sum_low))
                 - (((r.sum + excluded.sum)
                     + (((r.sum - ((r.sum + excluded.sum) - ((r.sum + excluded.sum) - r.sum)))
                         + (excluded.sum - ((r.sum + excluded.sum) - r.sum)))
                        + (r.sum_low + excluded.sum_low)))
                    - (r.sum + excluded.sum)),
    min        = least(r.min, excluded.min),
    max        = greatest(r.max, excluded.max),
    first      = CASE WHEN excluded.first_time < r.first_time THEN excluded.first ELSE r.first END,
    last       = CASE WHEN excluded.last_time > r.last_time THEN excluded.last ELSE r.last END,
    first_time = least(r.first_time, excluded.first_time),
    last_time  = greatest(r.last_time, excluded.last_time)

-- name: remove
DELETE FROM {table} r
USING unnest(%(ids)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS span (id, first, last)
WHERE r.datastream_id = span.id AND r.bucket >= span.first AND r.bucket <= span.last

-- name: raw_of
-- The numbers of some spans and, as a first row, the last seq that this same snapshot has.
COPY (
    SELECT 0::int4, (greatest((SELECT max(seq) FROM committed), (SELECT trimmed FROM committed_ring)))::int8, 0::int2, 0::float8
    UNION ALL
    SELECT o.datastream_id, (extract(epoch FROM o.phenomenon_time) * 1000000)::int8, o.quality, o.result
    FROM unnest(%(ids)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS span (id, first, last)
    CROSS JOIN LATERAL (
        SELECT datastream_id, phenomenon_time, quality, result
        FROM observation
        WHERE datastream_id = span.id AND phenomenon_time >= span.first AND phenomenon_time <= span.last
          AND result IS NOT NULL
        OFFSET 0
    ) AS o
) TO STDOUT (FORMAT binary)

-- name: buckets_of
COPY (
    SELECT r.datastream_id, r.bucket, r.n, r.good, r.sum, r.sum_low, r.min, r.max, r.first, r.last, r.first_time, r.last_time
    FROM unnest(%(ids)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS span (id, first, last)
    CROSS JOIN LATERAL (
        SELECT * FROM {table} WHERE datastream_id = span.id AND bucket >= span.first AND bucket <= span.last OFFSET 0
    ) AS r
) TO STDOUT (FORMAT binary)

-- name: ahead
COPY (SELECT datastream_id, bucket, seq FROM rollup_ahead WHERE isfinite(bucket)) TO STDOUT (FORMAT binary)

-- name: latest_ahead
SELECT datastream_id, seq FROM rollup_ahead WHERE bucket = '-infinity'

-- name: note_ahead
INSERT INTO rollup_ahead (datastream_id, bucket, seq)
SELECT id, bucket, %(seq)s FROM unnest(%(ids)s::int[], %(buckets)s::timestamptz[]) AS marked (id, bucket)
ON CONFLICT (datastream_id, bucket) DO UPDATE SET seq = excluded.seq

-- name: forget_ahead
DELETE FROM rollup_ahead WHERE seq <= %s

-- name: ids
SELECT datastream_id FROM (
    SELECT id AS datastream_id FROM datastream UNION SELECT datastream_id FROM latest UNION SELECT datastream_id FROM rollup_1d
) AS known ORDER BY 1

-- name: merge_latest
INSERT INTO latest AS l (datastream_id, first_time, last_time, quality, result, result_json)
SELECT id, first, last, quality, nullif(result, 'NaN'), result_json::jsonb
FROM unnest(%(ids)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[], %(quality)s::int2[],
            %(results)s::float8[], %(jsons)s::text[]) AS new (id, first, last, quality, result, result_json)
ORDER BY id
ON CONFLICT (datastream_id) DO UPDATE SET
    first_time  = least(l.first_time, excluded.first_time),
    last_time   = greatest(l.last_time, excluded.last_time),
    quality     = CASE WHEN excluded.last_time > l.last_time THEN excluded.quality ELSE l.quality END,
    result      = CASE WHEN excluded.last_time > l.last_time THEN excluded.result ELSE l.result END,
    result_json = CASE WHEN excluded.last_time > l.last_time THEN excluded.result_json ELSE l.result_json END

-- name: forget_latest
DELETE FROM latest WHERE datastream_id = ANY(%s::int[])

-- name: renew_latest
-- From `observation`; answers the last seq that the same snapshot has.
WITH added AS (
    INSERT INTO latest (datastream_id, first_time, last_time, quality, result, result_json)
    SELECT id, f.phenomenon_time, l.phenomenon_time, l.quality, l.result, l.result_json
    FROM unnest(%s::int[]) AS id
    CROSS JOIN LATERAL (
        SELECT phenomenon_time FROM observation WHERE datastream_id = id ORDER BY phenomenon_time LIMIT 1
    ) AS f
    CROSS JOIN LATERAL (
        SELECT phenomenon_time, quality, result, result_json
        FROM observation WHERE datastream_id = id ORDER BY phenomenon_time DESC LIMIT 1
    ) AS l
)
SELECT greatest((SELECT max(seq) FROM committed), (SELECT trimmed FROM committed_ring))

-- name: page_of
-- The next numbers of one Datastream, in order of time.
COPY (
    SELECT datastream_id, (extract(epoch FROM phenomenon_time) * 1000000)::int8, quality, result
    FROM observation
    WHERE datastream_id = %(id)s AND phenomenon_time >= %(start)s AND result IS NOT NULL
    ORDER BY phenomenon_time
    LIMIT %(limit)s
) TO STDOUT (FORMAT binary)

-- name: clear_since
DELETE FROM {table} WHERE datastream_id = %s AND bucket >= %s

-- name: clear_ahead
DELETE FROM rollup_ahead
