"""Pictures of a page's states, for people to look at: written where TRAM_X_PICTURES names a folder, else nothing."""

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.waiting import until

FOLDER = os.environ.get("TRAM_X_PICTURES", "")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
SECONDS = 3_000 if FOLDER else 300
"""How long a test may take that may take pictures."""
PATIENCE = 120_000
"""ms: what is drawn without a graphics card takes its time on a machine with other work."""
# By the page's own buttons, but no press on the screen: under an open dialog nothing can be pressed. True when chosen.
CHOOSE = """([language, theme]) => {
  const { lang, dataset } = document.documentElement
  const choice = document.querySelector(`[role=radio][lang=${language}]`)
  if (lang !== language) choice?.click()
  else if (dataset.theme !== theme) choice?.closest('.row')?.querySelector('button:not([role=radio])')?.click()
  return lang === language && dataset.theme === theme
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
    for chosen in (("en", "dark"), ("en", "light"), ("vi", "dark"), ("vi", "light")):
        for size, (width, height) in SIZES.items():  # the desk first: a phone keeps the choices behind a button
            page.set_viewport_size({"width": width, "height": height})
            if size == "desk":
                until(lambda: page.evaluate(CHOOSE, chosen), f"{chosen} is chosen")  # noqa: B023
            page.wait_for_timeout(300)
            meanwhile()
            path = f"{FOLDER}/{state}-{size}-{chosen[0]}-{chosen[1]}.png"
            page.screenshot(path=path, animations="disabled", timeout=PATIENCE)
    if before:
        page.set_viewport_size(before)
