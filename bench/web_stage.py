"""What bench/web.py stands on: a province on a real database and API, values that come at a beat, a Chromium, peers."""

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Route, sync_playwright

from bench.web_heap import Living, living
from deploy import build_web
from tests.browser import CHROMIUM
from tests.databases import SECRET_KEY, Database, Server
from tests.people import STATE, enter
from tests.servers.service import Service
from tram.sensing import Thing
from tram.store import areas, observations, registry
from tram.store.batch import Batch
from tram.store.rollups import Rollups

THINGS, CHARTS = 5_000, 20
SECOND = 1_000_000  # µs
HOUR = 3600 * SECOND
FLAGS = [
    "--no-sandbox", "--use-angle=swiftshader", "--disable-gpu-rasterization", "--disable-accelerated-2d-canvas",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-background-networking",
    "--disable-features=LocalNetworkAccessChecks",  # the bench's own page comes from here, not from an address
]  # fmt: skip
SCRIPT = Path(__file__).with_name("web.js").read_text("utf-8")
PEERS = Path(__file__).with_name("peers")
SIZE: Any = {"width": 1440, "height": 900}


def now() -> int:
    """µs since 1970."""
    return time.time_ns() // 1000


class Province:
    """5,000 devices on the map, 20 more for charts, one with a year of hours."""

    def __init__(self, database: Database) -> None:
        self.settings = database.settings
        with database.connect() as conn:
            conn.execute("SET statement_timeout = 0")  # a year makes many chunks, and the machine may be busy
            conn.commit()
            areas.seed(conn)
            random = np.random.default_rng(1)
            east, north = random.uniform(105.5, 106.2, THINGS), random.uniform(21.4, 22.4, THINGS)
            # Without the triggers that note where each stood when: a second in place of a minute.
            conn.execute("SET LOCAL session_replication_role = replica")
            conn.execute(
                "INSERT INTO thing (name, label, kind, longitude, latitude)"
                " SELECT format('dev-%%s', lpad(n::text, 4, '0')), 'Trạm ' || n, 'noise', x, y"
                " FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY t(x, y, at), LATERAL (SELECT at - 1) u(n)",
                (east.tolist(), north.tolist()),
            )
            areas.place(conn)
            conn.execute("SET LOCAL session_replication_role = origin")
            self.places = self._streams(conn, [f"dev-{n:04}" for n in range(THINGS)], "relative_humidity", "%")
            for n in range(CHARTS):
                registry.put(conn, Thing(f"chart-{n:02}", f"Đồng hồ {n:02}", "energy"))
            self.charts = self._streams(conn, [f"chart-{n:02}" for n in range(CHARTS)], "relative_humidity", "%")
            registry.put(conn, Thing("year-01", "Trạm một năm", "air"))
            self.year = int(self._streams(conn, ["year-01"], "pm2_5", "ug/m3")[0])
            conn.commit()
            start = now() // HOUR * HOUR - 8760 * HOUR
            times = start + np.arange(8760, dtype=np.int64) * HOUR
            values = (30 + 20 * np.sin(np.arange(8760) / 24) + random.normal(0, 3, 8760)).round(1)
            ids = np.full(8760, self.year, np.int32)
            observations.write(conn, Batch(ids, times, values, np.zeros(8760, np.int16)))
            conn.commit()
            rollups = Rollups(7)
            rollups.start(conn)
            conn.commit()
            while rollups.step(conn).batches:
                conn.commit()
            conn.commit()

    @staticmethod
    def _streams(conn: Any, names: list[str], property: str, unit: str) -> np.ndarray:
        found: list[int] = []
        for first in range(0, len(names), 500):
            keys = [registry.Key(name, property, unit) for name in names[first : first + 500]]
            answers = registry.resolve(conn, keys, "open")
            found += [answers[key].datastream_id for key in keys]  # type: ignore[union-attr]
        return np.array(found, np.int32)

    @staticmethod
    def _write(conn: Any, ids: np.ndarray, at: int) -> None:
        values = np.random.default_rng(at).uniform(20, 80, len(ids)).round(2)
        observations.write(conn, Batch(ids, np.full(len(ids), at, np.int64), values, np.zeros(len(ids), np.int16)))

    @contextmanager
    def beat(self, ids: np.ndarray, every: float = 0.1, start: int = 0, stride: int = 0) -> Iterator["Beat"]:
        """Other values of all of `ids` at every beat: of the present, or `stride` µs apart from `start` until it."""
        beat = Beat(self, ids, every, start, stride)
        beat.start()
        try:
            yield beat
        finally:
            beat.ending.set()
            beat.join()


class Beat(threading.Thread):
    """Writes."""

    def __init__(self, province: Province, ids: np.ndarray, every: float, start: int, stride: int) -> None:
        super().__init__(daemon=True)
        self.ending = threading.Event()
        self.count = 0
        self._asked = province, ids, every, start, stride

    def run(self) -> None:
        from tram.store.database import connect

        province, ids, every, first, stride = self._asked
        with connect(province.settings, "bench") as conn:
            conn.execute("SET statement_timeout = 0")
            begun = time.perf_counter()
            while not self.ending.is_set():
                at, present = first + self.count * stride, now()
                if stride and at > present:
                    break  # a value from the future would hide all that come until then
                province._write(conn, ids, at if stride else present)
                conn.commit()
                self.count += 1
                self.ending.wait(max(0.0, begun + self.count * every - time.perf_counter()))


