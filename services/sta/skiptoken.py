"""What stands in $skiptoken: the sort key of the last row of a page, and a check that it belongs to this very query."""

import base64
import binascii
import zlib
from collections.abc import Sequence

import msgspec

from tram.errors import TramError

_SAFE = bytes.maketrans(b"+/", b"-_")
Key = list[str | None]


def encode(shape: str, key: Sequence[str | None]) -> str:
    """An opaque text for the key of a row; `shape` says of which query."""
    text = msgspec.json.encode(key)
    raw = b'["%b",%b' % (_check(shape, text), text[1:])
    return binascii.b2a_base64(raw, newline=False).translate(_SAFE, b"=").decode()


def decode(shape: str, token: str, length: int) -> Key:
    """The key. Raises TramError when it was not made by `encode` for this query."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        check, *key = msgspec.json.decode(raw, type=list[str | None])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise TramError("$skiptoken is not one that this server gave out", code="cursor") from None
    if len(key) != length or check != _check(shape, msgspec.json.encode(key)).decode():
        raise TramError("$skiptoken belongs to another query", code="cursor")
    return key


def _check(shape: str, key: bytes) -> bytes:
    # Against mistakes, not against attackers: a key only says where to go on in what the caller may see anyway. A
    # page of 5,000 Datastreams has 5,000 of them, and a cryptographic hash was half of their cost.
    return b"%08x" % zlib.crc32(key, zlib.crc32(shape.encode()))
