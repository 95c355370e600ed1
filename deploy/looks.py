"""Every page of the wall as people see it: Vietnamese and English, light and dark, at a wall, a desk and a phone.

    python -m deploy.looks --login truc.tinh [--url http://127.0.0.1:8080] [--only alarms] [--into docs/pictures/looks]

One WebP a page and size, four looks on each: to be looked at after a change, and what docs/looks.md shows. The password
is asked for, or read from TRAM_X_TOUR_PASSWORD. An account of a whole province that has run for a while serves best.
"""

import base64
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from deploy.tour import DESK, PHONE, PICTURES, WALL, options, signed_in

PAGES = {
    "overview": "overview?by=pm2_5",
    "area": "overview?area={area}",
    "alarms": "alarms",
    "alarm": "alarms/{alarm}",
    "figures": "alarms?view=figures&range=7d",
    "rules": "alarms?view=rules",
    "rule": "alarms?view=rules&rule=fine-dust",
    "charts": "charts?s={streams}",
    "devices": "devices",
    "device": "devices/{device}",
    "system": "system",
    "dashboards": "boards",
    "dashboard": "boards/hom-nay",
    "composing": "boards/{board}?edit=1",
    "air": "services/air",
    "noise": "services/noise",
    "rivers": "services/rivers",
    "traffic": "services/traffic",
}
"""Names and addresses, which may name what deploy.tour.places finds."""
SIGNED_OUT = "sign-in"
LOOKS = [(language, theme) for language in ("vi", "en") for theme in ("light", "dark")]
SIZES = {WALL: (2, 800), DESK: (2, 720), PHONE: (4, 390)}
"""Width and height of a screen to how many stand beside each other, and how wide each then is, px."""
SETTLED = "() => document.querySelectorAll('main .skeleton').length === 0"
WAIT = 2500
"""Milliseconds after the last answer: maps paint, charts draw."""
SHEET = """async ([urls, across, wide, quality]) => {
  const taken = await Promise.all(urls.map(async (url) => createImageBitmap(await (await fetch(url)).blob())))
  const tall = Math.round((taken[0].height * wide) / taken[0].width)
  const gap = 6
  const rows = Math.ceil(taken.length / across)
  const canvas = new OffscreenCanvas(across * (wide + gap) - gap, rows * (tall + gap) - gap)
  const pen = canvas.getContext('2d')
  pen.imageSmoothingQuality = 'high'
  pen.fillStyle = '#888'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  taken.forEach((one, i) =>
    pen.drawImage(one, (i % across) * (wide + gap), Math.floor(i / across) * (tall + gap), wide, tall))
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality })
  return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (one) => String.fromCharCode(one)).join(''))
}"""


def look(context: BrowserContext, address: str, language: str, theme: str) -> str:
    """A picture of a page as a data URL."""
    page = context.new_page()
    try:
        page.set_default_timeout(120_000)
        page.goto(f"/ui/wall/?theme={theme}&lang={language}#/{address}")
        page.locator("main .panel, main .page, main #form").first.wait_for()
        page.wait_for_function(SETTLED)
        page.wait_for_timeout(WAIT)
        return "data:image/png;base64," + base64.b64encode(page.screenshot(animations="disabled")).decode()
    finally:
        page.close()


def sheet(browser: Browser, size: tuple[int, int], address: str, url: str, state: Any) -> bytes:
    """The four looks of a page at one size, as WebP."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, base_url=url, storage_state=state)
    try:
        taken = [look(context, address, language, theme) for language, theme in LOOKS]
    finally:
        context.close()
    blank = browser.new_page()
    packed = blank.evaluate(SHEET, [taken, *SIZES[size], 0.55])
    blank.close()
    return base64.b64decode(packed)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--into", type=Path, default=PICTURES / "looks")
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    with signed_in(chosen) as (browser, state, found):
        for name, address in {**PAGES, SIGNED_OUT: ""}.items():
            if chosen.only not in name:
                continue
            try:
                where = address.format_map(found)
            except KeyError as missing:
                print(f"{name}: left out: there is no {missing}", flush=True)
                continue
            for size in SIZES:
                made = sheet(browser, size, where, chosen.url, None if name == SIGNED_OUT else state)
                (chosen.into / f"{name}-{size[0]}.webp").write_bytes(made)
                print(f"{name}-{size[0]}: {len(made) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
