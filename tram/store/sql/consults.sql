-- Consults: who belongs to which, and the emergency's way in. Called by tram.store.consults.

-- name: record
-- The clinical record that a new consult is about.
INSERT INTO clinical.record (facility, assigned) VALUES (%(facility)s, ARRAY[%(principal)s]) RETURNING id

-- name: add
INSERT INTO consult (id, record, station, hospital) VALUES (%(id)s, %(record)s, %(station)s, %(hospital)s)

-- name: get
SELECT c.id, c.record, c.station, c.hospital, c.requested, c.closed,
       coalesce((SELECT jsonb_agg(jsonb_build_object('account', p.account, 'seat', p.seat,
                                                     'until', extract(epoch FROM p.until)) ORDER BY p.since, p.account)
                 FROM consult_person p WHERE p.consult = c.id AND (p.until IS NULL OR p.until > now())), '[]')
FROM consult c WHERE c.id = %(id)s

-- name: open
-- Consults that are not closed, the longest waiting first, after a given one.
SELECT c.id, c.record, c.station, c.hospital, c.requested, c.closed,
       coalesce((SELECT jsonb_agg(jsonb_build_object('account', p.account, 'seat', p.seat,
                                                     'until', extract(epoch FROM p.until)) ORDER BY p.since, p.account)
                 FROM consult_person p WHERE p.consult = c.id AND (p.until IS NULL OR p.until > now())), '[]')
FROM consult c
WHERE c.closed IS NULL AND (%(facilities)s::text[] IS NULL OR c.station = ANY (%(facilities)s) OR c.hospital = ANY (%(facilities)s))
  AND (%(after)s::text IS NULL OR (c.requested, c.id) > (SELECT requested, id FROM consult WHERE id = %(after)s))
ORDER BY c.requested, c.id
LIMIT %(limit)s

-- name: seat
-- A seat for somebody; a lasting one is never shortened by an emergency's.
INSERT INTO consult_person (consult, account, seat, by, until)
VALUES (%(consult)s, %(account)s, %(seat)s, %(by)s, to_timestamp(%(until)s))
ON CONFLICT (consult, account) DO UPDATE SET seat = excluded.seat, by = excluded.by, since = now(), until = excluded.until
WHERE consult_person.until IS NOT NULL OR excluded.until IS NULL
RETURNING true

-- name: unseat
DELETE FROM consult_person WHERE consult = %(consult)s AND account = %(account)s RETURNING true

-- name: assign
-- The record's own list of who is assigned, which the wall asks.
UPDATE clinical.record SET assigned = array_append(array_remove(assigned, %(principal)s), %(principal)s)
WHERE id = %(record)s

-- name: withdraw
UPDATE clinical.record SET assigned = array_remove(assigned, %(principal)s) WHERE id = %(record)s

-- name: close
UPDATE consult SET closed = now() WHERE id = %(id)s AND closed IS NULL RETURNING true

-- name: facility_of
SELECT facility FROM clinical.record WHERE id = %(record)s

-- name: break_glass
INSERT INTO clinical.break_glass (record, principal, reason, until)
VALUES (%(record)s, %(principal)s, %(reason)s, now() + make_interval(secs => %(seconds)s))
RETURNING extract(epoch FROM until)::float8

-- name: standing
-- Everybody who may be in a consult, with what they were granted, for deciding from memory.
SELECT p.account, a.login, p.seat, extract(epoch FROM p.until)::float8, c.station, c.hospital,
       coalesce((SELECT jsonb_agg(jsonb_build_object('role', g.role, 'areas', g.areas, 'facilities', g.facilities,
                                                     'expires', extract(epoch FROM g.expires)))
                 FROM role_grant g WHERE g.account = a.id AND (g.expires IS NULL OR g.expires > now())), '[]')
FROM consult c
JOIN consult_person p ON p.consult = c.id
JOIN account a ON a.id = p.account
WHERE c.id = %(consult)s AND c.closed IS NULL AND a.disabled IS NULL AND NOT a.must_change
  AND (p.until IS NULL OR p.until > now())
