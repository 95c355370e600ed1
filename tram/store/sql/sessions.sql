-- Browser sessions and programs' tokens (tram/store/sessions.py, access_tokens.py).

-- name: open
INSERT INTO session (hash, account, complete, second_factor, opened, seen, ends, stepped_up, address, agent, issuer,
                     provider_sid, id_token)
VALUES (%(hash)s, %(account)s, %(complete)s, %(second_factor)s, to_timestamp(%(now)s), to_timestamp(%(now)s),
        to_timestamp(%(ends)s), to_timestamp(%(stepped_up)s), %(address)s, %(agent)s, %(issuer)s, %(provider_sid)s,
        %(id_token)s)
RETURNING id

-- name: find
-- A session in force, its account and that account's grants, in one answer.
SELECT s.id, s.account, s.complete, s.second_factor, extract(epoch FROM s.stepped_up)::float8,
       extract(epoch FROM s.seen)::float8, extract(epoch FROM s.ends)::float8, s.issuer,
       a.login, a.name, a.language, a.must_change, a.totp IS NOT NULL,
       coalesce((SELECT json_agg(json_build_object('role', g.role, 'areas', g.areas, 'facilities', g.facilities,
                                                   'expires', extract(epoch FROM g.expires)) ORDER BY g.id)
                 FROM role_grant g WHERE g.account = a.id), '[]')
FROM session s JOIN account a ON a.id = s.account
WHERE s.hash = %(hash)s AND a.disabled IS NULL
  AND s.ends > to_timestamp(%(now)s) AND s.seen > to_timestamp(%(now)s - %(idle)s)

-- name: touch
UPDATE session SET seen = greatest(seen, to_timestamp(%(now)s)) WHERE id = %(id)s

-- name: complete
UPDATE session SET hash = %(hash)s, complete = true, second_factor = true, ends = to_timestamp(%(ends)s),
                   seen = to_timestamp(%(now)s), stepped_up = to_timestamp(%(now)s)
WHERE id = %(id)s AND NOT complete RETURNING id

-- name: step_up
-- Under a new secret: whoever copied the old cookie does not come along.
UPDATE session SET stepped_up = to_timestamp(%(now)s), hash = %(hash)s WHERE id = %(id)s RETURNING id

-- name: id_token
SELECT issuer, id_token FROM session WHERE id = %(id)s

-- name: close
DELETE FROM session WHERE id = %(id)s RETURNING account

-- name: close_own
DELETE FROM session WHERE id = %(id)s AND account = %(account)s RETURNING id

-- name: close_all
DELETE FROM session WHERE account = %(account)s AND id <> %(except)s RETURNING id

-- name: close_provider
DELETE FROM session WHERE issuer = %(issuer)s
  AND (provider_sid = %(sid)s OR %(sid)s::text IS NULL AND account IN (
        SELECT account FROM account_identity WHERE issuer = %(issuer)s AND subject = %(subject)s))
RETURNING account

-- name: list
SELECT id, complete, second_factor, opened, seen, ends, address, agent, issuer FROM session
WHERE account = %(account)s AND ends > to_timestamp(%(now)s) AND seen > to_timestamp(%(now)s - %(idle)s)
ORDER BY seen DESC LIMIT 100

-- name: familiar
-- Whether the account had a session from this address and browser within the kept ones.
SELECT EXISTS (SELECT FROM session WHERE account = %(account)s AND address = %(address)s AND agent = %(agent)s)
    OR NOT EXISTS (SELECT FROM session WHERE account = %(account)s)

-- name: sweep
-- Over, idle for a day longer than they may be, or too many of one account (the oldest).
DELETE FROM session WHERE ends <= to_timestamp(%(now)s) OR seen <= to_timestamp(%(now)s - %(idle)s)
   OR id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY account ORDER BY seen DESC) AS n FROM session) o
             WHERE n > %(most)s)

-- name: token_make
INSERT INTO access_token (hash, label, account, role, areas, facilities, created_by, expires)
VALUES (%(hash)s, %(label)s, %(account)s, %(role)s, %(areas)s, %(facilities)s, %(by)s, to_timestamp(%(expires)s))
RETURNING id

-- name: token_find
SELECT t.id, t.label, t.account, t.role, t.areas, t.facilities, extract(epoch FROM t.expires)::float8, a.login,
       coalesce((SELECT json_agg(json_build_object('role', g.role, 'areas', g.areas, 'facilities', g.facilities,
                                                   'expires', extract(epoch FROM g.expires)) ORDER BY g.id)
                 FROM role_grant g WHERE g.account = a.id), '[]')
FROM access_token t LEFT JOIN account a ON a.id = t.account
WHERE t.hash = %(hash)s AND t.revoked IS NULL AND t.expires > to_timestamp(%(now)s)
  AND (t.account IS NULL OR a.disabled IS NULL AND NOT a.must_change)

-- name: token_touch
UPDATE access_token SET seen = to_timestamp(%(now)s) WHERE id = %(id)s

-- name: token_list
SELECT t.id, t.label, a.login, t.role, t.areas, t.facilities, t.created_by, t.created, t.expires, t.seen, t.revoked
FROM access_token t LEFT JOIN account a ON a.id = t.account
WHERE %(account)s::int IS NULL OR t.account = %(account)s
ORDER BY t.id DESC LIMIT %(limit)s

-- name: token_revoke
UPDATE access_token SET revoked = now()
WHERE id = %(id)s AND revoked IS NULL AND (%(account)s::int IS NULL OR account = %(account)s) RETURNING label

-- name: tokens_of_account_revoke
UPDATE access_token SET revoked = now() WHERE account = %(account)s AND revoked IS NULL RETURNING id

-- name: tokens_in_force
SELECT count(*) FROM access_token WHERE account = %(account)s AND revoked IS NULL AND expires > now()
