"""A consult through the call page: a nurse and a doctor, real browsers, a real server that may die."""

import re
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.waiting import until
from tests.web.axe import faults
from tests.web.conftest import Visit
from tests.web.pictures import SECONDS, pictures
from tests.web.ward import Ward

pytestmark = [pytest.mark.browser, pytest.mark.timeout(SECONDS)]

JOIN = "Vào phòng"
PIXELS = """selector => {
  const video = document.querySelector(selector + ' video');
  if (!video || !video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 32;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 32, 32);
  const { data } = context.getImageData(0, 0, 32, 32);
  let [r, g, least, most] = [0, 0, 255, 0];
  for (let i = 0; i < data.length; i += 4) {
    r += data[i]; g += data[i + 1];
    least = Math.min(least, data[i + 1]); most = Math.max(most, data[i + 1]);
  }
  return { r, g, spread: most - least };
}"""
INBOUND = """async () => {
  const found = { frames: 0, energy: 0 };
  for (const peer of window.peers) {
    if (peer.connectionState === 'closed') continue;
    for (const entry of (await peer.getStats()).values()) {
      if (entry.type !== 'inbound-rtp') continue;
      found.frames += entry.framesDecoded ?? 0;
      found.energy += entry.totalAudioEnergy ?? 0;
    }
  }
  return found;
}"""


def consult_id() -> str:
    return f"journey-{secrets.token_hex(4)}"


def inbound(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(INBOUND)
    return found


def sees_and_hears(page: Page) -> None:
    """The large picture is Chromium's fake camera (a green ground), it moves, and there is sound."""

    def picture() -> bool:
        seen = page.evaluate(PIXELS, ".main [data-seat]")
        return bool(seen and seen["g"] > seen["r"] and seen["spread"] > 10)

    until(picture, "the other's picture")
    before = inbound(page)
    until(lambda: inbound(page)["frames"] > before["frames"] + 5, "frames go on")
    until(lambda: inbound(page)["energy"] > before["energy"], "sound goes on")
    assert page.evaluate("() => [...document.querySelectorAll('audio')].some((a) => a.srcObject && !a.paused)")


def join(page: Page) -> None:
    """Into the room, with a microphone: the button has another name without one."""
    try:
        page.get_by_role("button", name=JOIN).click()
    except TimeoutError:
        pytest.fail(f"nobody could join at {page.url}; the page says: {page.inner_text('body')[:1000]}")


def together(visit: Visit, ward: Ward, consult: str, **options: Any) -> tuple[Page, Page]:
    """A doctor and a nurse who was let in."""
    doctor = visit(ward.token(consult, "doctor"))
    join(doctor)
    expect(doctor.locator("[data-role=doctor]")).to_be_visible()
    nurse = visit(ward.token(consult, "station"), **options)
    join(nurse)
    expect(nurse.get_by_role("heading", name="Bạn đang ở phòng chờ")).to_be_visible()
    expect(doctor.locator("[data-step=admit]")).to_be_visible()
    doctor.keyboard.press("y")
    expect(nurse.locator("[data-role=station]")).to_be_visible()
    return doctor, nurse


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Nhắn cho phòng khám…").fill(text)
    page.keyboard.press("Enter")


def test_check_wait_talk_end(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    nurse = visitors(ward.token(consult, "station"), width=1280, height=800)
    # The token is not left in the address bar, nor in what the browser remembers of it.
    assert "token" not in nurse.url
    expect(nurse.locator("[data-state=ok]").filter(has_text="Micrô")).to_be_visible()
    expect(nurse.locator("[data-state=ok]").filter(has_text="Đường truyền")).to_contain_text("Mb/s")
    assert nurse.get_by_role("meter").get_attribute("aria-valuenow") is not None
    join(nurse)
    expect(nurse.get_by_role("heading", name="Bạn đang ở phòng chờ")).to_be_visible()
    assert inbound(nurse) == {"frames": 0, "energy": 0}, "the waiting room neither sees nor hears"

    doctor = visitors(ward.token(consult, "doctor"))
    join(doctor)
    expect(doctor.get_by_role("alert").filter(has_text="Đd. Nông Thị Lan đang ở phòng chờ")).to_be_attached()
    doctor.get_by_role("button", name="Cho vào: Đd. Nông Thị Lan").click()
    sees_and_hears(doctor)
    sees_and_hears(nurse)

    say(nurse, "<img src=x onerror=alert(1)> 38,6 °C")
    expect(doctor.get_by_role("log")).to_contain_text("<img src=x onerror=alert(1)> 38,6 °C")
    say(doctor, "Đã thấy")
    expect(nurse.get_by_role("log")).to_contain_text("BS. Trần Minh Quân:Đã thấy")
    expect(nurse.get_by_role("log").get_by_text("chờ mạng")).to_have_count(0)
    doctor.evaluate("document.activeElement.blur()")

    # Audio only, by hand: no picture either way, the sound goes on, and it all comes back.
    doctor.keyboard.press("a")
    expect(nurse.locator(".main [data-blank=camera-off]")).to_be_visible()
    expect(doctor.locator(".main [data-blank=asked]")).to_be_visible()
    quiet = inbound(doctor)
    until(lambda: inbound(doctor)["energy"] > quiet["energy"], "the sound goes on without pictures")
    pictures(doctor, "sound-only-doctor")
    pictures(nurse, "sound-only-station")
    doctor.keyboard.press("a")
    sees_and_hears(doctor)
    sees_and_hears(nurse)

    doctor.keyboard.press("m")
    expect(nurse.locator(".main [aria-label='tắt micrô']")).to_be_visible()
    doctor.keyboard.press("x")
    pictures(doctor, "end")
    doctor.get_by_role("button", name="Kết thúc cho tất cả").click()
    for page in (doctor, nurse):
        expect(page.get_by_role("heading", name="Cuộc khám đã kết thúc")).to_be_visible()
        assert page.evaluate("() => window.peers.every((peer) => peer.connectionState === 'closed')")
    pictures(nurse, "ended")


def test_vital_signs_and_ecg(visitors: Visit, ward: Ward) -> None:
    consult = consult_id()
    doctor = visitors(ward.token(consult, "doctor"))
    join(doctor)
    kit = ward.kit(consult, "sepsis")
    doctor.get_by_role("button", name="Cho vào: Máy theo dõi").click()
    for sign in ("heart_rate", "oxygen_saturation", "respiratory_rate", "temperature"):
        expect(doctor.locator(f"[data-sign={sign}] .number")).to_have_text(re.compile(r"^\d+(,\d)?$"), timeout=60_000)
    canvas = doctor.locator(".paper canvas")
    ink = """canvas => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let dark = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] < 150) dark += 1;
      return dark;
    }"""
    # The calibration pulse alone has some 130 dark points; seconds of a trace have many more.
    until(lambda: canvas.evaluate(ink) > 600, "the trace is drawn")
    doctor.evaluate("document.activeElement.blur()")
    doctor.keyboard.press("f")
    expect(doctor.get_by_text("đã dừng hình")).to_be_visible()
    pictures(doctor, "frozen")
    still = canvas.evaluate("canvas => canvas.toDataURL()")
    assert canvas.evaluate("canvas => canvas.toDataURL()") == still
    doctor.keyboard.press("f")
    assert faults(doctor) == []
    kit.kill()
    # A lost signal is a gap that grows, and is never drawn through.
    until(lambda: int(doctor.locator(".paper").get_attribute("data-lost") or 0) > 2000, "the gap is measured")
    pictures(doctor, "signal-lost")
