"""No secret in any log or error answer: a check over all that the suite produces, at the end of every test process.

    secrets   registered where they are made (the functions that make them are watched) and found in key files
    told      what processes log (ours, and their children's), and every error answer over HTTP and WebSocket

When the session ends each process looks for its own secrets in what it was told; one found fails the run, whatever the
tests said. The hooks are tests/secrecy_plugin.py; tests/house/test_secrecy.py shows that it can fail.
"""

import functools
import inspect
import logging
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import httpx

from tram.identity import broker, passwords, secrets, tokens, totp

SHORTEST = 12
"""Characters; what is shorter stands in texts by chance."""
_GRAM = 10
_RUN = re.compile(rf"[A-Za-z0-9_\-+/=.~$]{{{_GRAM},}}")
MOST = 256_000_000
"""Characters kept; more fails the run, so that nothing goes unread."""
LOGGERS = ("tram", "services", "telehealth", "gateway", "devices", "uvicorn")
SETTINGS = re.compile(r"TRAM_.*(KEYS?|SECRET|PASSWORD|_URL)$")
KEY_FILES = ("secret-key", "telehealth_keys", "*.password")
LOG_FILES = ("*.log", "log", "*.err")


class Watch:
    """One process's secrets and what it was told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.secrets: dict[str, str] = {}
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.size = 0
        self.folders: list[Path] = []

    def register(self, secret: object, sort: str) -> None:
        """From now on it must stand nowhere. A sequence is registered one by one; what is short is left out."""
        if isinstance(secret, list | tuple):
            for one in secret:
                self.register(one, sort)
        elif isinstance(secret, str) and len(secret) >= SHORTEST:
            with self._lock:
                self.secrets[secret] = sort

    def tell(self, where: str, text: str) -> None:
        """Something was logged or answered."""
        line = f"{where}\t{text}\n"
        with self._lock:
            if not self._file.closed:
                self.size += len(line)
                self._file.write(line)

    def lines(self) -> Iterator[str]:
        """All that was told, and the log files that lie in the folders."""
        self._file.flush()
        self._file.seek(0)
        yield from self._file
        for file in self._files(LOG_FILES):
            with file.open(encoding="utf-8", errors="replace") as log:
                for line in log:
                    yield f"{file.name}\t{line}"

    def key_files(self) -> None:
        """Registers what stands in the key files of the folders."""
        for file in self._files(KEY_FILES):
            for line in file.read_text(encoding="utf-8", errors="replace").split():
                self.register(line.rpartition(":")[2], file.name)

    def _files(self, names: Iterable[str]) -> Iterator[Path]:
        for folder in self.folders:
            for name in names:
                yield from (file for file in folder.rglob(name) if file.is_file() and not file.is_symlink())

    def found(self) -> list[str]:
        """One line for each secret that was told: its sort and where, never the secret."""
        self.key_files()
        if self.size > MOST:
            return [f"more than {MOST} characters were told: they were not searched"]
        return search(self.secrets, self.lines())

    def close(self) -> None:
        """Forgets everything."""
        self._file.close()


def search(secrets: Mapping[str, str], lines: Iterable[str]) -> list[str]:
    """Which sorts of secrets stand in which lines; the secret itself is blanked."""
    words = {s: sort for s, sort in secrets.items() if not _RUN.fullmatch(s)}
    starts: dict[str, list[str]] = {}
    for secret in secrets.keys() - words.keys():
        starts.setdefault(secret[:_GRAM], []).append(secret)
    found: dict[tuple[str, str], str] = {}

    def note(secret: str, line: str) -> None:
        where = line.split("\t", 1)[0]
        found.setdefault((secrets[secret], where), line.replace(secret, "***").strip()[:400])

    for line in lines:
        for run in _RUN.findall(line):
            for at in range(len(run) - _GRAM + 1):
                for secret in starts.get(run[at : at + _GRAM], ()):
                    if run.startswith(secret, at):
                        note(secret, line)
        for secret in words:
            if secret in line:
                note(secret, line)
    return [f"a secret ({sort}) stands in {where}: {line}" for (sort, where), line in sorted(found.items())]


WATCH = Watch()


def environment(variables: Mapping[str, str]) -> None:
    """Registers the secrets of a child process's settings."""
    for name, value in variables.items():
        if SETTINGS.fullmatch(name):
            secret = urlsplit(value).password or "" if name.endswith("_URL") else value.rpartition(":")[2]
            WATCH.register(secret, name)


def _watched(module: Any, name: str, take: Callable[[Any], Any] = lambda made: made) -> None:
    """What this function makes is a secret."""
    make = getattr(module, name)
    assert not inspect.iscoroutinefunction(make)

    @functools.wraps(make)
    def watching(*args: Any, **more: Any) -> Any:
        made = make(*args, **more)
        WATCH.register(take(made), f"{module.__name__.rpartition('.')[2]}.{name}")
        return made

    setattr(module, name, watching)


# Before any module takes one of them by its name: this module is the first that tests/conftest.py imports.
_watched(secrets, "new_session_secret")
_watched(secrets, "new_personal_token")
_watched(broker, "new_password")
_watched(passwords, "new_password")
_watched(totp, "new_recovery_codes")
_watched(totp, "spoken")
_watched(tokens, "sign")


class Handler(logging.Handler):
    """Takes what our own loggers write, as the processes would write it."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in LOGGERS and record.name != "uvicorn.access":  # our processes write none
            WATCH.tell(f"log of {record.name}", self.format(record))


_send = httpx.Client.send


def sending(self: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
    """httpx.Client.send, which tells what is answered to errors."""
    answer = _send(self, request, **more)
    if answer.status_code >= 400 and not more.get("stream") and answer.is_closed:
        told(request.method, request.url.path, answer.status_code, answer.text)
    return answer


def told(method: str, path: str, status: int, text: str) -> None:
    """An error answer. What whoever asked wrote into the path they may read again."""
    for part in unquote(path).split("/"):
        if len(part) >= SHORTEST:
            text = text.replace(part, "…")
    path = "/".join("…" if len(part) >= SHORTEST and part in WATCH.secrets else part for part in path.split("/"))
    WATCH.tell(f"{status} of {method} {path.split('?')[0][:60]}", text)
