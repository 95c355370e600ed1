"""Signing in and what hangs on it, over the real API: backoff, codes, cookies, step-up, sign-out, tokens."""

import re
import time
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.auth.request import PLAIN_COOKIE, SECURE_COOKIE
from tests.identity.conftest import AREA, FACILITY, OTHER_FACILITY, PROVINCE, Town
from tests.people import PASSWORD, account, autocommit, scoped, session
from tests.waiting import until
from tram.identity import totp
from tram.identity.secrets import Keyring
from tram.runtime.rates import Rates
from tram.store import audit, events, factors, people

NEW = "đồi chè xanh buổi sớm mai"


def sign_in(town: Town, login: str, password: str = PASSWORD, **more: Any) -> tuple[httpx.Client, httpx.Response]:
    client = httpx.Client(base_url=town.api.url, timeout=20, **more)
    return client, client.post("/api/session", json={"login": login, "password": password})


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])


def test_a_session_cookie_is_closed_to_scripts_and_other_sites(town: Town) -> None:
    client, answer = sign_in(town, "citizen.t")
    assert answer.json() == {"next": "done"}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{PLAIN_COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Max-Age" not in cookie
    me = client.get("/api/session").json()
    assert (me["signed_in"], me["login"], me["roles"]) == (True, "citizen.t", [])


def test_behind_tls_the_cookie_has_the_host_prefix(own_town: Town) -> None:
    """A proxy on loopback that says https; only the stated proxy is believed."""
    from dataclasses import replace

    from tests.servers.api import serve

    with serve(replace(own_town.settings, http_proxy="127.0.0.1/32"), admin=False) as api:
        client = httpx.Client(
            base_url=api.url, headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "evil, 203.0.113.9"}
        )
        answer = client.post("/api/session", json={"login": "citizen.t", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{SECURE_COOKIE}=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"]
        value = cookie.split("=", 1)[1].split(";")[0]
        plain = client.get("/api/account", headers={"Cookie": f"{PLAIN_COOKIE}={value}"})
        assert plain.status_code == 401, "a plain cookie may be a sister site's"
        assert client.get("/api/account", headers={"Cookie": f"{SECURE_COOKIE}={value}"}).status_code == 200
        with autocommit(own_town.settings) as conn:
            assert events.newest(conn, code="sign-in.succeeded")[0].origin == "203.0.113.9"
    forged = httpx.get(f"{own_town.api.url}/api/session", headers={"X-Forwarded-For": "203.0.113.9"})
    assert forged.status_code == 200


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


def test_the_time_of_an_answer_does_not_tell_who_exists(town: Town) -> None:
    """Both compute one hash; the medians are within a factor of two of each other, on a busy machine."""
    took: dict[str, list[float]] = {"auditor.t": [], "nobody-at-all": []}
    for _ in range(3):
        for login, times in took.items():
            started = time.perf_counter()
            sign_in(town, login, "wrong")
            times.append(time.perf_counter() - started)
    with autocommit(town.settings) as conn:
        factors.forgive(conn, ["login:auditor.t", "login:nobody-at-all", "address:127.0.0.1"])
    known, unknown = sorted(took["auditor.t"])[1], sorted(took["nobody-at-all"])[1]
    assert 0.3 < known / unknown < 3


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
    assert httpx.get(f"{own_town.api.url}/api/account", cookies={PLAIN_COOKIE: secret}).status_code == 401
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
        timeout=5,
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
    until(lambda: there.get("/api/account").status_code == 401, "the other session ended", timeout=5)
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
    assert [r["role"] for r in client.get("/api/session").json()["roles"]] == ["doctor"]


def test_sign_out_here_and_everywhere(own_town: Town) -> None:
    here, _ = sign_in(own_town, "citizen.t")
    there, _ = sign_in(own_town, "citizen.t")
    secret = here.cookies[PLAIN_COOKIE]
    assert here.delete("/api/session").json() == {"provider": None}
    assert httpx.get(f"{own_town.api.url}/api/account", cookies={PLAIN_COOKIE: secret}).status_code == 401
    assert there.get("/api/account").status_code == 200
    assert there.delete("/api/account/sessions").status_code == 204
    assert there.get("/api/account").status_code == 401


def test_another_site_cannot_write_with_the_browsers_cookie(town: Town) -> None:
    client = town.browser("citizen")
    foreign = [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]  # fmt: skip
    for headers in foreign:
        answer = client.patch("/api/account", json={"name": "Mallory"}, headers=headers)
        assert (answer.status_code, code_of(answer)) == (403, "other-site")
    form = client.post(
        "/api/session/prove", content="password=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert form.status_code == 422, "a form of another site is no JSON"


def test_a_disabled_account_is_out_at_once_everywhere(own_town: Town) -> None:
    doctor, admin = own_town.browser("doctor"), own_town.browser("hospital-admin")
    assert doctor.get("/api/account").status_code == 200
    assert admin.post(f"/api/people/{own_town.ids['doctor']}/disable").status_code == 204
    until(lambda: doctor.get("/api/account").status_code == 401, "out", timeout=5)
    assert sign_in(own_town, "doctor.t")[1].status_code == 401
    own = admin.post(f"/api/people/{own_town.ids['hospital-admin']}/disable")
    assert own.status_code in (403, 409)


def test_a_role_taken_is_taken_at_once(own_town: Town) -> None:
    operator = own_town.browser("operator")
    assert operator.get("/api/status").status_code == 200
    with autocommit(own_town.settings) as conn:
        people.take(conn, people.grants(conn, own_town.ids["operator"])[0].id)
    until(lambda: operator.get("/api/status").status_code == 403, "refused", timeout=5)


def test_nobody_lifts_themselves(town: Town) -> None:
    """Each admin tries to reach beyond their own scope."""
    tries = [
        ("hospital-admin", f"hospital-admin:facility={FACILITY}"),
        ("hospital-admin", f"doctor:facility={OTHER_FACILITY}"),
        ("hospital-admin", "operator"),
        ("city-admin-here", "city-admin"),
        ("city-admin-here", f"operator:area={PROVINCE}"),
        ("city-admin-here", f"doctor:facility={FACILITY}"),
    ]
    for who, role in tries:
        town.again(who)
        with town.browser(who) as client:
            answer = client.post(f"/api/people/{town.ids[who]}/grants", json={"role": role})
            assert answer.status_code == 403, (who, role, answer.text)
            added = client.post("/api/people", json={"login": "x.y.z", "name": "X", "role": role})
            assert added.status_code == 403, (who, role, added.text)
    town.again("city-admin")
    with town.browser("city-admin") as client:
        for role in ("machine", "device", "citizen", "doctor", "root"):
            answer = client.post(f"/api/people/{town.ids['citizen']}/grants", json={"role": role})
            assert answer.status_code in (400, 403, 422), (role, answer.text)


def test_lists_show_what_one_may_see(town: Town) -> None:
    def things(role: str | None) -> set[str]:
        if role is None:
            return {t["name"] for t in httpx.get(f"{town.api.url}/api/things").json()["items"]}
        return {t["name"] for t in town.browser(role).get("/api/things").json()["items"]}

    assert things(None) == {"river-01"}, "what was opened to everybody"
    assert things("doctor") == {"river-01"}
    assert things("operator-here") == {"aq-02", "river-01"}
    assert {"aq-01", "aq-02", "river-01", "new-01"} <= things("operator")
    here = town.browser("operator-here")
    assert {r["thing"] for r in here.get("/api/latest").json()["items"]} == {"aq-02", "river-01"}
    assert {r["thing"] for r in here.get("/api/observations/newest").json()} <= {"aq-02", "river-01"}
    assert here.get("/api/things/aq-01").status_code == 403
    assert httpx.get(f"{town.api.url}/api/things/river-01/latest").status_code == 200
    assert httpx.get(f"{town.api.url}/api/things/aq-01/latest").status_code == 401
    town.again("hospital-admin")
    seen = {p["login"] for p in town.browser("hospital-admin").get("/api/people").json()["items"]}
    assert {"doctor.t", "hospital-admin.t"} <= seen
    assert not seen & {"operator.t", "station-staff.t", "citizen.t", "city-admin.t"}


def test_a_narrowed_token_sees_less(own_town: Town) -> None:
    client = own_town.browser("operator")
    made = client.post("/api/account/tokens", json={"label": "x", "role": f"operator:area={AREA}"}).json()
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    names = {t["name"] for t in httpx.get(f"{own_town.api.url}/api/things", headers=bearer).json()["items"]}
    assert names == {"aq-02"}
    refused = client.post("/api/account/tokens", json={"label": "x", "role": "city-admin"})
    assert refused.status_code == 403


def test_too_many_requests_are_told_when_to_come_back(own_town: Town) -> None:
    from dataclasses import replace

    from tests.servers.api import serve

    with serve(own_town.settings, admin=False, rate=60) as api:
        client = httpx.Client(base_url=api.url, cookies={PLAIN_COOKIE: own_town.secrets["citizen"]})
        answers = [client.get("/api/account") for _ in range(40)]
        limited = [a for a in answers if a.status_code == 429]
        assert limited
        assert code_of(limited[0]) == "rate-limited"
        assert int(limited[0].headers["retry-after"]) >= 1
        other = httpx.Client(base_url=api.url, cookies={PLAIN_COOKIE: own_town.secrets["operator"]})
        assert other.get("/api/account").status_code == 200, "each has their own"
        assert replace(own_town.settings).http_rate
        with autocommit(own_town.settings) as conn:
            until(lambda: events.newest(conn, code="request.rate-limited"), "the event", timeout=5)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 10)), max_size=60))
