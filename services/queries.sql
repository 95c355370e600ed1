-- What the overview asks, beside the store's own functions.

-- name: base
-- Counts once; one statement is one snapshot, so the count and the stream's end belong together.
SELECT (SELECT count(*) FROM observation), (SELECT coalesce(max(seq), 0) FROM committed)

-- name: stream_end
-- Where the stream ends now.
SELECT coalesce(max(seq), 0) FROM committed

-- name: stream
-- What was committed after a position.
SELECT seq, extract(epoch FROM at)::float8, op, n FROM committed WHERE seq > %(position)s ORDER BY seq LIMIT %(limit)s

-- name: moment
-- The database's clock: ages are told by one clock.
SELECT extract(epoch FROM clock_timestamp())::float8

-- name: server
-- The server's version, and how much the database takes on its disk.
SELECT current_setting('server_version'), pg_database_size(current_database())

-- name: places
-- Where the active Things stand.
SELECT id, name, longitude, latitude FROM thing
WHERE status = 'active' AND longitude IS NOT NULL ORDER BY id LIMIT %(limit)s

-- name: trends
-- The last values of some Datastreams, oldest first.
SELECT d.id, array(
    SELECT r.result FROM (
        SELECT o.result, o.phenomenon_time FROM observation o
        WHERE o.datastream_id = d.id AND o.phenomenon_time > now() - interval '1 day'
        ORDER BY o.phenomenon_time DESC LIMIT %(points)s
    ) r ORDER BY r.phenomenon_time
)
FROM unnest(%(ids)s::int[]) AS d (id)

-- name: trends_hourly
-- Means of the last 24 hours by hour, oldest first; null where there is none (NaN: a magnitude that has no mean).
SELECT d.id, array(
    SELECT nullif((r.sum + r.sum_low) / r.n, 'NaN'::float8)
    FROM generate_series(date_trunc('hour', now()) - interval '23 hours', date_trunc('hour', now()), interval '1 hour') AS h (at)
    LEFT JOIN rollup_1h r ON r.datastream_id = d.id AND r.bucket = h.at
    ORDER BY h.at
)
FROM unnest(%(ids)s::int[]) AS d (id)

-- name: readers
-- How far each reader of the committed stream is behind: batches, and seconds since the oldest of them was stored.
SELECT p.reader, behind.n, coalesce(extract(epoch FROM clock_timestamp() - behind.oldest), 0)::float8
FROM committed_position p,
     LATERAL (SELECT count(*) AS n, min(at) AS oldest FROM committed WHERE seq > p.seq) AS behind
ORDER BY p.reader

-- name: waiting
-- What waits beside the stream: messages of Things to be accepted, dead letters to be read once more, devices looked at.
SELECT (SELECT count(*) FROM pending_message),
       (SELECT count(*) FROM dead_letter WHERE asked IS NOT NULL AND settled IS NULL),
       (SELECT count(*) FROM watch WHERE until > now())

-- name: tables
-- The largest tables with their indices, partitions and chunks, in bytes.
WITH RECURSIVE tree (id, root) AS (
    SELECT c.oid, c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
    UNION ALL
    SELECT i.inhrelid, tree.root FROM pg_inherits i JOIN tree ON i.inhparent = tree.id
)
SELECT root::regclass::text, sum(pg_total_relation_size(id))::int8 FROM tree GROUP BY root ORDER BY 2 DESC, 1 LIMIT 12
