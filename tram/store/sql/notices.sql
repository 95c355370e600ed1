-- Notifications: tram/store/notices.py.

-- name: position
SELECT seq FROM notice_position WHERE reader = %s FOR UPDATE

-- name: start
INSERT INTO notice_position (reader, seq) VALUES (%s, %s) ON CONFLICT (reader) DO NOTHING

-- name: move
UPDATE notice_position SET seq = %s WHERE reader = %s

-- name: preference
SELECT document FROM notice_preference WHERE account = %s

-- name: prefer
INSERT INTO notice_preference (account, document) VALUES (%s, %s::jsonb)
ON CONFLICT (account) DO UPDATE SET document = excluded.document, changed = now()

-- name: listeners
-- Everybody who has a channel that works: (account, language, preferences, [channel, kind, waiting]).
SELECT a.id, a.language, p.document, c.id, c.kind,
       (SELECT count(*) FROM notice n WHERE n.channel = c.id AND n.state = 'waiting')
FROM notice_channel c
JOIN account a ON a.id = c.account AND a.disabled IS NULL
LEFT JOIN notice_preference p ON p.account = a.id
WHERE c.enabled AND c.code IS NULL
ORDER BY a.id, c.id

-- name: put
INSERT INTO notice (key, account, channel, to_kind, kind, priority, alarm_id, document, due)
VALUES (%(key)s, %(account)s, %(channel)s, %(to_kind)s, %(kind)s, %(priority)s, %(alarm_id)s, %(document)s::jsonb, %(due)s)
ON CONFLICT (key) DO NOTHING

-- name: put_dropped
WITH counted AS (UPDATE notice_channel SET dropped = dropped + 1 WHERE id = %(channel)s)
INSERT INTO notice (key, account, channel, to_kind, kind, priority, alarm_id, document, due, state, finished, error)
VALUES (%(key)s, %(account)s, %(channel)s, %(to_kind)s, %(kind)s, %(priority)s, %(alarm_id)s, %(document)s::jsonb, %(due)s,
        'dropped', now(), 'too many wait for this channel')
ON CONFLICT (key) DO NOTHING

-- name: channels
SELECT id, account, kind, address, label, enabled, code IS NULL, failures, error, dropped, created, delivered
FROM notice_channel
WHERE account = %(account)s AND (%(id)s::int IS NULL OR id = %(id)s)
ORDER BY id

-- name: add_channel
INSERT INTO notice_channel (account, kind, address, label, secret, code)
VALUES (%(account)s, %(kind)s, %(address)s, %(label)s, %(secret)s, %(code)s)
ON CONFLICT (account, kind, address) DO NOTHING
RETURNING id

-- name: seal_channel
UPDATE notice_channel SET secret = %s WHERE id = %s

-- name: count_channels
SELECT count(*) FROM notice_channel WHERE account = %s

-- name: set_channel
UPDATE notice_channel SET label = coalesce(%(label)s, label), enabled = coalesce(%(enabled)s, enabled),
    failures = CASE WHEN %(enabled)s THEN 0 ELSE failures END, error = CASE WHEN %(enabled)s THEN '' ELSE error END
WHERE id = %(id)s AND account = %(account)s

-- name: remove_channel
WITH gone AS (
    UPDATE notice SET state = 'dropped', finished = now(), error = 'the channel was removed'
    WHERE channel = %(id)s AND state = 'waiting' AND account = %(account)s
)
DELETE FROM notice_channel WHERE id = %(id)s AND account = %(account)s

-- name: code_of
SELECT code, tries FROM notice_channel WHERE id = %(id)s AND account = %(account)s FOR UPDATE

-- name: wrong_code
UPDATE notice_channel SET tries = tries + 1 WHERE id = %s

-- name: confirmed
UPDATE notice_channel SET code = NULL, tries = 0 WHERE id = %s

