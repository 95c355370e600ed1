"""`/api/notifications` as somebody who is signed in uses it: channels, codes, tests, preferences, the log."""

import base64
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.notices.conftest import Scene
from tests.people import session
from tests.servers.api import serve
from tests.waiting import until
from tram.notices import signing

BASE = "/api/notifications"


@pytest.fixture
def me(scene: Scene) -> Iterator[httpx.Client]:
    """A client that is signed in as an operator; the worker's thread runs."""
    id = scene.person("an.t")
    scene.start()
    with serve(scene.settings, admin=False) as api:
        cookies = {"tram_session": session(scene.conn, id)}
        with httpx.Client(base_url=api.url + BASE, cookies=cookies, timeout=60) as client:
            yield client


def test_an_address_is_proved_by_its_code(scene: Scene, me: httpx.Client) -> None:
    made = me.post("/channels", json={"kind": "email", "address": "an@ioc.example", "label": "cơ quan"})
    assert made.status_code == 201, made.text
    one = f"/channels/{made.json()['id']}"
    assert made.json()["confirmed"] is False
    assert me.post(one + "/test").status_code == 409
    scene.happens()
    scene.followed()
    until(lambda: scene.mail.taken, "the code came")
    code = re.search(r"\d{6}", scene.mail.taken[0].get_content())
    assert code is not None
    wrong = f"{(int(code[0]) + 1) % 1_000_000:06}"
    assert me.post(one + "/confirm", json={"code": wrong}).status_code == 422
    assert me.post(one + "/confirm", json={"code": code[0]}).json()["confirmed"] is True
    assert me.post(one + "/confirm", json={"code": code[0]}).status_code == 409
    assert me.post(one + "/test").status_code == 202
    assert me.post(one + "/test").status_code == 429
    until(lambda: len(scene.mail.taken) == 2, "the test message came")
    assert "Kênh này hoạt động" in scene.mail.taken[1].get_content()
    until(lambda: {e["state"] for e in me.get("/log").json()["items"]} == {"sent"}, "the log says so")
    log = me.get("/log").json()["items"]
    assert [e["kind"] for e in log] == ["test", "code"]  # the alarm came before the address was proved
    assert code[0] not in str(scene.conn.execute("SELECT document::text FROM notice").fetchall())
    assert me.patch(one, json={"enabled": False, "label": "nhà"}).json()["enabled"] is False
    assert me.post(one + "/test").status_code == 409
    assert me.delete(one).status_code == 204
    assert me.get("/channels").json() == []


def test_five_wrong_codes_are_enough(me: httpx.Client, scene: Scene) -> None:
    made = me.post("/channels", json={"kind": "email", "address": "b@ioc.example"}).json()
    until(lambda: scene.mail.taken, "the code came")
    code = re.search(r"\d{6}", scene.mail.taken[0].get_content())
    assert code is not None
    wrong = f"{(int(code[0]) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert me.post(f"/channels/{made['id']}/confirm", json={"code": wrong}).status_code == 422
    assert me.post(f"/channels/{made['id']}/confirm", json={"code": code[0]}).status_code == 409


def test_a_webhooks_secret_is_shown_once(scene: Scene, me: httpx.Client) -> None:
    made = me.post("/channels", json={"kind": "webhook", "address": f"{scene.web.url}/hook"}).json()
    secret = base64.b64decode(made["secret"].removeprefix("whsec_"))
    assert "secret" not in me.get("/channels").json()[0]
    assert me.post(f"/channels/{made['id']}/test").status_code == 202
    until(lambda: scene.web.taken, "the test came")
    headers = scene.web.taken[0].headers
    checked = (headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"])
    assert signing.verify(secret, *checked, scene.web.taken[0].body, float(headers["webhook-timestamp"]))
    assert secret not in [bytes(r[0]) for r in scene.conn.execute("SELECT secret FROM notice_channel")]


def test_a_browser_subscribes(scene: Scene, me: httpx.Client) -> None:
    key = me.get("/push-key").json()["key"]
    assert len(base64.urlsafe_b64decode(key + "=")) == 65
    assert me.get("/push-key").json()["key"] == key
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )  # fmt: skip
    body: dict[str, Any] = {
        "kind": "push", "address": f"{scene.web.url}/push",
        "p256dh": base64.urlsafe_b64encode(point).decode(), "auth": base64.urlsafe_b64encode(os.urandom(16)).decode(),
    }  # fmt: skip
    assert me.post("/channels", json=body | {"auth": "x"}).status_code == 422
    made = me.post("/channels", json=body)
    assert made.status_code == 201, made.text
    assert me.post("/channels", json=body).status_code == 409
    assert me.post(f"/channels/{made.json()['id']}/test").status_code == 202
    until(lambda: scene.web.taken, "the push came")
    assert scene.web.taken[0].headers["content-encoding"] == "aes128gcm"


def test_preferences(me: httpx.Client) -> None:
    assert me.get("/preferences").json()["least"] == "medium"
    wanted = {"least": "high", "areas": ["05482"], "rules": ["river"], "returned": True, "quiet_from": "22:00",
              "quiet_until": "06:30", "critical_passes": False, "flood": 3, "enabled": True}  # fmt: skip
    assert me.put("/preferences", json=wanted).status_code == 200
    assert me.get("/preferences").json() == wanted
    for bad in ({"quiet_from": "22:00"}, {"quiet_from": "25:00", "quiet_until": "06:00"}, {"least": "x"}, {"flood": 0},
                {"areas": ["x"] * 201}, {"quiet_from": "22:00\n", "quiet_until": "06:00"}):  # fmt: skip
        assert me.put("/preferences", json=bad).status_code == 422, bad


def test_what_is_no_address(me: httpx.Client) -> None:
    for address in ("a", "a b@c.d", "a@b@c", "a@b\r\nBcc: x@y", "đ@b.c", "<a@b.c>", "abc@", "@b.c", "a@b,c@d"):
        answer = me.post("/channels", json={"kind": "email", "address": address})
        assert answer.status_code == 422, address


def test_another_persons_channels_are_out_of_reach(scene: Scene, me: httpx.Client) -> None:
    scene.person("other.t")
    theirs = scene.channel("other.t", "webhook", f"{scene.web.url}/other")
    for answer in (
        me.patch(f"/channels/{theirs}", json={"enabled": False}), me.delete(f"/channels/{theirs}"),
        me.post(f"/channels/{theirs}/test"), me.post(f"/channels/{theirs}/confirm", json={"code": "000000"}),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert me.get("/channels").json() == []


def test_there_is_an_end_of_channels(me: httpx.Client, scene: Scene) -> None:
    answers = [
        me.post("/channels", json={"kind": "webhook", "address": f"{scene.web.url}/{n}"}).status_code for n in range(21)
    ]
    assert answers == [201] * 20 + [409]


def test_without_leave_no_private_addresses(scene: Scene) -> None:
    id = scene.person("an.t")
    with serve(replace(scene.settings, notify_private="refuse"), admin=False) as api:
        client = httpx.Client(base_url=api.url + BASE, cookies={"tram_session": session(scene.conn, id)}, timeout=60)
        answer = client.post("/channels", json={"kind": "webhook", "address": f"{scene.web.url}/hook"})
        assert (answer.status_code, "https://" in answer.text) == (422, True)
        client.close()
