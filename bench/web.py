"""The wall in a headless Chromium, over a real database, API and live hub: how much is fetched, how smoothly it draws.

    python -m bench.web [--only first,markers,charts,year,memory,keys] [--seconds 8] [--plain] [--objects]

first    JavaScript that the browser fetched until the page stands and the map is asked for, gzip; layout shifts.
markers  5,000 devices that each have another value ten times a second, on the overview's map. Peer: the same events
         as a circle layer of MapLibre, its source set anew.
charts   20 charts of 3,000 points that each get a value ten times a second. Peer: ECharts.
year     from the click on "1 year" until a year of hourly values is drawn.
memory   8 h of all devices, a value a minute, within a minute: what lives after forced collections at 1 h and at 8 h,
         of the overview and of the 20 charts (which hold the last hour).
keys     every page by its key and every control by Tab; dialogs by keys; layout shifts of every page.

Everything runs on this machine, the renderer of the graphics (SwiftShader) included. Three minutes.
"""

import argparse
import contextlib
import gzip
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import ElementHandle, Page, Request
from playwright.sync_api import Error as PlaywrightError

from bench.web_heap import Living, grown
from bench.web_stage import (
    CHARTS,
    HOUR,
    SECOND,
    SIZE,
    THINGS,
    Chromium,
    Insides,
    Province,
    api,
    bench_page,
    browser_cpu,
    chromium,
    echarts,
    now,
    serve_bench,
    stage,
)  # fmt: skip
from deploy import build_web
from tests.databases import Server
from tests.services.filling import fill

WALL = "/ui/wall/"
OVERVIEW = f"{WALL}?theme=dark#/overview?by=relative_humidity"


def row(what: str, measured: str, asked: str = "") -> None:
    print(f"| {what} | {measured} | {asked} |", flush=True)


class Stage:
    """What all parts share."""

    def __init__(self, province: Province, server: Server, browser: Chromium, chosen: argparse.Namespace) -> None:
        self.province, self.server, self.browser, self.chosen = province, server, browser, chosen

    def overview(self) -> Page:
        """The overview with its map and markers drawn."""
        page = self.browser.page()
        page.goto(OVERVIEW)
        page.locator(".maplibregl-canvas").wait_for()
        page.wait_for_function("() => bench.clears > 0")
        return page

    def drawn(self, what: str, domain: str, script: Path | None = None, **more: Any) -> Page:
        """The bench's own page, once it has begun to draw."""
        page = self.browser.page(**more)
        serve_bench(page, self.chosen.built, script)
        page.goto(
            f"/bench-ui/bench/bench.html?what={what}&domain={domain}&window={self.chosen.window}&end={self.chosen.end}"
        )
        page.wait_for_function("() => window.measured?.ready || window.measured?.failed")
        if failed := page.evaluate("measured.failed"):
            raise PlaywrightError(f"{what}: {failed}")
        return page

    def frames(self, page: Page) -> dict[str, float]:
        """Frames over the chosen seconds; CPU meanwhile, of a core: the main thread's `busy`, all of Chromium `all`."""
        inside = Insides(page)
        before, cpu, start = inside.metrics()["TaskDuration"], browser_cpu(), time.perf_counter()
        found: dict[str, float] = page.evaluate("ms => bench.frames(ms)", self.chosen.seconds * 1000)
        took = time.perf_counter() - start
        found["busy"] = (inside.metrics()["TaskDuration"] - before) / took
        found["all"] = (browser_cpu() - cpu) / took
        return found


def first(at: Stage) -> None:
    """What the first view fetches."""
    page = at.browser.page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.resource_type == "script" else None)
    page.goto(f"{WALL}#/overview")
    page.locator(".maplibregl-canvas").wait_for()
    page.locator(".kpi .value").first.wait_for()
    page.wait_for_timeout(3000)
    sizes = []
    for request in asked:
        answer = request.response()
        body = answer.body() if answer else b""
        sizes.append((len(gzip.compress(body, 9)), b"maplibregl" in body))
    map_at = next((i for i, (_, is_map) in enumerate(sizes) if is_map), len(sizes))
    before, total = sum(size for size, _ in sizes[:map_at]), sum(size for size, _ in sizes)
    row("JavaScript of the first view, before the map, gzip", f"{before / 1000:.0f} kB in {map_at} files", "250 kB")
    row("… with the map", f"{total / 1000:.0f} kB in {len(sizes)} files")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    row("… first contentful paint", f"{paint:.0f} ms")
    shift = page.evaluate("[bench.shift, bench.shifted.slice(0, 3)]")
    row(f"layout shift of the overview with {THINGS:,} devices", f"{shift[0]:.4f} {' '.join(shift[1])}", "0")


