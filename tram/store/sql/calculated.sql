-- Calculated Datastreams: tram/store/calculated.py (definitions), tram/store/calculating.py (their values).

-- name: lock
-- Definitions change one after another, so that no two of them close a circle. 0x7472616d is "tram".
SELECT pg_advisory_xact_lock(x'7472616d'::int, 126)

-- name: list
SELECT c.id, c.label, c.expression, c.output_id, t.name, p.name, d.unit, c.max_age, c.enabled, c.created_by, c.created,
       c.changed, c.fault, c.fault_at, c.computed_at, c.written, c.undefined, c.undefined_at,
       EXISTS (SELECT FROM calculated_mark m WHERE m.calculated_id = c.id)
FROM calculated c
LEFT JOIN datastream d ON d.id = c.output_id
LEFT JOIN thing t ON t.id = d.thing_id
LEFT JOIN observed_property p ON p.id = d.observed_property_id
WHERE c.id > %(after)s AND (%(ids)s::int[] IS NULL OR c.id = ANY(%(ids)s))
ORDER BY c.id
LIMIT %(limit)s

-- name: inputs
SELECT i.calculated_id, i.name, i.datastream_id, coalesce(t.name || ' / ' || p.name, i.was), t.name, d.unit, i.reach,
       i.triggers
FROM calculated_input i
LEFT JOIN datastream d ON d.id = i.datastream_id
LEFT JOIN thing t ON t.id = d.thing_id
LEFT JOIN observed_property p ON p.id = d.observed_property_id
WHERE i.calculated_id = ANY(%s::int[])
ORDER BY i.calculated_id, i.name

-- name: add
INSERT INTO calculated (label, expression, output_id, max_age, enabled, created_by)
VALUES (%(label)s, %(expression)s, %(output)s, %(max_age)s, %(enabled)s, %(by)s)
RETURNING id

-- name: change
UPDATE calculated SET label = %(label)s, expression = %(expression)s, max_age = %(max_age)s, enabled = %(enabled)s,
    changed = now(), fault = '', fault_at = NULL
WHERE id = %(id)s

-- name: clear_inputs
DELETE FROM calculated_input WHERE calculated_id = %s

-- name: add_input
INSERT INTO calculated_input (calculated_id, name, datastream_id, was, reach, triggers)
VALUES (%(id)s, %(name)s, %(datastream)s, %(was)s, %(reach)s, %(triggers)s)

-- name: remove
DELETE FROM calculated WHERE id = %s

-- name: notify
SELECT pg_notify('tram_calculated', '')

-- name: upstream
-- Every Datastream that these are computed from, however far up.
WITH RECURSIVE up (id) AS (
    SELECT unnest(%(ids)s::int[])
    UNION
    SELECT i.datastream_id
    FROM up
    JOIN calculated c ON c.output_id = up.id
    JOIN calculated_input i ON i.calculated_id = c.id AND i.datastream_id IS NOT NULL
)
SELECT id FROM up

-- name: output
-- The Datastream that definitions write: beside the one of channel '', which devices write.
-- `computed`: it tells nothing of whether its Thing still sends (docs/alarms.md, no-data).
INSERT INTO datastream (thing_id, observed_property_id, unit, channel, name, sensor_id, properties)
SELECT %(thing)s, p.id, %(unit)s, 'calculated', '', (SELECT id FROM sensor WHERE generic), '{"computed": "calculated"}'
FROM observed_property p WHERE p.name = %(property)s
ON CONFLICT (thing_id, observed_property_id, channel) DO UPDATE SET channel = excluded.channel
RETURNING id, unit

-- name: mark
INSERT INTO calculated_mark (calculated_id, first, last)
SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bigint[])

-- name: touched
-- Which definitions look at these Datastreams.
SELECT i.datastream_id, i.calculated_id, i.reach
FROM calculated_input i
JOIN calculated c ON c.id = i.calculated_id AND c.enabled
WHERE i.datastream_id = ANY(%s::int[])

-- name: mark_all
INSERT INTO calculated_mark (calculated_id, first, last)
SELECT id, %s::bigint, %s::bigint FROM calculated WHERE enabled

-- name: marked
SELECT c.id
FROM calculated c
WHERE EXISTS (SELECT FROM calculated_mark m WHERE m.calculated_id = c.id) AND c.id > %(after)s
ORDER BY c.id
LIMIT %(limit)s
FOR NO KEY UPDATE OF c

-- name: take_marks
DELETE FROM calculated_mark WHERE calculated_id = ANY(%s::int[]) RETURNING calculated_id, first, last

-- name: numbers
COPY (
    SELECT (extract(epoch FROM phenomenon_time) * 1000000)::int8, quality, result
    FROM observation
    WHERE datastream_id = %(id)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s AND result IS NOT NULL
    ORDER BY phenomenon_time
    LIMIT %(limit)s
) TO STDOUT (FORMAT binary)

-- name: stored
-- What stands in the result's Datastream.
COPY (
    SELECT (extract(epoch FROM phenomenon_time) * 1000000)::int8, quality, coalesce(result, 'NaN')
    FROM observation
    WHERE datastream_id = %(id)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
    ORDER BY phenomenon_time
    LIMIT %(limit)s
) TO STDOUT (FORMAT binary)

-- name: numbers_many
-- The same of many spans; n counts them from 1.
COPY (
    SELECT w.n::int4, (extract(epoch FROM o.phenomenon_time) * 1000000)::int8, o.quality, o.result
    FROM unnest(%(ids)s::int[], %(starts)s::timestamptz[], %(lasts)s::timestamptz[])
         WITH ORDINALITY AS w (id, first, last, n)
    CROSS JOIN LATERAL (
        SELECT phenomenon_time, quality, result
        FROM observation
        WHERE datastream_id = w.id AND phenomenon_time >= w.first AND phenomenon_time <= w.last AND result IS NOT NULL
        ORDER BY phenomenon_time
        LIMIT %(limit)s
    ) AS o
) TO STDOUT (FORMAT binary)

-- name: stored_many
-- The same of many spans; n counts them from 1.
COPY (
    SELECT w.n::int4, (extract(epoch FROM o.phenomenon_time) * 1000000)::int8, o.quality, coalesce(o.result, 'NaN')
    FROM unnest(%(ids)s::int[], %(starts)s::timestamptz[], %(lasts)s::timestamptz[])
         WITH ORDINALITY AS w (id, first, last, n)
    CROSS JOIN LATERAL (
        SELECT phenomenon_time, quality, result
        FROM observation
        WHERE datastream_id = w.id AND phenomenon_time >= w.first AND phenomenon_time <= w.last
        ORDER BY phenomenon_time
        LIMIT %(limit)s
    ) AS o
) TO STDOUT (FORMAT binary)

-- name: told
UPDATE calculated SET
    fault = %(fault)s,
    fault_at = CASE WHEN %(fault)s = '' THEN NULL WHEN fault = %(fault)s THEN fault_at ELSE now() END,
    computed_at = CASE WHEN %(fault)s = '' THEN now() ELSE computed_at END,
    written = written + %(written)s,
    undefined = undefined + %(undefined)s,
    undefined_at = greatest(undefined_at, %(undefined_at)s)
WHERE id = %(id)s
