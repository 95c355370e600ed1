"""From an alarm to a mailbox, a webhook, a browser: on a real database, a real mail server and real HTTP servers."""

import base64
import json
import os
import threading
from dataclasses import replace
from typing import Any

import http_ece
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.notifications import fetching
from tests.notices.conftest import SECRET, Scene
from tests.people import scoped
from tests.waiting import until
from tram.alarms.model import Kind, Priority, State
from tram.notices import signing
from tram.notices.policy import TRIES
from tram.store import notices


def test_one_alarm_by_every_way(scene: Scene) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    auth = os.urandom(16)
    keys = {n: base64.urlsafe_b64encode(v).rstrip(b"=").decode() for n, v in (("p256dh", point), ("auth", auth))}
    scene.person("an.t")
    scene.person("bình.t".replace("ì", "i"), language="en")
    scene.channel("an.t", "email", "an@ioc.example")
    scene.channel("an.t", "webhook", f"{scene.web.url}/hook")
    scene.channel("binh.t", "push", f"{scene.web.url}/push/1", json.dumps(keys).encode())
    scene.start()
    alarm = scene.happens()
    until(lambda: [s for s, _, _ in scene.states()] == ["sent"] * 3, "all three are sent")
    (mail,) = scene.mail.taken
    assert str(mail["Subject"]).startswith("Cảnh báo mới: [Cao] Sông Cầu, Gia Bảy: Vượt báo động II")
    assert mail["To"] == "an@ioc.example"
    assert f"https://ioc.example/alarms/{alarm.id}" in mail.get_content()
    hook = next(r for r in scene.web.taken if r.path == "/hook")
    assert signing.verify(
        SECRET, hook.headers["webhook-id"], hook.headers["webhook-timestamp"], hook.headers["webhook-signature"],
        hook.body, float(hook.headers["webhook-timestamp"]),
    )  # fmt: skip
    data = msgspec.json.decode(hook.body)["data"]
    assert data["changes"][0]["alarm"]["id"] == alarm.id
    push = next(r for r in scene.web.taken if r.path == "/push/1")
    assert push.headers["authorization"].startswith("vapid t=")
    assert push.headers["urgency"] == "high"
    said = json.loads(http_ece.decrypt(push.body, private_key=key, auth_secret=auth, version="aes128gcm"))
    assert said["title"].startswith("New alarm: [High]")
    assert {channel.failures for id in scene.people.values() for channel in notices.channels(scene.conn, id)} == {0}


def test_who_may_not_see_it_is_not_told(scene: Scene) -> None:
    scene.conn.execute("INSERT INTO area (id, name) VALUES ('19', 'T'), ('A', 'A'), ('B', 'B')")
    scene.conn.execute("UPDATE area SET parent = '19' WHERE id IN ('A', 'B')")
    for login, grant in (
        ("here.t", scoped("operator", "A")), ("there.t", scoped("operator", "B")), ("all.t", scoped("city-admin")),
        ("doctor.t", scoped("doctor", "BV")),
    ):  # fmt: skip
        scene.person(login, grant)
        scene.channel(login, "webhook", f"{scene.web.url}/{login}")
    scene.person("off.t")
    scene.channel("off.t", "webhook", f"{scene.web.url}/off.t")
    scene.conn.execute("UPDATE account SET disabled = now() WHERE id = %s", (scene.people["off.t"],))
    scene.person("picky.t", least=Priority.CRITICAL)
    scene.channel("picky.t", "webhook", f"{scene.web.url}/picky.t")
    scene.start()
    scene.happens(area="A")
    scene.happens(area=None, priority=Priority.CRITICAL)
    until(lambda: len(scene.web.taken) >= 4, "those who may are told")
    until(lambda: {s for s, _, _ in scene.states()} == {"sent"}, "all is done")
    assert sorted(r.path for r in scene.web.taken) == ["/all.t", "/all.t", "/here.t", "/picky.t"]


