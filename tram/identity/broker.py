"""What mosquitto checks of who connects: its password file, made from the devices' credentials.

Each credential is one user of the broker: `thing` for the first, `thing~2`, `thing~3` … for the next ones, so that
two are good at once while a device changes from one to the other. What each may publish and read is
tram.identity.brokerrules'. The planes' own users are listed the same way.

Passwords are hashed the way mosquitto 2 does itself (mosquitto_passwd: `$7$iterations$salt$hash`, PBKDF2 with
HMAC-SHA-512, base 64), so that the broker and Trạm check one and the same secret.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from tram.errors import TramError

ITERATIONS = 20_000
"""PBKDF2 rounds. The secrets are 160 random bits, never words: the rounds need not slow down guessing, and mosquitto
spends them at every connection (20,000 take about 10 ms), which a storm of reconnects multiplies."""
PLANES = frozenset({"gateway", "health", "control"})
"""Users of Trạm's own processes: no device can have their names."""
_SALT, _HASH = 12, 64
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}(~[0-9]{1,6})?")


class CredentialError(TramError):
    """A name that cannot be a device's, or a hash that is none."""

    code = "credential"


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """One line of the password file and its topics.

    Attributes:
        name: the MQTT user name.
        hash: of its password.
        write, read: topic filters it may publish to and subscribe to.
    """

    name: str
    hash: str
    write: tuple[str, ...]
    read: tuple[str, ...]


def new_password() -> str:
    """160 random bits."""
    return secrets.token_urlsafe(20)


def hashed(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """The line mosquitto stores of a password."""
    salt = secrets.token_bytes(_SALT) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def fits(password: str, stored: str) -> bool:
    """Whether the password is the one that was stored.

    Raises:
        CredentialError: what is stored is no hash.
    """
    try:
        _, sort, rounds, salt, digest = stored.split("$")
        iterations = int(rounds)
        if sort != "7" or not 1 <= iterations <= 10_000_000:
            raise ValueError(stored)
        wanted = base64.b64decode(digest, validate=True)
        made = hashlib.pbkdf2_hmac(
            "sha512", password.encode(), base64.b64decode(salt, validate=True), iterations, _HASH
        )
    except (ValueError, binascii.Error):
        raise CredentialError("the stored device credential is damaged") from None
    return hmac.compare_digest(made, wanted)


def check_name(thing: str) -> str:
    """The thing's name, if it can stand in a topic and in the broker's files.

    Raises:
        CredentialError: it holds a wildcard, a slash, a colon, a space, `~` or a control character, or is a plane's.
    """
    if thing in PLANES:
        raise CredentialError(f"{thing} is the name of one of the system's own users at the broker")
    if not _USER.fullmatch(thing) or "~" in thing:
        raise CredentialError(f"{thing[:60]!r} cannot be a device's user name: letters, digits, . _ @ - only")
    return thing


def user_of(thing: str, number: int) -> str:
    """The user name of a thing's credential: the first has the thing's own name."""
    return check_name(thing) if number == 1 else f"{check_name(thing)}~{number}"


def thing_of(user: str) -> str:
    """The thing a user name belongs to."""
    return user.split("~", 1)[0]


def device(thing: str, number: int, hash: str, more: Iterable[str] = ()) -> BrokerUser:
    """A device's user: it publishes under its own topics, and reads the commands sent to it. Nothing else.

    Args:
        thing: its name.
        number: of the credential.
        hash: of its password.
        more: topic filters of a foreign convention that are this device's own as well (`application/7/device/aa/#`).
    """
    root = f"tram/v1/{thing}"
    write = (f"{root}/telemetry", f"{root}/state", f"{root}/event", f"{root}/response/+", *more)
    return BrokerUser(user_of(thing, number), hash, write, (f"{root}/command/+",))


def is_user(name: str) -> bool:
    """Whether it can be the name of a user of the broker."""
    return _USER.fullmatch(name) is not None


def passwords(users: Iterable[BrokerUser]) -> str:
    """The password file."""
    return "".join(f"{user.name}:{user.hash}\n" for user in users)
