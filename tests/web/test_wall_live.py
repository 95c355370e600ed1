"""The wall on the live hub in a real browser: from the province to raw values in three clicks, values as they come,
time that is held, and a server that dies and comes back."""

import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.databases import SECRET_KEY, Database
from tests.people import STATE, enter
from tests.servers.service import Service
from tests.services.filling import fill
from tests.web.test_live_page import write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
PATIENCE = 60_000
AREA = "Phường Phan Đình Phùng"


@pytest.fixture
def hub(one_database: Database, ids: dict[tuple[str, str], int], tmp_path: Path) -> Service:
    """The API in a process of its own, over a province with an area; started and stopped by the test."""
    enter(one_database.settings)
    with one_database.connect(autocommit=True) as conn:
        conn.execute("INSERT INTO area (id, name) VALUES ('19', 'Thái Nguyên'), ('05860', %s)", (AREA,))
        conn.execute("UPDATE area SET parent = '19' WHERE id = '05860'")
        conn.execute("UPDATE thing SET area = '05860' WHERE name LIKE 'aq-%%'")
    return Service(tmp_path / "hub", one_database.url, SECRET_KEY)


@pytest.fixture
def ids(one_database: Database) -> dict[tuple[str, str], int]:
    with one_database.connect() as conn:
        return fill(conn)


def test_the_wall_lives(
    built: Path, chromium_here: Browser, one_database: Database, ids: dict[tuple[str, str], int], hub: Service
) -> None:
    stream = ids["aq-01", "pm2_5"]
    try:
        hub.start()
        context = chromium_here.new_context(storage_state=STATE)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        # Who asks for values or alarms is refused: what the page shows came by the live hub.
        page.route(
            re.compile(r"/api/(latest\?limit=\d+|alarms\?.*)$"), lambda route: route.fulfill(status=503, json={})
        )
        page.goto(f"http://127.0.0.1:{hub.port}/")
        page.wait_for_url("**/ui/wall/")

        # Province -> commune -> device -> raw values. The tiles of the city services are there, and say what they have.
        tile = page.get_by_role("link", name=re.compile("^Không khí"))
        expect(tile).to_contain_text("Chưa có số mới", timeout=PATIENCE)
        page.get_by_role("region", name="Xã, phường").get_by_role("button", name=AREA).click()
        page.get_by_role("list", name="Thiết bị").get_by_role("button", name="Trạm khí Quang Sơn").click()
        expect(page.get_by_role("navigation", name="Vị trí")).to_contain_text(AREA, timeout=PATIENCE)
        assert "thing=" in page.url
        page.locator("body").press("Escape")  # a step back, to the area
        page.wait_for_url(re.compile(r"area=(?!.*thing=)"), timeout=PATIENCE)
        page.go_back()
        page.wait_for_url("**thing=**", timeout=PATIENCE)
        page.get_by_role("list", name="Chuỗi số liệu").get_by_role("link", name="PM2.5").click()
        expect(page.get_by_role("img", name="Biểu đồ Bụi PM2.5")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Số gốc", exact=True)).to_be_visible(timeout=PATIENCE)
        row = page.get_by_role("table").locator("tbody tr")
        latest, greatest = row.locator("td").nth(1), row.locator("td").nth(4)

        write(one_database, stream, 127.25)
        expect(latest).to_have_text("127,3", timeout=PATIENCE)

        # Held: what is seen stays, while another page that follows the present shows what came.
        other = context.new_page()
        other.goto(page.url)
        page.locator("body").press("p")
        expect(page.get_by_text(re.compile("^Đang xem lúc"))).to_be_visible(timeout=PATIENCE)
        assert "@" in page.url
        write(one_database, stream, 131.5)
        expect(other.get_by_role("table").locator("tbody tr td").nth(1)).to_have_text("131,5", timeout=PATIENCE)
        expect(latest).to_have_text("127,3", timeout=PATIENCE)
        other.close()
        page.get_by_role("button", name="Theo hiện tại").last.click()
        expect(latest).to_have_text("131,5", timeout=PATIENCE)

        # The server dies; what came meanwhile is there when it is back, on the chart too.
        hub.stop(signal.SIGKILL)
        expect(page.get_by_role("alert")).to_contain_text("Không liên lạc được với máy chủ từ", timeout=PATIENCE)
        expect(latest).to_have_text("131,5", timeout=PATIENCE)
        write(one_database, stream, 996.5)
        hub.start()
        expect(page.get_by_text(re.compile("Nối lại sau .*, đã lấp khoảng trống"))).to_be_visible(timeout=PATIENCE)
        expect(latest).to_have_text("996,5", timeout=PATIENCE)
        expect(greatest).to_have_text("996,5", timeout=PATIENCE)
        expect(page.get_by_role("alert")).to_have_count(0, timeout=PATIENCE)
        context.close()
    finally:
        hub.stop()
