-- CAP rules and documents: tram/store/cap.py.

-- name: rules
SELECT id, document, changed, by FROM cap_rule ORDER BY id

-- name: put_rule
INSERT INTO cap_rule (id, document, by) VALUES (%s, %s::jsonb, %s)
ON CONFLICT (id) DO UPDATE SET document = excluded.document, by = excluded.by, changed = now()

-- name: remove_rule
DELETE FROM cap_rule WHERE id = %s

-- name: chain
SELECT identifier, sent, kind, level, expires FROM cap_document WHERE alarm_id = %s AND rule = %s ORDER BY id

-- name: replace
UPDATE cap_document SET replaced = true WHERE alarm_id = %s AND rule = %s AND NOT replaced

-- name: add
INSERT INTO cap_document (identifier, rule, alarm_id, kind, level, sent, expires, title, summary, area, alarm, document)
VALUES (%(identifier)s, %(rule)s, %(alarm_id)s, %(kind)s, %(level)s, %(sent)s, %(expires)s, %(title)s, %(summary)s,
        %(area)s, %(alarm)s::jsonb, %(document)s)

-- name: to_renew
-- The last word of chains that run out soon; the newest state of the alarm decides what follows.
SELECT d.rule, a.document::text
FROM cap_document d
JOIN alarm a ON a.id = d.alarm_id
WHERE NOT d.replaced AND d.kind <> 'Cancel' AND d.expires < %s
ORDER BY d.id
LIMIT %s


-- name: abandoned
-- Chains whose rule is gone, or that stand though their alarm does not.
SELECT d.rule, a.document::text
FROM cap_document d
JOIN alarm a ON a.id = d.alarm_id
LEFT JOIN cap_rule r ON r.id = d.rule
WHERE NOT d.replaced AND d.kind <> 'Cancel' AND d.expires > now() AND r.id IS NULL
ORDER BY d.id
LIMIT %s

-- name: newest
-- What is in the feed: the last word of each chain, while it holds; a Cancel for a day.
SELECT identifier, kind, sent, expires, title, summary, area
FROM cap_document
WHERE NOT replaced AND (expires > now() OR (kind = 'Cancel' AND sent > now() - interval '1 day'))
ORDER BY sent DESC, id DESC
LIMIT %s

-- name: document
SELECT document, sent FROM cap_document WHERE identifier = %s

-- name: place
-- Where an alarm is: its area and the point of its Thing.
SELECT a.name, a.name_en, a.id, a.geometry, t.longitude, t.latitude
FROM (SELECT %s::text AS area, %s::int AS thing) AS w
LEFT JOIN area a ON a.id = w.area
LEFT JOIN thing t ON t.id = w.thing

-- name: trim
DELETE FROM cap_document WHERE sent < %s AND expires < %s
