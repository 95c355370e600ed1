-- Dashboards that people compose: docs/guides/wall.md, tram/store/dashboards.py.

-- As it stands. `definition` is what tram/dashboards/definition.py reads; `things` are the Things that it names, which
-- decide who may open it.
CREATE TABLE dashboard (
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    version    int NOT NULL CHECK (version > 0),
    owner      text NOT NULL,                          -- a principal's id; 'system': it came with the program
    shared     bool NOT NULL DEFAULT false,            -- whether others may open it, by its link or from the list
    definition jsonb NOT NULL,
    things     text[] NOT NULL,
    created    timestamptz NOT NULL DEFAULT now(),
    updated    timestamptz NOT NULL DEFAULT now(),
    by         text NOT NULL,                          -- who wrote this version
    deleted    timestamptz                             -- it can be brought back: its versions stay
);
CREATE INDEX dashboard_owner ON dashboard (owner);

-- The versions there were; the store keeps the newest of each.
CREATE TABLE dashboard_version (
    dashboard_id text NOT NULL REFERENCES dashboard (id) ON DELETE CASCADE,
    version      int NOT NULL,
    definition   jsonb NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    by           text NOT NULL,
    PRIMARY KEY (dashboard_id, version)
);
