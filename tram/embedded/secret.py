"""The server's key: from the setting, or, in a demo, made once and kept beside the embedded parts."""

import base64
import os
import secrets
from pathlib import Path

from tram.errors import SettingsError
from tram.identity.secrets import Keyring
from tram.settings import Settings

FILE = "secret-key"


def keyring(settings: Settings) -> Keyring:
    """The keys that seal secrets at rest.

    Raises:
        SettingsError: production without TRAM_SECRET_KEY, or a key that does not fit.
    """
    if settings.secret_key:
        return Keyring.parse(settings.secret_key)
    if settings.environment == "production":
        raise SettingsError(
            "production needs TRAM_SECRET_KEY_FILE: a file with the output of `openssl rand -base64 32`"
        )
    return Keyring.parse(_made(settings.home / FILE))


def _made(file: Path) -> str:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # O_EXCL: of several that start at once one makes it, and the others read it.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii")
    except OSError as error:
        raise SettingsError(f"{file} cannot be made: {error.strerror}; set TRAM_SECRET_KEY_FILE") from None
    with os.fdopen(handle, "w", encoding="ascii") as made:
        text = base64.b64encode(secrets.token_bytes(32)).decode() + "\n"
        made.write(text)
    return text
