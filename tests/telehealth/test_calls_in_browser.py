"""Two and three real browsers consult through the server: pictures and sound by getStats and by pixels."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.servers.consult import ConsultServer
from tests.telehealth.conftest import OpenPage
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
            assert picture["spread"] > 10, picture


def test_two_browsers(consults: ConsultServer, pages: OpenPage) -> None:
    tokens = consults.tokens()
    doctor, station = pages(), pages()
    join(doctor, consults, tokens["doctor"])
    join(station, consults, tokens["station"])
    sees(doctor, 1)
    sees(station, 1)
    print("first frame", doctor.evaluate("() => call.firstFrame"), station.evaluate("() => call.firstFrame"))
    print(doctor.evaluate("() => call.stats()"))
