"""mosquitto's files, written from the devices' credentials; and what its log says was refused, written as events.

    passwd               who may connect
    rules.json           what each may publish and read: mosquitto's own file once it runs (tram.runtime.brokercontrol)
    mosquitto.conf       made once by `tram broker config`; yours to change after that
    gateway.password     of the gateway's own user, for TRAM_MQTT_URL
    control.password     of the user that changes the rules, over control.sock
    mosquitto.pid        written by mosquitto: who is told (SIGHUP) when passwd changed

mosquitto reads passwd again at SIGHUP and closes the connections of those that are no longer in it. Where it runs in a
container of its own the signal cannot reach it: docs/guides/devices-and-broker.md says what to do.
"""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

from tram.embedded.files import write_whole
from tram.errors import SettingsError, UnavailableError
from tram.identity import broker, brokerrules
from tram.identity.broker import BrokerUser
from tram.identity.brokerlog import BrokerLog, Refusal, covers
from tram.runtime.brokercontrol import Control
from tram.store import credentials
from tram.store.database import Connection

GATEWAY, HEALTH = "gateway", "health"
CONTROL_SOCKET = "control.sock"
PLUGIN = "mosquitto_dynamic_security.so"
PLUGIN_FOLDERS = ("usr/lib/*-linux-gnu*", "usr/lib", "usr/lib64", "usr/local/lib", "opt/homebrew/lib")
MOST_LINES = 20_000
"""Lines of the log read in one go; what is beyond waits for the next."""
CONFIGURATION = """# mosquitto for Trạm, made by `tram broker config`. Yours to change: it is not written again.
listener {port} {host}
{tls}listener 0 {folder}/control.sock
allow_anonymous false
password_file {folder}/passwd
plugin {plugin}
plugin_opt_config_file {folder}/rules.json
{user}pid_file {folder}/mosquitto.pid

# A device's PUBACK promises that its message is kept: nothing may be dropped silently.
persistence true
persistence_location {folder}/
autosave_interval 5
max_queued_messages 5000000
max_queued_bytes 0
max_inflight_messages 20000
max_packet_size 1048576

# What the worker reads to record refusals (TRAM_BROKER_LOG). `debug` is what tells of refused publishes and
# subscriptions; it writes several lines a message, so leave it out on a busy broker: then refused connections alone
# are told. Refused they are in any case.
log_dest file {folder}/mosquitto.log
# With `log_type subscribe` for SensorThings' topics with $select (TRAM_STA_MQTT=logged): who subscribes to what.
log_dest topic
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
{debug}log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


def planes(folder: Path) -> list[BrokerUser]:
    """The users of Trạm's own processes: the gateway hears everything, sends commands and tells alarms."""
    hash = _secret(folder, GATEWAY)
    write = ("tram/v1/+/command/+", "tram/v1/alarms/+", "v1.1/#")
    return [
        BrokerUser(GATEWAY, hash, write, ("#", "$SYS/#", "$share/#")),
        BrokerUser(HEALTH, hash, (), ("$SYS/broker/uptime",)),
    ]


def _secret(folder: Path, user: str) -> str:
    """The hash of a plane's password, which is made where there is none."""
    stored, password = folder / f"{user}.hash", folder / f"{user}.password"
    if not stored.exists() or not password.exists():
        secret = broker.new_password()
        write_whole(password, secret + "\n", mode=0o600)
        write_whole(stored, broker.hashed(secret) + "\n", mode=0o600)
    return stored.read_text(encoding="ascii").strip()


def control(folder: Path) -> Control:
    """The way to the rules of the broker whose files lie here. Raises UnavailableError: they are not there yet."""
    try:
        return Control(folder / CONTROL_SOCKET, (folder / "control.password").read_text(encoding="ascii").strip())
    except OSError as error:
        raise UnavailableError(f"the broker's files in {folder} cannot be read: {error.strerror}") from None


def find_plugin() -> str | None:
    """mosquitto's dynamic-security plugin, where distributions put it."""
    places = (found for pattern in PLUGIN_FOLDERS for found in sorted(Path("/").glob(f"{pattern}/{PLUGIN}")))
    return next((str(found) for found in places), None)