def test_it_is_tried_again_under_the_same_id(scene: Scene) -> None:
    scene.person("an.t")
    scene.channel("an.t", "webhook", f"{scene.web.url}/hook")
    answers = iter([500, 503, 302, 204])
    scene.web.answer = lambda request: next(answers)
    scene.start()
    scene.happens()
    until(scene.states, "it is noted")
    for n in range(1, 4):
        until(lambda n=n: scene.states()[0][2] == n and scene.states()[0][1] != "", f"try {n} is noted")  # type: ignore[misc]
        error = scene.states()[0][1]
        assert error == f"it answered {[500, 503, 302][n - 1]}"
        scene.conn.execute("UPDATE notice SET due = now(), error = ''")
    until(lambda: scene.states()[0][0] == "sent", "at last it is sent")
    assert len(scene.web.taken) == 4  # a redirect was not followed
    assert len({r.headers["webhook-id"] for r in scene.web.taken}) == 1


def test_what_can_never_arrive_is_given_up_and_said(scene: Scene) -> None:
    scene.person("an.t")
    scene.mail.refuse = {"no@ioc.example": "550 no such mailbox", "full@ioc.example": "452 full"}
    gone = scene.channel("an.t", "webhook", f"{scene.web.url}/gone")
    scene.channel("an.t", "webhook", f"{scene.web.url}/bad")
    scene.channel("an.t", "email", "no@ioc.example")
    full = scene.channel("an.t", "email", "full@ioc.example")
    nobody = scene.channel("an.t", "webhook", "http://127.0.0.1:9/")
    scene.web.answer = lambda request: 410 if request.path == "/gone" else 400
    scene.start()
    scene.happens()
    until(lambda: all(error for _, error, _ in scene.states()) and len(scene.states()) == 5, "all are noted")
    found = {c.id: c for c in notices.channels(scene.conn, scene.people["an.t"])}
    assert (found[gone].enabled, found[gone].error) == (False, "it answered 410")
    states = [state for state, _, _ in scene.states()]
    assert states == ["failed", "failed", "failed", "waiting", "waiting"]
    assert "452 full" in found[full].error
    assert "not reached" in found[nobody].error
    # The last try is the last.
    scene.conn.execute("UPDATE notice SET tries = %s, due = now(), error = '' WHERE state = 'waiting'", (TRIES - 1,))
    until(lambda: {state for state, _, _ in scene.states()} == {"failed"}, "it is given up")


def test_the_mail_server_away_or_wrong_password(scene: Scene) -> None:
    scene.person("an.t")
    scene.channel("an.t", "email", "an@ioc.example")
    scene.settings = replace(scene.settings, smtp_password="wrong")
    scene.start()
    scene.happens()
    until(lambda: scene.states() and "535" in scene.states()[0][1], "the refusal is noted")
    assert scene.states()[0][0] == "waiting"  # a wrong password of ours is no reason to give up
    scene.stop()
    scene.settings = replace(scene.settings, smtp_password="secret", smtp_ca="")
    scene.start()
    scene.hurry()
    until(lambda: "certificate" in scene.states()[0][1].lower(), "a certificate that nobody vouches for is refused")
    scene.stop()
    scene.settings = replace(scene.settings, smtp_ca=str(scene.mail.cert))
    scene.start()
    scene.hurry()
    until(lambda: scene.states()[0][0] == "sent", "it is sent when all is well")
    assert len(scene.mail.taken) == 1


