"""What `tram doctor` looks at. Nothing here changes anything."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

import tram
from tram.embedded import addresses, prefix, system, timescaledb
from tram.embedded.part import answers_ready
from tram.embedded.ports import accepts, require_free
from tram.errors import SettingsError, TramError
from tram.settings import Settings
from tram.store import edition, processes
from tram.store.database import connect

DISK_LOW = 1 << 30  # bytes
EDITIONS = {
    edition.Edition.COMMUNITY: "TimescaleDB Community",
    edition.Edition.APACHE: "TimescaleDB Apache",
    edition.Edition.PLAIN: "plain PostgreSQL",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        section: heading it stands under.
        name: what was looked at.
        says: what was found.
        ok: False when something is wrong or missing.
        needed: whether Trạm cannot run without it; that decides the exit code.
        cure: what to do about it; empty when ok.
    """

    section: str
    name: str
    says: str
    ok: bool = True
    needed: bool = True
    cure: str = ""

    def as_dict(self) -> dict[str, object]:
        """For --json."""
        return asdict(self)


def all_checks(settings: Settings) -> Iterator[Check]:
    """Everything, in the order in which it is shown."""
    yield from _versions()
    yield from _embedded(settings)
    resolved, running = _resolved(settings)
    yield from _database(resolved, running)
    yield from _broker(resolved, running)
    yield from _planes(settings)
    yield from _home(settings)
    yield from _tools()


def _versions() -> Iterator[Check]:
    section = "phiên bản / versions"
    yield Check(section, "tram", tram.__version__)
    fits = sys.version_info >= (3, 11)
    yield Check(section, "python", sys.version.split()[0], fits, cure="" if fits else "install Python 3.11 or newer")
    for requirement in metadata.requires("tram") or [] if _installed("tram") else []:
        name = re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]
        if "extra ==" in requirement:
            continue
        version = _installed(name)
        cure = "" if version else "`make` installs it"
        yield Check(section, name, version or "missing", version is not None, cure=cure)


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _embedded(settings: Settings) -> Iterator[Check]:
    section = "phần nhúng / embedded parts"
    try:
        found = _first_line([str(prefix.program("postgres")), "--version"])
        yield Check(section, "postgres", found or "does not run here", found is not None,
                    needed=not settings.database_url, cure="" if found else "set TRAM_DATABASE_URL")  # fmt: skip
    except SettingsError as error:
        yield Check(section, "postgres", "missing", ok=False, needed=not settings.database_url, cure=str(error))
        return
    version = timescaledb.installed()
    if version:
        yield Check(section, "timescaledb", version)
    else:
        lacks = "; ".join(timescaledb.missing())
        cure = "`make timescaledb` builds it" + (f"; first get: {lacks}" if lacks else "")
        yield Check(section, "timescaledb", "not built (plain PostgreSQL works)", ok=False, needed=False, cure=cure)


def _resolved(settings: Settings) -> tuple[Settings, bool]:
    """The settings with the embedded addresses where `tram up` runs, and whether it does."""
    running = False
    for name in addresses.VARIABLES:
        try:
            filled = addresses.resolve(settings, needs=(name,))
        except SettingsError:
            continue
        running = running or filled is not settings
        settings = filled
    return settings, running


def _database(settings: Settings, running: bool) -> Iterator[Check]:
    section = "cơ sở dữ liệu / database"
    if not settings.database_url:
        yield _port_free(section, settings, "database_port")
        return
    yield Check(section, "address", shown_database(settings.database_url))
    try:
        with connect(settings, "doctor") as conn:
            version = conn.execute("SELECT current_setting('server_version')").fetchone()
            yield Check(section, "server", f"PostgreSQL {version[0] if version else '?'}")
            yield Check(section, "edition", EDITIONS[edition.detect(conn)])
            table = conn.execute("SELECT to_regclass('process')").fetchone()
            if table is None or table[0] is None:
                yield Check(section, "tables", "none yet", ok=False, cure="`tram migrate` makes them")
                return
            for row in processes.list_processes(conn, within=60.0):
                alive = row.age < 15 or row.state == "stopped"
                says = f"{row.state}, pid {row.pid} on {row.host}, heard of {row.age:.0f} s ago"
                yield Check("tiến trình / processes", row.name, says, alive, needed=False,
                            cure="" if alive else "see its log")  # fmt: skip
    except TramError as error:
        cure = "see the logs of `tram up`" if running else "start it, or correct TRAM_DATABASE_URL"
        yield Check(section, "server", str(error), ok=False, cure=cure)


