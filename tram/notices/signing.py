"""Signing webhooks as Standard Webhooks does (standardwebhooks.com, 1.0): HMAC-SHA256 over id, time and body."""

import base64
import hmac
import secrets

TOLERANCE = 300
"""Seconds that a receiver should let a message's time be off."""


def new_secret() -> bytes:
    """192 random bits or more; `whsec_` and base 64 of it is what people copy."""
    return secrets.token_bytes(32)


def shown(secret: bytes) -> str:
    """The secret as it is given to whoever receives."""
    return "whsec_" + base64.b64encode(secret).decode()


def headers(secret: bytes, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a request: webhook-id (the same at every try), webhook-timestamp, webhook-signature."""
    return {
        "webhook-id": id, "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{_signature(secret, id, timestamp, body)}",
    }  # fmt: skip


def verify(secret: bytes, id: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """What a receiver does; for tests and examples."""
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE:
        return False
    expected = f"v1,{_signature(secret, id, int(timestamp), body)}"
    return any(hmac.compare_digest(expected, one) for one in signature.split(" "))


def _signature(secret: bytes, id: str, timestamp: int, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, f"{id}.{timestamp}.".encode() + body, "sha256")).decode()
