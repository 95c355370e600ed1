"""What people do together in a call: share a screen, point at a picture, hand the lead over."""

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from tests.waiting import until
from tests.web.axe import faults
from tests.web.conftest import Visit
from tests.web.pictures import SECONDS, pictures
from tests.web.test_consult_journey import PIXELS, consult_id, join, sees_and_hears, together
from tests.web.ward import Ward

pytestmark = [pytest.mark.browser, pytest.mark.timeout(SECONDS)]


def test_a_screen_is_shared_seen_and_taken_back(visitors: Visit, ward: Ward) -> None:
    doctor, nurse = together(visitors, ward, consult_id())
    sees_and_hears(nurse)
    doctor.keyboard.press("s")
    expect(doctor.get_by_text("Bạn đang chia sẻ màn hình")).to_be_visible()
    screen = nurse.locator("[data-use=screen]").first
    expect(screen).to_be_visible()
    until(lambda: nurse.evaluate(PIXELS, "[data-use=screen]"), "the screen's picture")
    # The camera is not given up for it.
    expect(nurse.locator("[data-use=camera]").first).to_be_visible()
    assert faults(nurse) == []
    pictures(nurse, "share-seen")
    pictures(doctor, "share-sharing")
    doctor.get_by_role("button", name="Dừng chia sẻ").first.click()
    expect(doctor.get_by_text("Bạn đang chia sẻ màn hình")).to_have_count(0)
    expect(nurse.locator("[data-use=screen]")).to_have_count(0)
    sees_and_hears(nurse)


def test_somebody_points_and_the_others_see_where(visitors: Visit, ward: Ward) -> None:
    doctor, nurse = together(visitors, ward, consult_id())
    sees_and_hears(doctor)
    sees_and_hears(nurse)
    box = doctor.locator(".main [data-seat]").bounding_box()
    assert box is not None
    doctor.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    doctor.mouse.down()
    # The nurse sees it on her own picture: that is what the doctor points at.
    pointer = nurse.locator(".pointer").first
    steps = itertools.count()

    def points() -> bool:
        doctor.mouse.move(box["x"] + box["width"] * (0.5 + next(steps) % 2 / 50), box["y"] + box["height"] * 0.5)
        return pointer.count() > 0

    until(points, "the pointer is seen", every=0.1)
    expect(pointer).to_contain_text("BS. Trần Minh Quân")
    pictures(nurse, "pointer", lambda: until(points, "the pointer is seen", every=0.1))
    doctor.mouse.up()
    expect(nurse.locator(".pointer")).to_have_count(0)


def test_the_lead_is_handed_over(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    doctor, nurse = together(visitors, ward, consult)
    specialist = visitors(ward.token(consult, "specialist"))
    join(specialist)
    expect(specialist.get_by_role("heading", name="Bạn đang ở phòng chờ")).to_be_visible()
    doctor.get_by_role("button", name="Cho vào: BSCKII. Trần Thu Hà").click()
    expect(specialist.locator("[data-role]")).to_be_visible()
    pictures(doctor, "three-people")
    doctor.get_by_role("button", name="Giao chủ trì: BSCKII. Trần Thu Hà").click()

    def leads(page: Page) -> None:
        expect(page.get_by_role("button", name="Kết thúc", exact=True).first).to_be_visible()

    leads(specialist)
    expect(doctor.get_by_role("button", name="Rời đi").first).to_be_visible()
    expect(doctor.get_by_role("button", name=re.compile("^Giao chủ trì"))).to_have_count(0)
    assert faults(specialist) == []
    pictures(specialist, "handed-over")
    specialist.get_by_role("button", name="Giao chủ trì: BS. Trần Minh Quân").click()
    leads(doctor)
    sees_and_hears(nurse)
