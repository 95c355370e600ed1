-- Administrative areas: tram/store/areas.py.

-- name: put
INSERT INTO area (id, name, name_en, kind, parent, geometry, properties)
VALUES (%(id)s, %(name)s, %(name_en)s, %(kind)s, %(parent)s, %(geometry)s::jsonb, %(properties)s::jsonb)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, name_en = coalesce(nullif(excluded.name_en, ''), area.name_en), kind = excluded.kind,
    parent = coalesce(excluded.parent, area.parent), geometry = excluded.geometry, properties = excluded.properties

-- name: any
SELECT EXISTS (SELECT FROM area)

-- name: exists
SELECT EXISTS (SELECT FROM area WHERE id = %s)

-- name: list
SELECT id, name, name_en, kind, parent, geometry, properties FROM area ORDER BY id

-- name: version
-- Another whenever an area is added, changed or removed.
SELECT md5(coalesce(string_agg(md5(a::text), '' ORDER BY id), '')) FROM area a

-- name: with_geometry
-- The smaller ones first: those that are nobody's parent.
SELECT id, geometry FROM area a
WHERE geometry IS NOT NULL
ORDER BY EXISTS (SELECT FROM area c WHERE c.parent = a.id), id

-- name: unplaced
-- Things whose area follows from their place, and whose place is another than the one it was found for.
SELECT id, longitude, latitude
FROM thing
WHERE longitude IS NOT NULL AND (area IS NULL OR area_derived)
  AND (area_longitude IS DISTINCT FROM longitude OR area_latitude IS DISTINCT FROM latitude)
ORDER BY id
LIMIT %s

-- name: deriving
SELECT set_config('tram.deriving', 'on', true)

-- name: deriving_no_more
SELECT set_config('tram.deriving', 'off', true)

-- name: place
UPDATE thing SET area = found.area, area_longitude = found.longitude, area_latitude = found.latitude
FROM unnest(%(ids)s::int[], %(areas)s::text[], %(longitudes)s::float8[], %(latitudes)s::float8[])
     AS found (id, area, longitude, latitude)
WHERE thing.id = found.id AND (thing.area IS NULL OR thing.area_derived)

-- name: place_all_again
UPDATE thing SET area_longitude = NULL, area_latitude = NULL WHERE area_longitude IS NOT NULL
