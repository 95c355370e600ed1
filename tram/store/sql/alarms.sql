-- Alarms: tram/store/alarms.py, docs/alarms.md.

-- name: lock
-- Of alarm_append: (0x7472616d, 3).
SELECT pg_advisory_xact_lock(1953653101, 3)

-- name: reserve
SELECT nextval(pg_get_serial_sequence('alarm', 'id')) FROM generate_series(1, %s)

-- name: put
INSERT INTO alarm (id, rule, thing_id, area, state, priority, raised, storm, due, document)
OVERRIDING SYSTEM VALUE
VALUES (%(id)s, %(rule)s, %(thing_id)s, %(area)s, %(state)s, %(priority)s, %(raised)s, %(storm)s, %(due)s,
        %(document)s::jsonb)
ON CONFLICT (id) DO UPDATE SET area = excluded.area, state = excluded.state, priority = excluded.priority,
    storm = excluded.storm, due = excluded.due, document = excluded.document

-- name: by_id
SELECT id, document::text FROM alarm WHERE id = ANY (%s::bigint[]) ORDER BY id

-- name: open_at
SELECT a.id, a.document::text
FROM unnest(%s::text[], %s::int[]) AS p (rule, thing_id)
JOIN alarm a ON a.rule = p.rule AND a.thing_id = p.thing_id AND a.state <> 'normal'

-- name: members
SELECT id, document::text FROM alarm WHERE storm = ANY (%s::bigint[]) AND state <> 'normal' ORDER BY id

-- name: storms
SELECT id, document::text FROM alarm WHERE thing_id IS NULL AND state <> 'normal' ORDER BY id

-- name: clocks
SELECT id, document::text FROM alarm WHERE due <= %s ORDER BY due, id LIMIT %s

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
