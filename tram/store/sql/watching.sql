-- Messages of Things that somebody looks at: tram/store/watching.py.

-- name: ask
INSERT INTO watch (thing_id, until, by) VALUES (%(thing)s, now() + %(seconds)s * interval '1 second', %(by)s)
ON CONFLICT (thing_id) DO UPDATE SET until = greatest(watch.until, excluded.until), by = excluded.by
RETURNING until

-- name: count
SELECT count(*) FROM watch WHERE until > now() AND thing_id <> %s

-- name: until
SELECT until FROM watch WHERE thing_id = %s AND until > now()

-- name: watched
SELECT t.id, t.name FROM watch w JOIN thing t ON t.id = w.thing_id WHERE w.until > now()

-- name: keep
INSERT INTO watched_message (thing_id, received, topic, payload, payload_size)
SELECT thing, received, topic, payload, size
FROM unnest(%(things)s::int[], %(received)s::timestamptz[], %(topics)s::text[], %(payloads)s::bytea[], %(sizes)s::int[])
    AS m (thing, received, topic, payload, size)
WHERE EXISTS (SELECT FROM thing WHERE id = thing)

-- name: drop_oldest
DELETE FROM watched_message w
WHERE w.thing_id = ANY (%(things)s::int[])
  AND w.id <= (SELECT id FROM watched_message o WHERE o.thing_id = w.thing_id ORDER BY id DESC OFFSET %(keep)s LIMIT 1)

-- name: newest
-- Of a Thing that waits to be accepted: those that wait with it.
(SELECT received, topic, payload, payload_size FROM watched_message WHERE thing_id = %(thing)s ORDER BY id DESC LIMIT %(limit)s)
UNION ALL
(SELECT received, topic, payload, length(payload)
 FROM pending_message WHERE thing_id = %(thing)s AND length(payload) <= %(most)s ORDER BY id DESC LIMIT %(limit)s)
ORDER BY received DESC LIMIT %(limit)s

-- name: forget
WITH over AS (DELETE FROM watch WHERE until < now() - interval '1 hour')
DELETE FROM watched_message WHERE received < now() - interval '1 hour'
