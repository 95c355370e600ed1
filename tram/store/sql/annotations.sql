-- Notes on charts: tram/store/annotations.py.

-- name: list
-- Those that touch [first, last), newest first: of the Datastreams, of the areas their Things stand in and all above those,
-- and of the areas asked for.
-- The last column: which of the Datastreams it is about.
WITH RECURSIVE around (stream, id) AS (
    SELECT stream, area FROM (
        SELECT d.id AS stream, t.area
        FROM datastream d JOIN thing t ON t.id = d.thing_id WHERE d.id = ANY (%(datastreams)s::int[])
        UNION SELECT 0, unnest(%(areas)s::text[])
    ) AS own
    WHERE area IS NOT NULL
    UNION SELECT around.stream, a.parent FROM area a JOIN around ON a.id = around.id WHERE a.parent IS NOT NULL
)
SELECT n.id, n.datastream_id, n.area, n.starts, n.ends, n.text, n.by, n.by_name, n.created, n.changed,
       coalesce(t.name, '') AS thing,
       CASE WHEN n.area IS NULL THEN ARRAY[n.datastream_id]
            ELSE ARRAY(SELECT stream FROM around WHERE around.id = n.area AND stream > 0 ORDER BY stream) END
FROM annotation n LEFT JOIN datastream d ON d.id = n.datastream_id LEFT JOIN thing t ON t.id = d.thing_id
WHERE (n.datastream_id = ANY (%(datastreams)s::int[]) OR n.area IN (SELECT id FROM around))
  AND n.starts < %(last)s AND n.ends >= %(first)s
ORDER BY n.starts DESC, n.id DESC
LIMIT %(limit)s

-- name: get
SELECT n.id, n.datastream_id, n.area, n.starts, n.ends, n.text, n.by, n.by_name, n.created, n.changed,
       coalesce(t.name, '') AS thing,
       CASE WHEN n.area IS NULL THEN ARRAY[n.datastream_id] ELSE '{}'::int[] END
FROM annotation n LEFT JOIN datastream d ON d.id = n.datastream_id LEFT JOIN thing t ON t.id = d.thing_id
WHERE n.id = %s

-- name: add
-- The limit is that of one Datastream or area: who writes more than it is no person.
INSERT INTO annotation (datastream_id, area, starts, ends, text, by, by_name, changed_by)
SELECT %(datastream)s, %(area)s, %(starts)s, %(ends)s, %(text)s, %(by)s, %(by_name)s, %(by)s
WHERE (SELECT count(*) FROM annotation
       WHERE (%(datastream)s::int IS NOT NULL AND datastream_id = %(datastream)s)
          OR (%(area)s::text IS NOT NULL AND area = %(area)s)) < %(most)s
RETURNING id

-- name: change
UPDATE annotation SET starts = %(starts)s, ends = %(ends)s, text = %(text)s, changed = now(), changed_by = %(by)s
WHERE id = %(id)s

-- name: delete
DELETE FROM annotation WHERE id = %s
