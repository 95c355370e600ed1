-- What was observed: tram/store/series.py. `edition` differences are not here: these run alike on all.

-- name: latest
-- One descent of the unique index a Datastream (27 ms for 5,000 Datastreams of 20 M rows).
SELECT d.id, t.name, t.label, p.name, d.unit, o.phenomenon_time, o.result, o.result_json, o.quality
FROM datastream d
JOIN thing t ON t.id = d.thing_id AND t.status = 'active'
JOIN observed_property p ON p.id = d.observed_property_id
CROSS JOIN LATERAL (
    SELECT phenomenon_time, result, result_json, quality
    FROM observation
    WHERE datastream_id = d.id
    ORDER BY phenomenon_time DESC
    LIMIT 1
) AS o
WHERE d.id > %(after)s AND (%(thing)s::int IS NULL OR d.thing_id = %(thing)s)
ORDER BY d.id
LIMIT %(limit)s

-- name: latest_at
-- As `latest`, as it was at a moment.
SELECT d.id, t.name, t.label, p.name, d.unit, o.phenomenon_time, o.result, o.result_json, o.quality
FROM datastream d
JOIN thing t ON t.id = d.thing_id AND t.status = 'active'
JOIN observed_property p ON p.id = d.observed_property_id
CROSS JOIN LATERAL (
    SELECT phenomenon_time, result, result_json, quality
    FROM observation
    WHERE datastream_id = d.id AND phenomenon_time <= %(at)s
    ORDER BY phenomenon_time DESC
    LIMIT 1
) AS o
WHERE d.id > %(after)s
ORDER BY d.id
LIMIT %(limit)s

-- name: newest_batches
-- The last inserted batches, as many as hold %(limit)s rows.
SELECT batch
FROM (
    SELECT seq, batch, sum(n) OVER (ORDER BY seq DESC) - n AS before
    FROM (SELECT seq, n, batch FROM committed WHERE op = 0 ORDER BY seq DESC LIMIT %(limit)s) AS few
) AS summed
WHERE before < %(limit)s
ORDER BY seq DESC

-- name: names
SELECT d.id, t.name, t.label, p.name, d.unit
FROM datastream d
JOIN thing t ON t.id = d.thing_id AND t.status = 'active'
JOIN observed_property p ON p.id = d.observed_property_id
WHERE d.id = ANY(%s::int[])

-- name: forwards
SELECT phenomenon_time, result, quality, result_json, parameters
FROM observation
WHERE datastream_id = %(datastream)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
ORDER BY phenomenon_time
LIMIT %(limit)s

-- name: backwards
SELECT phenomenon_time, result, quality, result_json, parameters
FROM observation
WHERE datastream_id = %(datastream)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
ORDER BY phenomenon_time DESC
LIMIT %(limit)s

-- name: counts
SELECT (SELECT count(*) FROM thing WHERE status = 'active'),
       (SELECT count(*) FROM thing WHERE status = 'pending'),
       (SELECT count(*) FROM datastream),
       (SELECT coalesce(sum(n), 0) FROM committed WHERE op = 0 AND at > clock_timestamp() - interval '1 minute'),
       (SELECT count(*) FROM dead_letter)

-- name: tail_size
-- (the rollups' position or NULL, the last seq that is gone, rows after the position)
SELECT p.seq, r.trimmed, (SELECT coalesce(sum(n), 0) FROM committed WHERE seq > coalesce(p.seq, 9223372036854775807))::bigint
FROM committed_ring r
LEFT JOIN committed_position p ON p.reader = %(reader)s

-- name: tail
SELECT seq, at, op, batch FROM committed WHERE seq > %(position)s ORDER BY seq

-- name: latest_kept
-- From the table; with the rows of %(ids)s also where that has none. The last column: how far the table is.
SELECT d.id, t.name, t.label, p.name, d.unit, l.last_time, l.result, l.result_json, l.quality,
       (SELECT seq FROM committed_position WHERE reader = 'rollup')
FROM datastream d
JOIN thing t ON t.id = d.thing_id AND t.status = 'active'
JOIN observed_property p ON p.id = d.observed_property_id
LEFT JOIN latest l ON l.datastream_id = d.id
WHERE d.id > %(after)s AND (%(thing)s::int IS NULL OR d.thing_id = %(thing)s)
  AND (l.datastream_id IS NOT NULL OR d.id = ANY(%(ids)s::int[]))
ORDER BY d.id
LIMIT %(limit)s

-- name: latest_of
-- From `observation` itself.
SELECT id, o.phenomenon_time, o.result, o.result_json, o.quality
FROM unnest(%s::int[]) AS id
CROSS JOIN LATERAL (
    SELECT phenomenon_time, result, result_json, quality
    FROM observation
    WHERE datastream_id = id
    ORDER BY phenomenon_time DESC
    LIMIT 1
) AS o

-- name: extents_kept
SELECT array_agg(datastream_id), array_agg(first_time), array_agg(last_time)
FROM latest
WHERE %(ids)s::int[] IS NULL OR datastream_id = ANY(%(ids)s::int[])

-- name: extents_of
-- From `observation` itself.
SELECT array_agg(id), array_agg(f.phenomenon_time), array_agg(l.phenomenon_time)
FROM unnest(%(ids)s::int[]) AS id
CROSS JOIN LATERAL (
    SELECT phenomenon_time FROM observation WHERE datastream_id = id ORDER BY phenomenon_time LIMIT 1
) AS f
CROSS JOIN LATERAL (
    SELECT phenomenon_time FROM observation WHERE datastream_id = id ORDER BY phenomenon_time DESC LIMIT 1
) AS l

-- name: count_estimate
-- Numbers in a span by the hours, or days, that begin in it.
SELECT coalesce(sum(n), 0)::bigint
FROM {table}
WHERE datastream_id = %(id)s AND bucket >= %(start)s AND bucket <= %(last)s

-- name: numbers
COPY (
    SELECT (extract(epoch FROM phenomenon_time) * 1000000)::int8, quality, result
    FROM observation
    WHERE datastream_id = %(id)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s AND result IS NOT NULL
    ORDER BY phenomenon_time
    LIMIT %(limit)s
) TO STDOUT (FORMAT binary)

-- name: buckets
COPY (
    SELECT datastream_id, bucket, n, good, sum, sum_low, min, max, first, last, first_time, last_time
    FROM {table}
    WHERE datastream_id = %(id)s AND bucket >= %(start)s AND bucket <= %(last)s
    ORDER BY bucket
    LIMIT %(limit)s
) TO STDOUT (FORMAT binary)

-- name: position_and_ahead
-- How far the rollups are, and which of a Datastream's minutes hold more than that.
SELECT (SELECT seq FROM committed_position WHERE reader = 'rollup'),
       (SELECT array_agg((extract(epoch FROM bucket) * 1000000)::bigint) FROM rollup_ahead
        WHERE datastream_id = %(id)s AND isfinite(bucket)),
       (SELECT array_agg(seq) FROM rollup_ahead WHERE datastream_id = %(id)s AND isfinite(bucket))

-- name: datastream_ids
SELECT id FROM datastream ORDER BY id
