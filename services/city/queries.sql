-- City services: services/city. A service's Datastreams have its name as their channel; measured ones have the channel ''.

-- name: inputs
SELECT d.id, d.thing_id, p.name
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id
JOIN thing t ON t.id = d.thing_id AND t.status = 'active'
WHERE p.name = ANY(%s::text[]) AND d.channel = ''

-- name: alone
-- Whoever computes by this derivation as data comes: one at a time, and nobody beside. 0x63697479 is "city".
SELECT pg_advisory_xact_lock(x'63697479'::int, hashtext(%s))

-- name: beside
-- Whoever computes its past: several do, while nobody is alone. In turns: who waits to be alone is not passed by.
SELECT pg_advisory_xact_lock_shared(x'63697479'::int, hashtext(%s))

-- name: touch
INSERT INTO city_touched (derivation, datastream_id, bucket)
SELECT %(derivation)s, id, bucket
FROM unnest(%(ids)s::int[], %(buckets)s::timestamptz[]) AS t (id, bucket)
ORDER BY bucket, id
ON CONFLICT DO NOTHING

-- name: touch_all
-- A reader that fell behind: everything since %(since)s.
INSERT INTO city_touched (derivation, datastream_id, bucket)
SELECT %(derivation)s, d, b
FROM (
    SELECT DISTINCT o.datastream_id AS d,
           to_timestamp((floor((extract(epoch FROM o.phenomenon_time) * 1000000 + %(offset)s) / %(width)s) * %(width)s
                         - %(offset)s) / 1000000.0) AS b
    FROM observation o
    WHERE o.datastream_id = ANY(%(ids)s::int[]) AND o.phenomenon_time >= %(since)s
) AS found
ORDER BY b, d
ON CONFLICT DO NOTHING

-- name: measured_between
-- The first and the last time of each measured Datastream in a span.
COPY (
    SELECT d.thing_id, (array_position(%(properties)s::text[], p.name) - 1)::int2, o.first, o.last
    FROM datastream d
    JOIN observed_property p ON p.id = d.observed_property_id
    JOIN thing t ON t.id = d.thing_id AND t.status = 'active'
    CROSS JOIN LATERAL (
        SELECT min(phenomenon_time) AS first, max(phenomenon_time) AS last
        FROM observation
        WHERE datastream_id = d.id AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
    ) AS o
    WHERE p.name = ANY(%(properties)s::text[]) AND d.channel = '' AND o.first IS NOT NULL
) TO STDOUT (FORMAT binary)

-- name: touch_thing
-- Everything measured of a Thing since %(since)s.
INSERT INTO city_touched (derivation, datastream_id, bucket)
SELECT DISTINCT %(derivation)s, d.id, date_bin(%(width)s * interval '1 microsecond', o.phenomenon_time, %(origin)s)
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id AND p.name = ANY(%(properties)s::text[])
JOIN observation o ON o.datastream_id = d.id AND o.phenomenon_time >= %(since)s
WHERE d.thing_id = %(thing)s AND d.channel = ''
ON CONFLICT DO NOTHING

-- name: due
-- The oldest touched buckets that are over, of a span that is computed together. By their places in the table: a join on
-- the keys was a nested loop over 20,000 x 20,000 rows where the table had no statistics yet.
DELETE FROM city_touched
WHERE ctid = ANY(ARRAY(
    SELECT ctid
    FROM city_touched
    WHERE derivation = %(derivation)s AND bucket <= %(before)s
      AND bucket < (SELECT min(bucket) FROM city_touched WHERE derivation = %(derivation)s)
                   + %(span)s * interval '1 microsecond'
    ORDER BY bucket, datastream_id
    LIMIT %(limit)s
    FOR UPDATE
))
RETURNING datastream_id, (extract(epoch FROM bucket) * 1000000)::bigint

-- name: waiting
SELECT count(*) FROM city_touched WHERE derivation = %(derivation)s AND bucket <= %(before)s

-- name: means
-- The good numbers: flags 1 to 128 make a value not good (tram/quality.py). One row a Datastream, its values as arrays:
-- to put them into buckets here cost more than to send them.
COPY (
    SELECT d.thing_id, array_position(%(properties)s::text[], p.name) - 1, v.times, v.results
    FROM datastream d
    JOIN observed_property p ON p.id = d.observed_property_id
    CROSS JOIN LATERAL (
        SELECT array_agg(o.phenomenon_time) AS times, array_agg(o.result) AS results
        FROM observation o
        WHERE o.datastream_id = d.id AND o.phenomenon_time >= %(start)s AND o.phenomenon_time <= %(last)s
          AND o.result IS NOT NULL AND (o.quality & 255) = 0
    ) AS v
    WHERE d.thing_id = ANY(%(things)s::int[]) AND p.name = ANY(%(properties)s::text[]) AND d.channel = %(channel)s
      AND v.times IS NOT NULL
) TO STDOUT (FORMAT binary)

-- name: rows
-- Every good number, for what needs more than means.
COPY (
    SELECT d.thing_id, (array_position(%(properties)s::text[], p.name) - 1)::int2, o.phenomenon_time, o.result
    FROM datastream d
    JOIN observed_property p ON p.id = d.observed_property_id
    JOIN observation o ON o.datastream_id = d.id
    WHERE d.thing_id = ANY(%(things)s::int[]) AND p.name = ANY(%(properties)s::text[]) AND d.channel = %(channel)s
      AND o.phenomenon_time >= %(start)s AND o.phenomenon_time <= %(last)s
      AND o.result IS NOT NULL AND (o.quality & 255) = 0
    ORDER BY 1, 2, 3
) TO STDOUT (FORMAT binary)

