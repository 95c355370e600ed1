-- Retention: tram/store/retention.py. {table} and {time} are a level's.

-- name: list
SELECT property, level, keep_days FROM retention ORDER BY property, level

-- name: put
INSERT INTO retention (property, level, keep_days) VALUES (%s, %s, %s)
ON CONFLICT (property, level) DO UPDATE SET keep_days = excluded.keep_days

-- name: forget
DELETE FROM retention WHERE property = %s AND level = %s

-- name: property_exists
SELECT EXISTS (SELECT FROM observed_property WHERE name = %s)

-- name: cuts
-- Of every property that has Datastreams, and every level with a policy: whole days of the province, so that no bucket is cut.
SELECT p.name, at.level, date_trunc('day', now() + %(offset)s * interval '1 hour' - k.days * interval '1 day', 'UTC')
                      - %(offset)s * interval '1 hour'
FROM observed_property p
CROSS JOIN unnest(ARRAY['raw', '1m', '1h', '1d']) AS at (level)
LEFT JOIN retention own ON own.property = p.name AND own.level = at.level
LEFT JOIN retention every ON every.property = '' AND every.level = at.level
CROSS JOIN LATERAL (
    SELECT CASE WHEN own.property IS NOT NULL THEN own.keep_days ELSE every.keep_days END AS days
) AS k
WHERE k.days IS NOT NULL
ORDER BY p.name, at.level

-- name: cuts_of
-- The cuts of minutes and hours of some Datastreams: before them rows of that level may be gone.
SELECT d.id, at.level, date_trunc('day', now() + %(offset)s * interval '1 hour' - k.days * interval '1 day', 'UTC')
                       - %(offset)s * interval '1 hour'
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id
CROSS JOIN unnest(ARRAY['1m', '1h']) AS at (level)
LEFT JOIN retention own ON own.property = p.name AND own.level = at.level
LEFT JOIN retention every ON every.property = '' AND every.level = at.level
CROSS JOIN LATERAL (
    SELECT CASE WHEN own.property IS NOT NULL THEN own.keep_days ELSE every.keep_days END AS days
) AS k
WHERE k.days IS NOT NULL AND d.id = ANY(%(ids)s::int[])

-- name: with_old_rows
-- Datastreams of a property that have rows before its cut.
SELECT d.id
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id AND p.name = %(property)s
WHERE EXISTS (SELECT FROM {table} WHERE datastream_id = d.id AND {time} < %(cut)s)
ORDER BY d.id

-- name: count_old
SELECT count(*), min({time})
FROM {table}
WHERE {time} < %(cut)s
  AND datastream_id IN (SELECT d.id FROM datastream d
                        JOIN observed_property p ON p.id = d.observed_property_id AND p.name = %(property)s)

-- name: note_cut
INSERT INTO retention_cut (property, cut) VALUES (%(property)s, %(cut)s)
ON CONFLICT (property) DO UPDATE SET cut = greatest(retention_cut.cut, excluded.cut)

-- name: step_cut
SELECT {time} FROM {table} WHERE datastream_id = %(id)s AND {time} < %(cut)s ORDER BY {time} OFFSET %(rows)s LIMIT 1

-- name: delete_old
DELETE FROM {table} WHERE datastream_id = %(id)s AND {time} < %(cut)s

-- name: firsts
-- `latest` after old rows have gone.
WITH old AS (
    SELECT l.datastream_id AS id, f.phenomenon_time AS first
    FROM latest l
    LEFT JOIN LATERAL (
        SELECT phenomenon_time FROM observation WHERE datastream_id = l.datastream_id ORDER BY phenomenon_time LIMIT 1
    ) AS f ON true
    WHERE l.datastream_id = ANY(%(ids)s::int[])
), emptied AS (
    DELETE FROM latest USING old WHERE latest.datastream_id = old.id AND old.first IS NULL
)
UPDATE latest SET first_time = old.first FROM old WHERE latest.datastream_id = old.id AND old.first IS NOT NULL

-- name: all_bounded
-- The smallest cut of a level, if every Datastream with rows has one: what is older can go by whole chunks.
SELECT count(*) = 0 FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id
WHERE NOT p.name = ANY(%s::text[])

-- name: cut_of
-- Datastream -> microseconds up to which its raw rows were removed.
SELECT d.id, (extract(epoch FROM c.cut) * 1000000)::bigint
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id
JOIN retention_cut c ON c.property = p.name
WHERE %(ids)s::int[] IS NULL OR d.id = ANY(%(ids)s)
