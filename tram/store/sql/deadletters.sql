-- Dead letters: tram/store/deadletters.py.

-- name: copy
COPY dead_letter (received, topic, username, reason, detail, payload, payload_size) FROM STDIN (FORMAT binary)

-- name: newest
SELECT id, at, received, topic, username, reason, detail, payload, payload_size
FROM dead_letter
WHERE (%(before)s::bigint IS NULL OR id < %(before)s) AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY id DESC
LIMIT %(limit)s

-- name: get
SELECT id, at, received, topic, username, reason, detail, payload, payload_size FROM dead_letter WHERE id = %s

-- name: counts
SELECT reason, count(*) FROM dead_letter GROUP BY reason

-- name: trim
-- Returns how many went; they are counted in the same statement.
WITH gone AS (
    DELETE FROM dead_letter
    WHERE id IN (
        SELECT id FROM dead_letter
        WHERE id <= (SELECT id FROM dead_letter ORDER BY id DESC OFFSET %(keep)s LIMIT 1)
        ORDER BY id
        LIMIT %(step)s
    )
    RETURNING id
), counted AS (
    INSERT INTO dropped (what, n) SELECT 'dead_letter', count(*) FROM gone HAVING count(*) > 0
    ON CONFLICT (what) DO UPDATE SET n = dropped.n + excluded.n
)
SELECT count(*) FROM gone

-- name: dropped
SELECT coalesce((SELECT n FROM dropped WHERE what = 'dead_letter'), 0)
