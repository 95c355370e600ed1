-- The committed stream: tram/store/committed.py, docs/adr/0021-committed-stream-order.md.

-- name: append
SELECT committed_append(%s::int2, %s::int4, %b)

-- name: start_end
-- The last seq there is or was, as this snapshot sees it.
SELECT greatest((SELECT max(seq) FROM committed), (SELECT trimmed FROM committed_ring))

-- name: start_oldest
SELECT trimmed FROM committed_ring

-- name: start
INSERT INTO committed_position (reader, seq) VALUES (%s, %s) ON CONFLICT (reader) DO NOTHING RETURNING seq

-- name: restart
INSERT INTO committed_position (reader, seq) VALUES (%s, %s)
ON CONFLICT (reader) DO UPDATE SET seq = excluded.seq, at = now()
RETURNING seq

-- name: position
SELECT seq FROM committed_position WHERE reader = %s

-- name: lock_position
SELECT seq FROM committed_position WHERE reader = %s FOR NO KEY UPDATE

-- name: next
-- In order; stops after the batch with which the rows reach %(rows)s.
SELECT seq, at, op, batch
FROM (
    SELECT seq, at, op, batch, sum(n) OVER (ORDER BY seq) - n AS before
    FROM (
        SELECT seq, at, op, n, batch FROM committed WHERE seq > %(seq)s ORDER BY seq LIMIT %(batches)s
    ) AS few
) AS summed
WHERE before < %(rows)s OR before = 0
ORDER BY seq

-- name: trimmed
SELECT trimmed FROM committed_ring

-- name: move
UPDATE committed_position SET seq = %s, at = now() WHERE reader = %s

-- name: lag
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 FROM committed WHERE seq > %s

-- name: lock_ring
-- (slot being filled, seconds since it was begun), or nothing while another worker is at it.
SELECT slot, extract(epoch FROM clock_timestamp() - since)::float8 FROM committed_ring FOR UPDATE SKIP LOCKED

-- name: move_ring
UPDATE committed_ring SET slot = %s, since = clock_timestamp()

-- name: slot_state
-- (its largest seq or NULL when it is empty, whether all its rows are older than so many seconds)
SELECT max(seq), coalesce(max(at) < clock_timestamp() - %(keep)s * interval '1 second', false)
FROM {slot}

-- name: lock_slot
LOCK TABLE {slot} IN ACCESS EXCLUSIVE MODE NOWAIT

-- name: truncate_slot
TRUNCATE {slot}

-- name: trimmed_to
UPDATE committed_ring SET trimmed = greatest(trimmed, %s)
