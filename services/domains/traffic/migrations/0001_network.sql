-- Corridors and junctions: what no detector says of itself.

CREATE TABLE traffic_corridor (
    id       text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    vi       text NOT NULL,
    en       text NOT NULL,
    thing_id int NOT NULL REFERENCES thing (id),      -- stands for the corridor: its travel times hang on it
    -- In the order of travel: [{"thing": name, "km": from the start}]
    detectors jsonb NOT NULL,
    km       float8 NOT NULL CHECK (km > 0),
    lanes    int2 NOT NULL DEFAULT 1 CHECK (lanes BETWEEN 1 AND 10),
    capacity float8 NOT NULL CHECK (capacity > 0),    -- vehicles an hour, all lanes
    free     float8 CHECK (free > 0),                 -- km/h; NULL: from the last week
    source   text NOT NULL
);

CREATE TABLE traffic_junction (
    id     text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    vi     text NOT NULL,
    en     text NOT NULL,
    area   text,
    -- [{"vi", "en", "detectors": [names], "saturation": vehicles an hour of green}]
    phases jsonb NOT NULL,
    lost   float8 NOT NULL CHECK (lost > 0),          -- seconds a cycle, all phases together
    source text NOT NULL
);
