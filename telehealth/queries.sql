-- The call's own tables: telehealth/migrations.

-- name: ping
SELECT true FROM consult_room LIMIT 1

-- name: claim
-- Takes a room over (or opens it): the state it had, and the epoch with which to write from now on.
INSERT INTO consult_room (consult, owner) VALUES (%(consult)s, %(owner)s)
ON CONFLICT (consult) DO UPDATE SET epoch = consult_room.epoch + 1, owner = excluded.owner, updated = now()
RETURNING epoch, state

-- name: save
-- Writes a room's state; no row when another process has taken it over.
UPDATE consult_room SET state = %(state)s, updated = now(), ended = to_timestamp(%(ended)s)
WHERE consult = %(consult)s AND epoch = %(epoch)s
RETURNING true

-- name: use_token
-- Marks a join token as used: true. When the same client did that moments ago: false. Else no row.
INSERT INTO consult_token (jti, expires, nonce) VALUES (%(jti)s, to_timestamp(%(expires)s), %(nonce)s)
ON CONFLICT (jti) DO UPDATE SET nonce = consult_token.nonce
WHERE consult_token.nonce = excluded.nonce AND consult_token.used > now() - make_interval(secs => %(again)s)
RETURNING xmax = 0

-- name: sweep_tokens
DELETE FROM consult_token WHERE expires < now() - interval '1 minute'

-- name: sweep_rooms
-- A room is the call's memory, not its record: a day after its end, or a week after its last sign of life, it goes.
DELETE FROM consult_room WHERE ended < now() - interval '1 day' OR updated < now() - interval '7 days'

-- name: sweep_quality
-- Where TimescaleDB drops whole chunks this finds nothing left to do.
DELETE FROM call_quality WHERE at < now() - make_interval(days => %(days)s)

-- name: record
INSERT INTO call_quality (
    at, consult, seat, role, facility, level, reason, loss_up, loss_down, jitter_ms, rtt_ms, kbps_up, kbps_down,
    freezes, freeze_ms, height, layer, video, path
) VALUES (
    to_timestamp(%(at)s), %(consult)s, %(seat)s, %(role)s, %(facility)s, %(level)s, %(reason)s, %(loss_up)s,
    %(loss_down)s, %(jitter_ms)s, %(rtt_ms)s, %(kbps_up)s, %(kbps_down)s, %(freezes)s, %(freeze_ms)s, %(height)s,
    %(layer)s, %(video)s, %(path)s
)

-- name: stations
-- Facilities by how bad their links were: worst share of five-second records that were poor or lost first. `trend` has
-- that share for each of 24 equal intervals of the period, the oldest first; NULL where nobody called.
WITH record AS (
    SELECT *,
           (level IN ('poor', 'lost'))::int AS bad,
           least(23, greatest(0, floor(
               extract(epoch FROM at - now() + make_interval(hours => %(hours)s)) / (%(hours)s * 3600.0 / 24)
           )))::int AS slot
    FROM call_quality
    WHERE at > now() - make_interval(hours => %(hours)s) AND facility <> ''
), interval_share AS (
    SELECT facility, slot, avg(bad)::float8 AS share FROM record GROUP BY facility, slot
), station AS (
    SELECT facility,
           count(*) AS records,
           count(DISTINCT consult) AS consults,
           avg(bad)::float8 AS bad_share,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY rtt_ms) AS rtt_ms,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY jitter_ms) AS jitter_ms,
           avg(greatest(coalesce(loss_up, 0), coalesce(loss_down, 0)))::float8 AS loss,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY kbps_up) AS kbps_up,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY kbps_down) AS kbps_down,
           avg((video = 'paused')::int)::float8 AS audio_only_share,
           sum(coalesce(freeze_ms, 0))::float8 / 1000 AS frozen_seconds,
           max(at) AS last
    FROM record
    GROUP BY facility
    ORDER BY bad_share DESC, records DESC, facility
    LIMIT %(most)s
)
SELECT station.*,
       ARRAY(
           SELECT interval_share.share
           FROM generate_series(0, 23) AS every(slot)
           LEFT JOIN interval_share ON interval_share.facility = station.facility AND interval_share.slot = every.slot
           ORDER BY every.slot
       ) AS trend
FROM station
ORDER BY bad_share DESC, records DESC, facility

-- name: consult
SELECT at, seat, role, facility, level, reason, loss_up, loss_down, jitter_ms, rtt_ms, kbps_up, kbps_down, freezes,
       freeze_ms, height, layer, video, path
FROM call_quality
WHERE consult = %(consult)s
ORDER BY at DESC, seat
LIMIT %(most)s
