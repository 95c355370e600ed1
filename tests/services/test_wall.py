"""The operators' wall in a real Chromium, over a real API and database."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.databases import Database
from tests.people import STATE
from tests.servers.api import Api
from tests.services.filling import THINGS
from tests.web.axe import COLOURS
from tram import web

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(web.directory() is None, reason=f"{web.NOT_BUILT}"),
]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
AUDIT = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
PAGES = (
    "overview",
    "alarms",
    "alarms?view=figures",
    "alarms?view=rules",
    "alarms?view=rules&rule=%2B",
    "charts",
    "devices",
    "system",
)


@pytest.fixture
def faults(page: Page, one_api: Api) -> Iterator[list[str]]:
    """Errors of scripts, refusals of the Content-Security-Policy, requests to other hosts: none, at the end."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: found.append(r.url) if r.url.startswith("http") and "127.0.0.1" not in r.url else None)
    yield found
    assert found == []


def open_wall(page: Page, api: Api, address: str) -> None:
    page.goto(f"{api.url}/ui/wall/{address}")
    expect(page.get_by_role("button", name=re.compile("^(Tài khoản|Account)"))).to_contain_text(re.compile(r"\w"))


def test_from_the_search_to_a_device_to_its_chart(page: Page, one_api: Api, faults: list[str]) -> None:
    open_wall(page, one_api, "#/devices")
    expect(page.get_by_text("Trạm khí Quang Sơn").first).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Tìm và đi tới")).to_be_focused()
    page.keyboard.type("khi quang son")  # a space on the closing button would close it
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("Trạm khí Quang Sơn")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Trạm khí Quang Sơn")).to_be_visible()
    streams = page.get_by_role("region", name="Thiết bị", exact=True).get_by_role("listitem")
    expect(streams).to_have_count(len(THINGS["aq-01"][3]))
    expect(streams.filter(has_text="PM2.5")).to_contain_text("µg/m³")

    page.get_by_role("link", name="Xem biểu đồ").click()
    expect(page.get_by_role("img", name="Biểu đồ Bụi PM2.5")).to_be_visible()
    expect(page.get_by_role("img", name="Biểu đồ Nhiệt độ không khí")).to_be_visible()
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("100,0 %")

    # All of it is in the address: a reload and a copy of the link show the same; Back goes back.
    page.get_by_role("radio", name="7 ngày").click()
    address = page.url
    assert "range=7d" in address
    page.reload()
    expect(rows).to_have_count(2)
    expect(page.get_by_role("radio", name="7 ngày")).to_be_checked()
    page.go_back()
    expect(page.get_by_role("radio", name="24 giờ")).to_be_checked()
    page.go_back()
    expect(page.get_by_role("heading", name="Trạm khí Quang Sơn")).to_be_visible()
    # What can be done is found as what there is.
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Tìm và đi tới").fill("dung o luc nay")
    page.keyboard.press("Enter")
    page.wait_for_url("**range=24h@**", timeout=60_000)


def test_series_are_chosen_and_drawn_together(page: Page, one_api: Api, faults: list[str]) -> None:
    open_wall(page, one_api, "#/charts?range=1h")
    expect(page.get_by_role("heading", name="Chưa vẽ chuỗi nào")).to_be_visible()
    page.get_by_role("searchbox").fill("pm2.5")
    page.get_by_role("checkbox", name="Quang Sơn").check()
    page.get_by_role("checkbox", name="Phổ Yên").check()
    chart = page.get_by_role("img", name="Biểu đồ Bụi PM2.5")
    expect(chart).to_be_visible()
    # Ink, not an empty frame: pixels of the first series' colour.
    drawn = """(element) => { const c = element.querySelector('canvas'); const d = c.getContext('2d')
      .getImageData(0, 0, c.width, c.height).data; const seen = new Set();
      for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) seen.add(`${d[i]},${d[i + 1]},${d[i + 2]}`);
      return seen.size }"""
    page.wait_for_function(f"() => ({drawn})(document.querySelector('[role=img][aria-label*=\"PM2.5\"]')) > 3")
    rows = page.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("100,0 %")  # both answers are there: the chart stays as it is

    # Dragging over half of it zooms; a double click widens again.
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 100, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile(r"range=\d+m@"))
    page.get_by_role("button", name="Bỏ Trạm khí Phổ Yên").click()
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    assert text.startswith("datastream,thing,property,unit,time")
    assert ",aq-01,pm2_5,ug/m3," in text


