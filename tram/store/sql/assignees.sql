-- Whom an alarm can be given to (tram/store/assignees.py).

-- name: able
-- By name. Those with a role that holds now: everywhere (its areas NULL) or in one of the areas on the alarm's path.
SELECT a.id, a.name
FROM account a
WHERE a.disabled IS NULL
  AND (%(id)s::int IS NULL OR a.id = %(id)s::int)
  AND (a.name, a.id) > (%(name)s, %(after)s::int)
  AND (a.name ILIKE %(pattern)s OR a.name ILIKE '%% ' || %(pattern)s)
  AND EXISTS (
        SELECT FROM role_grant g
        WHERE g.account = a.id AND (g.expires IS NULL OR g.expires > to_timestamp(%(now)s))
          AND (g.role = ANY (%(everywhere)s::text[])
               OR g.role = ANY (%(area)s::text[]) AND (g.areas IS NULL OR g.areas && %(path)s::text[])))
ORDER BY a.name, a.id LIMIT %(limit)s

-- name: named
-- Also of those who may do nothing any more.
SELECT a.id, a.name FROM account a WHERE a.id = ANY (%(ids)s::int[]) ORDER BY a.id

-- name: holders
-- Who has an alarm that stands, of those that may be seen (NULL: all).
SELECT a.id, a.name FROM account a
WHERE 'p:' || a.id IN (
        SELECT m.document ->> 'assignee' FROM alarm m
        WHERE m.state <> 'normal'
          AND (%(seen)s::text[] IS NULL OR m.area = ANY (%(seen)s::text[])
               OR m.thing_id IS NULL AND EXISTS (
                     SELECT FROM alarm i WHERE i.storm = m.id AND i.area = ANY (%(seen)s::text[]))))
ORDER BY a.name, a.id LIMIT %(limit)s
