"""Notifications without a network: who wants what and when, words, signatures, Web Push."""

import base64
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from tram.alarms.model import Alarm, AlarmChange, Kind, Priority, State
from tram.notices import policy, signing, webpush, words
from tram.notices.policy import Preferences

AT = datetime(2026, 9, 9, 23, 0, tzinfo=UTC)  # 06:00 in Thái Nguyên


def change(kind: Kind = Kind.RAISED, **more: Any) -> AlarmChange:
    given_: dict[str, Any] = {
        "id": 7, "rule": "river", "state": State.UNACKNOWLEDGED, "priority": Priority.HIGH, "level": 2, "peak": 2,
        "active": True, "thing": "river-01", "label": "Sông Cầu, Gia Bảy", "since": AT, "changed": AT, "raised": AT,
        "alerted": AT, "vi": "Mực nước 26,4 m vượt báo động II", "en": "Water level 26.4 m above level II",
    }  # fmt: skip
    return AlarmChange(
        at=AT, time=AT, kind=kind, before=State.NORMAL, level_before=0, alarm=Alarm(**(given_ | more)), who="system"
    )


def test_who_wants_to_hear_what() -> None:
    mine = Preferences()
    assert policy.wants(mine, "p:1", change(), ["19", "05482"])
    for unwanted in (
        change(Kind.COMMENTED), change(Kind.RETURNED), change(Kind.ACKNOWLEDGED), change(priority=Priority.LOW),
        change(storm=3), change(Kind.ASSIGNED, assignee="p:2"),
    ):  # fmt: skip
        assert not policy.wants(mine, "p:1", unwanted, ["19"])
    assert policy.wants(mine, "p:1", change(storm=3), ["19"], storms=False)
    assert policy.wants(replace(mine, returned=True), "p:1", change(Kind.RETURNED), [])
    assert policy.wants(mine, "p:1", change(Kind.ASSIGNED, assignee="p:1", priority=Priority.LOW), [])
    assert not policy.wants(mine, "p:1", replace(change(Kind.ASSIGNED, assignee="p:1"), who="p:1"), [])
    assert policy.wants(replace(mine, areas=("19",)), "p:1", change(), ["19", "05482"])
    assert not policy.wants(replace(mine, areas=("20",)), "p:1", change(), ["19", "05482"])
    assert not policy.wants(replace(mine, areas=("20",)), "p:1", change(), [])
    assert not policy.wants(replace(mine, rules=("air",)), "p:1", change(), [])
    assert not policy.wants(replace(mine, enabled=False), "p:1", change(), [])


def test_an_escalation_is_for_whom_it_names() -> None:
    def to(name: str) -> AlarmChange:
        return replace(change(Kind.ESCALATED, priority=Priority.LOW), detail={"to": name, "step": 1})

    mine = Preferences(least=Priority.CRITICAL)
    assert policy.wants(mine, "p:1", to("p:1"), [])
    assert not policy.wants(mine, "p:1", to("p:12"), [])
    assert policy.wants(mine, "p:1", to("role:city-admin"), [], roles={"city-admin"})
    assert not policy.wants(mine, "p:1", to("role:city-admin"), [], roles={"operator"})
    assert not policy.wants(mine, "p:1", change(Kind.ESCALATED), [])  # no further step
    assert not policy.wants(mine, "p:1", to("trưởng ca"), [])  # words: as any other, by preference
    assert policy.wants(Preferences(least=Priority.LOW), "p:1", to("trưởng ca"), [])
    assert not policy.wants(replace(mine, enabled=False), "p:1", to("p:1"), [])


def test_quiet_hours_pass_midnight_and_critical_passes_by_choice() -> None:
    night = Preferences(quiet=(22 * 60, 6 * 60 + 30))
    assert policy.due(night, Priority.HIGH, AT, 7) == AT + timedelta(minutes=30)
    assert policy.due(night, Priority.CRITICAL, AT, 7) == AT
    assert policy.due(replace(night, critical_passes=False), Priority.CRITICAL, AT, 7) == AT + timedelta(minutes=30)
    evening = datetime(2026, 9, 9, 22, 0, tzinfo=timezone(timedelta(hours=7)))
    assert policy.due(night, Priority.LOW, evening, 7) == evening + timedelta(hours=8, minutes=30)
    assert policy.due(night, Priority.LOW, evening - timedelta(minutes=1), 7) == evening - timedelta(minutes=1)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 10**6))