def shown_database(url: str) -> str:
    """Where it is, without its password or any other secret."""
    try:
        parts = conninfo_to_dict(url)
    except Exception:
        return "(unreadable)"
    return f"{parts.get('host', 'local')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _broker(settings: Settings, running: bool) -> Iterator[Check]:
    section = "máy chủ MQTT / broker"
    if not settings.mqtt_url:
        yield _port_free(section, settings, "mqtt_port")
        return
    parts = urlsplit(settings.mqtt_url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (8883 if parts.scheme == "mqtts" else 1883)
    there = accepts(host, port, settings.database_timeout)
    cure = "see the logs of `tram up`" if running else "start it, or correct TRAM_MQTT_URL"
    yield Check(section, f"{host}:{port}", "accepts connections" if there else "does not answer", there,
                cure="" if there else cure)  # fmt: skip


def _port_free(section: str, settings: Settings, field: str) -> Check:
    host_field = system.PORTS[field]
    host = getattr(settings, host_field) if host_field else "127.0.0.1"
    port = getattr(settings, field)
    try:
        require_free(host, port, f"TRAM_{field.upper()}")
        return Check(section, f"{host}:{port}", "free; `make up` uses it")
    except SettingsError as error:
        return Check(section, f"{host}:{port}", "taken", ok=False, cure=str(error))


def _planes(settings: Settings) -> Iterator[Check]:
    section = "địa chỉ / addresses"
    published = addresses.published(settings)
    for name, (_, _, _, port_field) in system.PLANES.items():
        url = published.get("web" if name == "api" else name)
        if url is None:
            if not published:
                yield _port_free(section, settings, port_field)
            continue
        parts = urlsplit(url)
        ready = answers_ready(parts.hostname or "127.0.0.1", parts.port or 80)(0)
        cure = "" if ready else f"open http://{parts.netloc}/readyz, which says why, or see its log"
        yield Check(section, name, f"{url} {'is ready' if ready else 'is not ready'}", ready, cure=cure)


def _home(settings: Settings) -> Iterator[Check]:
    section = "thư mục / home"
    place = settings.home.absolute()
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    writable = os.access(existing, os.W_OK)
    yield Check(section, str(place), "can be written" if writable else "cannot be written", writable,
                cure="" if writable else "set TRAM_HOME to a folder of yours")  # fmt: skip
    free = shutil.disk_usage(existing).free
    enough = free > DISK_LOW
    yield Check(section, "free space", f"{free / (1 << 30):.1f} GiB", enough,
                cure="" if enough else "make room: PostgreSQL stops when the disk is full")  # fmt: skip


def _tools() -> Iterator[Check]:
    """What only tests and other set-ups use."""
    section = "chỉ để thử nghiệm / for tests only"
    for program, package, arguments in (
        ("mosquitto", "mosquitto", ["-h"]),
        ("mosquitto_pub", "mosquitto-clients", ["--version"]),
        ("chromium", "chromium", ["--version"]),
    ):
        found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
        if found:
            yield Check(section, program, (_first_line([found, *arguments]) or found).removeprefix(f"{program} "))
        else:
            yield Check(section, program, "not here", ok=False, needed=False,
                        cure=f"Debian: apt-get install {package} (`make test` does, as root)")  # fmt: skip


def _first_line(argv: list[str]) -> str | None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    text = (done.stdout or done.stderr).strip()
    return text.splitlines()[0] if text else None
