"""The pictures of docs/tour.md: taken of a running system, written as WebP into docs/pictures.

    python -m deploy.tour --login truc.tinh [--url http://127.0.0.1:8080] [--only overview-1440]

The password is asked for, or read from TRAM_X_TOUR_PASSWORD. The system should have run for a while, with something
standing and something that fell silent. Chromium takes the pictures and packs them; nothing else is needed.
"""

import argparse
import base64
import getpass
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import APIRequestContext, Browser, sync_playwright

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--disable-background-networking", "--ignore-gpu-blocklist"]
WALL, DESK, PHONE = (3840, 2160), (1440, 900), (390, 844)
BOARD = "Không khí toàn tỉnh"
PACK = """async ([url, quality]) => {
  const picture = await createImageBitmap(await (await fetch(url)).blob())
  const canvas = new OffscreenCanvas(picture.width, picture.height)
  canvas.getContext('2d').drawImage(picture, 0, 0)
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality })
  return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (one) => String.fromCharCode(one)).join(''))
}"""


@dataclass(frozen=True)
class Shot:
    """One picture. `address` may name {alarm}, {device}, {streams}, {area}, {board}: the first there is."""

    name: str
    address: str
    size: tuple[int, int]
    language: str
    theme: str
    quality: float = 0.8


SHOTS = (
    Shot("tour-overview-3840", "overview?by=pm2_5", WALL, "vi", "dark", 0.6),
    Shot("tour-overview-1440", "overview", DESK, "vi", "light"),
    Shot("tour-area-1440", "overview?area={area}&by=air_temperature", DESK, "en", "dark"),
    Shot("tour-overview-390", "overview", PHONE, "en", "dark"),
    Shot("tour-alarms-1440", "alarms", DESK, "vi", "dark"),
    Shot("tour-alarm-1440", "alarms/{alarm}", DESK, "en", "light"),
    Shot("tour-alarms-390", "alarms", PHONE, "vi", "light"),
    Shot("tour-charts-1440", "charts?s={streams}&range=1h", DESK, "vi", "light"),
    Shot("tour-devices-1440", "devices/{device}", DESK, "en", "dark"),
    Shot("tour-devices-390", "devices", PHONE, "vi", "dark"),
    Shot("tour-boards-1440", "boards/{board}", DESK, "vi", "dark"),
    Shot("tour-system-1440", "system", DESK, "en", "light"),
)


def places(request: APIRequestContext) -> dict[str, str]:
    """What stands for the names in the addresses; those that there are none of are left out."""

    def items(path: str) -> list[Any]:
        answer = request.get(path)
        found = answer.json() if answer.ok else []
        return list(found.get("items", found.get("boards", []))) if isinstance(found, dict) else list(found)

    found: dict[str, str] = {}
    if alarms := [one for one in items("/api/alarms?limit=100") if one.get("thing")]:
        found["alarm"] = str(alarms[0]["id"])
    air: list[Any] = []
    latest = items("/api/latest?limit=5000")
    air = [one for one in latest if one["property"] == "pm2_5"]
    if air:
        found["device"] = air[0]["thing"]
        streams = air[:2] + [one for one in latest if one["property"] == "air_temperature"][:2]
        found["streams"] = ",".join(str(one["datastream"]) for one in streams)
    for thing in items("/api/things?limit=1000"):
        if thing["area"] and thing["kind"] == "air":
            found["area"] = thing["area"]
            break
    boards = [one for one in items("/api/dashboards?limit=1000") if one["labels"]["vi"] == BOARD]
    if air and not boards:
        answer = request.post("/api/dashboards", data={"definition": board([one["thing"] for one in air[:2]])})
        boards = [answer.json()] if answer.ok else []
    if boards:
        found["board"] = str(boards[0]["id"])
    return found


def board(stations: list[str]) -> dict[str, Any]:
    """A dashboard of the air at these stations and of the province."""
    panels: list[tuple[str, str, tuple[int, int, int, int], dict[str, Any]]] = [
        ("value", "", (0, 0, 3, 3), {"property": "pm2_5"}),
        ("gauge", "", (3, 0, 3, 3), {"property": "air_temperature"}),
        ("series", "", (0, 3, 6, 6), {"streams": [f"pm2_5@{name}" for name in stations], "span": "1h", "zero": True}),
        ("map", "", (6, 0, 6, 9), {"property": "pm2_5"}),
        ("bar", "", (0, 9, 4, 6), {"property": "pm2_5"}),
        ("status", "", (4, 9, 4, 6), {}),
        ("alarms", "", (8, 9, 4, 6), {}),
    ]
    items = [
        {"id": f"p{n}", "panel": panel, "title": title, "x": x, "y": y, "w": w, "h": h, "settings": settings}
        for n, (panel, title, (x, y, w, h), settings) in enumerate(panels)
    ]
    return {"labels": {"vi": BOARD, "en": "Air of the province"}, "panels": items}


def take(browser: Browser, shot: Shot, url: str, state: Any, found: dict[str, str]) -> str:
    """Writes one; says what came of it."""
    try:
        address = shot.address.format_map(found)
    except KeyError as missing:
        return f"left out: there is no {missing}"
    width, height = shot.size
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=url, storage_state=state)
    try:
        page = context.new_page()
        page.set_default_timeout(120_000)
        density = "&kiosk=1" if shot.size == WALL else ""
        page.goto(f"/ui/wall/?theme={shot.theme}&lang={shot.language}#/{address}{density}")
        page.locator("main .panel, main .page").first.wait_for()
        page.wait_for_load_state("networkidle") if "overview" not in address else None
        page.wait_for_function("() => document.querySelectorAll('main .skeleton').length === 0")
        page.wait_for_timeout(6000)  # a map's first picture, a chart's answer
        picture = page.screenshot(animations="disabled")
    finally:
        context.close()
    blank = browser.new_page()
    packed = blank.evaluate(PACK, [f"data:image/png;base64,{base64.b64encode(picture).decode()}", shot.quality])
    blank.close()
    (PICTURES / f"{shot.name}.webp").write_bytes(base64.b64decode(packed))
    return f"{(PICTURES / f'{shot.name}.webp').stat().st_size / 1000:.0f} kB"


def options(about: str | None) -> argparse.ArgumentParser:
    """The command line of what takes pictures of a running system."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--login", required=True)
    parser.add_argument("--only", default="", help="those whose name has this in it")
    return parser


@contextmanager
def signed_in(chosen: argparse.Namespace) -> Iterator[tuple[Browser, Any, dict[str, str]]]:
    """A browser, the state of whoever is signed in, and what `places` found. Exits where signing in is refused."""
    password = os.environ.get("TRAM_X_TOUR_PASSWORD") or getpass.getpass(f"password of {chosen.login}: ")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        context = browser.new_context(base_url=chosen.url)
        answer = context.request.post("/api/session", data={"login": chosen.login, "password": password})
        if not answer.ok:
            raise SystemExit(f"not signed in: {answer.text()[:200]}")
        yield browser, context.storage_state(), places(context.request)
        browser.close()


def main() -> None:
    chosen = options(__doc__).parse_args()
    with signed_in(chosen) as (browser, state, found):
        for shot in SHOTS:
            if chosen.only in shot.name:
                print(f"{shot.name}: {take(browser, shot, chosen.url, state, found)}", flush=True)


if __name__ == "__main__":
    main()
