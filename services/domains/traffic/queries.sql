-- The traffic service: services/domains/traffic.

-- name: corridors
SELECT c.id, c.vi, c.en, c.thing_id, t.name, t.area, c.detectors, c.km, c.lanes, c.capacity, c.free, c.source
FROM traffic_corridor c
JOIN thing t ON t.id = c.thing_id
ORDER BY c.id

-- name: put_corridor
INSERT INTO traffic_corridor (id, vi, en, thing_id, detectors, km, lanes, capacity, free, source)
VALUES (%(id)s, %(vi)s, %(en)s, %(thing)s, %(detectors)s::jsonb, %(km)s, %(lanes)s, %(capacity)s, %(free)s, %(source)s)
ON CONFLICT (id) DO UPDATE SET
    vi = excluded.vi, en = excluded.en, detectors = excluded.detectors, km = excluded.km, lanes = excluded.lanes,
    capacity = excluded.capacity, free = excluded.free, source = excluded.source

-- name: junctions
SELECT id, vi, en, area, phases, lost, source FROM traffic_junction ORDER BY id

-- name: put_junction
INSERT INTO traffic_junction (id, vi, en, area, phases, lost, source)
VALUES (%(id)s, %(vi)s, %(en)s, %(area)s, %(phases)s::jsonb, %(lost)s, %(source)s)
ON CONFLICT (id) DO UPDATE SET
    vi = excluded.vi, en = excluded.en, area = excluded.area, phases = excluded.phases, lost = excluded.lost,
    source = excluded.source

-- name: things_named
SELECT name, id, longitude, latitude FROM thing WHERE name = ANY(%s::text[]) AND status = 'active'

-- name: simulated_loops
-- Simulated detectors of one place that have no corridor yet, for the demonstration.
SELECT t.area, array_agg(t.name ORDER BY t.longitude), array_agg(t.longitude ORDER BY t.longitude),
       array_agg(t.latitude ORDER BY t.longitude)
FROM thing t
WHERE t.kind = 'loop' AND t.properties ->> 'simulated' = 'true' AND t.area IS NOT NULL AND t.longitude IS NOT NULL
  AND NOT EXISTS (SELECT FROM traffic_corridor)
GROUP BY t.area
HAVING count(*) >= 4
ORDER BY count(*) DESC, t.area
LIMIT 3

-- name: free_flow
-- The 95th percentile of a week of five-minute speeds, by Thing.
SELECT d.thing_id, percentile_cont(0.95) WITHIN GROUP (ORDER BY r.sum / r.n)
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id AND p.name = 'traffic_speed'
JOIN rollup_1h r ON r.datastream_id = d.id AND r.bucket >= %(since)s AND r.bucket < %(until)s
WHERE d.channel = '' AND d.thing_id = ANY(%(things)s::int[])
GROUP BY d.thing_id

-- name: passages
-- Vehicles that a camera saw, by class, in each five minutes. Nothing but the class is read.
SELECT d.thing_id, floor(extract(epoch FROM o.phenomenon_time) * 1000000 / %(width)s)::bigint AS bucket,
       lower(CASE jsonb_typeof(o.result_json) WHEN 'object' THEN o.result_json ->> 'class' ELSE o.result_json #>> '{}' END),
       count(*)
FROM datastream d
JOIN observed_property p ON p.id = d.observed_property_id AND p.name = 'vehicle_passage'
JOIN observation o ON o.datastream_id = d.id
WHERE d.channel = '' AND d.thing_id = ANY(%(things)s::int[])
  AND o.phenomenon_time >= %(start)s AND o.phenomenon_time <= %(last)s AND o.result_json IS NOT NULL
GROUP BY 1, 2, 3
