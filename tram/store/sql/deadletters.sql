-- Dead letters: tram/store/deadletters.py.

-- name: copy
COPY dead_letter (received, topic, username, reason, detail, payload, payload_size) FROM STDIN (FORMAT binary)

-- name: newest
SELECT id, at, received, topic, username, reason, detail, payload, payload_size, asked,
       asked_by, settled, outcome, stored
FROM dead_letter
WHERE (%(before)s::bigint IS NULL OR id < %(before)s) AND (%(reason)s::text IS NULL OR reason = %(reason)s)
ORDER BY id DESC
LIMIT %(limit)s

-- name: get
SELECT id, at, received, topic, username, reason, detail, payload, payload_size, asked, asked_by, settled, outcome, stored
FROM dead_letter WHERE id = %s

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

-- name: ask
-- What was stored by an earlier reading stays as it is; what waits already waits on.
UPDATE dead_letter SET asked = now(), asked_by = %(by)s, settled = NULL, outcome = ''
WHERE id = ANY (%(ids)s::bigint[]) AND outcome <> 'stored' AND (asked IS NULL OR settled IS NOT NULL)

-- name: standing
SELECT count(*), count(*) FILTER (WHERE outcome = 'stored'),
       count(*) FILTER (WHERE asked IS NOT NULL AND settled IS NULL)
FROM dead_letter WHERE id = ANY (%(ids)s::bigint[])

-- name: claim
-- Locked for the transaction; another gateway takes the next.
SELECT id, at, received, topic, username, reason, detail, payload, payload_size, asked, asked_by, settled, outcome, stored
FROM dead_letter WHERE asked IS NOT NULL AND settled IS NULL
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: settle
-- A letter that is still bad says why it is now.
UPDATE dead_letter SET settled = now(), outcome = %(outcome)s, stored = stored + %(stored)s,
    reason = coalesce(%(reason)s, reason), detail = coalesce(%(detail)s, detail)
WHERE id = %(id)s
