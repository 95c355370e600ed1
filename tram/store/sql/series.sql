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