-- name: own_datastreams
SELECT d.thing_id, p.name, d.id
FROM unnest(%(things)s::int[], %(properties)s::text[]) AS w (thing_id, property)
JOIN observed_property p ON p.name = w.property
JOIN datastream d ON d.thing_id = w.thing_id AND d.observed_property_id = p.id AND d.channel = %(channel)s

-- name: put_property
-- What else somebody wrote into its properties stays.
INSERT INTO observed_property (name, labels, definition, description, properties)
VALUES (%(name)s, %(labels)s::jsonb, %(definition)s, %(description)s, %(properties)s::jsonb)
ON CONFLICT (name) DO UPDATE SET labels = excluded.labels, definition = excluded.definition,
    description = excluded.description, properties = observed_property.properties || excluded.properties
WHERE (observed_property.labels, observed_property.description) IS DISTINCT FROM (excluded.labels, excluded.description)
    OR NOT observed_property.properties @> excluded.properties

-- name: formula
SELECT sensor_id FROM city_formula WHERE domain = %s AND name = %s

-- name: add_formula
WITH made AS (
    INSERT INTO sensor (name, description, encoding, metadata)
    VALUES (%(name)s, %(description)s, 'text/plain', to_jsonb(%(metadata)s::text))
    RETURNING id
)
INSERT INTO city_formula (domain, name, sensor_id) SELECT %(domain)s, %(name)s, id FROM made RETURNING sensor_id

-- name: add_datastreams
-- Marked as computed: that a Thing was computed something of does not say that it sends.
INSERT INTO datastream (thing_id, observed_property_id, unit, channel, sensor_id, properties)
SELECT w.thing_id, p.id, %(unit)s, %(channel)s, %(sensor)s, jsonb_build_object('computed', %(channel)s::text)
FROM unnest(%(things)s::int[]) AS w (thing_id)
JOIN observed_property p ON p.name = %(property)s
ORDER BY w.thing_id
ON CONFLICT (thing_id, observed_property_id, channel) DO UPDATE SET sensor_id = excluded.sensor_id

-- name: held
-- What stands in a span of each of these Datastreams, as arrays: one index scan a Datastream, not one a value. JSON text of
-- jsonb has no line end in it.
SELECT k.id, h.times, h.results, h.parameters
FROM unnest(%(ids)s::int[], %(first)s::timestamptz[], %(last)s::timestamptz[]) AS k (id, first, last)
CROSS JOIN LATERAL (
    SELECT array_agg(o.phenomenon_time) AS times, array_agg(coalesce(o.result, 'NaN'::float8)) AS results,
           convert_to(string_agg(coalesce(o.parameters::text, ''), E'\n'), 'UTF8') AS parameters
    FROM observation o
    WHERE o.datastream_id = k.id AND o.phenomenon_time >= k.first AND o.phenomenon_time <= k.last
      AND o.phenomenon_time >= %(least)s::timestamptz AND o.phenomenon_time <= %(most)s::timestamptz
) AS h
WHERE h.times IS NOT NULL

-- name: area_things
-- Areas and the Things that stand for them; a leaf is nobody's parent.
SELECT a.id, a.name, NOT EXISTS (SELECT FROM area c WHERE c.parent = a.id), t.id, t.longitude, t.latitude
FROM area a
LEFT JOIN thing t ON t.name = 'area-' || a.id
ORDER BY a.id

-- name: things_with
-- Things that have a Datastream of one of these properties, measured or computed.
SELECT DISTINCT t.id, t.name, t.label, t.kind, t.area, t.longitude, t.latitude, t.properties
FROM thing t
JOIN datastream d ON d.thing_id = t.id
JOIN observed_property p ON p.id = d.observed_property_id
WHERE p.name = ANY(%(properties)s::text[]) AND t.status = 'active' AND d.channel = ANY(%(channels)s::text[])
ORDER BY t.name

-- name: latest_of
-- The newest value of each Datastream of one channel, not older than %(since)s.
SELECT d.thing_id, p.name, o.phenomenon_time, o.result, o.parameters
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id
CROSS JOIN LATERAL (
    SELECT phenomenon_time, result, parameters
    FROM observation
    WHERE datastream_id = d.id AND phenomenon_time >= %(since)s
    ORDER BY phenomenon_time DESC
    LIMIT 1
) AS o
WHERE p.name = ANY(%(properties)s::text[]) AND d.channel = %(channel)s
  AND (%(things)s::int[] IS NULL OR d.thing_id = ANY(%(things)s))

-- name: datastreams_of
-- Of a service, or measured, by property.
SELECT d.id
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id
WHERE p.name = ANY(%(properties)s::text[]) AND d.channel = ANY(%(channels)s::text[])

-- name: datastream_of
-- The service's own before the measured one.
SELECT d.id
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id
WHERE d.thing_id = %(thing)s AND p.name = %(property)s AND d.channel = ANY(%(channels)s::text[])
ORDER BY d.channel DESC
LIMIT 1
