"""Logging: one line a record on stderr, `key=value` (logfmt), times in UTC. Never a secret, never a person's data.

    2026-01-31T07:00:00.123Z level=info process=gateway logger=gateway.mqtt msg="connected" client_id=tram-gateway

What a caller passes in `extra={…}` becomes further keys. Passwords inside URLs are blanked before anything is written.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_PLAIN = re.compile(r"[^\s\"=\\\x00-\x1f\x7f-\x9f]+")
_CONTROL = re.compile(r"[\x7f-\x9f\u2028\u2029]")  # json.dumps leaves them, a terminal or a reader may not
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*):[^\s@]+@")
_SECRET_PAIR = re.compile(r"(?i)\b(password|passwd|secret|token|authorization)(\s*[=:]\s*)(?:bearer\s+)?[^\s,;&\"']+")
LONGEST = 8192  # characters of one line; a traceback may be longer than is useful


def hide_secrets(text: str) -> str:
    """The text with passwords of URLs and values of secret-looking pairs blanked."""
    return _SECRET_PAIR.sub(r"\1\2***", _URL_PASSWORD.sub(r"\1:***@", text))


class LineFormatter(logging.Formatter):
    """A record as one line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """See the module's docstring; an exception's traceback follows in `error`, its line ends escaped."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        pairs: dict[str, object] = {
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        pairs |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            pairs["error"] = self.formatException(record.exc_info)
        line = " ".join([moment, *(f"{key}={_value(value)}" for key, value in pairs.items())])
        return line if len(line) <= LONGEST else line[:LONGEST] + "…"


def _value(value: object) -> str:
    text = hide_secrets(str(value)[:LONGEST])
    if _PLAIN.fullmatch(text):
        return text
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def setup_logging(process: str, level: str = "info") -> None:
    """Makes stderr the one place of this process's log.

    Args:
        process: name shown in every line.
        level: debug, info, warning or error (the setting log_level).
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    for noisy in ("uvicorn.access", "httpx", "asyncio"):  # a line a request is the metrics' work
        logging.getLogger(noisy).setLevel(max(LEVELS[level], logging.WARNING))
    logging.captureWarnings(True)
