"""Signing in, proving again and signing out at a real OpenID Connect provider (npm oidc-provider), in Chromium."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from deploy import build_web
from tests.databases import Database, Server
from tests.identity.test_oidc import MAPPING
from tests.people import autocommit
from tests.servers.api import Api, serve
from tests.waiting import until
from tram.embedded.ports import free_port
from tram.identity import Grant, Role, Scope
from tram.settings import Settings
from tram.store import audit, events, people

FOLDER = Path(__file__).parents[1] / "oidc"


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


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[Database]:
    with server.database("plain" if server.missing("timescaledb") else "timescaledb") as made:
        yield made


@pytest.fixture(scope="module")
def both(database: Database, modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One of each for all tests here; every test comes with a browser of its own."""
    port = free_port()
    folder = tmp_path_factory.mktemp("oidc")
    issuer = f"http://localhost:{port}"
    settings = replace(
        database.settings, home=folder, oidc_issuer=issuer, oidc_client_id="tram",
        oidc_client_secret="a-secret-between-the-two", oidc_roles=MAPPING, oidc_name="Cổng tỉnh",
    )  # fmt: skip
    processes: list[subprocess.Popen[str]] = []
    node = shutil.which("node", path=build_web.environment(build_web.npm())["PATH"])
    assert node is not None
    with serve(settings, admin=False) as api:

        def start(kid: str) -> None:
            stop()
            log = (folder / "provider.log").open("a")
            command = [node, "provider.mjs", str(port), api.url, kid]
            processes.append(subprocess.Popen(command, cwd=modules, stdout=log, stderr=log, text=True))

            def answers() -> bool:
                try:
                    return httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200
                except httpx.HTTPError:
                    return False

            until(answers, "the provider answers")

        def stop() -> None:
            for process in processes:
                process.kill()
                process.wait(60)
            processes.clear()

        start("key-1")
        try:
            yield Running(api, settings, issuer, database, start)
        finally:
            stop()


@pytest.fixture
def running(both: Running) -> Running:
    """The two, and nobody is signed in."""
    with autocommit(both.settings) as conn:
        conn.execute("DELETE FROM session")
    return both


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Page]:
    """A browser where nobody is signed in."""
    with browser.new_context(storage_state=None) as context:
        yield context.new_page()


def sign_in(page: Page, running: Running, name: str) -> None:
    page.goto(f"{running.api.url}/account")
    page.get_by_role("link", name="Tiếp tục với Cổng tỉnh").click()
    page.wait_for_url(f"{running.issuer}/**")
    at_the_provider(page, running, name)


def at_the_provider(page: Page, running: Running, name: str) -> None:
    """Gives the name, consents where that is asked, and is back."""
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "anything")
    page.click("button[type=submit]")
    page.wait_for_load_state()
    if page.url.startswith(running.issuer):
        page.click("button[type=submit]")  # consent
    page.wait_for_url(f"{running.api.url}/**")


def me(page: Page, running: Running) -> dict[str, object]:
    """Who the application says is there."""
    found: dict[str, object] = page.request.get(f"{running.api.url}/api/session").json()
    return found


def cookie(page: Page, running: Running) -> str:
    return next(str(c["value"]) for c in page.context.cookies(running.api.url) if c["name"] == "tram_session")


def asks_again(page: Page, running: Running, name: str) -> list[str]:
    """Signed in as `name` long ago, they open an action that asks for a step-up and are sent to the provider. Returns
    the addresses that the browser was sent to there."""
    sign_in(page, running, name)
    with autocommit(running.settings) as conn:
        conn.execute("UPDATE session SET stepped_up = now() - interval '1 hour'")
    until(lambda: me(page, running)["stepped_up"] is False, "the step-up is over")
    asked: list[str] = []
    page.on(
        "request", lambda r: asked.append(r.url) if "/auth?" in r.url and r.url.startswith(running.issuer) else None
    )
    page.goto(f"{running.api.url}/account")
    page.evaluate("location.assign('/auth/oidc/start?prove=true&next=/account')")
    page.wait_for_url(f"{running.issuer}/**")
    return asked


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
    until(lambda: client.get("/api/account").status_code == 401, "the session ends")


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


