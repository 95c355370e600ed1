"""What the call page says when something is missing, wrong or over; that everybody can use it (axe, keyboard)."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect
from websockets.sync.client import connect

from telehealth.messages import Role
from tests.waiting import until
from tests.web.axe import faults, in_theme
from tests.web.conftest import FLAGS, Visit, launch
from tests.web.pictures import SECONDS, pictures
from tests.web.test_consult_journey import consult_id, inbound, join, sees_and_hears, together
from tests.web.ward import Ward

pytestmark = [pytest.mark.browser, pytest.mark.timeout(SECONDS)]


def says(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


# --- what stops a call, and what to do ---


def test_no_invitation(visitors: Visit) -> None:
    page = visitors("")
    says(page, "Đường dẫn này thiếu lời mời")
    # A demo server offers its roles, each a tab of its own.
    expect(page.get_by_role("link", name="Mở vai bác sĩ")).to_have_attribute("href", re.compile("#token="))
    pictures(page, "no-invitation")


@pytest.mark.parametrize("case", ["forged", "expired", "used"])
def test_link_that_no_longer_works(visitors: Visit, ward: Ward, case: str) -> None:
    consult = consult_id()
    token = ward.token(consult, "doctor", seconds=-1.0 if case == "expired" else 290.0)
    if case == "forged":
        token = token[:-4] + "AAAA"
    if case == "used":
        first = visitors(token)
        join(first)
        expect(first.locator("[data-role=doctor]")).to_be_visible()
    page = visitors(token)
    join(page)
    says(page, "Đường dẫn không còn dùng được")
    expect(page.get_by_text("Xin đường dẫn mới")).to_be_visible()
    assert inbound(page)["frames"] == 0
    if case == "forged":
        pictures(page, "refused-token")


def test_refused_from_the_waiting_room(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    doctor, nurse = visitors(ward.token(consult, "doctor")), visitors(ward.token(consult, "station"))
    join(doctor)
    join(nurse)
    doctor.get_by_role("button", name="Không nhận: Đd. Nông Thị Lan").click()
    says(nurse, "Bác sĩ chưa nhận cuộc này")
    pictures(nurse, "turned-away")


def test_room_is_full(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()

    with ExitStack() as stack:
        for i in range(6):
            socket = stack.enter_context(connect(f"ws://127.0.0.1:{ward.port}/consult"))
            token = ward.token(consult, "doctor", person=f"doctor-{i}")
            socket.send(json.dumps({"type": "hello", "versions": [1], "token": token}))
            assert json.loads(socket.recv(timeout=60))["type"] == "welcome"
        page = visitors(ward.token(consult, "doctor", person="doctor-7"))
        join(page)
        says(page, "Phòng đã đủ người")
        pictures(page, "full")


def test_the_same_seat_in_another_page(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    first = visitors(ward.token(consult, "doctor"))
    join(first)
    expect(first.locator("[data-role=doctor]")).to_be_visible()
    second = visitors(ward.token(consult, "doctor"))
    join(second)
    says(first, "Cuộc khám đang mở ở trang khác")
    pictures(first, "replaced")
    expect(second.locator("[data-role=doctor]")).to_be_visible()


def test_whoever_only_looks_on_sends_nothing(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    doctor = visitors(ward.token(consult, "doctor"))
    join(doctor)
    student = visitors(ward.token(consult, "specialist", role=Role.OBSERVER, person="student"))
    join(student)
    doctor.get_by_role("button", name="Cho vào: BSCKII. Trần Thu Hà").click()
    sees_and_hears(student)
    expect(student.get_by_role("button", name="Tắt micrô")).to_have_count(0)
    expect(student.get_by_role("button", name="Tắt camera")).to_have_count(0)
    expect(student.get_by_role("textbox")).to_have_count(0)
    pictures(student, "observer")


def test_leaving_lets_the_others_go_on(visitors: Visit, ward: Ward) -> None:
    doctor, nurse = together(visitors, ward, consult_id())
    nurse.get_by_role("button", name="Rời đi").click()
    pictures(nurse, "leave")
    nurse.get_by_role("dialog").get_by_role("button", name="Rời đi").click()
    says(nurse, "Bạn đã rời cuộc khám")
    expect(doctor.get_by_text("Chưa có ai khác trong phòng")).to_be_visible()
    pictures(nurse, "left")
    pictures(doctor, "alone")


# --- devices ---


@pytest.fixture(scope="module")
def without_permission(playwright_here: Playwright) -> Iterator[Browser]:
    browser = launch(playwright_here, [f for f in FLAGS if "fake-ui" not in f] + ["--deny-permission-prompts"])
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def without_devices(playwright_here: Playwright) -> Iterator[Browser]:
    browser = launch(playwright_here, [f for f in FLAGS if "fake-device" not in f])
    yield browser
    browser.close()


def test_devices_denied_and_still_in(visitors: Visit, ward: Ward, without_permission: Browser) -> None:
    page = visitors(ward.token(consult_id(), "doctor"), browser=without_permission)
    expect(page.get_by_text("Micrô bị chặn")).to_be_visible()
    expect(page.get_by_text("Camera bị chặn")).to_be_visible()
    expect(page.get_by_text("Bấm biểu tượng ổ khoá").first).to_be_visible()
    pictures(page, "check-denied")
    page.get_by_role("button", name="Vào, chỉ nghe").click()
    expect(page.locator("[data-role=doctor]")).to_be_visible()
    pictures(page, "listening-only")


def test_no_device_at_all(visitors: Visit, ward: Ward, without_devices: Browser) -> None:
    page = visitors(ward.token(consult_id(), "station"), browser=without_devices)
    expect(page.get_by_text("Không thấy micrô")).to_be_visible()
    expect(page.get_by_text("Không thấy camera")).to_be_visible()
    expect(page.get_by_role("button", name="Vào, chỉ nghe")).to_be_enabled()
    pictures(page, "check-no-devices")


def test_page_that_is_not_secure(visitors: Visit, ward: Ward, playwright_here: Playwright) -> None:
    """Over plain http and another name than localhost a browser gives no camera."""
    browser = launch(playwright_here, [*FLAGS, "--host-resolver-rules=MAP tram.test 127.0.0.1"])
    try:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://tram.test:{ward.port}/ui/consult/?lang=vi#token=x")
        says(page, "Trang phải mở bằng https")
        expect(page.get_by_text("bắt đầu bằng https://")).to_be_visible()
        pictures(page, "insecure")
    finally:
        browser.close()


# --- everybody ---


def test_axe_finds_a_planted_fault(visitors: Visit) -> None:
    page = visitors("")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert any(fault.startswith("button-name") for fault in faults(page))


def test_axe_finds_nothing_in_any_theme(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    # Without motion: a colour on its way from one theme to the next is neither.
    nurse = visitors(ward.token(consult, "station"), reduced_motion="reduce")
    expect(nurse.get_by_text("Mb/s").first).to_be_visible()
    doctor = visitors(ward.token(consult, "doctor"), reduced_motion="reduce")
    bad: dict[str, list[str]] = {}
    every = ("light", "dark", "contrast")

    def look(name: str, page: Page, themes: tuple[str, ...] = ("light",)) -> None:
        page.evaluate("theme => document.documentElement.dataset.theme = theme", themes[0])
        bad[f"{name} {themes[0]}"] = faults(page)
        for theme in themes[1:]:
            bad[f"{name} {theme}"] = in_theme(page, theme)

    look("check", nurse, ("dark",))
    pictures(nurse, "check")
    join(doctor)
    expect(doctor.locator("[data-role=doctor]")).to_be_visible()
    join(nurse)
    expect(nurse.get_by_role("heading", name="Bạn đang ở phòng chờ")).to_be_visible()
    look("waiting room", nurse)
    pictures(nurse, "waiting")
    look("doctor, somebody waits", doctor)
    pictures(doctor, "somebody-waits")
    doctor.keyboard.press("y")
    expect(nurse.locator("[data-role=station]")).to_be_visible()
    nurse.get_by_role("textbox").fill("Đã đo")
    nurse.keyboard.press("Enter")
    expect(doctor.get_by_role("log")).to_contain_text("Đã đo")
    look("doctor", doctor, every)
    look("station", nurse)
    pictures(nurse, "station")
    pictures(doctor, "doctor")
    nurse.set_viewport_size({"width": 390, "height": 844})
    expect(nurse.get_by_role("button", name="Thêm")).to_be_visible()
    look("phone", nurse, ("dark", "contrast"))
    doctor.keyboard.press("?")
    expect(doctor.get_by_role("dialog")).to_be_visible()
    look("shortcuts", doctor)
    pictures(doctor, "shortcuts")
    assert not any(bad.values()), "\n".join(f"{name}: {one}" for name, found in bad.items() for one in found)


def test_with_the_keyboard_alone(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    page = visitors(ward.token(consult, "doctor"))
    expect(page.get_by_text("Mb/s").first).to_be_visible(timeout=60_000)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "Vào phòng":
            break
    page.keyboard.press("Enter")
    expect(page.locator("[data-role=doctor]")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Phím tắt")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Bật micrô").first).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.type("mvax: chữ, không phải phím tắt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("mvax: chữ, không phải phím tắt")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    expect(page.locator("[data-role=doctor]")).to_be_visible()


def test_nothing_is_cut_off_in_either_language(visitors: Visit, ward: Ward) -> None:
    page = visitors(ward.token(consult_id(), "doctor"))
    join(page)
    expect(page.locator("[data-role=doctor]")).to_be_visible()
    outside = """() => [...document.querySelectorAll('button, input, textarea, select')]
      .filter((one) => one.offsetWidth)
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 || one.getBoundingClientRect().left < -1)
      .map((one) => one.outerHTML.slice(0, 120))"""
    for lang in ("EN", "VI"):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("radio", name=lang).click()
        for width in (390, 900, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            until(lambda: page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), f"{lang} {width}")
            assert page.evaluate(outside) == [], (lang, width)
