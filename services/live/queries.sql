-- What a live hub reads: services/live/feed.py.

-- name: things
-- Active Things with their Datastreams, by id: all, or those of %(names)s.
SELECT t.id, t.name, t.label, t.kind, t.area, t.longitude, t.latitude, t.public,
       coalesce(s.ids, '{}'), coalesce(s.properties, '{}'), coalesce(s.units, '{}')
FROM thing t
LEFT JOIN LATERAL (
    SELECT array_agg(d.id ORDER BY d.id) AS ids, array_agg(p.name ORDER BY d.id) AS properties,
           array_agg(d.unit ORDER BY d.id) AS units
    FROM datastream d
    JOIN observed_property p ON p.id = d.observed_property_id
    WHERE d.thing_id = t.id
) AS s ON true
WHERE t.status = 'active' AND t.id > %(after)s AND (%(names)s::text[] IS NULL OR t.name = ANY(%(names)s))
ORDER BY t.id
LIMIT %(limit)s

-- name: names_of
-- The Things of these Datastreams.
SELECT DISTINCT t.name FROM datastream d JOIN thing t ON t.id = d.thing_id WHERE d.id = ANY(%s::int[])

-- name: stream_end
SELECT greatest((SELECT max(seq) FROM committed), (SELECT trimmed FROM committed_ring))

-- name: stream_before
-- The last batches up to a seq, newest first, as many as hold %(rows)s rows.
SELECT seq, batch
FROM (
    SELECT seq, batch, sum(n) OVER (ORDER BY seq DESC) AS upto
    FROM (SELECT seq, n, batch FROM committed WHERE seq <= %(seq)s ORDER BY seq DESC LIMIT %(batches)s) AS few
) AS summed
WHERE upto <= %(rows)s
ORDER BY seq DESC

-- name: stream_next
-- In order; stops after the batch with which the rows reach %(rows)s.
SELECT seq, op, batch
FROM (
    SELECT seq, op, batch, sum(n) OVER (ORDER BY seq) - n AS before
    FROM (SELECT seq, op, n, batch FROM committed WHERE seq > %(seq)s ORDER BY seq LIMIT %(batches)s) AS few
) AS summed
WHERE before < %(rows)s OR before = 0
ORDER BY seq

-- name: trimmed
SELECT trimmed FROM committed_ring

-- name: latest_of
-- What stands there now, from `observation` itself.
SELECT id, (extract(epoch FROM o.phenomenon_time) * 1000000)::int8, o.result, o.result_json::text, o.quality
FROM unnest(%s::int[]) AS id
CROSS JOIN LATERAL (
    SELECT phenomenon_time, result, result_json, quality
    FROM observation
    WHERE datastream_id = id
    ORDER BY phenomenon_time DESC
    LIMIT 1
) AS o
