"""TCP ports of this machine: a free one, and whether one is taken."""

import contextlib
import errno
import random
import socket
from pathlib import Path

from tram.errors import SettingsError

_BELOW_EPHEMERAL = range(20_000, 32_768)
"""Ports that no outgoing connection is given (Linux: /proc/sys/net/ipv4/ip_local_port_range begins at 32768)."""
_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free now, and that this process was not given before. Raises OSError: none was found.

    Another process may still take it before it is used; no outgoing connection does, as it would with port 0.
    """
    for port in random.SystemRandom().sample(_BELOW_EPHEMERAL, 200):
        if port not in _given:
            with contextlib.suppress(OSError), socket.create_server((host, port)):
                _given.add(port)
                return port
    raise OSError(errno.EADDRINUSE, f"no free port on {host} between 20000 and 32767")


def require_free(host: str, port: int, setting: str) -> None:
    """Raises SettingsError, naming the setting, when the port cannot be listened on."""
    try:
        # create_server sets SO_REUSEADDR, so connections still in TIME_WAIT do not count.
        with socket.create_server((host, port)):
            return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} on {host} is taken: stop what uses it, or set {setting} (0 takes a free one)"
            ) from None
        raise SettingsError(f"{host}:{port} cannot be listened on ({error.strerror}): set {setting}") from None


def listens_on_loopback(port: int) -> bool:
    """Whether something listens on 127.0.0.1 at the port, without connecting to it (proc(5): /proc/net/tcp)."""
    wanted = f"0100007F:{port:04X}"
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if local == wanted and state == "0A":  # TCP_LISTEN
            return True
    return False


def accepts(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False
