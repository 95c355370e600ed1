-- Backup and restore: tram/store/backup.py.

-- name: snapshot
SELECT now(), current_setting('server_version'), (SELECT last_value FROM committed_seq)

-- name: tables
-- (schema, table, columns, tables its foreign keys name, has triggers) of every table but those of extensions.
SELECT n.nspname, c.relname,
       array(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
       array(SELECT format('%I.%I', fn.nspname, f.relname) FROM pg_constraint k
             JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
             WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid),
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast') AND n.nspname NOT LIKE '%timescaledb%'
  AND n.nspname NOT LIKE 'pg\_temp%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
ORDER BY 1, 2

-- name: sequences
SELECT schemaname, sequencename, last_value FROM pg_sequences
WHERE schemaname NOT LIKE '%timescaledb%' AND last_value IS NOT NULL
ORDER BY 1, 2

-- name: set_sequence
SELECT setval(format('%%I.%%I', %s::text, %s::text)::regclass, %s)

-- name: ids
SELECT id FROM datastream ORDER BY id

-- name: empty
-- No table of ours yet.
SELECT to_regclass('migration') IS NULL AND to_regclass('observation') IS NULL

-- name: migrations
SELECT folder, number, checksum FROM migration ORDER BY folder, number

-- name: trimmed
-- The stream itself is not in a backup: whoever had not read it to its end rebuilds.
UPDATE committed_ring SET slot = 0, since = now(), trimmed = %s