def markers(at: Stage) -> None:
    """5,000 at 10 Hz."""
    with at.province.beat(at.province.places) as beat:
        page = at.overview()
        page.wait_for_timeout(3000)
        count, start = beat.count, time.perf_counter()
        ours = at.frames(page)
        rate = (beat.count - count) / (time.perf_counter() - start)
        at.browser.close()
        peer = at.drawn("maplibre", "noise")
        peer.wait_for_timeout(1000)
        theirs = at.frames(peer)
        at.browser.close()
    row(f"{THINGS:,} live markers, {rate:.1f} updates/s of all", f"{ours['fps']:.1f} fps", "50 fps")
    row(
        "… drawn anew a second; longest of 100 frames; main thread",
        f"{ours['clears']:.1f}; {ours['p99']:.0f} ms; {ours['busy']:.0%}",
    )
    row(
        "… peer: MapLibre's own circle layer: frames; updates shown a second; longest of 100 frames; main thread",
        f"{theirs['fps']:.1f} fps; {theirs['shown']:.1f}; {theirs['p99']:.0f} ms; {theirs['busy']:.0%}",
    )
    row("… ratio of updates shown", f"{ours['clears'] / max(theirs['shown'], 0.1):.1f}")


def charts(at: Stage) -> None:
    """20 at 10 Hz."""
    with at.province.beat(at.province.charts):
        page = at.drawn("charts", "energy")
        page.wait_for_timeout(1500)
        ours = at.frames(page)
        at.browser.close()
        script = echarts()
        theirs = None
        if script:
            page = at.drawn("echarts", "energy", script)
            page.wait_for_timeout(1500)
            theirs = at.frames(page)
            at.browser.close()
    row(f"{CHARTS} charts at {ours['updates']:.1f} updates/s of all", f"{ours['fps']:.1f} fps", "50 fps")
    row(
        "… charts drawn a second; longest of 100 frames; main thread",
        f"{ours['clears']:.0f}; {ours['p99']:.0f} ms; {ours['busy']:.0%}",
    )
    if theirs:
        row(
            "… peer: ECharts: frames; longest of 100 frames; main thread",
            f"{theirs['fps']:.1f} fps; {theirs['p99']:.0f} ms; {theirs['busy']:.0%}",
        )
        row(
            "… ratio of frames; of the main thread",
            f"{ours['fps'] / theirs['fps']:.1f}; {theirs['busy'] / ours['busy']:.1f}",
        )


def year(at: Stage) -> None:
    """Opened five times."""
    page = at.browser.page()
    page.goto(f"{WALL}#/charts?s={at.province.year}&range=24h")
    page.locator(".u-wrap").wait_for()
    page.wait_for_function("() => bench.clears > 0")
    took, answers = [], []
    for _ in range(6):
        for name in ("1 năm", "24 giờ"):
            handle: ElementHandle = page.get_by_role("radio", name=name).element_handle()
            found = page.evaluate("element => bench.opened(element)", handle)
            if name == "1 năm":
                took.append(found["ms"])
                answers.append(found["answer"])
            page.wait_for_timeout(300)
    at.browser.close()
    row(
        "a year of hourly data, click to drawn",
        f"{statistics.median(took):.0f} ms (worst of 6: {max(took):.0f}; the answer {statistics.median(answers):.0f})",
        "500 ms",
    )


def memory(at: Stage) -> None:
    """8 h at 480 minutes a minute."""
    begin = now() - 8 * HOUR
    at.chosen.window, at.chosen.end = 3600, begin // 1000
    pages = {"the overview": at.overview(), f"{CHARTS} charts": at.drawn("charts", "energy")}
    inside = {name: Insides(page) for name, page in pages.items()}
    ids = np.concatenate([at.province.places, at.province.charts])
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in pages}
    living: dict[str, list[Living]] = {name: [] for name in pages}
    with at.province.beat(ids, 0.1, begin, 60 * SECOND) as beat:
        for minute in (60, 270, 480):
            while beat.count < minute and beat.is_alive():
                next(iter(pages.values())).wait_for_timeout(50)
            for name, one in inside.items():
                counts, came = one.metrics(), pages[name].evaluate("window.measured?.updates ?? bench.clears")
                found[name].append((one.heap(), counts["Nodes"], counts["JSEventListeners"], came))
                if at.chosen.objects and minute != 270:
                    living[name].append(one.living())
    at.chosen.window, at.chosen.end = 300, 0
    at.browser.close()
    for name, ((early, nodes, listeners, begun), (middle, *_), (late, *more, last)) in found.items():
        row(
            f"8 h of live data within a minute, {name}: heap at 1 h, at 4.5 h, at 8 h",
            f"{early:.1f}, {middle:.1f}, {late:.1f} MB ({(late - early) / early:+.1%})",
            "no growth",
        )
        row("… nodes, listeners at 1 h; at 8 h", f"{nodes:.0f}, {listeners:.0f}; {more[0]:.0f}, {more[1]:.0f}")
        row("… updates taken meanwhile", f"{last - begun:.0f}")
        if len(living[name]) == 2:
            row("… what there is more of", grown(living[name][0], living[name][-1]))


