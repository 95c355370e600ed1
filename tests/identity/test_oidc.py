"""Signing in at a real OpenID Connect provider (npm oidc-provider), in a real Chromium; and forged answers."""

import base64
import hmac
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from playwright.sync_api import Browser, Page, expect

from deploy import build_web
from services.auth.oidc import LOGOUT, Attempt, Provider, ProviderError
from tests.databases import Database
from tests.servers.api import Api, serve
from tests.servers.mosquitto import free_port
from tests.waiting import until
from tram.errors import SettingsError, UnavailableError
from tram.identity import Grant, Role, Scope
from tram.settings import Settings
from tram.store import audit, people

FOLDER = Path(__file__).parents[1] / "oidc"
MAPPING = "truc-ban = operator:area=05860; lanh-dao = city-admin"


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider's program with its packages, beside a copy so that workers do not meet in one folder."""
    try:
        npm = build_web.npm()
    except build_web.WebError as error:
        pytest.skip(f"{error}: the identity provider of this test is a program of node's")
    folder = tmp_path_factory.mktemp("provider")
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(FOLDER / name, folder)
    command = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = build_web.environment(npm)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        pytest.skip(f"the identity provider could not be installed: {done.stderr[-300:]}")
    return folder


@dataclass
class Running:
    """The application and the provider."""

    api: Api
    settings: Settings
    issuer: str
    database: Database
    start: Callable[[str], None]


@pytest.fixture
def running(one_database: Database, modules: Path, tmp_path: Path) -> Iterator[Running]:
    port = free_port()
    issuer = f"http://localhost:{port}"
    settings = replace(
        one_database.settings, home=tmp_path, oidc_issuer=issuer, oidc_client_id="tram",
        oidc_client_secret="a-secret-between-the-two", oidc_roles=MAPPING, oidc_name="Cổng tỉnh",
    )  # fmt: skip
    processes: list[subprocess.Popen[str]] = []
    node = shutil.which("node", path=build_web.environment(build_web.npm())["PATH"])
    assert node is not None
    with serve(settings, admin=False) as api:

        def start(kid: str) -> None:
            stop()
            log = (tmp_path / "provider.log").open("a")
            command = [node, "provider.mjs", str(port), api.url, kid]
            processes.append(subprocess.Popen(command, cwd=modules, stdout=log, stderr=log, text=True))

            def answers() -> bool:
                try:
                    return httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200
                except httpx.HTTPError:
                    return False

            until(answers, "the provider answers", timeout=30)

        def stop() -> None:
            for process in processes:
                process.kill()
                process.wait(10)
            processes.clear()

        start("key-1")
        try:
            yield Running(api, settings, issuer, one_database, start)
        finally:
            stop()


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Page]:
    """A browser where nobody is signed in."""
    with browser.new_context(storage_state=None) as context:
        yield context.new_page()


def sign_in(page: Page, running: Running, name: str) -> None:
    page.goto(f"{running.api.url}/account")
    page.get_by_role("link", name="Tiếp tục với Cổng tỉnh").click()
    page.wait_for_url(f"{running.issuer}/**")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "anything")
    page.click("button[type=submit]")
    page.click("button[type=submit]")  # consent
    page.wait_for_url(f"{running.api.url}/**")


@pytest.mark.browser
def test_sign_in_roles_by_claims_and_sign_out_everywhere(fresh: Page, running: Running) -> None:
    sign_in(fresh, running, "lan")
    expect(fresh.locator("#main")).to_contain_text("Trực vận hành · 05860")
    expect(fresh.locator("#main")).to_contain_text("Bạn đăng nhập ở nhà cung cấp danh tính")
    conn = running.database.connect(autocommit=True)
    account = people.by_login(conn, "lan")
    assert account.password is None
    rows = people.grants(conn, account.id)
    assert [(r.grant, r.source) for r in rows] == [
        (Grant(Role.OPERATOR, Scope(areas=frozenset({"05860"}))), running.issuer)
    ]
    assert audit.search(conn, audit.Search(actor="lan"))[0].entry.why == f"oidc {running.issuer}"

    # The same person comes back to the same account; another one has another.
    cookies = fresh.context.cookies(running.api.url)
    secret = next(c for c in cookies if c["name"] == "tram_session")
    assert (secret["httpOnly"], secret["sameSite"]) == (True, "Lax")

    # Signing out here signs out there; and the provider tells us by the back channel.
    fresh.get_by_role("button", name="Đăng xuất", exact=True).click()
    fresh.wait_for_url(f"{running.issuer}/**")
    fresh.get_by_role("button", name="Yes").click()
    fresh.wait_for_url(f"{running.api.url}/sign-in**")
    again = httpx.Client(base_url=running.api.url, cookies={"tram_session": secret["value"]})
    assert again.get("/api/account").status_code == 401


