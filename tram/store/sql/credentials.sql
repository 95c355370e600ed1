-- Devices' credentials, claim codes, signing keys (tram/store/credentials.py, keys.py).

-- name: lock
SELECT pg_advisory_xact_lock(72041602, hashtext(%(thing)s))

-- name: next_number
SELECT coalesce(max(number), 0) + 1 FROM device_credential WHERE thing = %(thing)s

-- name: issue
INSERT INTO device_credential (thing, number, hash, topics, created_by, expires)
VALUES (%(thing)s, %(number)s, %(hash)s, %(topics)s, %(by)s, to_timestamp(%(expires)s))

-- name: retire
-- The older ones of a thing run out.
UPDATE device_credential SET expires = least(expires, to_timestamp(%(until)s))
WHERE thing = %(thing)s AND number < %(number)s AND revoked IS NULL

-- name: revoke
UPDATE device_credential SET revoked = now()
WHERE thing = %(thing)s AND revoked IS NULL AND (%(number)s::int IS NULL OR number = %(number)s)
RETURNING number

-- name: void_claims
UPDATE claim_code SET expires = least(expires, now()) WHERE thing = %(thing)s AND used IS NULL

-- name: in_force
SELECT thing, number, hash, topics FROM device_credential
WHERE revoked IS NULL AND (expires IS NULL OR expires > to_timestamp(%(now)s)) ORDER BY thing, number

-- name: of_user
SELECT hash FROM device_credential
WHERE thing = %(thing)s AND number = %(number)s AND revoked IS NULL
  AND (expires IS NULL OR expires > to_timestamp(%(now)s))

-- name: topics_of
SELECT topics FROM device_credential WHERE thing = %(thing)s ORDER BY number DESC LIMIT 1

-- name: list
SELECT thing, number, topics, created_by, created, expires, revoked FROM device_credential
WHERE (%(thing)s = '' OR thing = %(thing)s) AND thing > %(after)s ORDER BY thing, number DESC LIMIT %(limit)s

-- name: claim_add
INSERT INTO claim_code (mark, thing, created_by, expires) VALUES (%(mark)s, %(thing)s, %(by)s, to_timestamp(%(expires)s))

-- name: claim_use
UPDATE claim_code SET used = now()
WHERE mark = ANY (%(marks)s) AND used IS NULL AND expires > to_timestamp(%(now)s) RETURNING thing

-- name: claim_sweep
DELETE FROM claim_code WHERE expires < now() - interval '30 days'

-- name: keys
SELECT kid, public, private, extract(epoch FROM signs_from)::float8, extract(epoch FROM signs_until)::float8,
       extract(epoch FROM verifies_until)::float8
FROM signing_key WHERE verifies_until > to_timestamp(%(now)s) ORDER BY signs_from

-- name: key_lock
SELECT pg_advisory_xact_lock(7204160203)

-- name: key_add
INSERT INTO signing_key (kid, public, private, signs_from, signs_until, verifies_until)
VALUES (%(kid)s, %(public)s, %(private)s, to_timestamp(%(signs_from)s), to_timestamp(%(signs_until)s),
        to_timestamp(%(verifies_until)s))

-- name: key_retire
-- A key that signs no more loses its private half; one that verifies no more goes.
UPDATE signing_key SET private = NULL WHERE signs_until <= to_timestamp(%(now)s) AND private IS NOT NULL

-- name: key_drop
DELETE FROM signing_key WHERE verifies_until <= to_timestamp(%(now)s)

-- name: key_stop
-- A key that may be known to others: it signs and verifies no more, at once.
UPDATE signing_key SET private = NULL, signs_from = least(signs_from, to_timestamp(%(now)s) - interval '1 second'),
       signs_until = to_timestamp(%(now)s), verifies_until = to_timestamp(%(now)s)
WHERE verifies_until > to_timestamp(%(now)s)
