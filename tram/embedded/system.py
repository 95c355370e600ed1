"""The parts of `tram up`: which there are, in what order, where they listen."""

import importlib.util
import os
import signal
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tram.embedded import addresses, broker, postgres
from tram.embedded.cluster import Cluster, environment
from tram.embedded.part import Part, answers_ready
from tram.embedded.ports import free_port, listens_on_loopback, require_free
from tram.settings import PREFIX, Settings

# name -> (module of `python -m`, title, field of its host, field of its port)
PLANES: Mapping[str, tuple[str, str, str, str]] = {
    "gateway": ("gateway", "cổng thu nhận / gateway", "probe_host", "gateway_probe_port"),
    "api": ("services", "web và API / web and API", "http_host", "http_port"),
    "worker": ("services.worker", "tính toán nền / worker", "probe_host", "worker_probe_port"),
    "alarms": ("services.alarms", "cảnh báo / alarms", "probe_host", "alarms_probe_port"),
    "telehealth": ("telehealth", "khám từ xa / telehealth", "telehealth_host", "telehealth_port"),
}
SIMULATOR = "simulator"
NAMES = (*PLANES, SIMULATOR)
# field of the port -> field of the host, None: 127.0.0.1
PORTS = {"database_port": None, "mqtt_port": None} | {port: host for _, _, host, port in PLANES.values()}


def installed(name: str) -> bool:
    """Whether the plane's program is part of this installation; looked up without importing it."""
    module = "devices.simulators" if name == SIMULATOR else PLANES[name][0]
    package, *rest = module.split(".")
    found = importlib.util.find_spec(package)
    folders = [Path(folder, *rest) for folder in found.submodule_search_locations or []] if found else []
    return any((folder / "__main__.py").is_file() or folder.with_suffix(".py").is_file() for folder in folders)


def choose_ports(settings: Settings) -> tuple[Settings, dict[str, str]]:
    """Gives every port that is set to 0 a free one.

    Returns:
        The settings with them, and what the children's environment must say.
    """
    chosen: dict[str, Any] = {field: free_port() for field in PORTS if getattr(settings, field) == 0}
    return replace(settings, **chosen), {PREFIX + field.upper(): str(port) for field, port in chosen.items()}


def check_ports(settings: Settings, names: Collection[str]) -> None:
    """Raises SettingsError, naming the setting, for the first port that somebody else has."""
    wanted = [PLANES[name][3] for name in PLANES if name in names]
    wanted += [] if settings.database_url else ["database_port"]
    wanted += [] if settings.mqtt_url else ["mqtt_port"]
    for field in wanted:
        host_field = PORTS[field]
        host = getattr(settings, host_field) if host_field else "127.0.0.1"
        require_free(host, getattr(settings, field), PREFIX + field.upper())


def child_environment(environ: Mapping[str, str], ports: Mapping[str, str]) -> dict[str, str]:
    """What the planes see: our own environment, the ports chosen for them, and output that is not held back."""
    files = {f"{name}_FILE" for name in ports}
    return {k: v for k, v in environ.items() if k not in files} | dict(ports) | {"PYTHONUNBUFFERED": "1"}


def parts(settings: Settings, names: Collection[str]) -> list[Part]:
    """The parts to run: the embedded ones that no setting replaces, the migration, and the planes named.

    Args:
        settings: with every port chosen.
        names: out of NAMES.
    """
    found = []
    if not settings.database_url:
        found.append(_database(settings))
    if not settings.mqtt_url:
        found.append(_broker(settings))
    migrate = [sys.executable, "-m", "tram.cli", "migrate"]
    found.append(
        Part(name="migrate", title="lược đồ dữ liệu / migrations", command=lambda: migrate, stage=1, once=True,
             patience=3600.0)
    )  # fmt: skip
    for name, (module, title, host, port) in PLANES.items():
        if name in names:
            found.append(
                Part(name=name, title=title, command=partial(_module, module), stage=2,
                     ready=answers_ready(getattr(settings, host), getattr(settings, port)),
                     more=_gateway_batches(settings) if name == "gateway" else {})
            )  # fmt: skip
    if SIMULATOR in names:
        found.append(
            Part(name=SIMULATOR, title="tỉnh mô phỏng / simulated province", stage=3, essential=False,
                 command=partial(_module, "devices.simulators"))
        )  # fmt: skip
    return found


def public_addresses(settings: Settings, names: Collection[str]) -> dict[str, str]:
    """Where people and programs find the running parts; no secrets."""
    found = {}
    if "api" in names:
        found["web"] = f"http://{_shown(settings.http_host)}:{settings.http_port}/"
    if "telehealth" in names:
        found["telehealth"] = f"http://{_shown(settings.telehealth_host)}:{settings.telehealth_port}/"
    if not settings.mqtt_url:
        found["mqtt"] = f"mqtt://127.0.0.1:{settings.mqtt_port}"
    if not settings.database_url:
        found["database"] = f"127.0.0.1:{settings.database_port}"
    for name in ("gateway", "worker", "alarms"):
        if name in names:
            found[name] = f"http://{_shown(settings.probe_host)}:{getattr(settings, PLANES[name][3])}/metrics"
    return found


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared only


def _gateway_batches(settings: Settings) -> dict[str, str]:
    """The embedded broker hands over 100 unacknowledged messages and no more: waiting for a fuller batch only waits."""
    chosen = settings.mqtt_url or "batch_wait" in settings.origin
    return {} if chosen else {f"{PREFIX}BATCH_WAIT": "0.01"}


def _module(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _database(settings: Settings) -> Part:
    cluster = Cluster(settings.home / "postgres")

    def command() -> list[str]:
        cluster.prepare()
        postgres.settle(cluster)
        require_free("127.0.0.1", settings.database_port, "TRAM_DATABASE_PORT")
        cluster.configure(settings.database_port)
        addresses.publish(settings, addresses.DATABASE, cluster.url(settings.database_port))
        return cluster.command(os.getpid())

    return Part(
        name="database", title="cơ sở dữ liệu / database", command=command, stage=0,
        ready=partial(postgres.ready, cluster), environment=environment(), death_signal=None,
        stop=((signal.SIGINT, postgres.STOP_TIMEOUT), (signal.SIGQUIT, 5.0)), patience=300.0,
    )  # fmt: skip


def _broker(settings: Settings) -> Part:
    folder = settings.home / "broker"

    def command() -> list[str]:
        configuration: Path = broker.configure(folder, settings.mqtt_port, settings.payload_bytes)
        addresses.publish(settings, addresses.MQTT, f"mqtt://127.0.0.1:{settings.mqtt_port}")
        return broker.command(configuration)

    def ready(pid: int) -> bool:
        return listens_on_loopback(settings.mqtt_port)

    # SIGKILL at once: it keeps nothing, and a SIGTERM would do the same.
    return Part(
        name="broker", title="máy chủ MQTT / MQTT broker", command=command, stage=0, ready=ready,
        stop=((signal.SIGTERM, 2.0),),
    )  # fmt: skip