@pytest.mark.browser
def test_proving_again_is_asked_for_at_the_provider(fresh: Page, running: Running) -> None:
    """Also of whom the provider knows: prompt=login, max_age=0, and the id token's auth_time is looked at."""
    asked = asks_again(fresh, running, "boss")
    before = cookie(fresh, running)
    query = parse_qs(urlsplit(asked[0]).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    expect(fresh.locator("input[name=login]")).to_be_visible()
    at_the_provider(fresh, running, "boss")
    fresh.wait_for_url(f"{running.api.url}/account")
    assert me(fresh, running)["stepped_up"] is True
    assert cookie(fresh, running) != before
    old = httpx.get(f"{running.api.url}/api/account", cookies={"tram_session": before})
    assert old.status_code == 401, "the session goes on under a new secret"
    added = fresh.request.post(
        f"{running.api.url}/api/people", data={"login": "moi.t", "name": "Mới", "role": "operator"},
        headers={"Origin": running.api.url},
    )  # fmt: skip
    assert added.status == 201, added.text()


@pytest.mark.browser
def test_somebody_else_proves_nothing(fresh: Page, running: Running) -> None:
    asks_again(fresh, running, "boss")
    at_the_provider(fresh, running, "lan")
    assert "/sign-in?problem=" in fresh.url
    # The provider has one person a browser: boss is signed out there, which the back channel told us.
    until(lambda: me(fresh, running)["signed_in"] is False, "boss is signed out here too")


@pytest.mark.browser
def test_who_takes_the_question_away_proves_nothing(fresh: Page, running: Running) -> None:
    """A thief of the session asks the provider without prompt and max_age: it answers at once, and is not believed."""
    sign_in(fresh, running, "boss")
    with autocommit(running.settings) as conn:
        conn.execute("UPDATE session SET stepped_up = now() - interval '1 hour'")
    until(lambda: me(fresh, running)["stepped_up"] is False, "the step-up is over")
    start = fresh.request.get(f"{running.api.url}/auth/oidc/start?prove=true&next=/account", max_redirects=0)
    parts = urlsplit(start.headers["location"])
    kept = {k: v[0] for k, v in parse_qs(parts.query).items() if k not in ("prompt", "max_age")}
    fresh.goto(parts._replace(query=urlencode(kept)).geturl())
    fresh.wait_for_url(f"{running.api.url}/sign-in?problem=**")
    assert "did not ask you again" in parse_qs(urlsplit(fresh.url).query)["problem"][0]
    assert me(fresh, running)["stepped_up"] is False
    with autocommit(running.settings) as conn:
        assert any("ask you again" in str(e.detail) for e in events.newest(conn, code="sign-in.failed"))


@pytest.mark.browser
def test_the_front_channel_ends_a_session_from_the_providers_page(fresh: Page, running: Running) -> None:
    """OpenID Connect Front-Channel Logout 1.0: a frame of another site, without our cookie, by issuer and sid."""
    sign_in(fresh, running, "lan")
    secret = cookie(fresh, running)
    with autocommit(running.settings) as conn:
        row = conn.execute("SELECT provider_sid FROM session").fetchone()
    assert row is not None
    client = httpx.Client(base_url=running.api.url, cookies={"tram_session": secret})
    fresh.goto(f"{running.issuer}/.well-known/openid-configuration")  # any page of the provider's

    def framed(issuer: str, sid: str) -> None:
        url = f"{running.api.url}/auth/oidc/front-channel-logout?{urlencode({'iss': issuer, 'sid': sid})}"
        with fresh.expect_response(lambda answer: answer.url == url) as answer:
            fresh.evaluate(
                "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }", url
            )
        assert "tram_session" not in (answer.value.request.all_headers().get("cookie") or ""), "SameSite=Lax"

    framed("http://evil.example", row[0])
    framed(running.issuer, "another-session")
    assert client.get("/api/account").status_code == 200
    framed(running.issuer, row[0])
    until(lambda: client.get("/api/account").status_code == 401, "the session ends")


@pytest.mark.browser
def test_signing_out_here_signs_out_there(fresh: Page, running: Running) -> None:
    """RP-Initiated Logout 1.0: the provider is told whom, asks, forgets, and sends back; then it asks for the name."""
    sign_in(fresh, running, "lan")
    with fresh.expect_request(lambda r: "/session/end?" in r.url) as ends:
        fresh.get_by_role("button", name="Đăng xuất", exact=True).click()
    query = parse_qs(urlsplit(ends.value.url).query)
    assert query["post_logout_redirect_uri"] == [f"{running.api.url}/sign-in"]
    assert query["id_token_hint"][0].count(".") == 2
    fresh.get_by_role("button", name="Yes").click()
    fresh.wait_for_url(f"{running.api.url}/sign-in**")
    fresh.get_by_role("link", name="Tiếp tục với Cổng tỉnh").click()
    expect(fresh.locator("input[name=login]")).to_be_visible()


def test_an_open_redirect_is_not(running: Running) -> None:
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"):
        answer = running.api.client.get("/auth/oidc/start", params={"next": path})
        assert answer.status_code == 303
        sealed = answer.cookies["tram_oidc"]
        assert "evil" not in sealed
        assert answer.headers["location"].startswith(running.issuer)
