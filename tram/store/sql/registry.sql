-- Things and Datastreams: tram/store/registry.py. Whatever inserts does it in the order of the key, so that two processes
-- that make the same ones wait for each other instead of deadlocking.

-- name: things_by_name
SELECT name, id, status FROM thing WHERE name = ANY(%s::text[])

-- name: add_things
INSERT INTO thing (name, status)
SELECT name, %(status)s FROM unnest(%(names)s::text[]) AS name ORDER BY name
ON CONFLICT (name) DO NOTHING

-- name: lock_pending
-- So that the count of the Things that wait is exact. 0x7472616d is "tram"; 2 is the worker's, as long as it leads.
SELECT pg_advisory_xact_lock(x'7472616d'::int, 4)

-- name: count_pending
SELECT count(*) FROM thing WHERE status = 'pending'

-- name: add_properties
INSERT INTO observed_property (name, labels, definition)
SELECT name, labels, definition
FROM unnest(%(names)s::text[], %(labels)s::jsonb[], %(definitions)s::text[]) AS p (name, labels, definition)
ORDER BY name
ON CONFLICT (name) DO NOTHING

-- name: datastreams_of
SELECT d.thing_id, p.name, d.id, d.unit
FROM unnest(%(things)s::int[], %(properties)s::text[]) AS wanted (thing_id, property)
JOIN observed_property p ON p.name = wanted.property
JOIN datastream d ON d.thing_id = wanted.thing_id AND d.observed_property_id = p.id AND d.channel = ''

-- name: count_datastreams
SELECT thing_id, count(*) FROM datastream WHERE thing_id = ANY(%s::int[]) GROUP BY thing_id

-- name: add_datastreams
INSERT INTO datastream (thing_id, observed_property_id, unit)
SELECT wanted.thing_id, p.id, wanted.unit
FROM unnest(%(things)s::int[], %(properties)s::text[], %(units)s::text[]) AS wanted (thing_id, property, unit)
JOIN observed_property p ON p.name = wanted.property
ORDER BY wanted.thing_id, p.id
ON CONFLICT (thing_id, observed_property_id, channel) DO NOTHING

-- name: list_things
SELECT t.id, t.name, t.label, t.kind, t.status, t.area, t.longitude, t.latitude, t.height, t.properties, t.created,
       t.seen, t.dropped,
       (SELECT count(*) FROM datastream d WHERE d.thing_id = t.id),
       (SELECT count(*) FROM pending_message m WHERE m.thing_id = t.id)
FROM thing t
WHERE t.name > %(after)s
  AND (%(status)s::text IS NULL OR t.status = %(status)s)
  AND (%(kind)s::text IS NULL OR t.kind = %(kind)s)
  AND (%(area)s::text IS NULL OR t.area = %(area)s)
  AND (%(pattern)s::text IS NULL OR t.name ILIKE %(pattern)s OR t.label ILIKE %(pattern)s)
ORDER BY t.name
LIMIT %(limit)s

-- name: get_thing
SELECT t.id, t.name, t.label, t.kind, t.status, t.area, t.longitude, t.latitude, t.height, t.properties, t.created,
       t.seen, t.dropped,
       (SELECT count(*) FROM datastream d WHERE d.thing_id = t.id),
       (SELECT count(*) FROM pending_message m WHERE m.thing_id = t.id)
FROM thing t
WHERE t.id = %(id)s::int OR t.name = %(name)s::text

-- name: list_datastreams
SELECT d.id, d.thing_id, t.name, p.name, p.labels, d.unit, d.created
FROM datastream d
JOIN thing t ON t.id = d.thing_id
JOIN observed_property p ON p.id = d.observed_property_id
WHERE d.id > %(after)s
  AND (%(thing)s::int IS NULL OR d.thing_id = %(thing)s)
  AND (%(ids)s::int[] IS NULL OR d.id = ANY(%(ids)s))
ORDER BY d.id
LIMIT %(limit)s

-- name: set_status
UPDATE thing SET status = %(status)s WHERE id = %(id)s RETURNING id

-- name: forget_waiting
DELETE FROM pending_message WHERE thing_id = %s

-- name: describe
UPDATE thing SET
    name       = coalesce(%(name)s, name),
    label      = coalesce(%(label)s, label),
    kind       = coalesce(%(kind)s, kind),
    area       = CASE WHEN %(area)s::text IS NULL THEN area ELSE nullif(%(area)s, '') END,
    longitude  = CASE WHEN %(place)s THEN %(longitude)s ELSE longitude END,
    latitude   = CASE WHEN %(place)s THEN %(latitude)s ELSE latitude END,
    height     = CASE WHEN %(place)s THEN %(height)s ELSE height END,
    properties = coalesce(%(properties)s::jsonb, properties)
WHERE id = %(id)s
RETURNING id

-- name: add_thing
INSERT INTO thing (name, status) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING

-- name: seen
UPDATE thing SET seen = heard.at
FROM (
    SELECT id, timestamptz 'epoch' + micros * interval '1 microsecond' AS at
    FROM unnest(%(ids)s::int[], %(times)s::bigint[]) AS heard (id, micros)
) AS heard
WHERE thing.id = heard.id AND (thing.seen IS NULL OR thing.seen < heard.at)

-- name: places
-- Where each Thing stands, and whether it was opened to everybody.
SELECT name, area, public FROM thing

-- name: introduce
-- Rows that would not change are not touched: every change is notified, and makes all caches ask again.
UPDATE thing t SET
    label = n.label, kind = n.kind, area = n.area, longitude = n.longitude, latitude = n.latitude, height = n.height,
    properties = n.properties
FROM (
    SELECT t.id,
           coalesce(nullif(w.label, ''), t.label) AS label,
           coalesce(nullif(w.kind, ''), t.kind) AS kind,
           coalesce(a.id, t.area) AS area,
           CASE WHEN w.longitude IS NULL THEN t.longitude ELSE w.longitude END AS longitude,
           CASE WHEN w.longitude IS NULL THEN t.latitude ELSE w.latitude END AS latitude,
           CASE WHEN w.longitude IS NULL THEN t.height ELSE w.height END AS height,
           t.properties || w.properties AS properties
    FROM unnest(%(ids)s::int[], %(labels)s::text[], %(kinds)s::text[], %(areas)s::text[], %(longitudes)s::float8[],
                %(latitudes)s::float8[], %(heights)s::float8[], %(properties)s::jsonb[])
         AS w (id, label, kind, area, longitude, latitude, height, properties)
    JOIN thing t ON t.id = w.id
    LEFT JOIN area a ON a.id = w.area
    ORDER BY t.id
    FOR UPDATE OF t
) AS n
WHERE t.id = n.id
  AND (t.label, t.kind, t.area, t.longitude, t.latitude, t.height, t.properties)
      IS DISTINCT FROM (n.label, n.kind, n.area, n.longitude, n.latitude, n.height, n.properties)
