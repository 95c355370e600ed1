-- How a device does: tram/store/health.py.

-- name: hours
-- Numbers of each hour over all its Datastreams, from the rollups.
SELECT r.bucket, sum(r.n)::int8, sum(r.good)::int8
FROM rollup_1h r JOIN datastream d ON d.id = r.datastream_id
WHERE d.thing_id = %(thing)s AND r.bucket >= %(first)s AND r.bucket < %(last)s
GROUP BY r.bucket ORDER BY r.bucket

-- name: letters
-- Dead letters of the last day whose topic names it, among the newest ten thousand.
SELECT count(*) FROM (SELECT topic, at FROM dead_letter ORDER BY id DESC LIMIT 10000) AS l
WHERE l.at > now() - interval '1 day' AND %(name)s = ANY (string_to_array(l.topic, '/'))
