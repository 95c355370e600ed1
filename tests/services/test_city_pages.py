"""The pages of the city services in a real Chromium, over weeks of computed history.

Pictures of them for the guides: TRAM_X_PICTURES=folder (tests/web/pictures.py).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.databases import Server
from tests.people import STATE
from tests.servers.api import Api, serve
from tests.services.cityfill import fill_city
from tests.services.test_wall import AUDIT, AXE
from tests.web.pictures import pictures
from tram import web

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(web.directory() is None, reason=f"{web.NOT_BUILT}"),
]
PATIENCE = 60_000  # ms: the machine may be busy
NAMES = ("air", "rivers", "traffic", "noise")


@pytest.fixture(scope="module")
def city_api(server: Server) -> Iterator[Api]:
    """A server over a province of its own."""
    with server.database("plain" if server.missing("timescaledb") else "timescaledb") as made:
        with made.connect() as conn:
            fill_city(conn)
        with serve(made.settings) as running:
            yield running


@pytest.fixture
def visit(browser: Browser, city_api: Api) -> Iterator[Any]:
    """`visit(address, …)` opens a page of the wall; no script may fail, and nothing may come from elsewhere."""
    faults: list[str] = []
    contexts = []

    def open_page(address: str, *, language: str = "vi", theme: str = "light", width: int = 1440) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 760 else 844}, storage_state=STATE
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(f"{city_api.url}/ui/wall/?theme={theme}&lang={language}#/services/{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A refusal that the test itself made is no fault.
    assert [fault for fault in faults if "403 (Forbidden)" not in fault] == []


def settled(page: Page) -> None:
    """Everything that was asked for is there."""
    expect(page.locator(".frame .panel:visible").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("main .skeleton")).to_have_count(0, timeout=PATIENCE)


def shows(page: Page, name: str, text: str | re.Pattern[str]) -> None:
    """A region of that name has that text."""
    expect(page.get_by_role("region", name=name, exact=True).first).to_contain_text(text, timeout=PATIENCE)


def audit(page: Page, told: str) -> None:
    """axe finds nothing, and nothing is wider than the screen."""
    page.evaluate(AXE)
    bad = [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in page.evaluate(AUDIT)]
    assert bad == [], told
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), told


def test_the_four_pages_at_a_desk(visit: Any, city_api: Api) -> None:
    page = visit("air")
    settled(page)
    tabs = page.get_by_role("navigation", name="Lĩnh vực")
    expect(tabs.get_by_role("link")).to_have_text(["Không khí", "Tiếng ồn", "Thuỷ văn", "Giao thông"])
    shows(page, "Trạm Gang Thép", "VN_AQI giờ")
    shows(page, "Trạm Gang Thép", "1459/QĐ-TCMT")
    shows(page, "Khuyến cáo", "Người cao tuổi")
    shows(page, "24 giờ tới", "Giữ nguyên")
    expect(page.get_by_role("region", name="24 giờ tới").locator("tbody tr")).to_have_count(5)
    shows(page, "Đợt ô nhiễm trong 30 ngày", "giờ")
    # A station without dust has no index, and no number either.
    without = page.get_by_role("link", name="Trạm khí Phú Lương")
    expect(without).to_contain_text("Không có chỉ số")
    assert re.search(r"\d", without.inner_text()) is None
    audit(page, "air")
    pictures(page, "air")

    # What is drawn is compared with last week, and taken out.
    history = page.get_by_role("region", name="Diễn biến", exact=True)
    history.get_by_role("button", name="So tuần trước").click()
    expect(history).to_contain_text("So với cùng giờ tuần trước:", timeout=PATIENCE)
    out = history.get_by_role("link", name="Xuất CSV").get_attribute("href")
    assert out is not None
    text = city_api.get(out).text
    assert "aq-gang-thep" in text
    assert "vn_aqi" in text

    tabs.get_by_role("link", name="Thuỷ văn").click()
    settled(page)
    shows(page, "Trạm thuỷ văn Gia Bảy", re.compile(r"Còn .* m tới báo động II"))
    shows(page, "Trạm thuỷ văn Gia Bảy", "giờ từ Trạm thuỷ văn Chợ Mới")
    expect(page.get_by_role("img", name="Mực nước và dự báo 6 giờ")).to_contain_text("BĐ II (chưa xác nhận)")
    expect(page.get_by_role("region", name="Độ khéo 14 ngày gần nhất").locator("tbody tr")).to_have_count(6)
    audit(page, "rivers")
    pictures(page, "rivers")
    page.get_by_role("radio", name="Diễn lại trận lũ 10/2025").click()
    timeline = page.get_by_role("region", name="Diễn biến cảnh báo")
    expect(timeline.get_by_role("listitem").filter(has_text="Đạt báo động III")).to_contain_text(
        "27,04 m", timeout=PATIENCE
    )
    page.get_by_role("slider", name="Lúc").fill("0")
    expect(timeline.get_by_text("Đạt báo động III")).to_be_hidden()
    page.get_by_role("slider", name="Lúc").fill("720")
    audit(page, "replay")
    pictures(page, "rivers-replay")

    tabs.get_by_role("link", name="Giao thông").click()
    settled(page)
    shows(page, "Đường Cách Mạng Tháng Tám", "km/h")
    shows(page, "Dọc tuyến", "HCM 6th edition")
    expect(page.get_by_role("img", name="Thời gian – quãng đường: tốc độ").locator("rect").nth(100)).to_be_attached()
    audit(page, "traffic")
    pictures(page, "traffic")
    page.get_by_role("radio", name="Nút giao").click()
    shows(page, "Ngã tư Đồng Quang", "Webster 1958")
    page.get_by_role("radio", name="Sự cố").click()
    shows(page, "Hai cách dò đúng đến đâu", "California #8")
    audit(page, "incidents")

    tabs.get_by_role("link", name="Tiếng ồn").click()
    settled(page)
    shows(page, "Điểm ồn Ngã tư Đồng Quang", "QCVN 26:2010/BTNMT")
    audit(page, "noise")
    pictures(page, "noise")
    # Its alarms are one step away.
    page.get_by_role("link", name=re.compile("Cảnh báo của lĩnh vực")).click()
    expect(page.get_by_role("button", name="Quy tắc noise-…")).to_be_visible(timeout=PATIENCE)


def test_the_four_pages_on_a_phone_in_the_dark(visit: Any) -> None:
    page = visit("air", language="en", theme="dark", width=390)
    for name, first in zip(
        NAMES, ("Trạm Gang Thép", "Trạm thuỷ văn Gia Bảy", "Cach Mang", "Điểm ồn Ngã tư"), strict=True
    ):
        page.evaluate("address => { location.hash = address }", f"#/services/{name}")
        expect(page.locator("nav[aria-label='City services'] a[aria-current]")).to_be_visible(timeout=PATIENCE)
        settled(page)
        entry = page.locator(".frame .list li a").filter(has_text=first)
        expect(entry).to_be_visible(timeout=PATIENCE)
        audit(page, f"{name}, list")
        entry.click()
        settled(page)
        expect(page.get_by_role("region", name="History")).to_be_visible(timeout=PATIENCE)
        audit(page, f"{name}, detail")
        page.get_by_role("button", name="Back to the list").click()
        expect(entry).to_be_visible(timeout=PATIENCE)


def test_a_service_whose_folder_is_gone_is_not_offered(visit: Any, city_api: Api) -> None:
    """The server without it: no tab, and an old link says so. The other way round: tests/domains/test_contract.py."""
    rest = [one for one in city_api.get("/api/domains").json() if one["name"] != "noise"]

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(rest))

    page = visit("air")
    settled(page)  # a page that is left while it loads says that a part of it did not come
    page.context.route("**/api/domains", answer)
    page.reload()
    tabs = page.get_by_role("navigation", name="Lĩnh vực")
    expect(tabs.get_by_role("link")).to_have_text(["Không khí", "Thuỷ văn", "Giao thông"], timeout=PATIENCE)
    page.evaluate("location.hash = '#/services/noise'")
    expect(page.get_by_role("heading", name="Máy chủ này không có lĩnh vực “noise”")).to_be_visible(timeout=PATIENCE)

    # A service that the pages have no folder of: its tile leads to the Thing it speaks of, its address says so.
    labels = {"vi": "Cấp nước", "en": "Water"}
    rest.append({**rest[0], "name": "water", "labels": labels})
    river = next(one for one in city_api.get("/api/domains/now").json() if one["name"] == "rivers")
    now = [{**river, "name": "water", "service": labels, "thing": "river-gia-bay"}]
    page.context.route("**/api/domains/now", lambda route: route.fulfill(status=200, json=now))
    page.evaluate("location.hash = '#/services/water'")
    page.reload()
    expect(page.get_by_role("heading", name="Lĩnh vực “Cấp nước” chưa có trang ở đây")).to_be_visible(timeout=PATIENCE)
    audit(page, "no page")
    page.evaluate("location.hash = '#/overview'")
    page.get_by_role("link", name=re.compile("^Cấp nước")).click(timeout=PATIENCE)
    expect(page).to_have_url(re.compile("thing=river-gia-bay"), timeout=PATIENCE)


def test_junctions_on_a_dashboard(visit: Any, city_api: Api) -> None:
    panel = {"id": "a", "panel": "traffic-junctions", "title": "", "settings": {}, "x": 0, "y": 0, "w": 4, "h": 6}
    definition = {"labels": {"vi": "Nút", "en": "Junctions"}, "panels": [panel]}
    made = city_api.client.post("/api/dashboards", json={"definition": definition, "shared": True})
    assert made.status_code == 201, made.text
    page = visit("air")
    page.evaluate("hash => { location.hash = hash }", f"#/boards/{made.json()['id']}")
    row = page.get_by_role("link", name=re.compile("Ngã tư Đồng Quang"))
    expect(row).to_contain_text(re.compile("Quá tải: Y|Độ bão hoà Y|Chưa có lưu lượng"), timeout=PATIENCE)
    audit(page, "junctions")
    row.click()
    shows(page, "Ngã tư Đồng Quang", "Webster 1958")


def test_who_may_not_see_is_told_so(visit: Any, city_api: Api) -> None:
    """A refusal says what to do, in the panel alone; an empty service says when something will stand there."""
    page = visit("rivers")
    settled(page)
    problem = json.dumps({"type": "/problems/forbidden", "title": "Forbidden", "status": 403, "detail": "no"})
    page.context.route(
        "**/api/rivers/stations",
        lambda route: route.fulfill(status=403, content_type="application/problem+json", body=problem),
    )
    page.context.route("**/api/noise/points", lambda route: route.fulfill(status=200, json=[]))
    page.reload()
    expect(page.get_by_role("heading", name="Bạn chưa có quyền xem phần này").first).to_be_visible(timeout=PATIENCE)
    page.evaluate("location.hash = '#/services/noise'")
    expect(page.get_by_role("heading", name="Chưa có điểm đo tiếng ồn nào")).to_be_visible(timeout=PATIENCE)
