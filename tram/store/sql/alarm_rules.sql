-- Rules of alarms, and what they are joined to: tram/store/alarm_rules.py.

-- name: list
SELECT id, version, enabled, deleted, document::text, faults, updated, by
FROM alarm_rule
WHERE (NOT deleted OR %(deleted)s) AND id > %(after)s
ORDER BY id
LIMIT %(limit)s

-- name: get
SELECT id, version, enabled, deleted, document::text, faults, updated, by FROM alarm_rule WHERE id = %s

-- name: get_for_update
SELECT id, version, enabled, deleted, document::text, faults, updated, by FROM alarm_rule WHERE id = %s FOR UPDATE

-- name: versions
SELECT rule_id, version, enabled, deleted, document::text, '[]'::jsonb, at, by
FROM alarm_rule_version WHERE rule_id = %s ORDER BY version DESC LIMIT 1000

-- name: put
INSERT INTO alarm_rule (id, version, enabled, deleted, document, by)
VALUES (%(id)s, %(version)s, %(enabled)s, %(deleted)s, %(document)s::jsonb, %(by)s)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, enabled = excluded.enabled, deleted = excluded.deleted,
    document = excluded.document, by = excluded.by, updated = now(), faults = '[]'
RETURNING updated

-- name: put_version
INSERT INTO alarm_rule_version (rule_id, version, enabled, deleted, document, by)
VALUES (%(id)s, %(version)s, %(enabled)s, %(deleted)s, %(document)s::jsonb, %(by)s)

-- name: any
SELECT EXISTS (SELECT FROM alarm_rule)

-- name: lock_seed
SELECT pg_advisory_xact_lock(1953653101, 5)

-- name: set_faults
UPDATE alarm_rule SET faults = %s::jsonb WHERE id = %s

-- name: places
-- Active Things, with the codes of their area and those around it, from the root (a loop in the table must not hang this).
WITH RECURSIVE up (leaf, id, parent, depth) AS (
    SELECT id, id, parent, 0 FROM area
    UNION ALL
    SELECT up.leaf, a.id, a.parent, up.depth + 1 FROM up JOIN area a ON a.id = up.parent WHERE up.depth < 20
), path AS (
    SELECT leaf, array_agg(id ORDER BY depth DESC) AS codes FROM up GROUP BY leaf
)
SELECT t.id, t.name, t.label, t.kind, t.area, coalesce(p.codes, CASE WHEN t.area IS NULL THEN '{}' ELSE ARRAY[t.area] END)
FROM thing t LEFT JOIN path p ON p.leaf = t.area
WHERE t.status = 'active'

-- name: streams
SELECT d.id, d.thing_id, p.name
FROM datastream d JOIN observed_property p ON p.id = d.observed_property_id
ORDER BY d.id

-- name: computed
SELECT id FROM datastream WHERE properties ? 'computed'

-- name: units
SELECT DISTINCT ON (p.name) p.name, d.unit
FROM datastream d JOIN observed_property p ON p.id = d.observed_property_id
WHERE d.unit <> ''
ORDER BY p.name, d.id

-- name: area_shapes
SELECT id, geometry FROM area WHERE id = ANY (%s::text[]) AND geometry IS NOT NULL

-- name: points
SELECT rule, thing_id, level, mode FROM alarm_point

-- name: modes
SELECT rule, thing_id, mode
FROM unnest(%s::text[], %s::int[]) AS asked (rule, thing_id) JOIN alarm_point p USING (rule, thing_id)
WHERE mode <> ''

-- name: put_level
INSERT INTO alarm_point (rule, thing_id, level) VALUES (%s, %s, %s)
ON CONFLICT (rule, thing_id) DO UPDATE SET level = excluded.level

-- name: put_mode
INSERT INTO alarm_point (rule, thing_id, mode, by, comment) VALUES (%(rule)s, %(thing_id)s, %(mode)s, %(by)s, %(comment)s)
ON CONFLICT (rule, thing_id) DO UPDATE SET mode = excluded.mode, by = excluded.by, comment = excluded.comment, at = now()

-- name: forget_point
-- What people took out stays out, should the rule or the Thing come back.
WITH gone AS (SELECT %s::text AS rule, %s::int AS thing_id), kept AS (
    UPDATE alarm_point p SET level = 0 FROM gone g WHERE p.rule = g.rule AND p.thing_id = g.thing_id AND p.mode <> ''
)
DELETE FROM alarm_point p USING gone g WHERE p.rule = g.rule AND p.thing_id = g.thing_id AND p.mode = ''

-- name: out
SELECT p.rule, t.name, p.mode, p.by, p.comment, p.at, p.level, t.area
FROM alarm_point p JOIN thing t ON t.id = p.thing_id
WHERE p.mode <> ''
ORDER BY p.rule, t.name

-- name: engine
SELECT seq, state FROM alarm_engine

-- name: keep_engine
INSERT INTO alarm_engine (seq, state) VALUES (%(seq)s, %(state)b)
ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, state = excluded.state, at = now()

-- name: trimmed
SELECT trimmed FROM committed_ring

-- name: committed_between
SELECT seq, at, op, batch FROM committed WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT 200

-- name: clock
SELECT clock_timestamp()

-- name: recently_raised
SELECT c.document->'alarm'->>'rule', c.alarm_id, c.at
FROM alarm_change c
WHERE c.at > %s AND c.kind = 'raised' AND c.document->'alarm'->>'thing_id' IS NOT NULL
  AND c.document->'alarm'->>'storm' IS NULL
ORDER BY c.seq
