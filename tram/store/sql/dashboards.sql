-- Dashboards: tram/store/dashboards.py. People's names are joined so that a list says who, not p:12.

-- name: list
SELECT d.id, d.version, d.owner, coalesce(o.name, ''), d.shared, d.definition::text, d.things, d.created, d.updated,
       d.by, coalesce(b.name, ''), d.deleted
FROM dashboard d
LEFT JOIN account o ON 'p:' || o.id = d.owner
LEFT JOIN account b ON 'p:' || b.id = d.by
WHERE d.deleted IS NULL AND d.id > %(after)s AND (d.shared OR d.owner = %(owner)s OR %(all)s)
ORDER BY d.id
LIMIT %(limit)s

-- name: get
SELECT d.id, d.version, d.owner, coalesce(o.name, ''), d.shared, d.definition::text, d.things, d.created, d.updated,
       d.by, coalesce(b.name, ''), d.deleted
FROM dashboard d
LEFT JOIN account o ON 'p:' || o.id = d.owner
LEFT JOIN account b ON 'p:' || b.id = d.by
WHERE d.id = %s

-- name: lock
SELECT version FROM dashboard WHERE id = %s FOR UPDATE

-- name: lock_owner
-- Additions of one owner come one after another, so that the count holds. 0x7472616d is "tram".
SELECT pg_advisory_xact_lock(x'7472616d'::int, hashtext('dashboard ' || %s))

-- name: owned
SELECT count(*) FROM dashboard WHERE owner = %s

-- name: forget_deleted
-- The oldest of an owner's deleted ones make room for new ones.
DELETE FROM dashboard WHERE id IN (
    SELECT id FROM dashboard WHERE owner = %(owner)s AND deleted IS NOT NULL ORDER BY deleted LIMIT %(count)s)

-- name: add
INSERT INTO dashboard (id, version, owner, shared, definition, things, by)
VALUES (%(id)s, 1, %(owner)s, %(shared)s, %(definition)s::jsonb, %(things)s, %(by)s)

-- name: write
UPDATE dashboard SET version = %(version)s, definition = %(definition)s::jsonb, things = %(things)s, by = %(by)s,
    updated = now(), deleted = NULL
WHERE id = %(id)s

-- name: same
SELECT definition = %(definition)s::jsonb FROM dashboard WHERE id = %(id)s

-- name: share
UPDATE dashboard SET shared = %s WHERE id = %s

-- name: delete
UPDATE dashboard SET deleted = now() WHERE id = %s

-- name: add_version
INSERT INTO dashboard_version (dashboard_id, version, definition, by)
VALUES (%(id)s, %(version)s, %(definition)s::jsonb, %(by)s)

-- name: trim_versions
DELETE FROM dashboard_version WHERE dashboard_id = %(id)s AND version <= %(version)s - %(keep)s

-- name: versions
SELECT v.version, v.at, v.by, coalesce(b.name, ''), v.definition::text
FROM dashboard_version v
LEFT JOIN account b ON 'p:' || b.id = v.by
WHERE v.dashboard_id = %s
ORDER BY v.version DESC

-- name: version
SELECT v.version, v.at, v.by, coalesce(b.name, ''), v.definition::text
FROM dashboard_version v
LEFT JOIN account b ON 'p:' || b.id = v.by
WHERE v.dashboard_id = %s AND v.version = %s

-- name: lock_seed
SELECT pg_advisory_xact_lock(x'7472616d'::int, 75)

-- name: any
SELECT EXISTS (SELECT FROM dashboard)
