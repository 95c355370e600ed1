-- Notifications and CAP documents: docs/notifications.md, docs/cap.md.

-- How far each follower of the alarms' changes has come; moved in the transaction of its effects.
CREATE TABLE notice_position (
    reader text PRIMARY KEY,
    seq    bigint NOT NULL
) WITH (fillfactor = 50);

-- What each person wants to hear. No row: the defaults of tram.notices.policy.Preferences.
CREATE TABLE notice_preference (
    account   int PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    document  jsonb NOT NULL,
    changed   timestamptz NOT NULL DEFAULT now()
);

-- Where somebody is reached.
CREATE TABLE notice_channel (
    id        int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account   int NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind      text NOT NULL CHECK (kind IN ('email', 'webhook', 'push')),
    address   text NOT NULL CHECK (length(address) <= 2000),   -- an email address, a URL, a push service's endpoint
    label     text NOT NULL DEFAULT '' CHECK (length(label) <= 100),
    secret    bytea,                                   -- sealed: the webhook's secret, the browser's keys
    code      bytea,                                   -- mark of the code that confirms an address; NULL: confirmed
    tries     int NOT NULL DEFAULT 0,                  -- wrong codes
    enabled   boolean NOT NULL DEFAULT true,
    failures  int NOT NULL DEFAULT 0,                  -- in a row
    error     text NOT NULL DEFAULT '',                -- of the last failure
    dropped   bigint NOT NULL DEFAULT 0,               -- messages that were too many
    created   timestamptz NOT NULL DEFAULT now(),
    delivered timestamptz,                             -- last success
    UNIQUE (account, kind, address)
);

-- What is to be sent, and what became of it: the outbox is the delivery log.
CREATE TABLE notice (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key       text UNIQUE,                             -- change and channel: the same is never put in twice
    account   int NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    channel   int REFERENCES notice_channel (id) ON DELETE SET NULL,
    to_kind   text NOT NULL,
    kind      text NOT NULL,                           -- alarm, test, code
    priority  int2 NOT NULL DEFAULT 0,
    alarm_id  bigint,
    document  jsonb NOT NULL,                          -- the AlarmChange; for a code the sealed code
    state     text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
    due       timestamptz NOT NULL,
    message   uuid,                                    -- the message it goes out in; the same at every try
    tries     int NOT NULL DEFAULT 0,
    error     text NOT NULL DEFAULT '',
    created   timestamptz NOT NULL DEFAULT now(),
    finished  timestamptz
) WITH (fillfactor = 80);
CREATE INDEX notice_due ON notice (due) WHERE state = 'waiting';
CREATE INDEX notice_of_channel ON notice (channel, finished) WHERE channel IS NOT NULL;
CREATE INDEX notice_of_account ON notice (account, id);
CREATE INDEX notice_finished ON notice (finished) WHERE finished IS NOT NULL;

-- The key that push services know this server by. Sealed.
CREATE TABLE notice_push_key (
    one     bool PRIMARY KEY DEFAULT true CHECK (one),
    private bytea NOT NULL,
    public  text NOT NULL
);

-- Which alarms the public is told of (tram.cap.chain.Rule), and the documents that went out.
CREATE TABLE cap_rule (
    id       text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    document jsonb NOT NULL,
    changed  timestamptz NOT NULL DEFAULT now(),
    by       text NOT NULL
);
CREATE TABLE cap_document (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    rule       text NOT NULL,
    alarm_id   bigint NOT NULL,
    kind       text NOT NULL,                          -- Alert, Update, Cancel
    level      int NOT NULL,
    sent       timestamptz NOT NULL,
    expires    timestamptz NOT NULL,
    replaced   boolean NOT NULL DEFAULT false,         -- a later one of its chain refers to it
    title      text NOT NULL,
    summary    text NOT NULL,
    area       text,
    alarm      jsonb NOT NULL,                         -- as it stood: a standing alarm's document is renewed from it
    document   bytea NOT NULL
);
CREATE INDEX cap_document_chain ON cap_document (alarm_id, rule, id);
CREATE INDEX cap_document_newest ON cap_document (sent DESC) WHERE NOT replaced;
