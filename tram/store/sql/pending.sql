-- Messages of Things that wait to be accepted: tram/store/pending.py.

-- name: lock_things
-- Held together with the Thing's row, so that holders, claimers and operators of one Thing take turns.
SELECT id, status FROM thing WHERE id = ANY(%s::int[]) ORDER BY id FOR NO KEY UPDATE

-- name: add
INSERT INTO pending_message (thing_id, topic, username, received, payload)
SELECT thing_id, topic, username, received, payload
FROM unnest(%(things)s::int[], %(topics)s::text[], %(usernames)s::text[], %(received)s::timestamptz[],
            %(payloads)s::bytea[]) WITH ORDINALITY AS m (thing_id, topic, username, received, payload, number)
ORDER BY number

-- name: drop_oldest
-- (thing, how many of its messages were too many)
WITH gone AS (
    DELETE FROM pending_message m
    USING unnest(%(things)s::int[]) AS t (id)
    WHERE m.thing_id = t.id
      AND m.id <= (SELECT kept.id FROM pending_message kept WHERE kept.thing_id = t.id
                   ORDER BY kept.id DESC OFFSET %(limit)s LIMIT 1)
    RETURNING m.thing_id
)
SELECT thing_id, count(*) FROM gone GROUP BY thing_id

-- name: count_dropped
UPDATE thing SET dropped = dropped + gone.n
FROM unnest(%(things)s::int[], %(counts)s::bigint[]) AS gone (id, n)
WHERE thing.id = gone.id

-- name: claim_thing
SELECT id FROM thing
WHERE status = 'active' AND EXISTS (SELECT FROM pending_message m WHERE m.thing_id = thing.id)
ORDER BY id
LIMIT 1
FOR NO KEY UPDATE SKIP LOCKED

-- name: messages_of
SELECT id, thing_id, topic, payload, received, username
FROM pending_message
WHERE thing_id = %s
ORDER BY id
LIMIT %s

-- name: remove
DELETE FROM pending_message WHERE id = ANY(%s::bigint[])
