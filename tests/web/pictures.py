"""Pictures of a page's states, for people to look at: written where TRAM_X_PICTURES names a folder, else nothing."""

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.waiting import until

FOLDER = os.environ.get("TRAM_X_PICTURES", "")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
PATIENCE = 120_000
"""ms: what is drawn without a graphics card takes its time on a machine with other work."""
# Not a press where the choice is on the screen: under an open dialog nothing can be pressed. True when it is chosen.
CHOOSE = """language => {
  document.querySelector(`[role=radio][lang=${language}]`)?.click()
  return document.documentElement.lang === language
}"""


def pictures(page: Page, state: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """The page as it is now, in both languages, light and dark, at a desk and on a phone; then in Vietnamese, light.

    Args:
        meanwhile: keeps the state up; called before each picture.
    """
    if not FOLDER:
        return
    before = page.viewport_size
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
    for language in ("en", "vi"):
        page.set_viewport_size({"width": 1440, "height": 900})  # a phone keeps the choice of language behind a button
        until(lambda: page.evaluate(CHOOSE, language), f"{language} is chosen")  # noqa: B023
        for size, (width, height) in SIZES.items():
            for theme in ("dark", "light"):
                # The page writes its own theme when it fits itself to a size; what is drawn is drawn anew at another.
                page.set_viewport_size({"width": width - 2, "height": height})
                page.wait_for_timeout(200)
                page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(200)
                meanwhile()
                path = f"{FOLDER}/{state}-{size}-{language}-{theme}.png"
                page.screenshot(path=path, animations="disabled", timeout=PATIENCE)
    if before:
        page.set_viewport_size(before)
