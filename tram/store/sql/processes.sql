-- Who runs: tram/store/processes.py. Ages are by the database's clock: one clock for all machines.

-- name: heartbeat
INSERT INTO process (name, host, pid, version, state, started, seen, detail)
VALUES (%(name)s, %(host)s, %(pid)s, %(version)s, %(state)s, %(started)s, clock_timestamp(), %(detail)s::jsonb)
ON CONFLICT (name, host, pid) DO UPDATE
SET version = excluded.version, state = excluded.state, started = excluded.started, seen = excluded.seen,
    detail = excluded.detail

-- name: list
SELECT name, host, pid, version, state, started, seen,
       greatest(0, extract(epoch FROM clock_timestamp() - seen))::float8, detail
FROM process
WHERE seen > clock_timestamp() - %s * interval '1 second'
ORDER BY name, host, pid

-- name: forget
DELETE FROM process WHERE seen < clock_timestamp() - %s * interval '1 second'
