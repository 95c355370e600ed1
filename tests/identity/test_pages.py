"""Sign-in, own account, people and audit in a real Chromium; looked at by axe in both languages, themes and widths."""

import base64
import re
import time
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.identity.conftest import Town
from tests.people import PASSWORD, autocommit
from tests.waiting import until
from tests.web.axe import COLOURS
from tram.identity import totp
from tram.store import audit, sessions

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
AUDIT = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
WIDER = "document.documentElement.scrollWidth - innerWidth"
NEW = "đồi chè xanh buổi sớm mai"


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, own_town: Town, faults: list[str]) -> Iterator[Page]:
    """Nobody is signed in; errors of scripts and requests to other hosts fail the test."""
    with browser.new_context(storage_state=None) as context:
        made = context.new_page()
        made.on("pageerror", lambda error: faults.append(str(error)))
        made.on("request", lambda r: None if r.url.startswith((own_town.api.url, "data:")) else faults.append(r.url))
        yield made
        assert faults == []


def enter(page: Page, login: str, password: str) -> None:
    page.get_by_label("Tên đăng nhập").fill(login)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Đăng nhập").click()


def arrived(page: Page, heading: str) -> None:
    """The page with this heading has been drawn for somebody who is signed in."""
    expect(page.get_by_role("heading", name=heading)).to_be_attached(timeout=60_000)


