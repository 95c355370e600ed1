"""One-time codes by time (RFC 6238 over RFC 4226: HMAC-SHA-1, six digits, 30 seconds), and recovery codes.

A code is good for its own step and one before and after (a phone's clock), and only once: the caller keeps the step
that was used and refuses it and all before it (RFC 6238 section 5.2).
"""

import base64
import hmac
import secrets
from collections.abc import Callable
from urllib.parse import quote, urlencode

STEP = 30
DIGITS = 6
DRIFT = 1
RECOVERY_CODES = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U


def new_secret() -> bytes:
    """20 random bytes (RFC 4226 recommends 160 bits)."""
    return secrets.token_bytes(20)


def code_at(secret: bytes, step: int, *, digits: int = DIGITS, digest: str = "sha1") -> str:
    """The code of one step (RFC 4226 section 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), digest)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def verify(secret: bytes, code: str, *, now: float, used: int = -1) -> int | None:
    """The step whose code this is, to be kept as `used`; None when it is wrong, or was used already.

    Args:
        secret: the shared secret.
        code: what was typed; spaces are let through.
        now: seconds since 1970.
        used: the last step that was accepted.
    """
    typed = code.replace(" ", "")
    if len(typed) != DIGITS or not typed.isascii() or not typed.isdigit():
        return None
    current = int(now) // STEP
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        # Every step is compared, so that the time taken says nothing.
        if step >= 0 and hmac.compare_digest(code_at(secret, step), typed) and step > used:
            found = step
    return found


def provisioning_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What an authenticator reads from the QR code (Google's Key URI Format)."""
    label = quote(f"{issuer}:{account}", safe="")
    encoded = base64.b32encode(secret).decode().rstrip("=")
    parameters = {"secret": encoded, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def spoken(secret: bytes) -> str:
    """The secret to type by hand: base 32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def code_word(length: int, group: int, draw: Callable[[str], str] = secrets.choice) -> str:
    """A random word of Crockford's base 32 in dashed groups: 5 bits a letter."""
    letters = "".join(draw(_ALPHABET) for _ in range(length))
    return "-".join(letters[i : i + group] for i in range(0, length, group))


def new_recovery_codes() -> list[str]:
    """Ten codes of 50 bits, each good once in place of a one-time code."""
    return [code_word(10, 5) for _ in range(RECOVERY_CODES)]


def normal_code(typed: str) -> str:
    """What was typed as the code it was meant to be: no dashes, capitals, O as 0, I and L as 1."""
    kept = "".join(c for c in typed.upper() if c.isalnum())
    return kept.translate(str.maketrans("OIL", "011"))
