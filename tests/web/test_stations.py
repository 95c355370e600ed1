"""The page of the stations' links: real records, real rights, a server that goes away; every state can be used."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.waiting import until
from tests.web.axe import faults
from tests.web.ward import Ward

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RECORD = """
INSERT INTO call_quality (at, consult, seat, role, facility, level, reason, loss_up, loss_down, jitter_ms, rtt_ms,
                          kbps_up, kbps_down, freezes, freeze_ms, height, layer, video, path)
SELECT to_timestamp(%(newest)s - n * %(step)s), %(facility)s || n / 20, 's1', 'station', %(facility)s,
       CASE WHEN n %% 10 < %(bad)s THEN 'poor' ELSE 'good' END, 'loss', %(loss)s, 0, 30, %(rtt)s, 300, 800, 0,
       CASE WHEN n %% 10 < %(bad)s THEN 900 ELSE 0 END, 360, '',
       CASE WHEN n %% 10 < %(bad)s THEN 'paused' ELSE 'on' END, ''
FROM generate_series(0, %(count)s - 1) AS n
"""
WORST, FAIR, GOOD = "Trạm y tế Sảng Mộc", "Trạm y tế Nghinh Tường", "Trạm y tế Đội Cấn"


@pytest.fixture(scope="module")
def measured(ward: Ward) -> None:
    """Three stations: a bad link, one to watch, a good one, over six days."""
    now = time.time()
    with psycopg.connect(ward.database) as conn:
        for facility, bad, loss, rtt in ((GOOD, 0, 0.001, 45.0), (WORST, 6, 0.14, 620.0), (FAIR, 1, 0.03, 280.0)):
            values = {"facility": facility, "bad": bad, "loss": loss, "rtt": rtt, "newest": now - 60, "step": 4300}
            conn.execute(RECORD, {**values, "count": 120})


@contextmanager
def opened(chromium: Browser, ward: Ward, word: str, width: int = 1440) -> Iterator[Page]:
    """The page, asked for with a personal token (none: empty)."""
    headers = {"Authorization": f"Bearer {word}"} if word else {}
    context = chromium.new_context(
        extra_http_headers=headers, reduced_motion="reduce", viewport={"width": width, "height": 844}
    )
    page = context.new_page()
    page.goto(f"{ward.http}/ui/stations/?lang=vi&theme=light")
    yield page
    context.close()


def test_the_worst_comes_first_with_its_numbers(chromium_here: Browser, ward: Ward, measured: None) -> None:
    with opened(chromium_here, ward, ward.program()) as page:
        # Other journeys of the same ward may have left stations of their own: the order among these three is judged.
        expect(page.locator(f"[data-station='{WORST}']")).to_be_visible()
        names = [row.get_attribute("data-station") for row in page.locator("tbody tr").all()]
        assert [name for name in names if name in (WORST, FAIR, GOOD)] == [WORST, FAIR, GOOD]
        worst, good = page.locator(f"[data-station='{WORST}']"), page.locator(f"[data-station='{GOOD}']")
        for text in ("60 %", "Xấu", "14,0 %", "620 ms", "300 kb/s / 800 kb/s", "phút"):
            expect(worst).to_contain_text(text)
        expect(good).to_contain_text("Tốt")
        expect(worst.get_by_role("img").first).to_have_attribute(
            "aria-label", re.compile("cũ nhất trước: (không gọi, )?.*60 %")
        )
        expect(page.get_by_text("Nguồn: máy chủ khám từ xa")).to_be_visible()
        expect(page.get_by_text("Đọc lúc")).to_be_visible()
        page.get_by_role("radio", name="24 giờ").click()
        expect(worst).to_be_visible()
        page.get_by_role("radio", name="EN").click()
        expect(page.get_by_role("columnheader", name="Time with a bad link")).to_be_visible()


def test_whoever_may_not_is_told_what_to_do(chromium_here: Browser, ward: Ward) -> None:
    with opened(chromium_here, ward, "") as page:
        expect(page.get_by_role("heading", name="Cần đăng nhập")).to_be_visible()
        assert faults(page) == []
    with opened(chromium_here, ward, ward.program("auditor")) as page:
        expect(page.get_by_role("heading", name="Tài khoản này không được xem đường truyền")).to_be_visible()
        assert faults(page) == []


def test_nothing_measured_and_a_server_that_goes_away(chromium_here: Browser, ward: Ward, measured: None) -> None:
    word = ward.program()
    with opened(chromium_here, ward, word) as page:
        expect(page.locator(f"[data-station='{WORST}']")).to_be_visible()
        # The request fails as it does without a network; what was read stays, and says how old it is.
        page.context.set_offline(True)
        page.get_by_role("radio", name="30 ngày").click()
        expect(page.get_by_role("heading", name="Chưa đọc được số đo")).to_be_visible()
        assert faults(page) == []
        page.context.set_offline(False)
        page.get_by_role("button", name="Thử lại").click()
        expect(page.locator(f"[data-station='{WORST}']")).to_be_visible()
        page.context.set_offline(True)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.get_by_text("Số đo cũ: chưa đọc lại được từ")).to_be_visible()
        expect(page.locator(f"[data-station='{WORST}']")).to_be_visible()
    with psycopg.connect(ward.database) as conn:
        conn.execute("UPDATE call_quality SET at = at - interval '200 days'")
    try:
        with opened(chromium_here, ward, word) as page:
            expect(page.get_by_role("heading", name="Chưa có số đo nào")).to_be_visible()
            assert faults(page) == []
    finally:
        with psycopg.connect(ward.database) as conn:
            conn.execute("UPDATE call_quality SET at = at + interval '200 days'")


@pytest.mark.parametrize("width", [390, 1000, 1440])
def test_everybody_can_use_it(chromium_here: Browser, ward: Ward, measured: None, width: int) -> None:
    with opened(chromium_here, ward, ward.program(), width) as page:
        expect(page.locator(f"[data-station='{WORST}']")).to_be_visible()
        bad: dict[str, list[str]] = {}
        for theme in ("light", "dark", "contrast"):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            bad[theme] = faults(page)
        assert not any(bad.values()), bad
        for lang in ("EN", "VI"):
            page.get_by_role("radio", name=lang).click()
            until(lambda: page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), f"{lang} fits")
