-- How long data is kept: tram/store/retention.py.

-- One row a property and level; the property '' holds what counts for all that have no row of their own. No row: for ever.
CREATE TABLE retention (
    property       text NOT NULL,
    level          text NOT NULL CHECK (level IN ('raw', '1m', '1h', '1d')),
    keep_days      int CHECK (keep_days BETWEEN 1 AND 100000),   -- NULL: for ever
    PRIMARY KEY (property, level)
);

-- Up to where the raw Observations of a property were removed. Rollups before it can no longer be computed from raw, and stand.
CREATE TABLE retention_cut (
    property text PRIMARY KEY,
    cut      timestamptz NOT NULL
);
