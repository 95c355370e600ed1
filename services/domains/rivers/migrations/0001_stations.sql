-- A river station's configuration: what no sensor says.
CREATE TABLE rivers_station (
    thing_id   int PRIMARY KEY REFERENCES thing (id) ON DELETE CASCADE,
    river      text NOT NULL DEFAULT '',
    level_1    float8 NOT NULL,                       -- alarm levels I to III, metres in the station's own datum
    level_2    float8 NOT NULL,
    level_3    float8 NOT NULL,
    verified   text[] NOT NULL DEFAULT '{}',          -- which of "I", "II", "III" have a source
    record     float8,                                -- highest known
    datum      float8,                                -- elevation of the gauge's zero, metres above sea level
    upstream   text,                                  -- name of the next station up the river
    lag        float8 CHECK (lag BETWEEN 0 AND 48),   -- hours from there; NULL: from history
    rain_km    float8 NOT NULL DEFAULT 30 CHECK (rain_km > 0),  -- gauges so far upstream count
    source     text NOT NULL DEFAULT 'built-in',      -- built-in, device, or who set it
    changed    timestamptz NOT NULL DEFAULT now(),
    CHECK (level_1 < level_2 AND level_2 < level_3)
);
