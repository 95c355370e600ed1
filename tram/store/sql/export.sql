-- Export: tram/store/export.py. One Datastream at a time, along the index.

-- name: csv
COPY (
    SELECT %(id)s::int, %(thing)s::text, %(property)s::text, %(unit)s::text,
           to_char(phenomenon_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), result, result_json, quality
    FROM observation
    WHERE datastream_id = %(id)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
    ORDER BY phenomenon_time
) TO STDOUT (FORMAT csv)

-- name: rows
SELECT phenomenon_time, result, quality, result_json
FROM observation
WHERE datastream_id = %(id)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
ORDER BY phenomenon_time

-- name: page
SELECT (extract(epoch FROM phenomenon_time) * 1000000)::bigint, result, quality, result_json::text
FROM observation
WHERE datastream_id = %(id)s AND phenomenon_time >= %(start)s AND phenomenon_time <= %(last)s
ORDER BY phenomenon_time
LIMIT %(limit)s
