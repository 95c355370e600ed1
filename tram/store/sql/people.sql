-- Accounts, their roles and second factors (tram/store/people.py, factors.py).

-- name: add
INSERT INTO account (login, name, email, language, password, password_changed, must_change, demo)
VALUES (%(login)s, %(name)s, %(email)s, %(language)s, %(password)s,
        CASE WHEN %(password)s::text IS NULL THEN NULL ELSE now() END, %(must_change)s, %(demo)s)
ON CONFLICT (login) DO NOTHING
RETURNING id

-- name: get
SELECT id, login, name, email, language, password, must_change, totp IS NOT NULL, demo, disabled, created, seen
FROM account WHERE id = %(id)s

-- name: by_login
SELECT id, login, name, email, language, password, must_change, totp IS NOT NULL, demo, disabled, created, seen
FROM account WHERE login = %(login)s

-- name: by_identity
SELECT account FROM account_identity WHERE issuer = %(issuer)s AND subject = %(subject)s

-- name: link
INSERT INTO account_identity (issuer, subject, account) VALUES (%(issuer)s, %(subject)s, %(account)s)
ON CONFLICT (issuer, subject) DO NOTHING

-- name: list
-- By sign-in name; those with a grant in one of the areas or facilities (NULL: everybody).
SELECT id, login, name, email, language, password, must_change, totp IS NOT NULL, demo, disabled, created, seen
FROM account a
WHERE login > %(after)s
  AND (%(search)s = '' OR login ILIKE %(pattern)s OR name ILIKE %(pattern)s)
  AND (%(areas)s::text[] IS NULL AND %(facilities)s::text[] IS NULL OR EXISTS (
        SELECT FROM role_grant g WHERE g.account = a.id
           AND (g.areas && %(areas)s::text[] OR g.facilities && %(facilities)s::text[])))
ORDER BY login LIMIT %(limit)s

-- name: set_password
UPDATE account SET password = %(password)s, password_changed = now(), must_change = %(must_change)s WHERE id = %(id)s

-- name: rehash
-- The same password under newer parameters: nothing changed for the person, and no session ends.
UPDATE account SET password = %(password)s WHERE id = %(id)s AND password = %(before)s

-- name: describe
UPDATE account SET name = %(name)s, email = %(email)s, language = %(language)s WHERE id = %(id)s

-- name: set_disabled
UPDATE account SET disabled = CASE WHEN %(disabled)s THEN coalesce(disabled, now()) END WHERE id = %(id)s RETURNING id

-- name: signed_in
UPDATE account SET seen = to_timestamp(%(now)s) WHERE id = %(id)s

-- name: demo_people
SELECT count(*) FROM account WHERE demo AND disabled IS NULL

-- name: anybody
SELECT EXISTS (SELECT FROM account)

-- name: grants
SELECT id, role, areas, facilities, source, granted_by, granted, expires FROM role_grant
WHERE account = %(account)s ORDER BY id

-- name: grants_of_many
SELECT account, role, areas, facilities FROM role_grant WHERE account = ANY (%(accounts)s::int[]) ORDER BY id

-- name: grant
INSERT INTO role_grant (account, role, areas, facilities, source, granted_by, expires)
VALUES (%(account)s, %(role)s, %(areas)s, %(facilities)s, %(source)s, %(by)s, to_timestamp(%(expires)s)) RETURNING id

-- name: get_grant
SELECT account, role, areas, facilities FROM role_grant WHERE id = %(id)s

-- name: take
DELETE FROM role_grant WHERE id = %(id)s RETURNING account

-- name: take_all_of
DELETE FROM role_grant WHERE account = %(account)s AND source = %(source)s

-- name: area_parents
SELECT id, parent FROM area

-- name: totp
SELECT totp, totp_pending, totp_step FROM account WHERE id = %(id)s FOR UPDATE

-- name: totp_propose
UPDATE account SET totp_pending = %(sealed)s WHERE id = %(id)s

-- name: totp_enrol
UPDATE account SET totp = totp_pending, totp_pending = NULL, totp_step = %(step)s WHERE id = %(id)s

-- name: totp_used
UPDATE account SET totp_step = %(step)s WHERE id = %(id)s

-- name: totp_remove
UPDATE account SET totp = NULL, totp_pending = NULL, totp_step = -1 WHERE id = %(id)s

-- name: recovery_clear
DELETE FROM recovery_code WHERE account = %(account)s

-- name: recovery_add
INSERT INTO recovery_code (account, mark) VALUES (%(account)s, %(mark)s)

-- name: recovery_use
UPDATE recovery_code SET used = now() WHERE account = %(account)s AND mark = ANY (%(marks)s) AND used IS NULL RETURNING account

-- name: recovery_left
SELECT count(*) FROM recovery_code WHERE account = %(account)s AND used IS NULL

-- name: tries
SELECT subject, n, extract(epoch FROM last)::float8 FROM failed_try WHERE subject = ANY (%(subjects)s)

-- name: tried
INSERT INTO failed_try (subject, n, last) VALUES (%(subject)s, %(n)s, to_timestamp(%(last)s))
ON CONFLICT (subject) DO UPDATE SET n = excluded.n, last = excluded.last

-- name: forgive
DELETE FROM failed_try WHERE subject = ANY (%(subjects)s)

-- name: forget_tries
-- Those older than any policy's window, and the oldest beyond a bound: somebody may try a million names.
DELETE FROM failed_try WHERE last < now() - interval '2 days'
   OR subject IN (SELECT subject FROM failed_try ORDER BY last DESC OFFSET %(keep)s)
