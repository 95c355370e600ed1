-- People, what they may do, how they sign in; programs' tokens; devices' credentials. Secrets stand here only as hashes,
-- or sealed under the server's key (tram.identity.secrets): the database alone lets nobody in.

CREATE TABLE account (
    id               int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login            text NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9._@-]{1,63}$'),
    name             text NOT NULL CHECK (length(name) <= 200),
    email            text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    language         text NOT NULL DEFAULT 'vi' CHECK (language IN ('vi', 'en')),
    password         text,                             -- argon2id, PHC form; NULL: signs in at the identity provider only
    password_changed timestamptz,
    must_change      boolean NOT NULL DEFAULT false,   -- a password somebody else set: nothing else until it is changed
    totp             bytea,                            -- sealed; NULL: no second factor
    totp_pending     bytea,                            -- sealed; shown, not proved yet
    totp_step        bigint NOT NULL DEFAULT -1,       -- last step whose code was used: none is used twice
    demo             boolean NOT NULL DEFAULT false,   -- made by `tram up`; refused in production
    disabled         timestamptz,
    created          timestamptz NOT NULL DEFAULT now(),
    seen             timestamptz                       -- last sign-in
);

-- Codes that stand in for a one-time code, each once. HMAC under the server's key.
CREATE TABLE recovery_code (
    account int NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    mark    bytea NOT NULL,
    used    timestamptz,
    PRIMARY KEY (account, mark)
);

-- Who an account is at an identity provider (OpenID Connect: issuer and subject identify, nothing else does).
CREATE TABLE account_identity (
    issuer  text NOT NULL,
    subject text NOT NULL,
    account int NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);

-- A role and where it holds; NULL: everywhere. `source` says who is in charge of it: `local`, or the issuer whose claims
-- gave it (they are set anew at every sign-in there).
CREATE TABLE role_grant (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account    int NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('operator', 'city-admin', 'station-staff', 'doctor', 'hospital-admin', 'auditor')),
    areas      text[] CHECK (cardinality(areas) > 0),
    facilities text[] CHECK (cardinality(facilities) > 0),
    source     text NOT NULL DEFAULT 'local',
    granted_by text NOT NULL,
    granted    timestamptz NOT NULL DEFAULT now(),
    expires    timestamptz,
    -- A care role without a facility would reach every patient.
    CHECK (role NOT IN ('station-staff', 'doctor', 'hospital-admin') OR facilities IS NOT NULL)
);
CREATE INDEX role_grant_account ON role_grant (account);

-- A browser that signed in. `hash` is the SHA-256 of the cookie. Not complete: the second factor is still to come.
CREATE TABLE session (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash          bytea NOT NULL UNIQUE,
    account       int NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    complete      boolean NOT NULL,
    second_factor boolean NOT NULL DEFAULT false,
    opened        timestamptz NOT NULL,
    seen          timestamptz NOT NULL,
    ends          timestamptz NOT NULL,                -- whatever happens
    stepped_up    timestamptz,
    address       text NOT NULL,
    agent         text NOT NULL,
    issuer        text,                                -- signed in at this identity provider,
    provider_sid  text,                                -- whose own name of the session this is (back-channel sign-out),
    id_token      bytea                                -- and its id token, sealed: the hint when signing out there
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_provider ON session (issuer, provider_sid) WHERE provider_sid IS NOT NULL;

-- A program's token. With an account: that person's rights, narrowed. Without: made on the server, its own rights.
CREATE TABLE access_token (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,
    label      text NOT NULL CHECK (label <> '' AND length(label) <= 100),
    account    int REFERENCES account (id) ON DELETE CASCADE,
    role       text NOT NULL,
    areas      text[] CHECK (cardinality(areas) > 0),
    facilities text[] CHECK (cardinality(facilities) > 0),
    created_by text NOT NULL,
    created    timestamptz NOT NULL DEFAULT now(),
    expires    timestamptz NOT NULL,
    seen       timestamptz,
    revoked    timestamptz,
    -- The same wall as in role_grant, for tokens whose rights are their own.
    CHECK (role NOT IN ('station-staff', 'doctor', 'hospital-admin') OR facilities IS NOT NULL)
);
CREATE INDEX access_token_account ON access_token (account);

-- Failures that make the next try wait (tram.identity.lockout), by what is tried: a sign-in name (also one that does not
-- exist), an address, a second factor. Worth nothing after a crash.
CREATE UNLOGGED TABLE failed_try (
    subject text PRIMARY KEY,
    n       int NOT NULL,
    last    timestamptz NOT NULL
);
CREATE INDEX failed_try_last ON failed_try (last);

-- A device's password for the broker: mosquitto's own hash (tram.identity.broker). Several of one thing may be good at once.
CREATE TABLE device_credential (
    thing      text NOT NULL CHECK (thing ~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$'),
    number     int NOT NULL CHECK (number > 0),
    hash       text NOT NULL,
    topics     text[] NOT NULL DEFAULT '{}',           -- of a foreign convention, this device's own as well
    created_by text NOT NULL,
    created    timestamptz NOT NULL DEFAULT now(),
    expires    timestamptz,                            -- the old one of a rotation runs out
    revoked    timestamptz,
    PRIMARY KEY (thing, number)
);

-- A code printed on a device, or sent to who installs it: good once, for one credential.
CREATE TABLE claim_code (
    mark       bytea PRIMARY KEY,
    thing      text NOT NULL,
    created_by text NOT NULL,
    created    timestamptz NOT NULL DEFAULT now(),
    expires    timestamptz NOT NULL,
    used       timestamptz
);

-- Keys that sign short-lived tokens (tram.identity.tokens). The private half is sealed.
CREATE TABLE signing_key (
    kid            text PRIMARY KEY,
    public         jsonb NOT NULL,                     -- a JWK (RFC 8037)
    private        bytea,                              -- NULL once it no longer signs
    signs_from     timestamptz NOT NULL,
    signs_until    timestamptz NOT NULL,
    verifies_until timestamptz NOT NULL,
    CHECK (signs_from < signs_until AND signs_until <= verifies_until)
);

-- Processes remember who a session is; a change says whose, so that they forget at once. `seen` is not in the lists.
CREATE FUNCTION notify_identity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
BEGIN
    PERFORM pg_notify('tram_identity', CASE
        WHEN TG_TABLE_NAME = 'device_credential' THEN 'device:' || (changed->>'thing')
        WHEN TG_TABLE_NAME = 'account' THEN 'account:' || (changed->>'id')
        WHEN changed->>'account' IS NULL THEN 'token:' || (changed->>'id')
        ELSE 'account:' || (changed->>'account') END);
    RETURN NULL;
END
$$;
CREATE TRIGGER account_changed
    AFTER DELETE OR UPDATE OF login, name, password, must_change, totp, disabled ON account
    FOR EACH ROW EXECUTE FUNCTION notify_identity();
CREATE TRIGGER role_grant_changed AFTER INSERT OR DELETE OR UPDATE ON role_grant
    FOR EACH ROW EXECUTE FUNCTION notify_identity();
CREATE TRIGGER session_changed AFTER DELETE OR UPDATE OF hash, complete, stepped_up, ends ON session
    FOR EACH ROW EXECUTE FUNCTION notify_identity();
CREATE TRIGGER access_token_changed AFTER DELETE OR UPDATE OF revoked, expires, role, areas, facilities ON access_token
    FOR EACH ROW EXECUTE FUNCTION notify_identity();
CREATE TRIGGER device_credential_changed AFTER INSERT OR DELETE OR UPDATE ON device_credential
    FOR EACH ROW EXECUTE FUNCTION notify_identity();