@pytest.mark.browser
def test_the_back_channel_ends_a_session_that_did_not_sign_out_itself(fresh: Page, running: Running) -> None:
    sign_in(fresh, running, "lan")
    secret = next(c for c in fresh.context.cookies(running.api.url) if c["name"] == "tram_session")["value"]
    client = httpx.Client(base_url=running.api.url, cookies={"tram_session": secret})
    assert client.get("/api/account").status_code == 200
    fresh.goto(f"{running.issuer}/session/end")
    fresh.get_by_role("button", name="Yes").click()
    until(lambda: client.get("/api/account").status_code == 401, "the session ends", timeout=15)


@pytest.mark.browser
def test_the_providers_keys_rotate_without_us(fresh: Page, running: Running) -> None:
    sign_in(fresh, running, "boss")
    expect(fresh.locator("#main")).to_contain_text("Quản trị tỉnh")
    running.start("key-2")

    def entered() -> bool:
        fresh.context.clear_cookies()
        sign_in(fresh, running, "boss")
        return "/account" in fresh.url

    until(entered, "signed in with the new key", timeout=60)


@pytest.mark.browser
def test_a_callback_in_another_browser_is_refused(fresh: Page, running: Running, browser: Browser) -> None:
    """Login CSRF: an attacker's own answer, opened by a victim."""
    fresh.route("**/auth/oidc/callback**", lambda route: route.abort())
    fresh.goto(f"{running.api.url}/auth/oidc/start")
    fresh.fill("input[name=login]", "mallory")
    fresh.fill("input[name=password]", "x")
    fresh.click("button[type=submit]")
    with fresh.expect_request("**/auth/oidc/callback**") as answer:
        fresh.click("button[type=submit]", no_wait_after=True)
    with browser.new_context(storage_state=None) as other:
        page = other.new_page()
        page.goto(answer.value.url)
        assert "/sign-in?problem=" in page.url
        assert not [c for c in other.cookies(running.api.url) if c["name"] == "tram_session"]
        expect(page.get_by_role("alert")).to_be_visible()


def test_an_open_redirect_is_not(running: Running) -> None:
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"):
        answer = running.api.client.get("/auth/oidc/start", params={"next": path})
        assert answer.status_code == 303
        sealed = answer.cookies["tram_oidc"]
        assert "evil" not in sealed
        assert answer.headers["location"].startswith(running.issuer)


# What follows needs no browser: a provider of ours that lies in every way there is.
KEY, WRONG = RSAKey.generate_key(2048, {"kid": "k1"}), RSAKey.generate_key(2048, {"kid": "k1"})
ISSUER = "http://localhost:9"
NOW = 1_800_000_000.0


class Liar:
    """Answers as the provider, with the tokens it is told to give."""

    def __init__(self) -> None:
        self.token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.keys: Any = KeySet([KEY]).as_dict(private=False)
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t",
            "jwks_uri": f"{ISSUER}/k", "userinfo_endpoint": f"{ISSUER}/u",
        }  # fmt: skip
        self.asked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked.append(path)
        if path.endswith("openid-configuration"):
            return httpx2.Response(200, json=self.metadata)
        if path == "/k":
            return httpx2.Response(200, json=self.keys)
        if path == "/t":
            assert b"code_verifier=" in request.content, "PKCE"
            return httpx2.Response(200, json=self.token)
        return httpx2.Response(200, json=self.userinfo or {"sub": "lan"})


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
def provider(liar: Liar) -> Provider:
    settings = Settings(oidc_issuer=ISSUER, oidc_client_id="tram", oidc_roles=MAPPING)
    return Provider(settings, clock=lambda: NOW, transport=httpx2.MockTransport(liar))


ATTEMPT = Attempt("state", "nonce", "v" * 64, "/", NOW, 0)
GOOD = {"iss": ISSUER, "aud": "tram", "sub": "lan", "nonce": "nonce", "iat": NOW, "exp": NOW + 60, "sid": "s1"}


