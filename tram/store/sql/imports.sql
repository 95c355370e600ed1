-- Imports: tram/store/imports.py.

-- name: progress
SELECT place, line FROM import_progress WHERE file = %s

-- name: note
INSERT INTO import_progress (file, place, line) VALUES (%s, %s, %s)
ON CONFLICT (file) DO UPDATE SET place = excluded.place, line = excluded.line, at = now()
