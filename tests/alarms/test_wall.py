"""The wall's alarms in a real Chromium: one arrives and an operator takes it to its end; rules are tried."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.alarms.plant import Plant, threshold
from tests.databases import Database
from tests.servers.api import Api, serve
from tram import web

pytestmark = [pytest.mark.browser, pytest.mark.skipif(web.directory() is None, reason=web.NOT_BUILT)]
LONG = 30_000  # ms: on a busy machine the page asks late


@pytest.fixture
def api(one_plant: Plant, one_database: Database) -> Iterator[Api]:
    with serve(one_database.settings) as running:
        yield running


@pytest.fixture
def quiet(one_plant: Plant) -> Plant:
    """A river with a rule, below its level."""
    one_plant.thing("r1", "water_level")
    one_plant.rule(threshold("level", 5.0, 8.0, escalation=[{"after": "5m", "to": "role:city-admin"}]))
    one_plant.write(("r1", "water_level", 4.0), ago=60)
    one_plant.step()
    return one_plant


def test_an_alarm_from_its_arrival_to_its_end(page: Page, api: Api, quiet: Plant) -> None:
    # Who asks for the list is refused: what the page shows came by the live hub.
    page.route(re.compile(r"/api/alarms\?"), lambda route: route.fulfill(status=503, json={}))
    page.goto(f"{api.url}/ui/wall/#/alarms")
    expect(page.get_by_text("Mọi thứ đang trong ngưỡng.")).to_be_visible(timeout=LONG)
    quiet.write(("r1", "water_level", 6.0))
    quiet.step()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("Chưa xác nhận", timeout=LONG)
    expect(row).to_contain_text("Chuyển cấp sau")
    expect(page.get_by_role("navigation").get_by_role("link", name=re.compile("Cảnh báo"))).to_contain_text("1")

    page.keyboard.press("j")
    detail = page.get_by_role("region", name="Cảnh báo", exact=True)
    expect(detail.get_by_role("heading", name="Nước, Mức 1 (6 m)")).to_be_visible()
    expect(detail.get_by_role("img", name=re.compile("^Biểu đồ"))).to_be_visible()
    page.keyboard.press("a")
    expect(row).to_contain_text("Đã xác nhận", timeout=LONG)

    detail.get_by_role("textbox", name="Ghi chú").fill("đã gọi trạm bơm <b>")
    detail.get_by_role("button", name="Gửi").click()
    expect(detail.get_by_role("listitem").filter(has_text="đã gọi trạm bơm <b>")).to_be_visible(timeout=LONG)

    page.locator("body").press("s")
    page.get_by_role("dialog").get_by_role("button", name="2 giờ").click()
    expect(page.get_by_text("Mọi thứ đang trong ngưỡng.")).to_be_visible(timeout=LONG)
    detail.get_by_role("button", name="Hoàn tác").click()
    expect(row).to_contain_text("Chưa xác nhận", timeout=LONG)

    # While its condition holds it is closed with a reason only.
    expect(detail.get_by_role("button", name="Đóng cảnh báo")).to_be_disabled()
    detail.get_by_role("textbox", name="Ghi chú").fill("thử máy")
    detail.get_by_role("button", name="Đóng cảnh báo").click()
    page.get_by_role("dialog", name="Đóng cảnh báo này?").get_by_role("button", name="Đóng cảnh báo").click()
    expect(page.get_by_text("Mọi thứ đang trong ngưỡng.")).to_be_visible(timeout=LONG)
    page.get_by_role("radio", name="Lịch sử").click()
    expect(row).to_contain_text("Đã hết", timeout=LONG)
    told = [c.kind.value for c in quiet.changes()]
    assert told == ["raised", "acknowledged", "commented", "shelved", "unshelved", "closed"]


def test_a_rule_is_tried_before_it_is_saved(page: Page, api: Api, quiet: Plant) -> None:
    quiet.write(("r1", "water_level", 7.0), ago=600)
    page.goto(f"{api.url}/ui/wall/#/alarms?view=rules")
    expect(page.get_by_role("switch", name="Nước")).to_be_checked(timeout=LONG)
    page.get_by_role("button", name="Quy tắc mới").click()
    page.get_by_role("textbox", name="Tên (tiếng Việt)").fill("Nước cao bất thường")
    page.get_by_role("textbox", name="Tên (tiếng Anh)").fill("Water unusually high")
    page.get_by_role("combobox", name="Loại").select_option("river")
    page.get_by_role("combobox", name="Đại lượng").select_option("water_level")
    value = page.get_by_role("textbox", name="Giá trị (m)")
    tries = page.get_by_role("button", name="Thử", exact=True)
    value.fill("cao")
    tries.click()
    expect(page.get_by_role("alert")).to_contain_text("$.levels[0].when.value", timeout=LONG)
    value.fill("6,5")
    tries.click()
    expect(page.get_by_text("Sẽ báo 1 lần trong 7 ngày qua, ở 1 thiết bị")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("img", name=re.compile("^Biểu đồ .*, 1 lần báo$"))).to_be_visible(timeout=LONG)
    expect(page.get_by_role("list", name="Các lần báo").get_by_role("listitem")).to_have_count(1)

    # Several conditions, joined; the other view shows the same, and says where it is wrong.
    page.get_by_role("button", name="Thêm điều kiện").click()
    page.get_by_role("combobox", name="Điều kiện").last.select_option("no-data")
    page.get_by_role("radio", name=re.compile("HOẶC")).click()
    page.get_by_role("radio", name="JSON").click()
    box = page.get_by_role("textbox", name=re.compile("JSON"))
    shown = json.loads(box.input_value())
    assert shown["id"] == "nuoc-cao-bat-thuong"
    assert shown["levels"][0]["when"] == {
        "type": "any",
        "of": [
            {"type": "threshold", "property": "water_level", "op": ">", "value": 6.5},
            {"type": "no-data", "property": "water_level", "after": "20m"},
        ],
    }
    box.fill("{")
    tries.click()
    expect(page.get_by_role("alert")).to_contain_text("Không phải JSON")
    rule = threshold("other", 6.5) | {"levels": [{"priority": "odd"}]}
    box.fill(json.dumps(rule))
    tries.click()
    expect(page.get_by_role("alert")).to_contain_text("$.levels[0]", timeout=LONG)
    box.fill(json.dumps(threshold("other", 6.5)))
    assert api.client.get("/api/alarm-rules/other").status_code == 404, "a trial stores nothing"
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_text("Đã lưu other, bản 1")).to_be_visible(timeout=LONG)
    first = page.get_by_role("switch").first
    first.click()
    expect(first).not_to_be_checked(timeout=LONG)
    assert api.get("/api/alarm-rules/level").json()["enabled"] is False