def test_a_flood_becomes_a_digest_and_critical_ones_pass(scene: Scene) -> None:
    scene.person("an.t", flood=4)
    scene.channel("an.t", "webhook", f"{scene.web.url}/hook")
    scene.start()
    scene.happens(thing="first")
    until(lambda: len(scene.web.taken) == 1, "the first comes by itself")
    scene.stop()
    for n in range(30):
        scene.happens(thing=f"r-{n}")
    scene.happens(thing="worst", priority=Priority.CRITICAL)
    scene.start()
    until(lambda: len(scene.states()) == 32 and {s for s, _, _ in scene.states()} == {"sent"}, "all are sent")
    assert len(scene.web.taken) == 3
    by_type = sorted((scene.body(n)["type"], len(scene.body(n)["data"]["changes"])) for n in range(3))
    assert by_type == [("alarm", 1), ("alarm", 1), ("digest", 30)]
    for n in range(3):  # the fourth and fifth message of the ten minutes, then silence until the next digest
        scene.happens(thing=f"s-{n}")
        until(lambda n=n: [s for s, _, _ in scene.states()] == ["sent"] * (33 + n), f"message {n} is sent")  # type: ignore[misc]
    scene.happens(thing="held")
    until(lambda: len(scene.states()) == 36 and scene.states()[-1][0] == "waiting", "it is held")
    until(
        lambda: scene.conn.execute(
            "SELECT due > now() + interval '5 minutes' FROM notice ORDER BY id DESC LIMIT 1"
        ).fetchone() == (True,),
        "it waits for the digest",
    )  # fmt: skip
    scene.conn.execute("UPDATE notice SET finished = finished - interval '11 minutes' WHERE state = 'sent'")
    scene.hurry()
    until(lambda: {s for s, _, _ in scene.states()} == {"sent"}, "the digest comes")


def test_restarts_lose_and_double_nothing(scene: Scene) -> None:
    scene.person("an.t", flood=100)
    scene.channel("an.t", "webhook", f"{scene.web.url}/hook")
    made: list[int] = []
    done = threading.Event()

    def life() -> None:
        while not done.is_set():
            scene.start()
            done.wait(0.3)
            scene.stop()

    restarting = threading.Thread(target=life)
    restarting.start()
    try:
        for n in range(40):
            made.append(scene.happens(thing=f"t-{n}").id)
            threading.Event().wait(0.03)
    finally:
        done.set()
        restarting.join(30)
    scene.start()
    until(lambda: len(scene.states()) == 40 and {s for s, _, _ in scene.states()} == {"sent"}, "all are sent", 60)
    told = [c["alarm"]["id"] for n in range(len(scene.web.taken)) for c in scene.body(n)["data"]["changes"]]
    assert sorted(told) == made


def test_a_lost_connection_loses_nothing(scene: Scene) -> None:
    scene.person("an.t", flood=100)
    scene.channel("an.t", "webhook", f"{scene.web.url}/hook")
    scene.start()
    for n in range(4):
        scene.happens(thing=f"t-{n}")
        scene.conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%%notifications%%' "
            "AND datname = current_database()"
        )
    # What was being sent when the connection went is noted when it is back; a lease is never waited for.
    until(lambda: [s for s, _, _ in scene.states()] == ["sent"] * 4, "all are sent", 60)
    told = [c["alarm"]["thing"] for n in range(len(scene.web.taken)) for c in scene.body(n)["data"]["changes"]]
    assert sorted(told) == ["t-0", "t-1", "t-2", "t-3"]


def test_who_dies_while_sending_sends_again_with_the_same_id(scene: Scene) -> None:
    scene.person("an.t")
    scene.channel("an.t", "webhook", f"{scene.web.url}/hook")
    scene.start()
    scene.happens()
    until(lambda: scene.states() and scene.states()[0][0] == "sent", "it is sent")
    # As it stands when the process died between the sending and the note of it, and the lease is over.
    scene.conn.execute("UPDATE notice SET state = 'waiting', finished = NULL, due = now()")
    until(lambda: len(scene.web.taken) == 2, "it is sent again")
    assert len({r.headers["webhook-id"] for r in scene.web.taken}) == 1


def test_a_slow_receiver_delays_no_other(scene: Scene) -> None:
    scene.person("an.t")
    scene.channel("an.t", "webhook", f"{scene.web.url}/slow")
    scene.channel("an.t", "webhook", f"{scene.web.url}/fast")
    free = threading.Event()

    def answer(request: Any) -> int:
        if request.path == "/slow":
            free.wait(60)
        return 204

    scene.web.answer = answer
    scene.start()
    for n in range(3):
        scene.happens(thing=f"t-{n}")
        until(lambda n=n: [s for s, _, _ in scene.states()].count("sent") == n + 1, "the fast one is told")  # type: ignore[misc]
    waiting = [state for state, _, _ in scene.states()].count("waiting")
    assert waiting == 3  # those to the slow one
    free.set()
    until(lambda: {s for s, _, _ in scene.states()} == {"sent"}, "the slow one is told all, in its time", 60)