def test_a_bucket_never_gives_more_than_its_rate(steps: list[tuple[str, float]]) -> None:
    rates, now, taken = Rates(per_minute=60, burst=5, most=2), 0.0, dict.fromkeys("abc", 0)
    for key, pause in steps:
        now += pause
        wait = rates.take(key, now)
        assert wait >= 0
        taken[key] += not wait
        assert len(rates) <= 2
    single = Rates(per_minute=60, burst=5)
    count = sum(not single.take("a", t / 10) for t in range(300))
    assert count <= 5 + 30


def test_refusals_and_deeds_are_in_the_audit(own_town: Town) -> None:
    with own_town.browser("operator") as client:
        assert client.get("/api/audit").status_code == 403
    with own_town.browser("city-admin") as client:
        assert client.post("/api/pending/new-01/accept").status_code == 200
    with own_town.browser("auditor") as client:
        found: list[Any] = []

        def written() -> bool:
            found[:] = client.get("/api/audit", params={"outcome": "refused"}).json()["items"]
            return bool(found)

        until(written, "the refusal", timeout=5)
        assert (found[0]["actor_name"], found[0]["operation"]) == ("operator.t", "audit.read")
        deed = client.get("/api/audit", params={"operation": "pending.decide"}).json()["items"][0]
        assert (deed["actor_name"], deed["target"], deed["why"]) == (
            "city-admin.t",
            "new-01",
            "city-admin of area *; each one decided",
        )
        assert client.get("/api/audit", params={"operation": "audit.read"}).json()["items"], "who looked is there too"
        assert client.get("/api/audit/verify").json()["faults"] == []
        lines = client.get("/api/audit/export").text.splitlines()
        assert len(lines) >= 3
        assert {"hash", "previous"} <= set(__import__("json").loads(lines[0]))