def test_it_is_never_due_within_quiet_hours(first: int, last: int, minutes: int) -> None:
    now = AT + timedelta(minutes=minutes)
    due = policy.due(Preferences(quiet=(first, last)), Priority.HIGH, now, 7)
    assert now <= due < now + timedelta(days=1)
    local = due.astimezone(timezone(timedelta(hours=7)))
    minute = local.hour * 60 + local.minute
    inside = first <= minute < last if first <= last else minute >= first or minute < last
    assert not inside


def test_waits_grow_and_end() -> None:
    waits = [policy.wait(n) for n in range(1, policy.TRIES + 1)]
    assert waits[:3] == [5, 10, 20]
    assert waits[-1] == policy.LONGEST_WAIT
    assert waits == sorted(waits)


def test_words() -> None:
    vi = words.alarm(change(), "vi", "https://ioc.example", 7)
    assert vi.subject == ("Cảnh báo mới: [Cao] Sông Cầu, Gia Bảy: Mực nước 26,4 m vượt báo động II (06:00 10/09/2026)")
    assert vi.url == "https://ioc.example/alarms/7"
    en = words.alarm(replace(change(Kind.ESCALATED), comment="nobody answered"), "en", "", 7)
    assert en.subject.startswith("Escalated: [High]")
    assert "nobody answered" in en.text
    hostile = words.alarm(change(label="a\r\nBcc: x@y", vi="b\nc"), "vi", "", 7)
    assert "\n" not in hostile.subject
    assert "\r" not in hostile.text
    many = [change(id=n, priority=Priority.LOW) for n in range(40)] + [change(id=99, priority=Priority.CRITICAL)]
    digest = words.digest([*many, change(Kind.RETURNED, id=3)], "vi", "", 7)
    assert digest.subject.startswith("41 cảnh báo: [Nghiêm trọng]")
    assert "… và 11 cảnh báo khác" in digest.text
    assert words.digest(many, "en", "", 7).subject.startswith("41 alarms: [Critical]")
    assert "123456" in words.code("123456", "vi").text
    assert words.test("en", "", AT, 7).text.endswith("06:00:00 10/09/2026.")


def test_signatures() -> None:
    # The example of the specification of Standard Webhooks.
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signing.headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    check = (made["webhook-id"], made["webhook-timestamp"], made["webhook-signature"])
    assert signing.verify(secret, *check, body, 1614265400)
    assert not signing.verify(secret, *check, body + b" ", 1614265400)
    assert not signing.verify(secret, *check, body, 1614265330 + 400)
    assert not signing.verify(b"other" * 8, *check, body, 1614265400)
    assert not signing.verify(secret, check[0], "x", check[2], body, 1614265400)


def subscription() -> tuple[Any, bytes, str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    auth = os.urandom(16)
    return key, auth, *(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for raw in (point, auth))


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=webpush.LONGEST))
def test_another_library_reads_what_is_pushed(body: bytes) -> None:
    key, auth, p256dh, secret = subscription()
    sealed = webpush.encrypt(body, p256dh, secret)
    assert http_ece.decrypt(sealed, private_key=key, auth_secret=auth, version="aes128gcm") == body
    assert len(sealed) <= 4096


def test_vapid_says_who_sends() -> None:
    key = webpush.new_key()
    header = webpush.authorization("https://push.example:8443/send/x", key, "mailto:ioc@x.example", 1_800_000_000)
    assert header.startswith("vapid t=")
    token, public = header.removeprefix("vapid t=").split(", k=")
    assert public == webpush.public_key(key)
    raw = base64.urlsafe_b64decode(public + "=" * (-len(public) % 4))
    coordinates = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (raw[1:33], raw[33:])]
    jwk = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": coordinates[0], "y": coordinates[1]})
    claims = jwt.decode(token, jwk).claims
    assert claims == {"aud": "https://push.example:8443", "exp": 1_800_043_200, "sub": "mailto:ioc@x.example"}
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["alg"] == "ES256"


def test_keys_that_are_none() -> None:
    _, _, p256dh, auth = subscription()
    for keys in (("", auth), (p256dh[:-4], auth), (p256dh, "abc"), ("đ", auth), (auth, auth)):
        with pytest.raises(webpush.PushError):
            webpush.encrypt(b"x", *keys)
    with pytest.raises(ValueError, match="3000"):
        webpush.encrypt(b"x" * 3001, p256dh, auth)