def test_quiet_hours_hold_it_and_storm_members_are_not_told(scene: Scene) -> None:
    scene.person("night.t", quiet=(0, 1439), critical_passes=False)
    scene.channel("night.t", "webhook", f"{scene.web.url}/night")
    scene.person("day.t")
    scene.channel("day.t", "webhook", f"{scene.web.url}/day")
    scene.start()
    storm = scene.happens(kind="storm", thing="", vi="Bão cảnh báo")
    scene.happens(storm=storm.id, thing="member")
    scene.happens(priority=Priority.CRITICAL)
    until(lambda: [r.path for r in scene.web.taken].count("/day") == 2, "the day is told of both")
    waiting = scene.conn.execute("SELECT count(*) FROM notice WHERE state = 'waiting' AND due > now()").fetchone()
    minute = scene.conn.execute("SELECT extract(hour FROM now() AT TIME ZONE '+07')::int").fetchone()
    assert waiting is not None
    assert minute is not None
    assert "/night" not in [r.path for r in scene.web.taken] or minute[0] == 23


def test_a_channel_has_room_for_so_many(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "WAITING", 5)
    scene.person("an.t")
    id = scene.channel("an.t", "webhook", "http://127.0.0.1:9/")
    for n in range(8):
        scene.happens(thing=f"t-{n}")
    scene.start()
    until(lambda: len(scene.states()) == 8, "all are noted")
    assert [s for s, _, _ in scene.states()].count("dropped") == 3
    assert notices.channel(scene.conn, scene.people["an.t"], id).dropped == 3
    notices.remove_channel(scene.conn, scene.people["an.t"], id)
    until(lambda: {s for s, _, _ in scene.states()} <= {"dropped", "failed"}, "nothing waits for what is gone")


def test_returned_and_assigned(scene: Scene) -> None:
    scene.person("an.t", returned=True, least=Priority.CRITICAL)
    scene.channel("an.t", "webhook", f"{scene.web.url}/an")
    scene.start()
    alarm = scene.happens()
    alarm = scene.happens(Kind.ASSIGNED, alarm, assignee=f"p:{scene.people['an.t']}")
    until(lambda: len(scene.web.taken) == 1, "who it is given to is told")
    alarm = scene.happens(Kind.UPGRADED, alarm, priority=Priority.CRITICAL, level=2)
    until(lambda: len(scene.web.taken) == 2, "now it is bad enough")
    scene.happens(Kind.RETURNED, alarm, active=False, state=State.RETURNED)
    until(lambda: len(scene.web.taken) == 3, "and now it is over")
    assert [scene.body(n)["data"]["subject"].split(":")[0] for n in range(3)] == ["Giao cho bạn", "Tăng mức", "Đã hết"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://127.0.0.1/x", "open internet"),
        ("https://localhost/x", "open internet"),
        ("https://[::1]/x", "open internet"),
        ("https://[::ffff:10.0.0.1]/x", "open internet"),
        ("https://10.1.2.3/x", "open internet"),
        ("https://169.254.169.254/latest/meta-data", "open internet"),
        ("https://0.0.0.0/", "open internet"),
        ("https://100.64.0.1/", "open internet"),
        ("https://2130706433/", "open internet"),
        ("http://8.8.8.8/x", "https://"),
        ("https://user:pass@8.8.8.8/", "password"),
        ("ftp://8.8.8.8/", "no https"),
        ("https:///x", "no https"),
        ("https://8.8.8.8:99999/", "no URL"),
        ("https://8.8.8.8/\r\nHost: x", "no https"),
    ],
)
def test_nothing_is_posted_into_private_networks(url: str, says: str) -> None:
    with pytest.raises(fetching.RefusedError, match=says):
        fetching.post(url, b"", {}, private=False)
