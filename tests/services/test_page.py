"""The first page in a real Chromium, over a real API and database."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.databases import SECRET_KEY, Database
from tests.people import STATE
from tests.servers.api import Api, serve
from tests.services.filling import MINUTES, THINGS, fill, now, store
from tests.web.axe import COLOURS
from tram.embedded.ports import free_port
from tram.embedded.postgres import PostgresServer
from tram.settings import Settings
from tram.store.database import connect
from tram.store.migrate import migrate

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
STORED = sum(len(properties) for *_, properties in THINGS.values()) * MINUTES
# The page's own Content-Security-Policy keeps injected scripts out, so axe is brought in past it.
AUDIT = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


@pytest.fixture
def watched(page: Page, one_api: Api) -> Any:
    """A page whose errors and requests to other hosts fail the test."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith((one_api.url, "data:")) else faults.append(r.url))
    yield page
    assert faults == []


def settled(page: Page) -> None:
    """Every panel has its first answer."""
    expect(page.locator("#main")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#newest tr").first).to_be_visible()
    expect(page.locator("#properties tr").first).to_be_visible()
    expect(page.locator("#letters li").first).to_be_visible()


def test_it_shows_the_system(watched: Page, one_api: Api) -> None:
    watched.goto(f"{one_api.url}/flow")
    settled(watched)
    expect(watched.locator("#total")).to_have_text(str(STORED))
    expect(watched.locator("#tiles li").nth(0)).to_contain_text(str(len(THINGS)))
    expect(watched.locator("#newest tr").filter(has_text="Trạm khí Quang Sơn").first).to_be_visible()
    expect(watched.locator("#newest tr").filter(has_text="µg/m³").first).to_contain_text("tốt")
    # A name from a device is text, whatever it holds.
    expect(watched.locator("#newest tr").filter(has_text="odd/name %41 <b>").first).to_be_visible()
    expect(watched.locator("#processes li").filter(has_text="Việc nền")).to_contain_text("thiếu một phần")
    expect(watched.locator("#letters li").first).to_contain_text("utf8")
    assert watched.locator("#places path").count() == 1
    assert watched.locator("#rate-plot .bars").count() == 1


def test_new_values_arrive_by_themselves(page: Page, fresh_api: Api, database: Database) -> None:
    page.goto(f"{fresh_api.url}/flow")
    settled(page)
    expect(page.locator("#total")).to_have_text(str(STORED))
    id = fresh_api.get("/api/things/river-01").json()["streams"][0]["id"]
    with database.connect() as conn:
        store(conn, [id], [now()])
    expect(page.locator("#total")).to_have_text(str(STORED + 1), timeout=60_000)
    expect(page.locator("#newest tr").first).to_contain_text("Mực nước Gia Bảy", timeout=60_000)
    expect(page.locator("#live")).to_have_attribute("data-state", "ok")


def test_language_theme_and_density_are_kept(watched: Page, one_api: Api) -> None:
    watched.goto(f"{one_api.url}/flow")
    expect(watched.locator("html")).to_have_attribute("lang", "vi")
    watched.get_by_role("button", name="English").press("Enter")
    expect(watched.locator("h2", has_text="Newest observations")).to_be_visible()
    watched.get_by_role("button", name="High contrast").click()
    watched.get_by_role("button", name="Wall").click()
    watched.reload()
    html = watched.locator("html")
    expect(html).to_have_attribute("lang", "en")
    expect(html).to_have_attribute("data-theme", "contrast")
    expect(html).to_have_attribute("data-density", "wall")
    expect(watched.get_by_role("button", name="Wall")).to_have_attribute("aria-pressed", "true")
    assert watched.locator("body").inner_text().count("undefined") == 0


@pytest.mark.parametrize(("language", "theme", "besides"), [("vi", "dark", "contrast"), ("en", "light", "dark")])
def test_axe_finds_nothing_serious(browser: Browser, one_api: Api, language: str, theme: str, besides: str) -> None:
    with browser.new_context(bypass_csp=True, storage_state=STATE) as context:
        context.add_init_script(
            f"localStorage.setItem('tram.lang','{language}');localStorage.setItem('tram.theme','{theme}')"
        )
        page = context.new_page()
        page.goto(f"{one_api.url}/flow")
        settled(page)
        page.evaluate(AXE)
        violations: list[Any] = []
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            violations += page.evaluate(AUDIT)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        violations += page.evaluate(COLOURS, besides)
        found = [v for v in violations if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found] == []


def test_axe_would_find_something(page: Page) -> None:
    page.set_content("<html lang=vi><title>x</title><main><img src=x><button></button></main>")
    page.evaluate(AXE)
    assert {"image-alt", "button-name"} <= {v["id"] for v in page.evaluate(AUDIT)}


def test_an_empty_system_says_what_to_do(page: Page, database: Database) -> None:
    with serve(database.settings) as api:
        page.goto(f"{api.url}/flow")
        expect(page.locator("#newest-empty")).to_contain_text("tram/v1/")
        expect(page.locator("#properties-empty")).to_contain_text("tram simulate")
        expect(page.locator("#processes-empty")).to_contain_text("make up")
        expect(page.locator("#letters-empty")).to_be_visible()
        expect(page.locator("#last-commit")).to_have_text("Chưa lưu quan trắc nào")


def test_the_banner_says_what_is_away_and_since_when(page: Page, tmp_path: Path) -> None:
    with PostgresServer(tmp_path / "server", free_port(), durable=False) as postgres:
        settings = Settings(database_url=postgres.url, secret_key=SECRET_KEY)
        with connect(settings) as conn:
            migrate(conn)
            fill(conn)
        with serve(settings) as api:
            page.goto(f"{api.url}/flow")
            settled(page)
            expect(page.locator("#banner")).to_be_hidden()
            postgres.stop()
            expect(page.locator("#banner")).to_contain_text("Cơ sở dữ liệu không trả lời", timeout=60_000)
            expect(page.locator("#live")).to_have_attribute("data-state", "off")
            # What was known stays on the screen.
            expect(page.locator("#total")).to_have_text(str(STORED))
            # Ages go on.
            old = page.locator("#last-commit").inner_text()
            expect(page.locator("#last-commit")).not_to_have_text(old)
            postgres.start()
            expect(page.locator("#banner")).to_be_hidden(timeout=60_000)
        expect(page.locator("#banner")).to_contain_text("Không tới được máy chủ", timeout=60_000)


NUMBERS = [
    (49970, "49.970", "49,970"), (1000, "1.000", "1,000"), (0, "0", "0"), (25.4, "25,4", "25.4"),
    (-0.5, "-0,5", "-0.5"), (120, "120", "120"), (10.0, "10", "10"), (98.604, "98,6", "98.6"),
    (0.0123, "0,0123", "0.0123"), (1e9, "1.000.000.000", "1,000,000,000"), (None, "–", "–"),
]  # fmt: skip


def test_numbers_are_written_as_people_write_them(page: Page, one_api: Api) -> None:
    page.goto(f"{one_api.url}/healthz")
    written = page.evaluate(
        "async (all) => { const {value} = await import('/static/format.js');"
        "const {speak} = await import('/static/text.js');"
        "return all.map((x) => ['vi', 'en'].map((l) => { speak(l); return value(x); })) }",
        [number for number, *_ in NUMBERS],
    )
    assert written == [[vi, en] for _, vi, en in NUMBERS]


def test_both_languages_have_the_same_texts(page: Page, one_api: Api) -> None:
    page.goto(f"{one_api.url}/flow")
    keys = page.evaluate(
        "async () => { const {TEXT} = await import('/static/text.js');"
        "const keys = (l) => Object.keys(TEXT[l]).sort().map((k) => k + ' ' + typeof TEXT[l][k]);"
        "return [keys('vi'), keys('en')] }"
    )
    assert keys[0] == keys[1]
    used = page.evaluate(
        "[...document.querySelectorAll('[data-t],[data-l]')].flatMap((e) => [e.dataset.t, e.dataset.l]).filter(Boolean)"
    )
    assert set(used) <= {k.split(" ")[0] for k in keys[0]}
