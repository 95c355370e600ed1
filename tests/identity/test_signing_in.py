"""Signing in and what hangs on it, over the real API: backoff, codes, cookies, step-up, sign-out, tokens."""

import time

import httpx
import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters

from services.auth.request import PLAIN_COOKIE
from tests.identity.conftest import FACILITY, Town
from tests.identity.signing import code_of, sign_in
from tests.people import PASSWORD, account, autocommit, scoped, session
from tests.waiting import until
from tram.identity import hashing, totp
from tram.identity.secrets import Keyring
from tram.store import events, factors

NEW = "đồi chè xanh buổi sớm mai"


def test_wrong_passwords_wait_longer_and_longer_and_say_nothing_of_who_exists(own_town: Town) -> None:
    answers = {}
    for login in ("citizen.t", "does-not-exist"):
        said = []
        for _ in range(6):
            _, answer = sign_in(own_town, login, "not the password")
            said.append((answer.status_code, code_of(answer), answer.json()["detail"], "retry-after" in answer.headers))
        answers[login] = said
    assert answers["citizen.t"] == answers["does-not-exist"]
    assert [status for status, *_ in answers["citizen.t"]] == [401, 401, 401, 401, 429, 429]
    _, answer = sign_in(own_town, "citizen.t")
    assert answer.status_code == 429, "the right password waits too"
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    _, other = sign_in(own_town, "operator.t")
    assert other.status_code == 200, "others are not locked out"
    with autocommit(own_town.settings) as conn:
        assert {e.subject for e in events.newest(conn, code="sign-in.failed")} == {"citizen.t", "does-not-exist"}
        assert events.newest(conn, code="sign-in.locked")
        factors.forgive(conn, ["login:citizen.t", "address:127.0.0.1"])
    assert sign_in(own_town, "citizen.t")[1].status_code == 200


