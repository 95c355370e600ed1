-- The bookkeeping of tram/store/migrate.py.

-- name: lock
-- 0x7472616d is "tram"; 0 is migrating.
SELECT pg_advisory_lock(x'7472616d'::int, 0)

-- name: unlock
SELECT pg_advisory_unlock(x'7472616d'::int, 0)

-- name: create
CREATE TABLE IF NOT EXISTS migration (
    folder   text NOT NULL,
    number   int NOT NULL,
    name     text NOT NULL,
    checksum text NOT NULL,
    applied  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (folder, number)
)

-- name: applied
SELECT folder, number, name, checksum FROM migration ORDER BY folder, number

-- name: record
INSERT INTO migration (folder, number, name, checksum) VALUES (%s, %s, %s, %s)
