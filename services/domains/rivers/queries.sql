-- The river service: services/domains/rivers.

-- name: stations
SELECT s.thing_id, t.name, t.label, s.river, s.level_1, s.level_2, s.level_3, s.verified, s.record, s.datum, s.upstream,
       s.lag, s.rain_km, s.source, t.longitude, t.latitude
FROM rivers_station s
JOIN thing t ON t.id = s.thing_id AND t.status = 'active'
ORDER BY t.name

-- name: unknown
-- Things with a water level that have no configuration yet.
SELECT DISTINCT t.id, t.name, t.properties
FROM thing t
JOIN datastream d ON d.thing_id = t.id AND d.channel = ''
JOIN observed_property p ON p.id = d.observed_property_id AND p.name = 'water_level'
WHERE t.status = 'active' AND NOT EXISTS (SELECT FROM rivers_station s WHERE s.thing_id = t.id)
ORDER BY t.id

-- name: put
INSERT INTO rivers_station (thing_id, river, level_1, level_2, level_3, verified, record, datum, upstream, lag, rain_km, source)
VALUES (%(thing)s, %(river)s, %(level_1)s, %(level_2)s, %(level_3)s, %(verified)s, %(record)s, %(datum)s, %(upstream)s,
        %(lag)s, %(rain_km)s, %(source)s)
ON CONFLICT (thing_id) DO UPDATE SET
    river = excluded.river, level_1 = excluded.level_1, level_2 = excluded.level_2, level_3 = excluded.level_3,
    verified = excluded.verified, record = excluded.record, datum = excluded.datum, upstream = excluded.upstream,
    lag = excluded.lag, rain_km = excluded.rain_km, source = excluded.source, changed = now()

-- name: newest
-- The newest good level of each of these Things; one of the future is of a clock that is wrong.
SELECT d.thing_id, o.phenomenon_time, o.result
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id AND p.name = 'water_level'
CROSS JOIN LATERAL (
    SELECT phenomenon_time, result
    FROM observation
    WHERE datastream_id = d.id AND result IS NOT NULL AND (quality & 255) = 0
      AND phenomenon_time >= %(since)s AND phenomenon_time <= %(until)s
    ORDER BY phenomenon_time DESC
    LIMIT 1
) AS o
WHERE d.channel = '' AND d.thing_id = ANY(%(things)s::int[])
