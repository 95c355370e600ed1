-- What differs between PostgreSQL alone and TimescaleDB: used by tram/store/edition.py only.

-- name: detect
-- (installed here, loaded by the server: then its settings exist, licence: 'apache' or 'timescale' or NULL)
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb'),
       current_setting('timescaledb.disable_load', true) IS NOT NULL,
       current_setting('timescaledb.license', true)

-- name: available
-- Whether CREATE EXTENSION can work: the files are there, the library is loaded, and this role may (superuser, or the
-- extension is trusted and the role may create in the database) or it is there already.
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
    OR current_setting('timescaledb.disable_load', true) IS NOT NULL
       AND EXISTS (SELECT FROM pg_available_extension_versions
                   WHERE name = 'timescaledb'
                     AND (NOT superuser OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                          OR trusted AND has_database_privilege(current_database(), 'CREATE')))

-- name: hypertables
-- (table, microseconds of a chunk) of the hypertables there are.
SELECT hypertable_name::text, (extract(epoch FROM time_interval) * 1000000)::bigint
FROM timescaledb_information.dimensions
WHERE hypertable_schema = current_schema() AND dimension_number = 1

-- name: create_hypertable
SELECT create_hypertable(%(table)s::text::regclass,
                         by_range(%(column)s::text::name, %(chunk)s::bigint * interval '1 microsecond'),
                         create_default_indexes => false, migrate_data => true)

-- name: set_chunk
SELECT set_chunk_time_interval(%(table)s::text::regclass, %(chunk)s::bigint * interval '1 microsecond')

-- name: merge_chunks
-- Every form of the procedure there is in this version, and that we own.
SELECT p.oid::regprocedure::text
FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'timescaledb'
WHERE p.proname = 'merge_chunks' AND pg_has_role(p.proowner, 'USAGE')

-- name: approximate_rows
-- By the statistics collector, which counts every insert within a second or so, or the planner's figure if that is
-- larger (the collector forgets in a crash). A hypertable's chunks, like partitions, inherit from it.
SELECT coalesce(sum(greatest(pg_stat_get_live_tuples(part), c.reltuples::bigint, 0)), 0)::bigint
FROM (
    SELECT %(table)s::text::regclass::oid AS part
    UNION ALL
    SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::text::regclass
) AS parts
JOIN pg_class c ON c.oid = part

-- name: approximate_rows_compressed
-- Knows the rows inside the columnstore, which the query above does not.
SELECT approximate_row_count(%(table)s::text::regclass)

-- name: old_chunks
SELECT show_chunks(%(table)s::text::regclass, older_than => %(before)s::timestamptz)::text

-- name: drop_chunks
SELECT drop_chunks(%(table)s::text::regclass, older_than => %(before)s::timestamptz)

-- name: enable_columnstore
-- Community only. By Datastream, newest first: what every query asks for.
ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = 'datastream_id',
                         timescaledb.compress_orderby = 'phenomenon_time DESC')

-- name: next_to_compress
SELECT format('%%I.%%I', chunk_schema, chunk_name)
FROM timescaledb_information.chunks
WHERE hypertable_schema = current_schema() AND hypertable_name = %(table)s
  AND NOT is_compressed AND range_end <= now() - %(days)s * interval '1 day'
ORDER BY range_start
LIMIT 1

-- name: compress_chunk
SELECT compress_chunk(%(chunk)s::regclass)
