"""Dashboards in a real Chromium: one person composes and shares, another opens the link; versions, kiosk, axe."""

import re
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.identity.conftest import Town
from tram import web

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(web.directory() is None, reason=f"{web.NOT_BUILT}"),
]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
AUDIT = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
SECONDS = 60_000  # ms: the machine may be busy


def signed_in(browser: Browser, town: Town, role: str, theme: str = "") -> tuple[BrowserContext, Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "tram_session", "value": town.secrets[role], "url": town.api.url}])
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    page.goto(f"{town.api.url}/ui/wall/{f'?theme={theme}' if theme else ''}#/boards")
    expect(page.get_by_role("button", name="Bảng mới")).to_be_visible(timeout=SECONDS)
    return context, page


def to(page: Page, hash: str) -> None:
    page.evaluate("hash => { location.hash = hash }", hash)


def audited(page: Page, where: str) -> list[Any]:
    page.evaluate(AXE)
    return [(where, v["id"], [n["html"][:160] for n in v["nodes"]]) for v in page.evaluate(AUDIT)]


def test_compose_save_share_reopen_restore(browser: Browser, town: Town) -> None:
    expect.set_options(timeout=SECONDS)
    try:
        context, page = signed_in(browser, town, "operator")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" and "409" not in m.text else None)
        bad = compose(page)
        id, address = page.evaluate("location.hash.split(/[/?]/)[2]"), page.url
        share(page)
        bad += audited(page, "board")
        seen_by_others(browser, town, address)
        restore(page)
        clash(page, town, id)
        bad += composed_in_dark(browser, town, id)
        assert bad == []
        kiosk(page, id, faults)
        context.close()
    finally:
        expect.set_options(timeout=SECONDS)


def compose(page: Page) -> list[Any]:
    """Two panels: one set up, moved and resized by keys, one dragged; a third one removed and brought back."""
    page.get_by_role("button", name="Bảng mới").click()
    page.get_by_role("textbox", name="Tên", exact=True).fill("Ca trực đêm")
    add = page.get_by_role("searchbox", name="Tìm loại ô…")
    add.fill("chi so")
    page.get_by_role("button", name=re.compile("^Chỉ số")).click()
    page.get_by_role("button", name="Chọn chuỗi số liệu").click()
    picker = page.get_by_role("dialog", name="Chọn chuỗi số liệu")
    picker.get_by_role("searchbox").fill("pho yen pm2.5")
    picker.get_by_role("radio").first.check()
    picker.get_by_role("button", name="Áp dụng").click()
    page.get_by_role("textbox", name="Tiêu đề").fill("Bụi Phổ Yên")
    expect(page.get_by_role("region", name="Bụi Phổ Yên")).to_contain_text("µg/m³")
    cell = page.locator(".cell").filter(has=page.get_by_role("region", name="Bụi Phổ Yên"))

    grip = page.get_by_role("button", name=re.compile("^Chuyển ô Bụi Phổ Yên"))
    grip.press("ArrowRight")
    expect(cell).to_have_css("grid-column-start", "2")
    grip.press("Shift+ArrowRight")
    expect(cell).to_have_css("grid-column-end", "span 4")
    expect(page.get_by_text("Cột 2, hàng 1, rộng 4, cao 3")).to_be_attached()

    add.fill("ghi chú")
    page.get_by_role("button", name=re.compile("^Ghi chú")).click()
    page.get_by_role("textbox", name="Nội dung").fill("# Gọi **ngay**\nhttps://example.vn <b>x</b>")
    expect(page.get_by_role("link", name="https://example.vn")).to_be_visible()
    note = page.get_by_role("button", name=re.compile("^Chuyển ô Ghi chú"))
    note_cell = page.locator(".cell").filter(has=note)
    start = note.bounding_box()
    board = page.locator(".grid").bounding_box()
    assert start is not None
    assert board is not None
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8 + board["width"] / 12 * 1, start["y"] + 8, steps=5)
    page.mouse.move(board["x"] + board["width"] * 0.9, start["y"] + 8, steps=5)
    page.mouse.up()
    expect(note_cell).to_have_css("grid-column-start", "10")

    page.get_by_role("button", name="Nhân đôi: Ghi chú").click()
    expect(page.locator(".cell")).to_have_count(3)
    page.get_by_role("button", name="Xoá: Ghi chú").last.click()
    expect(page.locator(".cell")).to_have_count(2)
    page.get_by_role("status").get_by_role("button", name="Hoàn tác").click()
    expect(page.locator(".cell")).to_have_count(3)
    page.get_by_role("button", name="Hoàn tác").first.click()  # the copy itself
    expect(page.locator(".cell")).to_have_count(2)
    bad = audited(page, "composer, light")
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_text("Đã lưu bản 1")).to_be_visible()
    expect(page.get_by_role("button", name="Soạn")).to_be_visible()
    return bad


