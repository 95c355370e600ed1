"""The page of notifications in a real Chromium, looked at by axe in both languages and two widths."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.identity.test_pages import AUDIT, AXE
from tests.notices.conftest import Scene
from tests.people import session
from tests.servers.api import Api, serve
from tests.waiting import until
from tram.store import notices

SLOW = 60_000
"""Milliseconds: a machine that does much else takes its time."""


@pytest.fixture
def page(browser: Browser, scene: Scene) -> Iterator[tuple[Page, Api]]:
    """An operator's browser; errors of scripts and requests to other hosts fail the test."""
    id = scene.person("an.t")
    scene.start()
    faults: list[str] = []
    with serve(scene.settings, admin=False) as api:
        cookie: Any = {"name": "tram_session", "value": session(scene.conn, id), "url": api.url}
        with browser.new_context() as context:
            context.add_cookies([cookie])
            made = context.new_page()
            made.on("pageerror", lambda error: faults.append(str(error)))
            made.on("request", lambda r: None if r.url.startswith((api.url, "data:")) else faults.append(r.url))
            yield made, api
    assert faults == []


@pytest.mark.browser
def test_from_no_channel_to_a_message(page: tuple[Page, Api], scene: Scene) -> None:
    one, api = page
    one.goto(f"{api.url}/notifications")
    expect(one.locator("#main")).to_contain_text("Chưa có kênh nào.", timeout=SLOW)
    one.get_by_label("URL https").fill(f"{scene.web.url}/hook")
    one.get_by_role("button", name="Thêm webhook").click()
    expect(one.locator(".secret")).to_contain_text("whsec_", timeout=SLOW)
    one.get_by_role("button", name="Gửi thử").click()
    expect(one.get_by_role("status")).to_contain_text("Đã gửi.", timeout=SLOW)  # the page has been drawn anew
    until(lambda: scene.web.taken, "the test message came")
    one.get_by_label("Địa chỉ thư").fill("an@ioc.example")
    one.get_by_role("button", name="Thêm địa chỉ thư").click()
    expect(one.locator("#main")).to_contain_text("Mã 6 số đã gửi tới an@ioc.example", timeout=SLOW)
    until(lambda: scene.mail.taken, "the code came")
    code = next(word for word in scene.mail.taken[0].get_content().split() if word.isdecimal() and len(word) == 6)
    one.get_by_label("Mã 6 số").fill(code)
    one.get_by_role("button", name="Xác nhận", exact=True).click()
    expect(one.get_by_role("button", name="Gửi thử")).to_have_count(2, timeout=SLOW)
    one.get_by_label("Mức thấp nhất").select_option("high")
    one.get_by_label("Yên lặng từ").fill("22:00")
    one.get_by_label("đến", exact=True).fill("06:00")
    one.get_by_role("button", name="Lưu").click()
    expect(one.get_by_role("status")).to_contain_text("Đã lưu.", timeout=SLOW)
    wanted = notices.preferences(scene.conn, scene.people["an.t"])
    assert (wanted.least.word, wanted.quiet) == ("high", (1320, 360))
    until(lambda: {s for s, _, _ in scene.states()} == {"sent"}, "all is sent")
    one.reload()
    expect(one.locator("#main")).to_contain_text("tin thử", timeout=SLOW)


@pytest.mark.browser
def test_it_is_readable_for_everybody(page: tuple[Page, Api], scene: Scene) -> None:
    one, api = page
    scene.channel("an.t", "webhook", "http://127.0.0.1:9/")
    scene.happens()
    until(lambda: scene.states() and scene.states()[0][1], "something is in the log")
    one.goto(f"{api.url}/notifications")
    for language, heading in (("VI", "Kênh nhận"), ("EN", "Channels")):
        for width in (1280, 390):
            one.set_viewport_size({"width": width, "height": 900})
            one.get_by_role("button", name={"VI": "Tiếng Việt", "EN": "English"}[language]).click()
            expect(one.get_by_role("heading", name=heading)).to_be_visible(timeout=SLOW)
            one.evaluate(AXE)
            violations = one.evaluate(AUDIT)
            assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in violations] == []
            assert one.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
