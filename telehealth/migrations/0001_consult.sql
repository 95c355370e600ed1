-- What the call itself needs to survive its process. The clinical record is elsewhere; nothing here names an illness.

-- One row a consult: the room's whole state, written after every change by the process that has it. `epoch` grows when
-- another process takes the room over; who holds an older one writes nothing and gives the room up.
CREATE TABLE consult_room (
    consult  text PRIMARY KEY CHECK (consult <> '' AND length(consult) <= 64),
    epoch    bigint NOT NULL DEFAULT 1,
    owner    text NOT NULL,
    state    bytea,                                   -- JSON of telehealth.rooms.State
    updated  timestamptz NOT NULL DEFAULT now(),
    ended    timestamptz
);
CREATE INDEX consult_room_ended ON consult_room (ended) WHERE ended IS NOT NULL;

-- Join tokens that were used, kept until they would have expired anyway.
CREATE TABLE consult_token (
    jti      text PRIMARY KEY,
    expires  timestamptz NOT NULL
);
CREATE INDEX consult_token_expires ON consult_token (expires);

-- hypertable: call_quality by at
-- A seat's link over the five seconds before `at`; what was not measured is NULL. Up is towards the server. Why a table
-- and not Datastreams: docs/adr/0064.
CREATE TABLE call_quality (
    at          timestamptz NOT NULL,
    consult     text NOT NULL,
    seat        text NOT NULL,
    role        text NOT NULL,
    facility    text NOT NULL,
    level       text NOT NULL,                        -- good, fair, poor, lost
    reason      text NOT NULL,
    loss_up     float4,                               -- shares, 0..1
    loss_down   float4,
    jitter_ms   float4,
    rtt_ms      float4,
    kbps_up     float4,
    kbps_down   float4,
    freezes     int4,
    freeze_ms   float4,
    height      int4,                                 -- of the picture that is received
    layer       text NOT NULL,                        -- simulcast layer received, or empty
    video       text NOT NULL,                        -- on, paused, or empty
    path        text NOT NULL                         -- candidate type and protocol
);
CREATE INDEX call_quality_consult ON call_quality (consult, at DESC);
CREATE INDEX call_quality_facility ON call_quality (facility, at DESC);
