"""Cookies, tokens and devices' passwords at the door: what is let in, what never is, and how often."""

import base64
import hmac
import json
import re
import secrets
import time
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.auth.request import PLAIN_COOKIE, SECURE_COOKIE
from tests.identity.conftest import Town
from tests.identity.signing import code_of, sign_in
from tests.people import PASSWORD, account, autocommit, scoped, session, token
from tests.waiting import until
from tram.embedded.secret import keyring
from tram.identity import tokens
from tram.identity.secrets import fingerprint
from tram.runtime.rates import Rates
from tram.store import events, keys


def test_a_session_cookie_is_closed_to_scripts_and_other_sites(town: Town) -> None:
    client, answer = sign_in(town, "citizen.t")
    assert answer.json() == {"next": "done"}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{PLAIN_COOKIE}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Max-Age" not in cookie
    me = client.get("/api/session").json()
    assert (me["signed_in"], me["login"], me["roles"]) == (True, "citizen.t", [])
    assert "session.close" in me["may"]
    assert not {"pending.decide", "alarms.act"} & set(me["may"])
    operator, admin = (set(town.browser(who).get("/api/session").json()["may"]) for who in ("operator", "city-admin"))
    assert "alarms.act" in operator & admin
    assert "pending.decide" in admin - operator


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


def test_too_many_requests_are_told_when_to_come_back(own_town: Town) -> None:
    from dataclasses import replace

    from tests.servers.api import serve

    with serve(own_town.settings, admin=False, rate=60) as api:
        client = httpx.Client(base_url=api.url, cookies={PLAIN_COOKIE: own_town.secrets["citizen"]})
        # One comes back each second: whoever asks faster, however fast, is told so in the end.
        answers = until(lambda: [a for a in [client.get("/api/account")] if a.status_code == 429], "a limit", every=0)
        limited = answers[0]
        assert code_of(limited) == "rate-limited"
        assert int(limited.headers["retry-after"]) >= 1
        other = httpx.Client(base_url=api.url, cookies={PLAIN_COOKIE: own_town.secrets["operator"]})
        assert other.get("/api/account").status_code == 200, "each has their own"
        assert replace(own_town.settings).http_rate
        with autocommit(own_town.settings) as conn:
            until(lambda: events.newest(conn, code="request.rate-limited"), "the event")


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


# --- every way in that is none, for cookies and access tokens alike ---


class Thief:
    """What somebody may have found, copied or made up."""

    def __init__(self, town: Town) -> None:
        self.town = town
        with autocommit(town.settings) as conn:
            id = account(conn, f"thief-{secrets.token_hex(4)}.t", scoped("operator"))
            self.cookie, self.idle, self.old, self.ended = (session(conn, id) for _ in range(4))
            self.token, self.over, self.revoked = (token(conn, scoped("operator")) for _ in range(3))
            mark = fingerprint
            for change, value in (
                ("UPDATE session SET seen = now() - interval '2 days' WHERE hash = %s", mark(self.idle)),
                ("UPDATE session SET ends = now() - interval '1 s' WHERE hash = %s", mark(self.old)),
                ("UPDATE access_token SET expires = now() - interval '1 s' WHERE hash = %s", mark(self.over)),
                ("UPDATE access_token SET revoked = now() WHERE hash = %s", mark(self.revoked)),
            ):
                assert conn.execute(change, (value,)).rowcount == 1
        with httpx.Client(base_url=town.api.url, cookies={PLAIN_COOKIE: self.ended}) as client:
            assert client.delete("/api/session").status_code == 200

    def jwt(self, alg: str, signature: bytes = b"") -> str:
        """A token of the sort that telehealth takes, about an admin."""
        claims = {"iss": "tram", "sub": "p:1", "aud": "api", "exp": time.time() + 600, "roles": ["city-admin"]}
        return ".".join(_b64(part) for part in (json.dumps({"alg": alg, "typ": "JWT"}).encode(),
                                                json.dumps(claims).encode(), signature))  # fmt: skip

    def signed(self) -> str:
        """By our own key, for somebody else: a consult's."""
        ring = keyring(self.town.settings)
        with autocommit(self.town.settings) as conn:
            keys.rotate(conn, ring, time.time())
            key = tokens.signer(keys.load(conn, ring, time.time()), time.time())
        return tokens.sign(
            key, typ=tokens.JOIN, issuer=tokens.ISSUER, audience=tokens.CONSULT, subject="p:1", id="j" * 12,
            now=time.time(), lifetime=60,
        )  # fmt: skip


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


NOT_A_COOKIE: dict[str, Any] = {
    "alg none": lambda t: t.jwt("none"),
    "key confusion": lambda t: t.jwt("HS256", hmac.digest(b"-----BEGIN PUBLIC KEY-----", b"x", "sha256")),
    "for another audience": lambda t: t.signed()[:256],
    "an access token": lambda t: t.token,
    "expired": lambda t: t.old,
    "idle too long": lambda t: t.idle,
    "replayed after signing out": lambda t: t.ended,
    "its hash, from a dump": lambda t: fingerprint(t.cookie).hex(),
}
NOT_A_TOKEN: dict[str, Any] = {
    "alg none": lambda t: t.jwt("none"),
    "key confusion": lambda t: t.jwt("HS256", hmac.digest(b"-----BEGIN PUBLIC KEY-----", b"x", "sha256")),
    "for another audience": lambda t: t.signed(),
    "a session's cookie": lambda t: t.cookie,
    "expired": lambda t: t.over,
    "replayed after it was revoked": lambda t: t.revoked,
    "its hash, from a dump": lambda t: fingerprint(t.token).hex(),
    "another check sum": lambda t: t.token[:-6] + "aaaaaa",
}


@pytest.fixture(scope="module")
def thief(town: Town) -> Thief:
    return Thief(town)


@pytest.mark.parametrize("case", NOT_A_COOKIE)
def test_that_is_no_cookie(town: Town, thief: Thief, case: str) -> None:
    answer = httpx.get(f"{town.api.url}/api/account", cookies={PLAIN_COOKIE: NOT_A_COOKIE[case](thief)})
    assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")


@pytest.mark.parametrize("case", NOT_A_TOKEN)
def test_that_is_no_token(town: Town, thief: Thief, case: str) -> None:
    headers = {"Authorization": f"Bearer {NOT_A_TOKEN[case](thief)}"}
    answer = httpx.get(f"{town.api.url}/api/status", headers=headers)
    assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")


def test_what_is_anothers_stays_anothers(town: Town, thief: Thief) -> None:
    """Their session, token and account are not to be had by their numbers, nor by two people's secrets at once."""
    with autocommit(town.settings) as conn:
        row = conn.execute("SELECT max(id) FROM session WHERE account = %s", (town.ids["operator"],)).fetchone()
        theirs = conn.execute("SELECT min(id) FROM access_token").fetchone()
    assert row is not None
    assert theirs is not None
    with httpx.Client(base_url=town.api.url, cookies={PLAIN_COOKIE: thief.cookie}) as client:
        assert client.delete(f"/api/account/sessions/{row[0]}").status_code == 404
        assert client.delete(f"/api/account/tokens/{theirs[0]}").status_code == 404
        auditor = {"Authorization": f"Bearer {town.tokens['auditor']}"}
        assert client.get("/api/account", headers=auditor).status_code in (401, 403)
        both = client.get("/api/session", headers=auditor).json()
        assert [role["role"] for role in both["roles"]] == ["auditor"], "the token alone speaks"
