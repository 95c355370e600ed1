"""Real browsers over links that lose, narrow, break and change; compared with the same browsers without a server."""

import functools
import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.servers.consult import ConsultServer, consult_server
from tests.telehealth.conftest import FLAGS, PAGE
from tests.telehealth.netns import Link, weak_link, why_not
from tests.waiting import until

pytestmark = pytest.mark.browser


@dataclass
class Scene:
    """A doctor on a good link, a station on one that can be made weak, and the server between."""

    doctor: Page
    station: Page
    server: ConsultServer
    link: Link

    def join(self) -> None:
        tokens = self.server.tokens()
        for page, role in ((self.doctor, "doctor"), (self.station, "station")):
            page.evaluate("([url, token]) => join(url, token, {})", [self.server.ws, tokens[role]])
        for page in (self.doctor, self.station):
            until(lambda: received(page, "video").get("frames", 0) > 10, "a picture", 30)  # noqa: B023

    def direct(self) -> None:
        """The same two browsers without a server."""
        offer = self.doctor.evaluate("() => direct.offer()")
        answer = self.station.evaluate("sdp => direct.answer(sdp)", offer)
        self.doctor.evaluate("sdp => direct.accept(sdp)", answer)
        for page in (self.doctor, self.station):
            until(lambda: received(page, "video", "direct").get("frames", 0) > 10, "a picture", 30)  # noqa: B023


def received(page: Page, kind: str, of: str = "call") -> dict[str, Any]:
    """The busiest inbound stream of a kind."""
    streams = [s for s in page.evaluate(f"() => {of}.stats()")["in"] if s["kind"] == kind]
    return max(streams, key=lambda s: s["packets"], default={})


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("NO CHROMIUM: install it (Debian: chromium) to test calls in a browser")
    with weak_link() as link:
        handler = functools.partial(QuietHandler, directory=str(PAGE))
        with http.server.ThreadingHTTPServer((link.here, 0), handler) as served:
            threading.Thread(target=served.serve_forever, daemon=True).start()
            origin = f"http://{link.here}:{served.server_address[1]}"
            flags = [*FLAGS, f"--unsafely-treat-insecure-origin-as-secure={origin}"]
            environment = {"TRAM_TELEHEALTH_ORIGINS": origin}
            with consult_server(tmp_path, environment, host=link.here) as server, sync_playwright() as playwright:
                near = playwright.chromium.launch(executable_path=chromium, args=flags)
                far = playwright.chromium.launch(executable_path=link.browser(tmp_path, chromium), args=flags)
                made = []
                for browser in (near, far):
                    page = browser.new_context(permissions=["camera", "microphone"]).new_page()
                    page.goto(f"{origin}/call.html")
                    made.append(page)
                yield Scene(made[0], made[1], server, link)
                link.up()
                near.close()
                far.close()
            served.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def settled(page: Page, of: str, warm: float, seconds: float) -> dict[str, float]:
    """After a time to settle: kbit/s, height and seconds frozen of the picture, and the share of sound made up."""
    measure_from(warm)
    before, sound = received(page, "video", of), received(page, "audio", of)
    began = time.monotonic()
    measure_from(seconds)
    after, heard = received(page, "video", of), received(page, "audio", of)
    took = time.monotonic() - began
    samples = max(1, heard["samples"] - sound["samples"])
    return {
        "kbps": (after["bytes"] - before["bytes"]) * 8 / 1000 / took,
        "height": float(after["height"] or 0),
        "fps": (after["frames"] - before["frames"]) / took,
        "frozen": (after["frozen"] or 0) - (before["frozen"] or 0),
        "audio_packets": (heard["packets"] - sound["packets"]) / took,
        "made_up": ((heard["concealed"] or 0) - (sound["concealed"] or 0)) / samples,
    }


def measure_from(seconds: float) -> None:
    """Lets a rate be measured over a time: nothing is waited for but time itself."""
    threading.Event().wait(seconds)


