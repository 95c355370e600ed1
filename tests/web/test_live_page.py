"""The live client in a real browser: values as they are committed, and a hub that dies and comes back."""

import signal
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.databases import SECRET_KEY, Database
from tests.people import STATE, enter
from tests.servers.service import Service
from tests.services.filling import UNITS, fill, now
from tests.web.axe import faults
from tram.store import observations
from tram.store.batch import Batch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
PATIENCE = 60_000


def write(database: Database, stream: int, value: float) -> None:
    """One value, committed."""
    one = np.array([stream], np.int32), np.array([now()]), np.array([value]), np.zeros(1, np.int16)
    with database.connect() as conn:
        observations.write(conn, Batch(*one))
        conn.commit()


def test_values_come_and_go_on_across_the_hubs_death(
    built: Path, chromium_here: Browser, one_database: Database, tmp_path: Path
) -> None:
    with one_database.connect() as conn:
        ids = fill(conn)
    enter(one_database.settings)
    hub = Service(tmp_path / "hub", one_database.url, SECRET_KEY)
    stream = ids["river-01", "water_level"]
    try:
        hub.start()
        context = chromium_here.new_context(storage_state=STATE)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{hub.port}/ui/live/")
        link, row = page.locator("#link"), page.locator(f"[data-stream='{stream}']")
        expect(link).to_have_attribute("data-phase", "open", timeout=PATIENCE)
        expect(row).to_contain_text("Mực nước Gia Bảy", timeout=PATIENCE)
        expect(page.locator("#counts")).to_contain_text("4 thiết bị, 6 giá trị")
        write(one_database, stream, 27.125)
        expect(row).to_contain_text(f"27.125 {UNITS['water_level']}", timeout=PATIENCE)
        assert faults(page) == []
        hub.stop(signal.SIGKILL)
        expect(link).to_have_attribute("data-phase", "connecting", timeout=PATIENCE)
        write(one_database, stream, 28.375)
        hub.start()
        expect(row).to_contain_text(f"28.375 {UNITS['water_level']}", timeout=PATIENCE)
        expect(link).to_have_attribute("data-phase", "open", timeout=PATIENCE)
        context.close()
        stranger = chromium_here.new_context()
        page = stranger.new_page()
        page.goto(f"http://127.0.0.1:{hub.port}/ui/live/")
        expect(page.locator("#link")).to_have_attribute("data-phase", "open", timeout=PATIENCE)
        expect(page.locator("#counts")).to_contain_text("0 thiết bị", timeout=PATIENCE)
        stranger.close()
    finally:
        hub.stop()
