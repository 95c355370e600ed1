-- Observations of all Datastreams by phenomenonTime (services/sta/windows.py) look at stretches of time. Ranges of pages and
-- the times in them: it takes a thousandth of the table, and a row costs next to nothing (docs/performance-store.md).
CREATE INDEX observation_by_time ON observation USING brin (phenomenon_time) WITH (pages_per_range = 32, autosummarize = on);
