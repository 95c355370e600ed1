-- Alarms: rules, what stands now, and everything that happened. docs/alarms.md, tram/store/alarms.py.

-- A rule is data: `document` is what tram/alarms/rules.py reads. A deleted one keeps its row, for history.
CREATE TABLE alarm_rule (
    id       text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    version  int NOT NULL,
    enabled  bool NOT NULL,
    deleted  bool NOT NULL DEFAULT false,
    document jsonb NOT NULL,
    faults   jsonb NOT NULL DEFAULT '[]',             -- what the engine found wrong: [{"where", "what", "at"}]
    updated  timestamptz NOT NULL DEFAULT now(),
    by       text NOT NULL
);

-- Every version there was.
CREATE TABLE alarm_rule_version (
    rule_id  text NOT NULL REFERENCES alarm_rule (id),
    version  int NOT NULL,
    enabled  bool NOT NULL,
    deleted  bool NOT NULL,
    document jsonb NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    by       text NOT NULL,
    PRIMARY KEY (rule_id, version)
);

CREATE FUNCTION notify_alarm_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tram_alarm_rules', NEW.id);
    RETURN NULL;
END
$$;
-- Not of `faults`: the engine writes those itself.
CREATE TRIGGER alarm_rule_changed AFTER INSERT OR UPDATE OF version, enabled, deleted, document ON alarm_rule
    FOR EACH ROW EXECUTE FUNCTION notify_alarm_rule();

-- One row an alarm that ever was. `document` is the whole of it (tram.alarms.model.Alarm); the columns beside it are what is
-- searched by.
CREATE TABLE alarm (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule     text NOT NULL,
    thing_id int,                                     -- NULL: a storm entry
    area     text,
    state    text NOT NULL,
    priority int2 NOT NULL,
    raised   timestamptz NOT NULL,
    storm    bigint REFERENCES alarm (id),
    due      timestamptz,                             -- the next thing its clock does: a shelf's end, an escalation
    document jsonb NOT NULL
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX alarm_open ON alarm (rule, thing_id) WHERE state <> 'normal' AND thing_id IS NOT NULL;
CREATE INDEX alarm_current ON alarm (id) WHERE state <> 'normal';
CREATE INDEX alarm_due ON alarm (due) WHERE due IS NOT NULL;
CREATE INDEX alarm_raised ON alarm (raised, id);
CREATE INDEX alarm_thing ON alarm (thing_id, id);
CREATE INDEX alarm_storm ON alarm (storm) WHERE storm IS NOT NULL;

-- What the engine last said of a rule and a Thing, and whether people took it out: it outlives every alarm.
CREATE TABLE alarm_point (
    rule     text NOT NULL,
    thing_id int NOT NULL,
    level    int2 NOT NULL DEFAULT 0,                 -- 0: the condition does not hold
    mode     text NOT NULL DEFAULT '' CHECK (mode IN ('', 'suppressed', 'out-of-service')),
    by       text NOT NULL DEFAULT '',
    comment  text NOT NULL DEFAULT '',
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rule, thing_id)
) WITH (fillfactor = 70);

-- Everything that happened, in the order of commit. Rows are never changed.
CREATE SEQUENCE alarm_seq AS bigint;
CREATE TABLE alarm_change (
    seq      bigint PRIMARY KEY,
    alarm_id bigint NOT NULL REFERENCES alarm (id),
    at       timestamptz NOT NULL,
    kind     text NOT NULL,
    document jsonb NOT NULL                           -- tram.alarms.model.AlarmChange, the alarm in it as it stood then
);
CREATE INDEX alarm_change_alarm ON alarm_change (alarm_id, seq);
CREATE INDEX alarm_change_at ON alarm_change (at);

-- Appends one change. The lock is held to the end of the transaction, so that seq rises in the order of commit and nobody steps
-- over a smaller one (docs/adr/0021-committed-stream-order.md). (0x7472616d, 3): "tram", after the committed stream's 1.
CREATE FUNCTION alarm_append(alarm bigint, kind text, document jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(x'7472616d'::int, 3);
    number := nextval('alarm_seq');
    INSERT INTO alarm_change VALUES (number, alarm, clock_timestamp(), kind, document);
    PERFORM pg_notify('tram_alarms', number::text);
    RETURN number;
END
$$;

-- The engine's memory (packed arrays, tram/alarms/engine.py) as it was at a place of the committed stream. One row.
CREATE TABLE alarm_engine (
    one   bool PRIMARY KEY DEFAULT true CHECK (one),
    seq   bigint NOT NULL,
    at    timestamptz NOT NULL DEFAULT now(),
    state bytea NOT NULL
);
ALTER TABLE alarm_engine ALTER COLUMN state SET STORAGE EXTERNAL;
