"""The wall's alarms in a real Chromium: one arrives and an operator takes it to its end; rules are tried."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.alarms.plant import Plant, threshold
from tests.databases import Database
from tests.servers.api import Api, serve
from tests.web.axe import faults, in_theme
from tram import web

pytestmark = [pytest.mark.browser, pytest.mark.skipif(web.directory() is None, reason=web.NOT_BUILT)]
LONG = 60_000  # ms: on a busy machine the page asks late


@pytest.fixture
def api(one_plant: Plant, one_database: Database) -> Iterator[Api]:
    with serve(one_database.settings) as running:
        yield running


@pytest.fixture
def quiet(one_plant: Plant) -> Plant:
    """A river with a rule, below its level."""
    one_plant.thing("r1", "water_level")
    one_plant.rule(threshold("level", 5.0, 8.0, escalation=[{"after": "5m", "to": "role:city-admin"}],
                             advice_vi="Gọi trạm bơm số 2."))  # fmt: skip
    one_plant.write(("r1", "water_level", 4.0), ago=60)
    one_plant.step()
    return one_plant


def test_an_alarm_from_its_arrival_to_its_end(page: Page, api: Api, quiet: Plant) -> None:
    # Who asks for the list is refused: what the page shows came by the live hub.
    page.emulate_media(reduced_motion="reduce")  # a colour on its way to the next theme's is neither
    page.route(re.compile(r"/api/alarms\?"), lambda route: route.fulfill(status=503, json={}))
    page.goto(f"{api.url}/ui/wall/#/alarms")
    expect(page.get_by_text("Mọi thứ đang trong ngưỡng.")).to_be_visible(timeout=LONG)
    quiet.write(("r1", "water_level", 6.0))
    quiet.step()
    row = page.locator('[id^="alarm-"]')
    expect(row).to_contain_text("Chưa xác nhận", timeout=LONG)
    expect(row).to_contain_text("Chuyển cấp sau")
    expect(page.get_by_role("navigation").get_by_role("link", name=re.compile("Cảnh báo"))).to_contain_text("1")

    # Nothing is chosen: the shift at a glance, the last day by quarters of an hour. Keys tell one and open it.
    quarters = page.get_by_role("slider", name="Cảnh báo theo thời gian: 24 giờ qua")
    quarters.press("End", timeout=LONG)
    expect(quarters).to_have_attribute("aria-valuenow", "95")
    expect(page.get_by_role("region", name="Cảnh báo", exact=True)).to_contain_text("Chờ xác nhận lâu nhất")
    quarters.press("Enter")
    expect(page).to_have_url(re.compile("range=15m.*view=history"))
    page.get_by_role("radio", name=re.compile("^Thống kê")).click()
    over = page.get_by_role("slider", name="Cảnh báo theo thời gian: Thống kê")
    expect(over).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Thời gian bị lũ cảnh báo")).to_be_visible()
    assert [one for one in faults(page) if "Tìm và đi tới" not in one] == []
    page.goto(f"{api.url}/ui/wall/#/alarms")
    expect(row).to_contain_text("Chưa xác nhận", timeout=LONG)

    page.keyboard.press("j")
    detail = page.get_by_role("region", name="Cảnh báo", exact=True)
    expect(detail.get_by_role("heading", name="Nước, Mức 1 (6 m)")).to_be_visible()
    expect(detail.get_by_role("img", name=re.compile("^Biểu đồ"))).to_be_visible()
    expect(detail).to_contain_text("Gọi trạm bơm số 2.")

    # Found by words without their marks; a list that is empty because of them says so.
    find = page.get_by_role("searchbox", name="Tìm cảnh báo, thiết bị")
    find.fill("không có gì")
    expect(page.get_by_text("Không có cảnh báo nào khớp bộ lọc.")).to_be_visible()
    find.fill("nuoc tram r1")
    expect(row).to_have_count(1)
    expect(page).to_have_url(re.compile("q=nuoc"))
    find.press("Escape")
    expect(page.get_by_text("1 dòng", exact=True)).to_be_visible()

    # Ticked, and acted on with all that is ticked: of what is put aside together each is named that failed.
    chosen = page.get_by_role("group", name="Đã chọn 1")
    page.locator("body").press("x")
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(chosen.get_by_role("button", name="Giao việc")).to_be_visible()
    assert [one for one in faults(page) + in_theme(page, "dark") if "Tìm và đi tới" not in one] == []
    page.locator("body").press("Escape")
    expect(chosen).to_have_count(0)
    page.get_by_role("checkbox", name="Chọn mọi dòng đang hiện").check()
    page.route(re.compile("/shelve$"), lambda route: route.fulfill(status=503, json={"title": "bận"}), times=1)
    chosen.get_by_role("button", name="Tạm gác").click()
    page.get_by_role("dialog").get_by_role("button", name="2 giờ").click()
    expect(page.get_by_role("alert")).to_contain_text("Nước, Mức 1 (6 m), Trạm r1: bận", timeout=LONG)
    chosen.get_by_role("button", name="Tạm gác").click()
    page.get_by_role("dialog").get_by_role("button", name="2 giờ").click()
    expect(page.get_by_text("Mọi thứ đang trong ngưỡng.")).to_be_visible(timeout=LONG)
    expect(chosen).to_have_count(0)
    page.get_by_role("region", name="Danh sách cảnh báo").get_by_role("button", name="Hoàn tác").click()
    expect(row).to_contain_text("Chưa xác nhận", timeout=LONG)
    row.get_by_role("checkbox").check()
    page.keyboard.press("a")
    expect(row).to_contain_text("Đã xác nhận", timeout=LONG)
    expect(chosen).to_have_count(0)

    detail.get_by_role("textbox", name="Ghi chú").fill("đã gọi trạm bơm <b>")
    detail.get_by_role("button", name="Gửi").click()
    expect(detail.get_by_role("listitem").filter(has_text="đã gọi trạm bơm <b>")).to_be_visible(timeout=LONG)

    # Given to somebody, found by the beginning of a name: oneself is the first.
    detail.get_by_role("button", name="Giao cho…").click()
    box = page.get_by_role("combobox", name="Đầu họ, đệm hoặc tên")
    people = page.get_by_role("listbox", name="Đầu họ, đệm hoặc tên").get_by_role("option")
    first = people.first
    expect(first).to_contain_text("tôi", timeout=LONG)
    name = first.inner_text().split("\n")[0]
    box.fill("không có ai")
    expect(people).to_have_text(["Không có ai như vậy xử lý được cảnh báo ở đây"], timeout=LONG)
    box.fill(name[:2].lower())
    expect(first).to_contain_text(name, timeout=LONG)
    box.press("Enter")
    expect(row).to_contain_text(name, timeout=LONG)
    page.get_by_role("button", name="Giao cho tôi").click()
    expect(row).to_contain_text(name)
    page.get_by_role("button", name="Giao cho tôi").click()

    page.locator("body").press("s")
    page.get_by_role("dialog").get_by_role("button", name="2 giờ").click()
    expect(page.get_by_text("Mọi thứ đang trong ngưỡng.")).to_be_visible(timeout=LONG)
    detail.get_by_role("button", name="Hoàn tác").click()
    expect(row).to_contain_text("Chưa xác nhận", timeout=LONG)

    # Told no more at this device, and told again.
    detail.get_by_role("button", name="Thôi báo…").click()
    page.get_by_role("dialog", name=re.compile("^Thôi báo level tại")).get_by_role("button", name="Nén").click()
    expect(page.get_by_text("Mọi thứ đang trong ngưỡng.")).to_be_visible(timeout=LONG)
    page.get_by_role("radio", name=re.compile("^Tạm gác")).click()
    outs = page.get_by_role("region", name="Quy tắc thôi báo tại thiết bị")
    outs.get_by_role("button", name="Báo lại").click(timeout=LONG)
    expect(outs).to_have_count(0, timeout=LONG)
    page.get_by_role("radio", name=re.compile("^Đang mở")).click()
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
    aside = ["shelved", "unshelved"]
    acted = ["acknowledged", "commented", "assigned", *aside, "suppressed", "restored", "closed"]
    assert told == ["raised", *aside, *acted]


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
    # A group within: two Datastreams compared, and a fence of corners that are written.
    page.get_by_role("button", name="Thêm nhóm VÀ / HOẶC").first.click()
    group = page.get_by_role("group", name="Nhóm điều kiện")
    group.get_by_role("combobox", name="Điều kiện").first.select_option("compare")
    group.get_by_role("combobox", name="Của thiết bị").first.fill("r2")
    group.get_by_role("combobox", name="So bằng").select_option("ratio")
    group.get_by_role("textbox", name="Giá trị (1)").fill("1,5")
    group.get_by_role("combobox", name="Điều kiện").last.select_option("geofence")
    group.get_by_role("combobox", name="Vùng").select_option("corners")
    group.get_by_role("textbox", name=re.compile("^Các góc")).fill("21, 105\n21, 106\n22, 106")
    tries.click()
    expect(page.get_by_role("img", name=re.compile("^Đường đi của Trạm r1"))).to_be_visible(timeout=LONG)
    page.get_by_role("radio", name="JSON").click()
    box = page.get_by_role("textbox", name=re.compile("JSON"))
    shown = json.loads(box.input_value())
    fence = [[105, 21], [106, 21], [106, 22], [105, 21]]
    assert shown["id"] == "nuoc-cao-bat-thuong"
    assert shown["levels"][0]["when"] == {
        "type": "any",
        "of": [
            {"type": "threshold", "property": "water_level", "op": ">", "value": 6.5},
            {"type": "no-data", "property": "water_level", "after": "20m"},
            {
                "type": "all",
                "of": [
                    {
                        "type": "compare",
                        "left": {"property": "water_level", "thing": "r2"},
                        "right": {"property": "water_level"},
                        "by": "ratio",
                        "op": ">",
                        "value": 1.5,
                    },
                    {"type": "geofence", "on": "outside", "polygon": {"type": "Polygon", "coordinates": [fence]}},
                ],
            },
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
    page.get_by_role("button", name="Xoá quy tắc other").click()
    expect(page.get_by_text("Đã xoá other")).to_be_visible(timeout=LONG)
    assert api.client.get("/api/alarm-rules/other").status_code == 404
    page.get_by_role("button", name="Hoàn tác").click()
    expect(page.get_by_role("switch")).to_have_count(2, timeout=LONG)
    first = page.get_by_role("switch").first
    first.click()
    expect(first).not_to_be_checked(timeout=LONG)
    assert api.get("/api/alarm-rules/level").json()["enabled"] is False
