-- The second wall around patient data: even a query that forgot to ask who is there sees nothing (docs/security.md).
--
-- All that is clinical stands in this schema. Its tables belong to whoever migrates; the planes read them as the role
-- `tram_clinical`, which has no other rights and cannot step around row security:
--     SET LOCAL ROLE tram_clinical; SELECT clinical.enter(principal, facilities, everything)
-- (tram.store.wall does it, for the rest of the transaction). Without `enter`, no row is seen.

CREATE SCHEMA clinical;

DO $$
BEGIN
    CREATE ROLE tram_clinical NOLOGIN NOBYPASSRLS;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;   -- roles belong to the whole server: another database made it
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role tram_clinical is missing and this user may not create it: '
            'run CREATE ROLE tram_clinical NOLOGIN; GRANT tram_clinical TO <this user> as an administrator';
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'tram_clinical', 'MEMBER') THEN
        EXECUTE format('GRANT tram_clinical TO %I', current_user);
    END IF;
END
$$;
GRANT USAGE ON SCHEMA clinical TO tram_clinical;

-- Who is there: set for one transaction, read by the policies. Unset: nobody.
CREATE FUNCTION clinical.enter(principal text, facilities text[]) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('tram.principal', principal, true),
           set_config('tram.facilities', coalesce(facilities, '{}')::text, true)
$$;
CREATE FUNCTION clinical.principal() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('tram.principal', true), '')
$$;
CREATE FUNCTION clinical.facilities() RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('tram.facilities', true), ''), '{}')::text[]
$$;

-- Every clinical record: whose it is to see. What belongs to one carries its id in a column `record`.
CREATE TABLE clinical.record (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    facility   text NOT NULL CHECK (facility <> ''),
    assigned   text[] NOT NULL DEFAULT '{}',           -- principals: p:12
    created    timestamptz NOT NULL DEFAULT now()
);

-- Access in an emergency: a reason, and a time after which it is over.
CREATE TABLE clinical.break_glass (
    record    uuid NOT NULL REFERENCES clinical.record (id) ON DELETE CASCADE,
    principal text NOT NULL,
    reason    text NOT NULL CHECK (length(reason) BETWEEN 10 AND 500),
    opened    timestamptz NOT NULL DEFAULT now(),
    until     timestamptz NOT NULL,
    CHECK (until > opened AND until <= opened + interval '4 hours'),
    PRIMARY KEY (record, principal, opened)
);

-- Whether who is there sees this record. SECURITY DEFINER: it must see the records to say which.
CREATE FUNCTION clinical.sees(id uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = clinical, pg_temp AS $$
    SELECT clinical.principal() IS NOT NULL AND EXISTS (
        SELECT FROM clinical.record r WHERE r.id = sees.id
           AND (r.facility = ANY (clinical.facilities())
                OR clinical.principal() = ANY (r.assigned)
                OR EXISTS (SELECT FROM clinical.break_glass b
                           WHERE b.record = r.id AND b.principal = clinical.principal()
                             AND now() >= b.opened AND now() < b.until)))
$$;
-- Whether they may write to it: an emergency lets one read, not write.
CREATE FUNCTION clinical.writes(id uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = clinical, pg_temp AS $$
    SELECT clinical.principal() IS NOT NULL AND EXISTS (
        SELECT FROM clinical.record r WHERE r.id = writes.id
           AND (r.facility = ANY (clinical.facilities()) OR clinical.principal() = ANY (r.assigned)))
$$;
REVOKE ALL ON FUNCTION clinical.sees(uuid), clinical.writes(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clinical.sees(uuid), clinical.writes(uuid) TO tram_clinical;

ALTER TABLE clinical.record ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinical.record FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON clinical.record FOR SELECT TO tram_clinical USING (
    clinical.principal() IS NOT NULL AND (
        facility = ANY (clinical.facilities()) OR clinical.principal() = ANY (assigned) OR clinical.sees(id)));
-- A new record is one's own facility's or one's own; none is moved to where its writer would not see it.
CREATE POLICY made ON clinical.record FOR INSERT TO tram_clinical WITH CHECK (
    facility = ANY (clinical.facilities()) OR clinical.principal() = ANY (assigned));
CREATE POLICY moved ON clinical.record FOR UPDATE TO tram_clinical
    USING (facility = ANY (clinical.facilities()) OR clinical.principal() = ANY (assigned))
    WITH CHECK (facility = ANY (clinical.facilities()) OR clinical.principal() = ANY (assigned));
CREATE POLICY owner ON clinical.record TO current_user USING (true);
GRANT SELECT, INSERT, UPDATE ON clinical.record TO tram_clinical;

-- Break-glass is opened by the application, which asked for the reason and the proof, never by who is behind the wall.
GRANT SELECT ON clinical.break_glass TO tram_clinical;
ALTER TABLE clinical.break_glass ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinical.break_glass FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON clinical.break_glass FOR SELECT TO tram_clinical USING (principal = clinical.principal());
CREATE POLICY owner ON clinical.break_glass TO current_user USING (true);

-- Puts a table with a column `record uuid` behind the wall. For the care plane's own migrations:
--     SELECT clinical.protect('clinical.note');
CREATE FUNCTION clinical.protect(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY seen ON %s FOR SELECT TO tram_clinical USING (clinical.sees(record))', target);
    EXECUTE format('CREATE POLICY made ON %s FOR INSERT TO tram_clinical WITH CHECK (clinical.writes(record))', target);
    EXECUTE format('CREATE POLICY changed ON %s FOR UPDATE TO tram_clinical '
                   'USING (clinical.writes(record)) WITH CHECK (clinical.writes(record))', target);
    EXECUTE format('CREATE POLICY owner ON %s TO %I USING (true)', target, current_user);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO tram_clinical', target);
END
$$;
REVOKE ALL ON FUNCTION clinical.protect(regclass) FROM PUBLIC;