@contextmanager
def stage(*, plain: bool = False) -> Iterator[tuple[Province, Service, Server]]:
    """A database with the province, and the API on it."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "postgres")
        try:
            edition = "plain" if plain or server.missing("timescaledb") else "timescaledb"
            with server.database(edition) as database:
                province = Province(database)
                with api(Path(folder) / "api", database) as service:
                    yield province, service, server
        finally:
            server.close()


@contextmanager
def api(folder: Path, database: Database) -> Iterator[Service]:
    """An API process whose admin a browser with STATE is."""
    enter(database.settings)
    service = Service(folder, database.url, SECRET_KEY, log_level="warning", http_rate=1_000_000)
    try:
        service.start()
        yield service
    finally:
        service.stop()


class Chromium:
    """Debian's, headless, with the flags above; a context a page, so that nothing comes from a cache."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self.url = browser, url
        self._contexts: list[BrowserContext] = []

    def page(self, url: str | None = None, **more: Any) -> Page:
        """A page, signed in."""
        options: dict[str, Any] = {"viewport": SIZE, "storage_state": STATE, "base_url": url or self.url} | more
        context = self._browser.new_context(**options)
        self._contexts.append(context)
        context.add_init_script(SCRIPT)
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    def close(self) -> None:
        """Closes all pages."""
        while self._contexts:
            self._contexts.pop().close()


@contextmanager
def chromium(url: str) -> Iterator[Chromium]:
    """For as long as the block runs."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        made = Chromium(browser, url)
        try:
            yield made
        finally:
            made.close()
            browser.close()


class Insides:
    """What Chromium's own tools say of a page."""

    def __init__(self, page: Page) -> None:
        self._tools: CDPSession = page.context.new_cdp_session(page)
        self._tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def heap(self) -> float:
        """MB of JavaScript that lives after two forced collections."""
        for _ in range(2):
            self._tools.send("HeapProfiler.collectGarbage")
        return float(self._tools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    def living(self) -> Living:
        """What is in the heap, by constructor."""
        return living(self._tools)

    def metrics(self) -> dict[str, float]:
        """By name; TaskDuration is CPU seconds of the main thread."""
        return {one["name"]: one["value"] for one in self._tools.send("Performance.getMetrics")["metrics"]}


def browser_cpu() -> float:
    """CPU seconds of all of Chromium's processes that this one has started, the renderer of the graphics included."""
    parents, used = dict[int, int](), dict[int, float]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        parents[int(stat.parent.name)] = int(fields[1])
        if name.startswith("chrom"):
            used[int(stat.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    total = 0.0
    for pid, seconds in used.items():
        above = pid
        while above > 1 and above != os.getpid():
            above = parents.get(above, 0)
        total += seconds if above == os.getpid() else 0
    return total


def bench_page() -> Path:
    """The folder of the built bench page; built when its sources changed."""
    web = build_web.WEB
    total = hashlib.sha256(build_web.checksum().encode())
    for path in sorted((web / "bench").iterdir()):
        total.update(path.read_bytes())
    out = Path(tempfile.gettempdir()) / f"tram-bench-web-{os.getuid()}-{total.hexdigest()[:16]}"
    if not (out / "bench").is_dir():
        command = build_web.npm()
        build_web.modules(command)
        env = build_web.environment(command) | {"TRAM_X_WEB_OUT": str(out), "TRAM_X_WEB_BENCH": "1"}
        subprocess.run([*command, "run", "--silent", "build"], cwd=web, env=env, check=True, capture_output=True)
    return out


def echarts() -> Path | None:
    """ECharts' script, fetched once; None, with a line on stderr, where it cannot be had."""
    script = PEERS / "node_modules/echarts/dist/echarts.min.js"
    if not script.is_file():
        try:
            command = build_web.npm()
            env = build_web.environment(command)
            subprocess.run(
                [*command, "ci", "--no-audit", "--no-fund"],
                cwd=PEERS,
                env=env,
                check=True,
                timeout=300,
                capture_output=True,
            )
        except (build_web.WebError, subprocess.SubprocessError) as error:
            print(f"bench: no ECharts to compare with ({error})", file=sys.stderr)
            return None
    return script


def serve_bench(page: Page, folder: Path, script: Path | None = None) -> None:
    """Lets this page alone see the built bench page, at the API's own origin: its cookies and its hub.

    `script`: what the page gets as /bench-ui/peer.js.
    """

    def answer(route: Route) -> None:
        path = folder / route.request.url.split("/bench-ui/")[1].split("?")[0]
        route.fulfill(path=script if script and path.name == "peer.js" else path)

    page.context.route("**/bench-ui/**", answer)
