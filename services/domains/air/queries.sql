-- The air service: services/domains/air.

-- name: days
-- The daily index of a station.
SELECT o.phenomenon_time, o.result, o.parameters
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id AND p.name = 'vn_aqi_day'
JOIN observation o ON o.datastream_id = d.id
WHERE d.thing_id = %(thing)s AND d.channel = %(channel)s
  AND o.phenomenon_time >= %(start)s AND o.phenomenon_time < %(end)s
ORDER BY o.phenomenon_time