def token(claims: dict[str, Any], key: Any = KEY, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": "k1", **header}, claims, key, algorithms=[alg])


def finish(provider: Provider, liar: Liar, id_token: str, **parameters: str) -> Any:
    liar.token = {"access_token": "at", "token_type": "Bearer", "id_token": id_token}
    return provider.finish(ATTEMPT, "http://x/cb", {"state": "state", "code": "c", **parameters})


def test_a_true_answer_is_let_in(provider: Provider, liar: Liar) -> None:
    found = finish(provider, liar, token(GOOD), iss=ISSUER)
    assert (found.subject, found.sid) == ("lan", "s1")


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"aud": "other"}, {"aud": ["tram", "other"]}, {"aud": ["tram", "other"], "azp": "other"}, {"aud": None},
    {"iss": "http://evil"}, {"nonce": "other"}, {"nonce": None}, {"exp": NOW - 60}, {"exp": None}, {"exp": "soon"},
    {"exp": True}, {"iat": NOW + 600}, {"iat": None}, {"sub": ""}, {"sub": None}, {"sub": 5}, {"sub": "x" * 300},
    {"at_hash": "AAAA"},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG_CLAIMS)
def test_a_wrong_id_token_is_refused(provider: Provider, liar: Liar, change: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        finish(provider, liar, token({**GOOD, **change}))


def unsigned(alg: str) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': alg, 'kid': 'k1'})}.{part(GOOD)}."


def confused() -> str:
    """An HMAC whose secret is the provider's public key (RFC 8725 section 2.1)."""
    head = unsigned("HS256").rsplit(".", 1)[0]
    mac = hmac.digest(KEY.as_pem(private=False), head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_forged_id_token_is_refused(provider: Provider, liar: Liar) -> None:
    forged = [
        token(GOOD, WRONG), unsigned("none"), unsigned("None"), unsigned("RS256"), "", "a.b.c", "a" * 40_000,
        confused(), token(GOOD, KEY) + "x", token(GOOD, kid="unknown"),
    ]  # fmt: skip
    for one in forged:
        with pytest.raises(ProviderError):
            finish(provider, liar, one)


def test_a_wrong_answer_is_refused(provider: Provider, liar: Liar) -> None:
    good = token(GOOD)
    for parameters in ({"state": "other"}, {"state": ""}, {"iss": "http://evil"}, {"error": "access_denied"}):
        with pytest.raises(ProviderError):
            finish(provider, liar, good, **parameters)
    liar.userinfo = {"sub": "somebody-else", "groups": ["lanh-dao"]}
    with pytest.raises(ProviderError, match="somebody else"):
        finish(provider, liar, good)
    old = replace(ATTEMPT, began=NOW - 3600)
    with pytest.raises(ProviderError, match="too long"):
        provider.finish(old, "http://x/cb", {"state": "state", "code": "c"})
    again = replace(ATTEMPT, prove=7)
    liar.userinfo = None
    with pytest.raises(ProviderError, match="ask you again"):
        provider.finish(again, "http://x/cb", {"state": "state", "code": "c"})


def test_unknown_keys_are_not_asked_for_without_end(provider: Provider, liar: Liar) -> None:
    for i in range(20):
        with pytest.raises(ProviderError):
            finish(provider, liar, token(GOOD, kid=f"unknown-{i}"))
    assert liar.asked.count("/k") == 1


def test_a_provider_by_another_name_or_with_nonsense_is_away(provider: Provider, liar: Liar) -> None:
    liar.metadata["issuer"] = "http://evil"
    with pytest.raises(UnavailableError):
        provider.start("http://x/cb", "/")
    liar.metadata = {"issuer": ISSUER}
    with pytest.raises(UnavailableError):
        provider.start("http://x/cb", "/")


def test_a_logout_token_is_checked(provider: Provider) -> None:
    event = {
        "iss": ISSUER,
        "aud": "tram",
        "sub": "lan",
        "sid": "s1",
        "iat": NOW,
        "exp": NOW + 60,
        "events": {LOGOUT: {}},
    }
    assert provider.signed_out(token(event)) == ("s1", "lan")
    wrong = [
        {"nonce": "x"},
        {"events": {}},
        {"aud": "other"},
        {"iat": NOW - 3600},
        {"sub": None, "sid": None},
        {"exp": NOW - 60},
    ]
    for change in wrong:
        with pytest.raises(ProviderError):
            provider.signed_out(token({**event, **change}))
    with pytest.raises(ProviderError):
        provider.signed_out(token(event, WRONG))


@pytest.mark.parametrize(
    "settings",
    [
        {"oidc_issuer": "http://idp.example"},
        {"oidc_issuer": "ftp://x"},
        {"oidc_client_id": ""},
        {"oidc_roles": "x=king"},
    ],
)
def test_a_wrong_setting_is_said(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^[^\n]+$"):
        Provider(Settings(**{"oidc_issuer": ISSUER, "oidc_client_id": "tram", **settings}))  # type: ignore[arg-type]