def test_a_failed_deed_leaves_no_audit_row(own_town: Town) -> None:
    with own_town.browser("city-admin") as client:
        assert client.post("/api/pending/there-is-none/accept").status_code == 404
    with autocommit(own_town.settings) as conn:
        assert audit.search(conn, audit.Search(operation="pending.decide")) == []


def test_a_device_claims_and_renews(own_town: Town) -> None:
    with own_town.browser("city-admin") as admin:
        code = admin.post("/api/devices/aq-01/claim-code").json()["code"]
    client = httpx.Client(base_url=own_town.api.url)
    assert client.post("/api/device-claims", json={"code": "AAAA-AAAA-AAAA"}).status_code == 401
    issued = client.post("/api/device-claims", json={"code": code}).json()
    assert (issued["thing"], issued["user"]) == ("aq-01", "aq-01")
    assert client.post("/api/device-claims", json={"code": code}).status_code == 401, "once"
    renewed = client.post("/api/device-renewals", auth=(issued["user"], issued["password"])).json()
    assert renewed["user"] == "aq-01~2"
    assert client.post("/api/device-renewals", auth=(issued["user"], issued["password"])).status_code == 201, (
        "the old one overlaps"
    )
    assert client.post("/api/device-renewals", auth=(issued["user"], "wrong")).status_code == 401
    seen = [
        client.get("/api/things", auth=auth).json()["items"] for auth in (None, (issued["user"], issued["password"]))
    ]
    assert seen[0] == seen[1], "a device's password opens nothing else"
    for _ in range(10):
        answer = client.post("/api/device-claims", json={"code": "AAAA-AAAA-AAAA"})
    assert answer.status_code == 429


odd = st.text(min_size=1, max_size=80) | st.binary(min_size=1, max_size=80).map(lambda b: b.decode("latin-1"))
ascii_odd = odd.map(lambda t: re.sub(r"[^\x21-\x7e]", "x", t))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cookie=ascii_odd, bearer=ascii_odd, use=st.sampled_from(["cookie", "bearer", "both", "basic"]))
def test_any_cookie_and_token_is_nobodys(town: Town, cookie: str, bearer: str, use: str) -> None:
    headers = {}
    if use in ("cookie", "both"):
        headers["Cookie"] = f"{PLAIN_COOKIE}={cookie.replace(';', 'x')}"
    if use in ("bearer", "both"):
        headers["Authorization"] = f"Bearer {bearer}"
    if use == "basic":
        headers["Authorization"] = f"Basic {bearer}"
    for path in ("/api/account", "/api/status"):
        answer = town.api.client.get(path, headers=headers)
        assert answer.status_code == 401, answer.text
        assert "x-accel" not in answer.headers


def test_a_real_cookie_and_token_cut_or_swapped_are_nobodys(town: Town) -> None:
    cookie, token = town.again("operator"), town.tokens["operator"]
    wrong = [cookie[:-1], cookie + "A", cookie.swapcase(), cookie[::-1], token]
    for one in wrong:
        assert httpx.get(f"{town.api.url}/api/status", cookies={PLAIN_COOKIE: one}).status_code == 401
    for one in (token[:-1], token + "a", token.swapcase(), cookie, f"{token},{token}"):
        headers = {"Authorization": f"Bearer {one}"}
        assert httpx.get(f"{town.api.url}/api/status", headers=headers).status_code == 401
    both = httpx.get(
        f"{town.api.url}/api/status", cookies={PLAIN_COOKIE: cookie}, headers={"Authorization": "Bearer nonsense"}
    )
    assert both.status_code == 401, "a wrong token is refused, whatever cookie came along"


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


@pytest.mark.parametrize("path", ["/", "/account", "/people", "/audit"])
def test_pages_send_who_is_not_signed_in_to_sign_in(town: Town, path: str) -> None:
    answer = httpx.get(f"{town.api.url}{path}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
