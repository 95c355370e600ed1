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
