"""A doctor on a good link and a station on one that can be made weak, in real browsers, with a server between or none.

For the tests of weak links and for bench/links.py.
"""

import functools
import http.server
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.servers.consult import ConsultServer, consult_server
from tests.telehealth.netns import Link, weak_link, why_not
from tests.waiting import until

PAGE = Path(__file__).with_name("page")
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--disable-gpu-rasterization",
    "--disable-accelerated-2d-canvas",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


class CannotError(Exception):
    """What is missing here."""


@dataclass
class Scene:
    """Two pages of the bare participant, and the link of the station's."""

    doctor: Page
    station: Page
    server: ConsultServer
    link: Link

    def join(self, *, doctor: dict[str, Any] | None = None, station: dict[str, Any] | None = None) -> None:
        """Both into one consult through the server; returns when pictures come.

        Args:
            doctor, station: options of the page's participant, as {"send": False}.
        """
        tokens = self.server.tokens()
        options = {"doctor": doctor or {}, "station": station or {}}
        for page, role in ((self.doctor, "doctor"), (self.station, "station")):
            page.evaluate("([url, token, o]) => join(url, token, o)", [self.server.ws, tokens[role], options[role]])
        for page, other in ((self.doctor, "station"), (self.station, "doctor")):
            if options[other].get("send", True):
                until(lambda: received(page, "video").get("frames", 0) > 10, "a picture")  # noqa: B023

    def direct(self, *, doctor: bool = True, station: bool = True) -> None:
        """The same two browsers without a server.

        Args:
            doctor, station: who sends.
        """
        offer = self.doctor.evaluate("sends => direct.offer(sends)", doctor)
        answer = self.station.evaluate("([sdp, sends]) => direct.answer(sdp, sends)", [offer, station])
        self.doctor.evaluate("sdp => direct.accept(sdp)", answer)
        for page, sent in ((self.doctor, station), (self.station, doctor)):
            if sent:
                until(lambda: received(page, "video", "direct").get("frames", 0) > 10, "a picture")  # noqa: B023

    def both(self, *, up: bool) -> None:
        """Browser to browser and through the server at once: the station alone sends (`up`), or the doctor alone."""
        self.direct(doctor=not up, station=up)
        self.join(doctor={"send": not up}, station={"send": up})

    def hang_up(self) -> None:
        """Ends what `direct` and `join` began."""
        for page in (self.doctor, self.station):
            page.evaluate("() => { window.direct?.close(); window.call?.leave() }")


def received(page: Page, kind: str, of: str = "call") -> dict[str, Any]:
    """The busiest inbound stream of a kind."""
    streams = [s for s in page.evaluate(f"() => {of}.stats()")["in"] if s["kind"] == kind]
    return max(streams, key=lambda s: s["packets"], default={})


def sent(page: Page, kind: str, of: str = "call") -> dict[str, Any]:
    """The busiest outbound stream of a kind, with what the browser believes of its path."""
    stats = page.evaluate(f"() => {of}.stats()")
    streams = [s for s in stats["out"] if s["kind"] == kind]
    return {**max(streams, key=lambda s: s["bytes"], default={}), "pair": stats["pair"]}


Counts = dict[str, float]


def _grown(before: dict[str, Any], after: dict[str, Any], key: str) -> float:
    return float(after.get(key) or 0) - float(before.get(key) or 0)


def watch(
    scene: Scene, calls: Sequence[str], *, up: bool, warm: float, seconds: float, trace: bool = False
) -> dict[str, Counts]:
    """What the picture of each call (`direct`, `call`) reaches, from `warm` seconds on for `seconds`.

    `kbit/s` is what the encoder is told to make: what it makes is also the picture's and the processor's doing, and
    what arrives also counts what a browser sends to try the path.

    Args:
        up: the station sends over its weak link; else the doctor does, towards it.
        trace: print every second.
    """
    sender, viewer = (scene.station, scene.doctor) if up else (scene.doctor, scene.station)
    began = time.monotonic()
    marks: dict[str, list[tuple[float, dict[str, Any], dict[str, Any], dict[str, Any]]]] = {of: [] for of in calls}
    while time.monotonic() - began < warm + seconds:
        threading.Event().wait(1.0)  # a rate is measured over a time
        for of, seen in marks.items():
            row = (received(viewer, "video", of), received(viewer, "audio", of), sent(sender, "video", of))
            seen.append((time.monotonic() - began, *row))
            if trace and len(seen) > 1:
                was, picture, out = seen[-2], row[0], row[2]
                print(
                    f"    {of:6} {seen[-1][0]:5.1f} s  target {(out.get('target') or 0) / 1000:5.0f} kbit/s"
                    f"  path {((out.get('pair') or {}).get('out') or 0) / 1000:5.0f}  by {out.get('limit')}"
                    f"  {picture.get('height')} lines  {_grown(was[1], picture, 'frames'):3.0f} frames"
                    f"  nacks {_grown(was[1], picture, 'nacks'):.0f}  plis {_grown(was[1], picture, 'plis'):.0f}"
                    f"  again {_grown(was[3], out, 'retransmitted'):.0f}",
                    flush=True,
                )
    found = {}
    for of, seen in marks.items():
        settled = [one for one in seen if one[0] >= warm]
        first, last = settled[0], settled[-1]
        took = last[0] - first[0]
        samples = max(1.0, _grown(first[2], last[2], "samples"))
        found[of] = {
            "kbit/s": mean(float(one[3].get("target") or 0) / 1000 for one in settled),
            "lines": mean(float(one[1].get("height") or 0) for one in settled),
            "frames/s": _grown(first[1], last[1], "frames") / took,
            "frozen s": _grown(first[1], last[1], "frozen"),
            "sound packets/s": _grown(first[2], last[2], "packets") / took,
            "sound made up": _grown(first[2], last[2], "concealed") / samples,
            "delay ms": 1000 * _grown(first[1], last[1], "delay") / max(1.0, _grown(first[1], last[1], "emitted")),
        }
    return found


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def weak_scene(home: Path, prepare: Callable[[Link], dict[str, str]] | None = None) -> Iterator[Scene]:
    """The scene; nobody has joined.

    Args:
        prepare: further settings of the server, made when the link is there.

    Raises:
        CannotError: namespaces or Chromium are missing.
    """
    reason = why_not()
    if reason:
        raise CannotError(reason)
    chromium = shutil.which("chromium")
    if chromium is None:
        raise CannotError("NO CHROMIUM: install it (Debian: chromium) to test calls in a browser")
    with ExitStack() as stack:
        link = stack.enter_context(weak_link())
        handler = functools.partial(_Quiet, directory=str(PAGE))
        served = stack.enter_context(http.server.ThreadingHTTPServer((link.here, 0), handler))
        threading.Thread(target=served.serve_forever, daemon=True).start()
        stack.callback(served.shutdown)
        origin = f"http://{link.here}:{served.server_address[1]}"
        flags = [*FLAGS, f"--unsafely-treat-insecure-origin-as-secure={origin}"]
        settings = {"TRAM_TELEHEALTH_ORIGINS": origin, **(prepare(link) if prepare else {})}
        server = stack.enter_context(consult_server(home, settings, host=link.here))
        playwright = stack.enter_context(sync_playwright())
        pages = []
        for program in (chromium, link.browser(home, chromium)):
            browser = playwright.chromium.launch(executable_path=program, args=flags)
            stack.callback(browser.close)
            page = browser.new_context(permissions=["camera", "microphone"]).new_page()
            page.goto(f"{origin}/call.html")
            pages.append(page)
        stack.callback(link.up)
        yield Scene(pages[0], pages[1], server, link)