@pytest.mark.browser
def test_signing_in_a_second_factor_and_out_again(page: Page, own_town: Town) -> None:
    page.goto(f"{own_town.api.url}/")
    page.wait_for_url("**/sign-in")
    enter(page, "operator.t", "wrong")
    expect(page.get_by_role("alert")).to_have_text("Sai tên, mật khẩu hoặc mã.")
    enter(page, "operator.t", PASSWORD)
    page.wait_for_url(re.compile("/(ui/wall/|flow)(#.*)?$"))
    page.goto(f"{own_town.api.url}/flow")
    expect(page.locator("#total")).not_to_be_empty()

    page.get_by_role("link", name="Tài khoản").click()
    page.get_by_role("button", name="Bật").click()
    expect(page.locator(".qr svg")).to_be_visible()
    text = (page.locator(".secret").text_content() or "").replace(" ", "")
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    page.get_by_label("Rồi nhập mã đầu tiên").fill(totp.code_at(secret, int(time.time()) // 30))
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.locator(".codes li")).to_have_count(10)
    codes = page.locator(".codes li").all_text_contents()
    expect(page.locator("#main")).to_contain_text("Đang bật. Còn 10 mã dự phòng.")

    page.get_by_role("button", name="Đăng xuất", exact=True).click()
    page.wait_for_url("**/sign-in")
    page.goto(f"{own_town.api.url}/account")
    enter(page, "operator.t", PASSWORD)
    field = page.get_by_label("Mã 6 số")
    field.fill("000000")
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Mã 6 số").fill(totp.code_at(secret, int(time.time()) // 30 + 1))
    page.get_by_role("button", name="Tiếp tục").click()
    arrived(page, "Thông tin")
    expect(page.locator("#main")).to_contain_text("Trực vận hành · mọi nơi")
    assert all(re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", code) for code in codes)


@pytest.mark.browser
def test_a_new_password_a_token_and_a_step_up(page: Page, own_town: Town) -> None:
    page.goto(f"{own_town.api.url}/account")
    enter(page, "operator.t", PASSWORD)
    arrived(page, "Thông tin")
    with autocommit(own_town.settings) as conn:  # the proof of signing in has run out
        conn.execute("UPDATE session SET stepped_up = now() - interval '1 hour'")
    ask = "async () => (await fetch('/api/session')).json()"
    until(lambda: page.evaluate(ask)["stepped_up"] is False, "told to the process")
    assert page.evaluate(ask)["signed_in"]
    page.get_by_label("Tên khoá").fill("biểu đồ")
    page.get_by_role("button", name="Tạo khoá").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Xác nhận lại danh tính")
    dialog.get_by_label("Mật khẩu").fill("wrong")
    dialog.get_by_role("button", name="Tiếp tục").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Mật khẩu").fill(PASSWORD)
    dialog.get_by_role("button", name="Tiếp tục").click()
    expect(page.locator(".secret")).to_contain_text("tram_pat_")
    page.get_by_label("Mật khẩu hiện tại").fill(PASSWORD)
    page.get_by_label("Mật khẩu mới").fill("matkhau123456")
    page.get_by_role("button", name="Đổi mật khẩu").click()
    expect(page.get_by_role("alert")).to_have_text("Mật khẩu này quá phổ biến.")
    page.get_by_label("Mật khẩu mới").fill(NEW)
    page.get_by_role("button", name="Đổi mật khẩu").click()
    expect(page.get_by_role("status")).to_contain_text("Đã đổi mật khẩu")


@pytest.mark.browser
def test_people_and_audit(page: Page, own_town: Town) -> None:
    page.goto(f"{own_town.api.url}/people")
    enter(page, "city-admin.t", PASSWORD)
    arrived(page, "Người dùng và vai trò")
    page.get_by_role("button", name="Thêm người").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tên đăng nhập").fill("hoa.nt")
    dialog.get_by_label("Họ và tên").fill("<img src=x onerror=alert(1)> Hoa")
    dialog.get_by_label("Vai trò đầu tiên").select_option("auditor")
    dialog.get_by_role("button", name="Thêm người").click()
    password = dialog.locator(".secret").text_content() or ""
    assert len(password) == 29
    dialog.get_by_role("button", name="Đóng").click()
    row = page.get_by_role("row").filter(has_text="hoa.nt")
    expect(row).to_contain_text("<img src=x onerror=alert(1)> Hoa")
    row.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Khoá tài khoản").click()
    expect(page.get_by_role("row").filter(has_text="hoa.nt")).to_contain_text("đã khoá")
    page.get_by_role("link", name="Nhật ký").click()
    expect(page.get_by_role("region", name="Nhật ký kiểm toán")).to_contain_text("people.manage")
    page.get_by_role("button", name="Kiểm chứng chuỗi").click()
    expect(page.get_by_role("status")).to_contain_text("Nguyên vẹn")
    expect(page.get_by_role("region", name="Sự kiện an ninh")).to_contain_text("Khoá tài khoản")
    with autocommit(own_town.settings) as conn:
        assert audit.search(conn, audit.Search(operation="people.manage"))


def entered(context: BrowserContext, town: Town, role: str) -> None:
    cookie: Any = {"name": "tram_session", "value": town.again(role), "domain": "127.0.0.1", "path": "/"}
    context.add_cookies([cookie])


@pytest.mark.browser
@pytest.mark.parametrize("path", ["sign-in", "account", "people", "audit"])
def test_axe_finds_nothing_serious(browser: Browser, town: Town, path: str) -> None:
    looks = (("vi", "light", 1440, "contrast", 390), ("en", "dark", 390, "light", 1440))
    for language, theme, width, other, besides in looks:
        shown: Any = {"width": width, "height": 900}
        with browser.new_context(viewport=shown, bypass_csp=True, storage_state=None) as context:
            if path != "sign-in":
                entered(context, town, "city-admin")
            chosen = f"localStorage.setItem('tram.lang','{language}');localStorage.setItem('tram.theme','{theme}')"
            context.add_init_script(chosen)
            page = context.new_page()
            page.goto(f"{town.api.url}/{path}")
            expect(page.locator("h1, #form h1").first).to_be_attached()
            expect(page.locator("button").first).to_be_visible()
            page.evaluate(AXE)
            violations = page.evaluate(AUDIT)
            assert page.evaluate(WIDER) <= 0, (language, width)
            page.set_viewport_size({"width": besides, "height": 900})
            violations += page.evaluate(COLOURS, other)
            assert page.evaluate(WIDER) <= 0, (language, besides)
            found = [v for v in violations if v["impact"] in ("serious", "critical")]
            assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found] == [], (language, theme, other)
            assert "undefined" not in page.locator("body").inner_text()


@pytest.mark.browser
def test_both_languages_have_every_word(browser: Browser, town: Town) -> None:
    with browser.new_context(storage_state=None) as context:
        page = context.new_page()
        page.goto(f"{town.api.url}/sign-in")
        words = page.evaluate("async () => Object.values((await import('/static/id/words.js')).WORDS).map(Object.keys)")
    assert words[0] == words[1]


@pytest.mark.browser
def test_a_session_that_idled_out_goes_to_sign_in_and_back(page: Page, own_town: Town) -> None:
    page.goto(f"{own_town.api.url}/account")
    enter(page, "citizen.t", PASSWORD)
    arrived(page, "Thông tin")
    with autocommit(own_town.settings) as conn:
        conn.execute("UPDATE session SET ends = now()")
        assert sessions.sweep(conn, now=time.time() + 1, idle=1e6)
    page.get_by_label("Họ và tên").fill("Dân")
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible(timeout=60_000)
    enter(page, "citizen.t", PASSWORD)
    arrived(page, "Thông tin")
