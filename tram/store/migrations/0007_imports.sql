-- How far imports of files are, so that one that was interrupted goes on: tram/store/imports.py.
CREATE TABLE import_progress (
    file  text PRIMARY KEY,                           -- a fingerprint of its beginning, its size and the mapping
    place bigint NOT NULL,                            -- bytes that are done
    line  bigint NOT NULL,
    at    timestamptz NOT NULL DEFAULT now()
);
