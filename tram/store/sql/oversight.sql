-- The audit and the events (tram/store/audit.py, events.py).

-- name: audit_lock
-- One writer at a time: the chain has one order. Until the transaction ends, so write the audit last.
SELECT pg_advisory_xact_lock(7204160201)

-- name: audit_head
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1

-- name: audit_add
INSERT INTO audit (seq, at, actor, actor_name, operation, target, outcome, why, origin, detail, previous, hash)
VALUES (%(seq)s, %(at)s, %(actor)s, %(actor_name)s, %(operation)s, %(target)s, %(outcome)s, %(why)s, %(origin)s,
        %(detail)s::json, %(previous)s, %(hash)s)

-- name: audit_rows
SELECT seq, at, actor, actor_name, operation, target, outcome, why, origin, detail::text, previous, hash
FROM audit WHERE seq > %(after)s ORDER BY seq LIMIT %(limit)s

-- name: audit_search
SELECT seq, at, actor, actor_name, operation, target, outcome, why, origin, detail::text, previous, hash
FROM audit
WHERE (%(before)s::bigint IS NULL OR seq < %(before)s)
  AND (%(actor)s = '' OR actor = %(actor)s OR actor_name = %(actor)s)
  AND (%(operation)s = '' OR operation = %(operation)s)
  AND (%(target)s = '' OR target ILIKE %(target_pattern)s)
  AND (%(outcome)s = '' OR outcome = %(outcome)s)
  AND (%(start)s::timestamptz IS NULL OR at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR at < %(end)s)
ORDER BY seq DESC LIMIT %(limit)s

-- name: event_add
INSERT INTO event (at, kind, code, severity, subject, origin, thing_id, area, detail)
VALUES (%(at)s, %(kind)s, %(code)s, %(severity)s, %(subject)s, %(origin)s, %(thing_id)s, %(area)s, %(detail)s::jsonb)

-- name: event_newest
SELECT at, kind, code, severity, subject, origin, thing_id, area, detail
FROM event
WHERE kind = %(kind)s
  AND (%(code)s = '' OR code = %(code)s)
  AND (%(subject)s = '' OR subject = %(subject)s)
  AND (%(before)s::timestamptz IS NULL OR at < %(before)s)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
ORDER BY at DESC LIMIT %(limit)s

-- name: event_counts
SELECT code, count(*) FROM event WHERE kind = %(kind)s AND at >= %(since)s GROUP BY code

-- name: event_trim
DELETE FROM event WHERE at < %(before)s
