-- Alarms: tram/store/alarms.py, docs/alarms.md.

-- name: insert
-- The id is not known before: the document gets it here.
INSERT INTO alarm (rule, thing_id, area, state, priority, raised, storm, due, document)
VALUES (%(rule)s, %(thing_id)s, %(area)s, %(state)s, %(priority)s, %(raised)s, %(storm)s, %(due)s, %(document)s::jsonb)
RETURNING id

-- name: update
UPDATE alarm SET area = %(area)s, state = %(state)s, priority = %(priority)s, storm = %(storm)s, due = %(due)s,
    document = %(document)s::jsonb
WHERE id = %(id)s

-- name: append
SELECT alarm_append(%s::bigint, %s::text, %s::jsonb)

-- name: changes
SELECT c.seq, c.at, c.document::text FROM alarm_change c WHERE c.seq > %s ORDER BY c.seq LIMIT %s

-- name: position
SELECT coalesce(max(seq), 0) FROM alarm_change

-- name: current
SELECT a.id, a.document::text
FROM alarm a LEFT JOIN thing t ON t.id = a.thing_id
WHERE a.state <> 'normal' AND a.id > %(after)s
  AND (%(things)s::text[] IS NULL OR t.name = ANY (%(things)s::text[]))
  AND (%(areas)s::text[] IS NULL OR a.area = ANY (%(areas)s::text[]))
  AND (%(rules)s::text[] IS NULL OR a.rule = ANY (%(rules)s::text[]))
  AND a.priority >= %(least)s
ORDER BY a.id
LIMIT %(limit)s