def test_a_lossy_link_is_repaired(scene: Scene) -> None:
    scene.link.lose(0.05)
    scene.join()
    for page in (scene.doctor, scene.station):
        before = received(page, "video")["frames"]
        until(lambda: received(page, "video")["frames"] > before + 60, "pictures go on", 30)  # noqa: B023
    # How soon five packets in a hundred hit a picture is chance: a slow machine sends few.
    until(
        lambda: (received(scene.doctor, "video")["nacks"] or 0) + (received(scene.station, "video")["nacks"] or 0) > 0,
        "a browser asks for what was lost on the way down",
        60,
    )
    until(
        lambda: sum(s["retransmitted"] or 0 for s in scene.station.evaluate("() => call.stats()")["out"]) > 0,
        "the server asks the station for what was lost on the way up",
        60,
    )


def test_a_cable_out_and_in_again_gives_the_call_back(scene: Scene) -> None:
    scene.join()
    seat = scene.station.evaluate("() => call.seat")
    scene.link.down()
    until(lambda: any(p["presence"] == "away" for p in scene.doctor.evaluate("() => call.room")["people"]), "away", 40)
    scene.link.up()
    began = time.monotonic()
    before = received(scene.doctor, "video").get("frames", 0)
    until(lambda: received(scene.doctor, "video").get("frames", 0) > before + 5, "the picture is back", 30)
    print(f"picture back {time.monotonic() - began:.2f} s after the link")
    assert scene.station.evaluate("() => call.seat") == seat
    until(
        lambda: all(p["presence"] == "present" for p in scene.doctor.evaluate("() => call.room")["people"]),
        "present",
        30,
    )


def test_another_address_is_a_new_peer_connection_in_the_same_seat(scene: Scene) -> None:
    scene.join()
    seat = scene.station.evaluate("() => call.seat")
    scene.link.readdress()
    before = received(scene.doctor, "video")["frames"]
    until(lambda: received(scene.doctor, "video").get("frames", 0) > before + 30, "the picture is back", 60)
    assert scene.station.evaluate("() => call.seat") == seat


def test_a_link_too_narrow_for_video_keeps_the_sound_and_gets_the_picture_back(scene: Scene) -> None:
    scene.join()
    scene.link.narrow(70)

    def paused() -> bool:
        return any(
            f["state"] == "paused" and f["reason"] == "link"
            for f in scene.station.evaluate("() => call.flows").values()
        )

    until(paused, "the server stops the video and says so", 60)
    before = received(scene.station, "audio")["packets"]
    until(lambda: received(scene.station, "audio")["packets"] > before + 150, "the sound goes on", 20)
    scene.link.widen()
    frames = received(scene.station, "video")["frames"]
    until(lambda: received(scene.station, "video")["frames"] > frames + 30, "the picture comes back by itself", 60)


@pytest.mark.chaos
def test_loss_costs_no_more_than_browser_to_browser(scene: Scene) -> None:
    """With 5 % loss: nine tenths of the resolution and rate that the same browsers reach without a server."""
    scene.link.lose(0.05)
    scene.direct()
    alone = settled(scene.doctor, "direct", 25, 15)
    if alone["kbps"] < 1000:
        # Two browsers with a core each reach 1.7 Mbit/s: here it is the encoder that is measured, not the path.
        pytest.skip(f"THE MACHINE IS TOO BUSY TO COMPARE: the browsers alone reach {alone['kbps']:.0f} kbit/s")
    for page in (scene.doctor, scene.station):
        page.evaluate("() => { direct.pc.close(); direct.stream.getTracks().forEach(t => t.stop()) }")
    scene.join()
    through = settled(scene.doctor, "call", 25, 15)
    print("browser to browser", alone, "\nthrough the server", through)
    assert through["height"] >= 0.9 * alone["height"]
    assert through["kbps"] >= 0.9 * alone["kbps"]


@pytest.mark.chaos
def test_a_narrow_link_freezes_no_longer_than_browser_to_browser(scene: Scene) -> None:
    """At 200 kbit/s: the sound never stops, and the picture freezes no longer than without a server."""
    scene.link.narrow(200)
    scene.direct()
    alone = settled(scene.station, "direct", 15, 30)
    for page in (scene.doctor, scene.station):
        page.evaluate("() => { direct.pc.close(); direct.stream.getTracks().forEach(t => t.stop()) }")
    scene.join()
    through = settled(scene.station, "call", 15, 30)
    print("browser to browser", alone, "\nthrough the server", through)
    assert through["audio_packets"] > 40, "of fifty a second"
    assert through["made_up"] < alone["made_up"] + 0.1
    assert through["frozen"] <= alone["frozen"] + 1.0
