"""Opaque secrets: what they look like, how they are stored, how a value is sealed at rest.

A secret of 256 random bits is stored as its SHA-256: nothing can be tried offline. A short one (a recovery or claim
code) is stored as an HMAC under the server's key, so that the database alone does not give it away. Values that must
come back out (a TOTP secret, a signing key) are sealed with AES-256-GCM under the server's key.
"""

import base64
import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tram.errors import SettingsError, TramError

PERSONAL = "tram_pat_"
SESSION_BYTES = 32
_NONCE = 12


def new_session_secret() -> str:
    """256 random bits for a session cookie or a state."""
    return secrets.token_urlsafe(SESSION_BYTES)


def new_personal_token() -> str:
    """A personal access token: a fixed prefix (so that scanners find a leaked one), 256 random bits, a check sum."""
    body = secrets.token_urlsafe(SESSION_BYTES)
    return f"{PERSONAL}{body}{_sum(body)}"


def is_personal_token(text: str) -> bool:
    """Whether the text has the form of a personal access token, check sum included: a typing error costs no query."""
    body = text.removeprefix(PERSONAL)
    return len(text) == len(PERSONAL) + 49 and body is not text and hmac.compare_digest(_sum(body[:-6]), body[-6:])


def _sum(body: str) -> str:
    return base64.b32encode(zlib.crc32(body.encode("utf-8", "replace")).to_bytes(4, "big")).decode()[:6].lower()


def fingerprint(secret: str) -> bytes:
    """What is stored of a 256-bit secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


class OpeningError(TramError):
    """A sealed value was made under a key that this server does not hold, or was altered."""

    code = "sealed"


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The server's keys, newest first: the first seals, all of them open. So a key is changed with overlap."""

    keys: tuple[bytes, ...]

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """From the setting `secret_key`: one or more keys of 32 bytes in base 64, newest first, with commas between.

        Raises:
            SettingsError: no key, or one that is not 32 bytes.
        """
        keys: list[bytes] = []
        for part in (p.strip() for p in text.split(",") if p.strip()):
            try:
                key = base64.urlsafe_b64decode(part.replace("+", "-").replace("/", "_") + "=" * (-len(part) % 4))
            except ValueError:
                key = b""
            if len(key) != 32:
                raise SettingsError("secret_key: each key must be 32 bytes in base 64: `openssl rand -base64 32`")
            keys.append(key)
        if not keys:
            raise SettingsError(
                "secret_key is not set: put the output of `openssl rand -base64 32` in TRAM_SECRET_KEY_FILE"
            )
        return cls(tuple(keys))

    def seal(self, value: bytes, purpose: str) -> bytes:
        """The value under the newest key, bound to its purpose (`totp:12`): it opens for no other."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(_derived(self.keys[0], "seal")).encrypt(nonce, value, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """The value again.

        Raises:
            OpeningError: no key opens it for this purpose.
        """
        for key in self.keys:
            try:
                return AESGCM(_derived(key, "seal")).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
            except (InvalidTag, ValueError):
                continue
        raise OpeningError(
            "a sealed value does not open: was secret_key changed without keeping the old one behind it?"
        )

    def mark(self, code: str, purpose: str) -> bytes:
        """What is stored of a short code, under the newest key."""
        return _mark(self.keys[0], code, purpose)

    def marks(self, code: str, purpose: str) -> list[bytes]:
        """What may have been stored of it, under each key."""
        return [_mark(key, code, purpose) for key in self.keys]


def _mark(key: bytes, code: str, purpose: str) -> bytes:
    return hmac.digest(_derived(key, "mark"), f"{purpose}\0{code}".encode(), "sha256")


def _derived(key: bytes, use: str) -> bytes:
    """One key for each use (HKDF-Expand with one block, RFC 5869: the key is uniform already)."""
    return hmac.digest(key, f"tram {use} v1".encode() + b"\x01", "sha256")