def walk(page: Page, most: int) -> tuple[int, list[str], list[str]]:
    """Tabs from the top to the end: how many controls, those not reached, those whose focus is not seen."""
    page.evaluate("() => { bench.walked.clear(); document.activeElement?.blur() }")
    for _ in range(most):
        page.keyboard.press("Tab")
        if not page.evaluate("bench.step()"):
            break
    return page.evaluate("[bench.controls().length, bench.unreached(), bench.unseen ?? []]")  # type: ignore[no-any-return]


def keys(at: Stage) -> None:
    """The small province of the tests: fewer rows, the same pages."""
    with tempfile.TemporaryDirectory() as folder, at.server.database("plain") as database:
        with database.connect() as conn:
            fill(conn)
        with api(Path(folder), database) as service:
            url = f"http://127.0.0.1:{service.port}"
            keyboard(at, url)
            shifts(at, url)


def keyboard(at: Stage, url: str) -> None:
    page = at.browser.page(url)
    page.goto(f"{WALL}#/overview")
    page.locator(".maplibregl-canvas").wait_for()
    pages, controls, bad, unseen = [], 0, [], []
    for number in range(1, 10):
        page.locator("body").press(str(number))
        page.wait_for_timeout(1200)
        name = page.evaluate("location.hash.split(/[/?]/)[1]")
        if name in pages:
            continue
        pages.append(name)
        count, missed, invisible = walk(page, 300)
        controls += count
        bad += [f"{name}: {one}" for one in missed]
        unseen += [f"{name}: {one}" for one in invisible]
    links = page.locator("header nav a").count()
    dialogs = 0
    for opens in ("Control+k", "/", "?"):
        page.locator("body").press(opens)
        dialog = page.get_by_role("dialog")
        with contextlib.suppress(Exception):
            dialog.wait_for(timeout=3000)
            page.keyboard.press("Escape")
            dialog.wait_for(state="detached", timeout=3000)
            dialogs += 1
    at.browser.close()
    row("pages by a key of their own, of those in the navigation", f"{len(pages)} of {max(links, len(pages))}", "all")
    row("controls reached by Tab and arrows", f"{controls - len(bad)} of {controls} {'; '.join(bad[:6])}", "all")
    row("… whose focus is not seen", f"{len(unseen)} {'; '.join(unseen[:6])}", "none")
    row("dialogs that open and close by keys", f"{dialogs} of 3", "all")


def shifts(at: Stage, url: str) -> None:
    worst, where = 0.0, ""
    for size in (SIZE, {"width": 390, "height": 844}):
        page = at.browser.page(url, viewport=size)
        page.goto(f"{WALL}#/overview")
        names = (
            page.evaluate("[...document.querySelectorAll('nav a[href^=\"#/\"]')].map(one => one.hash.split(/[/?]/)[1])")
            or []
        )
        for name in names or ["overview", "alarms", "charts", "devices", "system"]:
            page.goto("about:blank")
            page.goto(f"{WALL}#/{name}")
            page.locator("main").wait_for()
            page.wait_for_timeout(1500)
            shift, nodes = page.evaluate("[bench.shift, bench.shifted.slice(0, 3)]")
            if shift > worst:
                worst, where = shift, f"({name} at {size['width']} px: {', '.join(nodes)})"
        at.browser.close()
    row("layout shift, worst of every page at 1440 and 390 px", f"{worst:.4f} {where}", "0")


PARTS: dict[str, Callable[[Stage], None]] = {
    "first": first, "memory": memory, "markers": markers, "charts": charts, "year": year, "keys": keys,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--objects", action="store_true", help="memory: also what lives more at 8 h than at 1 h")
    chosen = parser.parse_args()
    chosen.window, chosen.end = 300, 0
    print(f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}\n", flush=True)
    build_web.build(install=True)
    chosen.built = bench_page()
    start = time.perf_counter()
    print("| what | measured | asked |\n|---|---|---|", flush=True)
    with (
        stage(plain=chosen.plain) as (province, service, server),
        chromium(f"http://127.0.0.1:{service.port}") as browser,
    ):
        for part in PARTS:  # memory before markers: time only goes on
            if part not in chosen.only.split(","):
                continue
            try:
                PARTS[part](Stage(province, server, browser, chosen))
            except (PlaywrightError, TimeoutError) as error:  # the others may still say something
                row(part, f"not measured: {str(error).splitlines()[0]}")
            browser.close()
    print(f"\n{time.perf_counter() - start:.0f} s, load average {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
