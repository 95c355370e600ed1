"""Two and three real browsers consult through the server: pictures and sound by getStats and by pixels."""

import asyncio
from typing import Any

import pytest
from playwright.sync_api import Page

from devices.agents.station import open_vitals, publish_vitals
from tests.servers.consult import ConsultServer
from tests.telehealth.conftest import OpenPage
from tests.telehealth.people import people
from tests.waiting import until

pytestmark = pytest.mark.browser


def join(page: Page, server: ConsultServer, token: str, **options: Any) -> None:
    page.evaluate("([url, token, options]) => join(url, token, options)", [server.ws, token, options])


def inbound(page: Page, kind: str) -> list[dict[str, Any]]:
    return [s for s in page.evaluate("() => call.stats()")["in"] if s["kind"] == kind]


def frames(page: Page) -> int:
    return sum(s["frames"] for s in inbound(page, "video"))


def sees(page: Page, seats: int) -> None:
    """Pictures of that many others are decoded and move on; their sound is heard."""
    until(lambda: sum(s["frames"] > 5 for s in inbound(page, "video")) == seats, f"{seats} pictures")
    before = frames(page)
    until(lambda: frames(page) > before + 10, "frames go on")
    until(lambda: sum((s["energy"] or 0) > 0 for s in inbound(page, "audio")) == seats, f"the sound of {seats}")
    for slot in page.evaluate("() => call.slots"):
        if slot["use"] == "camera":
            picture = until(lambda: page.evaluate("mid => call.pixels(mid)", slot["mid"]), "a picture on the slot")  # noqa: B023
            # Chromium's fake camera: a green ground with a clock and a moving pie.
            assert picture["g"] > picture["r"], picture
            assert picture["spread"] > 4, picture  # no blank: the clock and the pie


def test_two_browsers(consults: ConsultServer, pages: OpenPage) -> None:
    tokens = consults.tokens()
    doctor, station = pages(), pages()
    join(doctor, consults, tokens["doctor"])
    join(station, consults, tokens["station"])
    sees(doctor, 1)
    sees(station, 1)
    offered = station.evaluate("() => call.pc.remoteDescription.sdp")
    assert "useinbandfec=1" in offered
    # Words on the reliable channel, as they are.
    station.evaluate("() => call.channels.talk.send(JSON.stringify({type: 'chat', id: 'a', text: '<img src=x>'}))")
    until(lambda: doctor.evaluate("() => call.chat.map(c => c.text)") == ["<img src=x>"], "the chat line")


def test_h264_is_forwarded_too(consults: ConsultServer, pages: OpenPage) -> None:
    tokens = consults.tokens()
    doctor, station = pages(), pages()
    join(doctor, consults, tokens["doctor"], codec="H264")
    join(station, consults, tokens["station"], codec="H264")
    if "H264" not in doctor.evaluate("() => RTCRtpSender.getCapabilities('video').codecs.map(c => c.mimeType).join()"):
        pytest.skip("THIS CHROMIUM HAS NO H.264")
    sees(doctor, 1)
    sees(station, 1)
    codecs = {s["codec"] for s in inbound(station, "video") if s["frames"]}
    assert codecs == {"video/H264"}


def test_three_browsers_and_a_station_kit(consults: ConsultServer, pages: OpenPage) -> None:
    tokens = consults.tokens()
    doctor, specialist, interpreter = pages(), pages(), pages()
    with people() as make:
        for page, role in ((doctor, "doctor"), (specialist, "specialist"), (interpreter, "interpreter")):
            join(page, consults, tokens[role], audio=5, video=6)
        kit = make(consults.ws, tokens["station"], slots=(3, 3))
        source = open_vitals("simulated:asthma")
        assert source is not None
        publishing = asyncio.run_coroutine_threadsafe(publish_vitals(kit.participant, source), kit.loop.loop)
        for page in (doctor, specialist, interpreter):
            until(lambda: sum(s["frames"] > 5 for s in inbound(page, "video")) == 3, "three pictures")  # noqa: B023
        until(
            lambda: len([k for k, n in kit.frames.items() if k.startswith("video") and n > 5]) == 3,
            "the kit sees three",
        )
        until(lambda: doctor.evaluate("() => call.vitals.length") > 10, "vitals at the doctor's")
        assert interpreter.evaluate("() => call.vitals.length") == 0
        publishing.cancel()


def test_layers_are_chosen_for_each_viewer(consults: ConsultServer, pages: OpenPage) -> None:
    """The station sends three sizes; the doctor, who shows it small, gets a small one."""
    tokens = consults.tokens()
    doctor, station = pages(), pages()
    join(doctor, consults, tokens["doctor"])
    join(station, consults, tokens["station"], simulcast=True)
    until(lambda: sum(s["frames"] > 5 for s in inbound(doctor, "video")) == 1, "a picture")
    sends = until(
        lambda: [s for s in station.evaluate("() => call.stats()")["out"] if s["rid"] and s["frames"] > 5], "layers", 30
    )
    assert {s["rid"] for s in sends} <= {"l", "m", "h"}
    seat = station.evaluate("() => call.seat")
    doctor.evaluate("seat => call.say({type: 'receive', video: true, heights: {[seat]: 100}})", seat)
    until(lambda: doctor.evaluate("s => call.flows[s + '/camera'].layer", seat) == "l", "the small layer")
    small = until(lambda: [s for s in inbound(doctor, "video") if (s["height"] or 999) <= 120], "a small picture")
    assert small
    sees(doctor, 1)