def configure(
    folder: Path, *, host: str, port: int, cert: str = "", key: str = "", debug: bool = True, plugin: str = "",
    find: Callable[[], str | None] = find_plugin,
) -> bool:  # fmt: skip
    """Writes mosquitto.conf where there is none; returns whether it did.

    Args:
        plugin: the dynamic-security plugin's file; where `find` finds it when left out.

    Raises:
        SettingsError: off loopback without TLS, the plugin is not there, or the folder cannot be made.
    """
    if host not in ("127.0.0.1", "::1", "localhost") and not (cert and key):
        raise SettingsError(f"the broker on {host} can be reached from other machines: give --cert and --key for TLS")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be made: {error.strerror}") from None
    file = folder / "mosquitto.conf"
    if file.exists():
        return False
    plugin = plugin or find() or ""
    if not plugin:
        raise SettingsError(f"{PLUGIN} is not here: install mosquitto 2 (Debian's has it), or give --plugin FILE")
    tls = f"certfile {cert}\nkeyfile {key}\ntls_version tlsv1.2\n" if cert else ""
    user = "user root\n" if os.geteuid() == 0 else ""
    text = CONFIGURATION.format(
        host=host,
        port=port,
        folder=folder.absolute(),
        tls=tls,
        user=user,
        plugin=plugin,
        debug="log_type debug\n" if debug else "",
    )
    write_whole(file, text, mode=0o640)
    return True


def write(conn: Connection, folder: Path, now: float) -> bool:
    """Writes passwd as the credentials are now, and tells the broker; returns whether it changed. The rules of a
    broker that has none yet are written too; from then on they are its own (see `control`).

    Raises:
        UnavailableError: the folder cannot be written.
    """
    try:
        users = wanted(conn, folder, now)
        every = [*users, BrokerUser(brokerrules.CONTROL, _secret(folder, brokerrules.CONTROL), (), ())]
        changed = _replaced(folder / "passwd", broker.passwords(every))
        if not (folder / "rules.json").exists():
            text = json.dumps(brokerrules.document(brokerrules.rules(users)))
            write_whole(folder / "rules.json", text, mode=0o600)
            changed = True
    except OSError as error:
        raise UnavailableError(f"the broker's files in {folder} cannot be written: {error.strerror}") from None
    if changed:
        tell(folder)
    return changed


def wanted(conn: Connection, folder: Path, now: float) -> list[BrokerUser]:
    """Who may be at the broker: the planes, and the devices whose credentials are in force."""
    return [*planes(folder), *credentials.in_force(conn, now)]


def tell(folder: Path) -> bool:
    """SIGHUP to the broker whose pid file lies here; returns whether there was one."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((folder / "mosquitto.pid").read_text(encoding="ascii").strip())
        if b"mosquitto" in Path(f"/proc/{pid}/cmdline").read_bytes():  # not whoever has the number now
            os.kill(pid, signal.SIGHUP)
            return True
    return False


def _replaced(file: Path, text: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        if file.read_text(encoding="utf-8") == text:
            return False
    write_whole(file, text, mode=0o600)
    return True


class LogReader:
    """Reads on in mosquitto's log from where it stopped, over rotations too. Starts at the end of what is there."""

    def __init__(self, file: Path, users: Iterable[BrokerUser] = ()) -> None:
        self.file = file
        self._reads: dict[str, tuple[str, ...]] = {}
        self.know(users)
        self._log = BrokerLog(self._may_read)
        self._inode, self._offset = self._end()

    def know(self, users: Iterable[BrokerUser]) -> None:
        """Whose topics are whose."""
        self._reads = {user.name: user.read for user in users}

    def refusals(self) -> list[Refusal]:
        """What was refused since the last call; [] while there is no log."""
        try:
            state = self.file.stat()
            if state.st_ino != self._inode or state.st_size < self._offset:
                self._inode, self._offset = state.st_ino, 0
            found = []
            with self.file.open("rb") as log:
                log.seek(self._offset)
                for _ in range(MOST_LINES):
                    line = log.readline(8192)
                    if not line.endswith(b"\n") and len(line) < 8192:
                        break  # half a line: next time
                    self._offset += len(line)
                    refusal = self._log.feed(line.decode("utf-8", "replace"))
                    if refusal is not None:
                        found.append(refusal)
            return found
        except OSError:
            return []

    def _end(self) -> tuple[int, int]:
        try:
            state = self.file.stat()
            return state.st_ino, state.st_size
        except OSError:
            return 0, 0

    def _may_read(self, user: str, wanted: str) -> bool:
        return any(covers(held, wanted) for held in self._reads.get(user, ()))