def test_the_work_of_an_answer_does_not_tell_who_exists(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash is verified either way, under the same parameters: so both take as long."""
    verified: list[Parameters] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
            verified.append(extract_parameters(str(hash)))
            return super().verify(hash, password)

    monkeypatch.setattr(hashing, "_HASHER", Counting(time_cost=1, memory_cost=1024, parallelism=1))
    work = []
    for login in ("auditor.t", "nobody-at-all"):
        assert sign_in(town, login, "wrong")[1].status_code == 401
        work.append(tuple(verified))
        verified.clear()
    assert len(work[0]) == 1
    assert work[0] == work[1]
    with autocommit(town.settings) as conn:
        factors.forgive(conn, ["login:auditor.t", "login:nobody-at-all", "address:127.0.0.1"])


def ends(town: Town, secret: str) -> None:
    """The cookie is nobody's any more: what is remembered of it goes when the database says so."""
    account = f"{town.api.url}/api/account"
    until(lambda: httpx.get(account, cookies={PLAIN_COOKIE: secret}).status_code == 401, "the cookie is nobody's")


def enrolled(town: Town, client: httpx.Client) -> tuple[bytes, list[str]]:
    begun = client.post("/api/account/totp").json()
    import base64

    text = begun["secret"].replace(" ", "")
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    assert begun["qr"].startswith("<svg")
    done = client.post("/api/account/totp/confirm", json={"code": totp.code_at(secret, int(time.time()) // 30)})
    assert done.status_code == 200, done.text
    return secret, done.json()["codes"]


def test_a_second_factor_from_enrolment_to_recovery(own_town: Town) -> None:
    client, _ = sign_in(own_town, "operator.t")
    secret, codes = enrolled(own_town, client)
    half, answer = sign_in(own_town, "operator.t")
    assert answer.json() == {"next": "code"}
    assert half.get("/api/account").status_code == 401, "half a session is nobody's"
    assert half.get("/api/session").json()["waiting_code"]
    first = half.cookies[PLAIN_COOKIE]
    wrong = half.post("/api/session/code", json={"code": "000000"})
    assert (wrong.status_code, code_of(wrong)) == (401, "wrong-credentials")
    used = half.post("/api/session/code", json={"code": totp.code_at(secret, int(time.time()) // 30)})
    right = half.post("/api/session/code", json={"code": totp.code_at(secret, int(time.time()) // 30 + 1)})
    assert {used.status_code, right.status_code} >= {200}
    assert half.cookies[PLAIN_COOKIE] != first, "a new secret at every step"
    assert half.get("/api/account").json()["second_factor"]
    lost, _ = sign_in(own_town, "operator.t")
    assert lost.post("/api/session/code", json={"code": codes[0]}).status_code == 200
    again, _ = sign_in(own_town, "operator.t")
    assert again.post("/api/session/code", json={"code": codes[0]}).status_code == 401, "each once"
    with autocommit(own_town.settings) as conn:
        assert events.newest(conn, code="recovery-code.used")[0].detail["left"] == 9
        ring = Keyring.parse(own_town.settings.secret_key)
        assert not factors.check_recovery(conn, own_town.ids["doctor"], ring, codes[1])


def test_what_needs_proof_asks_for_it_and_changes_the_cookie(own_town: Town) -> None:
    with autocommit(own_town.settings) as conn:
        secret = session(conn, own_town.ids["citizen"], stepped_up=False)
    client = httpx.Client(base_url=own_town.api.url)
    client.cookies.set(PLAIN_COOKIE, secret, domain="127.0.0.1")
    refused = client.post("/api/account/tokens", json={"label": "x", "role": "citizen"})
    assert (refused.status_code, code_of(refused)) == (403, "step-up")
    assert client.post("/api/session/prove", json={"password": "wrong"}).status_code == 401
    assert client.post("/api/session/prove", json={"password": PASSWORD}).status_code == 200
    assert client.cookies[PLAIN_COOKIE] != secret
    ends(own_town, secret)
    made = client.post("/api/account/tokens", json={"label": "x", "role": "citizen"})
    assert made.status_code == 201
    bearer = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert httpx.get(f"{own_town.api.url}/api/things", headers=bearer).status_code == 200
    assert httpx.get(f"{own_town.api.url}/api/account", headers=bearer).status_code in (401, 403), (
        "a program has no account"
    )
    assert client.delete(f"/api/account/tokens/{made.json()['id']}").status_code == 204
    until(
        lambda: httpx.get(f"{own_town.api.url}/api/things", headers=bearer).status_code == 401,
        "revoked at once",
        timeout=20,
    )


def test_a_new_password_ends_the_other_sessions(own_town: Town) -> None:
    here, _ = sign_in(own_town, "citizen.t")
    there, _ = sign_in(own_town, "citizen.t")
    for new, code in (("short", "weak-password"), ("matkhau123456", "weak-password"), (PASSWORD, "weak-password")):
        answer = here.post("/api/account/password", json={"current": PASSWORD, "new": new})
        assert code_of(answer) == code
    assert here.post("/api/account/password", json={"current": "wrong", "new": NEW}).status_code == 401
    assert here.post("/api/account/password", json={"current": PASSWORD, "new": NEW}).status_code == 204
    assert here.get("/api/account").status_code == 200
    until(lambda: there.get("/api/account").status_code == 401, "the other session ended")
    assert sign_in(own_town, "citizen.t", PASSWORD)[1].status_code == 401
    assert sign_in(own_town, "citizen.t", NEW)[1].status_code == 200


def test_a_password_somebody_else_set_must_be_changed_first(own_town: Town) -> None:
    admin = own_town.browser("hospital-admin")
    made = admin.post("/api/people", json={"login": "hoa", "name": "Hoa", "role": f"doctor:facility={FACILITY}"}).json()
    client, answer = sign_in(own_town, "hoa", made["password"])
    assert answer.json() == {"next": "done"}
    me = client.get("/api/session").json()
    assert (me["restricted"], me["roles"]) == ("must-change", [])
    assert client.get("/", follow_redirects=False).headers["location"] == "/account"
    assert client.post("/api/account/password", json={"current": made["password"], "new": NEW}).status_code == 204
    until(lambda: [r["role"] for r in client.get("/api/session").json()["roles"]] == ["doctor"], "the role is there")


def test_sign_out_here_and_everywhere(own_town: Town) -> None:
    here, _ = sign_in(own_town, "citizen.t")
    there, _ = sign_in(own_town, "citizen.t")
    secret = here.cookies[PLAIN_COOKIE]
    assert here.delete("/api/session").json() == {"provider": None}
    ends(own_town, secret)
    assert there.get("/api/account").status_code == 200
    assert there.delete("/api/account/sessions").status_code == 204
    until(lambda: there.get("/api/account").status_code == 401, "the other is out too")


def test_production_refuses_demo_people_and_asks_for_a_second_factor(own_town: Town) -> None:
    from dataclasses import replace

    from tests.servers.api import serve

    with autocommit(own_town.settings) as conn:
        account(conn, "demo.one", scoped("operator"), demo=True)
    assert sign_in(own_town, "demo.one")[1].status_code == 200
    with serve(replace(own_town.settings, environment="production"), admin=False) as api:
        town = Town(api, own_town.settings, own_town.ids, own_town.secrets)
        assert sign_in(town, "demo.one")[1].status_code == 401
        client, answer = sign_in(town, "city-admin.t")
        assert answer.status_code == 200
        assert client.get("/api/session").json()["restricted"] == "must-enrol"
        refused = client.get("/api/status")
        assert code_of(refused) == "must-enrol"
        enrolled(town, client)
        assert client.get("/api/status").status_code == 200
        assert client.delete("/api/account/totp").status_code == 409
        assert sign_in(town, "operator.t")[0].get("/api/status").status_code == 200
