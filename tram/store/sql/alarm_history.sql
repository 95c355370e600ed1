-- Alarms as lists, and their past: tram/store/alarm_history.py.

-- name: current
-- The newest first. A storm entry lies where its members lie.
SELECT a.id, a.document::text
FROM alarm a
WHERE a.state <> 'normal' AND a.id < %(before)s
  AND (%(seen)s::text[] IS NULL OR a.area = ANY (%(seen)s::text[])
       OR a.thing_id IS NULL AND EXISTS (SELECT FROM alarm m WHERE m.storm = a.id AND m.area = ANY (%(seen)s::text[])))
  AND (%(areas)s::text[] IS NULL OR a.area = ANY (%(areas)s::text[])
       OR a.thing_id IS NULL AND EXISTS (SELECT FROM alarm m WHERE m.storm = a.id AND m.area = ANY (%(areas)s::text[])))
  AND (%(states)s::text[] IS NULL OR a.state = ANY (%(states)s::text[]))
  AND (%(rule)s::text IS NULL OR a.rule = %(rule)s::text)
  AND (%(thing)s::text IS NULL OR a.document ->> 'thing' = %(thing)s::text)
  AND (%(storm)s::bigint IS NULL OR a.storm = %(storm)s::bigint)
  AND (NOT %(grouped)s OR a.storm IS NULL
       OR NOT EXISTS (SELECT FROM alarm s WHERE s.id = a.storm AND s.state <> 'normal'))
  AND a.priority >= %(least)s
ORDER BY a.id DESC
LIMIT %(limit)s

-- name: history
SELECT a.id, a.document::text
FROM alarm a
WHERE a.raised >= %(start)s AND a.raised < %(end)s AND (a.raised, a.id) < (%(before_time)s, %(before)s)
  AND (%(seen)s::text[] IS NULL OR a.area = ANY (%(seen)s::text[]))
  AND (%(areas)s::text[] IS NULL OR a.area = ANY (%(areas)s::text[]))
  AND (%(rule)s::text IS NULL OR a.rule = %(rule)s::text)
  AND (%(thing)s::text IS NULL OR a.document ->> 'thing' = %(thing)s::text)
  AND a.priority >= %(least)s
ORDER BY a.raised DESC, a.id DESC
LIMIT %(limit)s

-- name: changes_of
SELECT seq, at, document::text FROM alarm_change WHERE alarm_id = %s AND seq > %s ORDER BY seq LIMIT %s

-- name: events
-- Of alarms (not of storm entries) from %(start)s on, and of those that were open then, up to %(end)s; in order.
SELECT c.at, c.kind, c.alarm_id, c.document -> 'alarm' ->> 'rule', c.document -> 'alarm' ->> 'thing',
       c.document -> 'alarm' ->> 'area', (c.document -> 'alarm' ->> 'priority')::int, c.document -> 'alarm' ->> 'state',
       (c.document -> 'alarm' ->> 'active')::bool
FROM alarm_change c
JOIN alarm a ON a.id = c.alarm_id
WHERE a.thing_id IS NOT NULL AND c.at < %(end)s
  AND (c.at >= %(start)s OR a.state <> 'normal' OR (a.document ->> 'closed')::timestamptz >= %(start)s)
  AND (%(seen)s::text[] IS NULL OR a.area = ANY (%(seen)s::text[]))
  AND (%(areas)s::text[] IS NULL OR a.area = ANY (%(areas)s::text[]))
  AND (%(rule)s::text IS NULL OR a.rule = %(rule)s::text)
ORDER BY c.seq
LIMIT %(limit)s

-- name: trial_count
-- About how many numbers these Datastreams have in a span, by the hours that begin in it.
SELECT coalesce(sum(n), 0)::bigint FROM rollup_1h
WHERE datastream_id = ANY (%(ids)s::int[]) AND bucket >= %(start)s AND bucket < %(end)s

-- name: trial_raw
COPY (
    SELECT datastream_id, phenomenon_time, quality, result
    FROM observation
    WHERE datastream_id = ANY (%(ids)s::int[]) AND phenomenon_time >= %(start)s AND phenomenon_time < %(end)s
      AND result IS NOT NULL
    LIMIT %(limit)s
) TO STDOUT (FORMAT binary)

-- name: trial_minutes
COPY (
    SELECT datastream_id, last_time, min, max, last
    FROM rollup_1m
    WHERE datastream_id = ANY (%(ids)s::int[]) AND bucket >= %(start)s AND bucket < %(end)s
    LIMIT %(limit)s
) TO STDOUT (FORMAT binary)

-- name: trial_points
SELECT datastream_id, phenomenon_time, result_json
FROM observation
WHERE datastream_id = ANY (%(ids)s::int[]) AND phenomenon_time >= %(start)s AND phenomenon_time < %(end)s
  AND result_json IS NOT NULL
LIMIT %(limit)s

-- name: trim
-- An alarm is raised before it is over: the index by `raised` finds them.
WITH old AS (
    SELECT a.id FROM alarm a
    WHERE a.raised < %(before)s AND a.state = 'normal' AND (a.document ->> 'closed')::timestamptz < %(before)s
      AND NOT EXISTS (SELECT FROM alarm m WHERE m.storm = a.id)
    ORDER BY a.raised LIMIT %(limit)s
), history AS (
    DELETE FROM alarm_change WHERE alarm_id IN (SELECT id FROM old) RETURNING seq
), gone AS (
    DELETE FROM alarm WHERE id IN (SELECT id FROM old) AND (SELECT count(*) FROM history) >= 0 RETURNING id
)
SELECT count(*) FROM gone
