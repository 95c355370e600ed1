"""Pictures of a page's states, for people to look at: written where TRAM_X_PICTURES names a folder, else nothing."""

import os
from pathlib import Path

from playwright.sync_api import Page

FOLDER = os.environ.get("TRAM_X_PICTURES", "")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


def pictures(page: Page, state: str) -> None:
    """The page as it is now, in both languages, light and dark, at a desk and on a phone; then as it was."""
    if not FOLDER:
        return
    before = page.viewport_size
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    for language, theme in (("EN", "dark"), ("VI", "light")):
        page.set_viewport_size({"width": 1440, "height": 900})  # a phone keeps the choice of language behind a button
        page.get_by_role("radio", name=language, exact=True).first.click()
        for size, (width, height) in SIZES.items():
            # The page writes its own theme when it fits itself to a size; what is drawn is drawn anew at another width.
            page.set_viewport_size({"width": width - 2, "height": height})
            page.wait_for_timeout(300)
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            page.screenshot(path=f"{FOLDER}/{state}-{size}-{language.lower()}-{theme}.png", animations="disabled")
    if before:
        page.set_viewport_size(before)