def test_a_technician_accepts_a_device_on_a_phone(page: Page, fresh_api: Api, database: Database) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_wall(page, fresh_api, "#/devices")
    waiting = page.get_by_role("region", name="Thiết bị mới chờ nhận")
    expect(waiting).to_contain_text("new-01")
    expect(waiting).to_contain_text("1 bản tin đang giữ")
    waiting.get_by_role("button", name="Nhận").click()
    expect(page.get_by_role("status").filter(has_text="Đã nhận new-01")).to_be_visible()
    page.get_by_role("link", name=re.compile("new-01")).click()
    expect(page.get_by_role("heading", name="new-01")).to_be_visible()
    assert fresh_api.get("/api/things/new-01").json()["status"] == "active"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
    page.get_by_role("button", name="Về danh sách").click()
    expect(page.get_by_role("searchbox")).to_be_visible()


def test_the_list_is_walked_and_filtered_by_keys(page: Page, one_api: Api, faults: list[str]) -> None:
    open_wall(page, one_api, "#/devices")
    expect(page.get_by_text("4 thiết bị")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("a[aria-current=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("a[aria-current=true]")).to_have_count(0)
    page.get_by_role("searchbox").fill("không có ai tên này")
    expect(page.get_by_role("heading", name="Không có thiết bị nào khớp bộ lọc")).to_be_visible()
    page.get_by_role("button", name="Bỏ bộ lọc").click()
    # A name from a device is text, whatever it holds.
    expect(page.get_by_role("link", name="odd/name %41 <b>")).to_be_visible()
    page.get_by_role("link", name="odd/name %41 <b>").click()
    expect(page.get_by_role("heading", name="odd/name %41 <b>")).to_be_visible()
    page.locator("body").press("?")
    expect(page.get_by_role("dialog", name="Phím tắt")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("body").press("5")
    expect(page.get_by_role("region", name="Tiến trình").locator("tbody tr")).to_have_count(2)
    letter = page.get_by_role("region", name="Bản tin hỏng").get_by_role("button").filter(has_text="nan")
    letter.click()
    expect(page.locator("pre")).to_have_text('{"pm2_5":NaN}')


def test_a_silent_server_is_said_and_comes_back(page: Page, one_api: Api) -> None:
    open_wall(page, one_api, "#/system")
    expect(page.get_by_role("region", name="Tiến trình")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("Không liên lạc được với máy chủ từ", timeout=60_000)
    expect(page.get_by_role("region", name="Tiến trình")).to_be_visible()  # the last values stay
    page.context.set_offline(False)
    expect(page.get_by_text(re.compile("Nối lại sau .*, đã lấp khoảng trống"))).to_be_visible(timeout=70_000)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_who_is_not_signed_in_comes_back_to_the_same_address(page: Page, one_api: Api) -> None:
    page.context.clear_cookies()
    page.goto(f"{one_api.url}/ui/wall/?lang=en&theme=dark#/charts?range=6h")
    page.wait_for_url("**/sign-in?lang=en&theme=dark&next=*")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()  # in the look that was asked for
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.context.add_cookies(STATE["cookies"])
    page.goto(f"{one_api.url}/ui/wall/")
    expect(page.get_by_role("radio", name="6 giờ")).to_be_checked()


@pytest.mark.parametrize(("language", "theme", "besides"), [("vi", "light", "contrast"), ("en", "dark", "")])
def test_axe_finds_nothing(page: Page, one_api: Api, language: str, theme: str, besides: str) -> None:
    bad: list[Any] = []
    page.emulate_media(reduced_motion="reduce")  # a colour on its way to the next theme's is neither
    for address in (*PAGES, "devices/aq-01", "charts?s=1,3&range=1h"):
        page.goto("about:blank")
        open_wall(page, one_api, f"?theme={theme}&lang={language}#/{address}")
        expect(page.locator("main .panel").first).to_be_visible()
        expect(page.locator("main .skeleton")).to_have_count(0)
        page.evaluate(AXE)
        found = page.evaluate(AUDIT) + (page.evaluate(COLOURS, besides) if besides else [])
        bad += [(address, v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
    assert bad == []