def share(page: Page) -> None:
    page.get_by_role("button", name="Chia sẻ").click()
    dialog = page.get_by_role("dialog", name="Chia sẻ")
    dialog.get_by_role("checkbox").check()
    expect(page.locator(".bar").get_by_text("Dùng chung")).to_be_attached()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def seen_by_others(browser: Browser, town: Town, address: str) -> None:
    """Who may see Phổ Yên opens the link; who may not see dashboards at all is told so."""
    context, page = signed_in(browser, town, "operator-here")
    to(page, address.split("#")[1])
    expect(page.get_by_role("heading", name="Ca trực đêm")).to_be_visible()
    expect(page.get_by_role("region", name="Bụi Phổ Yên")).to_contain_text("µg/m³")
    expect(page.get_by_role("button", name="Soạn")).to_have_count(0)
    context.close()
    context = browser.new_context()
    context.add_cookies([{"name": "tram_session", "value": town.secrets["doctor"], "url": town.api.url}])
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_role("heading", name="Đường dẫn này không mở với bạn")).to_be_visible()
    context.close()


def restore(page: Page) -> None:
    """Another version, then the first one again."""
    page.get_by_role("button", name="Soạn").click()
    page.get_by_role("textbox", name="Tên", exact=True).fill("Ca trực ngày")
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_role("heading", name="Ca trực ngày")).to_be_visible()
    page.get_by_role("button", name="Thêm", exact=True).click()
    page.get_by_role("menuitem", name="Các bản").click()
    dialog = page.get_by_role("dialog", name="Các bản")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    dialog.get_by_role("listitem").last.get_by_role("button", name="Dùng lại bản này").click()
    expect(page.get_by_text("Đã dùng lại bản 1, thành bản 3")).to_be_visible()
    expect(page.get_by_role("heading", name="Ca trực đêm")).to_be_visible()


def clash(page: Page, town: Town, id: str) -> None:
    """Somebody else saves meanwhile: the draft is not lost, and goes on top."""
    page.get_by_role("button", name="Soạn").click()
    page.get_by_role("textbox", name="Tên", exact=True).fill("Của tôi")
    with town.browser("city-admin") as other:
        now = other.get(f"/api/dashboards/{id}").json()
        theirs = now["definition"] | {"labels": {"vi": "Của người kia", "en": ""}}
        saved = other.put(
            f"/api/dashboards/{id}", json={"definition": theirs}, headers={"If-Match": str(now["version"])}
        )
        assert saved.status_code == 200, saved.text
    page.get_by_role("button", name="Lưu").click()
    dialog = page.get_by_role("dialog", name="Người khác đã lưu trước bạn")
    expect(dialog).to_contain_text("City-Admin.T saved version 4")
    dialog.get_by_role("button", name="Lưu của tôi thành bản mới nhất").click()
    expect(page.get_by_role("heading", name="Của tôi")).to_be_visible()
    with town.browser("operator") as client:
        kept = [one["labels"]["vi"] for one in client.get(f"/api/dashboards/{id}/versions").json()]
    assert kept[:2] == ["Của tôi", "Của người kia"]


def composed_in_dark(browser: Browser, town: Town, id: str) -> list[Any]:
    """The composer in dark, with the form of a panel open, and the list, are fit for everybody."""
    context, page = signed_in(browser, town, "operator", "dark")
    bad = audited(page, "list")
    to(page, f"#/boards/{id}")
    expect(page.get_by_role("region", name="Bụi Phổ Yên")).to_contain_text("µg/m³")
    bad += audited(page, "board, dark")
    to(page, f"#/boards/{id}?edit=1")
    page.get_by_role("button", name="Cấu hình ô Bụi Phổ Yên").click()
    expect(page.get_by_role("textbox", name="Tiêu đề")).to_be_visible()
    page.get_by_role("button", name="Rộng ra: Bụi Phổ Yên").click()
    expect(page.get_by_role("region", name="Cấu hình", exact=True)).to_contain_text("rộng 5/12, cao 3")
    bad += audited(page, "composer")
    # On a phone there is nothing to drag: the same steps, as buttons.
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Đóng", exact=True).click()
    cells = page.locator(".cell")
    expect(cells.first.get_by_role("region", name="Bụi Phổ Yên")).to_be_visible()
    cells.first.get_by_role("button", name="Xuống: Bụi Phổ Yên", exact=True).click()
    expect(cells.last.get_by_role("region", name="Bụi Phổ Yên")).to_be_visible()
    taller = page.get_by_role("button", name="Cao lên: Bụi Phổ Yên")
    taller.press("Enter")
    expect(cells.last).to_contain_text("rộng 5/12, cao 4")
    expect(taller).to_be_focused()
    bad += audited(page, "composer, on a phone")
    context.close()
    return bad


def kiosk(page: Page, id: str, faults: list[str]) -> None:
    """No controls; scenes follow each other; a lost connection is said; Escape leaves."""
    to(page, f"#/boards/{id}?kiosk&scenes=boards/{id}:5,devices:600")
    expect(page.locator("header")).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("data-density", "wall")
    expect(page.get_by_text("Cảnh 2 / 2")).to_be_visible()
    expect(page.locator("footer time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    assert "#/devices" in page.url
    assert faults == []
    page.context.set_offline(True)
    expect(page.locator("footer").get_by_text("Mất kết nối")).to_be_visible()
    page.context.set_offline(False)
    page.keyboard.press("Escape")
    expect(page.locator("header")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