-- name: tested_lately
SELECT EXISTS (SELECT FROM notice WHERE channel = %s AND kind = 'test' AND created > now() - interval '20 seconds')

-- name: claim
-- What is due, of channels that may be written to, oldest first. The lock is the leader's own transaction; a lease follows.
SELECT n.id, n.kind, n.priority, n.document::text, n.message, n.tries, n.created, c.id, c.kind, c.address, c.secret,
       a.language, coalesce(p.document, '{}')::text
FROM notice n
JOIN notice_channel c ON c.id = n.channel
JOIN account a ON a.id = n.account
LEFT JOIN notice_preference p ON p.account = a.id
WHERE n.state = 'waiting' AND n.due <= %(now)s AND NOT c.id = ANY(%(busy)s::int[])
ORDER BY n.due, n.id
LIMIT %(limit)s
FOR NO KEY UPDATE OF n SKIP LOCKED

-- name: sent_lately
-- Messages of each channel in the window: (channel, critical, how many, when the last).
SELECT channel, priority >= 4, count(DISTINCT message), max(finished)
FROM notice
WHERE channel = ANY(%(channels)s::int[]) AND state = 'sent' AND finished > %(since)s AND kind = 'alarm'
GROUP BY 1, 2

-- name: postpone
UPDATE notice SET due = %(due)s WHERE id = ANY(%(ids)s::bigint[])

-- name: lease
UPDATE notice SET message = %(message)s, tries = tries + 1, due = %(due)s WHERE id = ANY(%(ids)s::bigint[])

-- name: unlease
-- They were not even tried: the one before them to the same channel failed.
UPDATE notice SET due = %(due)s, tries = tries - 1 WHERE id = ANY(%(ids)s::bigint[])

-- name: sent
UPDATE notice SET state = 'sent', finished = now(), error = '' WHERE id = ANY(%(ids)s::bigint[])

-- name: again
UPDATE notice SET due = %(due)s, error = %(error)s WHERE id = ANY(%(ids)s::bigint[])

-- name: failed
UPDATE notice SET state = 'failed', finished = now(), error = %(error)s WHERE id = ANY(%(ids)s::bigint[])

-- name: channel_worked
UPDATE notice_channel SET failures = 0, error = '', delivered = now() WHERE id = %s

-- name: channel_failed
-- 50 failures in a row switch it off; not for email, whose server is ours.
UPDATE notice_channel SET failures = failures + 1, error = %(error)s,
    enabled = enabled AND NOT (%(off)s OR (kind <> 'email' AND failures + 1 >= 50))
WHERE id = %(id)s

-- name: drop_disabled
-- Nothing waits for a channel that was switched off, or for an account that was disabled.
UPDATE notice n SET state = 'dropped', finished = now(), error = 'the channel is off'
FROM notice_channel c
JOIN account a ON a.id = c.account
WHERE n.state = 'waiting' AND c.id = n.channel AND (NOT c.enabled OR a.disabled IS NOT NULL)

-- name: log
SELECT n.id, n.account, n.channel, n.to_kind, n.kind, n.priority, n.alarm_id, n.state, n.due, n.message, n.tries, n.error,
       n.created, n.finished, n.document -> 'alarm' ->> 'vi', n.document -> 'alarm' ->> 'en'
FROM notice n
WHERE (%(account)s::int IS NULL OR n.account = %(account)s) AND (%(before)s::bigint IS NULL OR n.id < %(before)s)
  AND (%(state)s::text IS NULL OR n.state = %(state)s)
ORDER BY n.id DESC
LIMIT %(limit)s

-- name: trim
DELETE FROM notice WHERE id IN (
    SELECT id FROM notice WHERE finished < %(before)s ORDER BY finished LIMIT %(limit)s
)

-- name: push_key
SELECT private, public FROM notice_push_key

-- name: set_push_key
INSERT INTO notice_push_key (private, public) VALUES (%s, %s) ON CONFLICT (one) DO NOTHING
