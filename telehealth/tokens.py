"""Join and resume tokens: who may take which seat of which consult, signed, short-lived. Pure; docs/adr/0060.

    v1.<key id>.<base64url of the grant's JSON>.<base64url of HMAC-SHA256 over what stands before it>

A join token works once: whoever takes it marks its `jti` as used (`Used`, or the database's table). There are two
sorts. The API, which knows people, signs them with its own Ed25519 keys (tram.identity.tokens), whose public halves
this plane reads: it can check them and make none. A demo's are made by this plane itself, of the form above, as are the
resume tokens that every welcome hands out.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from telehealth.messages import Role
from tram.errors import TramError
from tram.identity import tokens as signed

MAX_TOKEN = 2_048
JOIN_SECONDS = 300.0
"""How long a join token lives at most; one that claims more is refused."""
RESUME_SECONDS = 12 * 3600.0
LEEWAY = 30.0
"""Seconds by which the maker's clock may be ahead."""
AGAIN_SECONDS = 30.0
"""How long after its use a join token's own client may say it again: its `welcome` may have been lost on the way."""


class Taken(StrEnum):
    """What became of a join token that somebody brought."""

    FIRST = "first"
    """It was new, and is used up by this."""
    AGAIN = "again"
    """The same client used it moments ago."""
    USED = "used"
    """Somebody has used it."""


class TokenError(TramError):
    """The token does not open this door; `code` is the protocol's (`token`, `token-used`)."""

    code = "token"


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token says. Times are Unix seconds; `name` and `facility` are shown to the others."""

    kind: Literal["join", "resume"]
    consult: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    role: Role
    person: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Annotated[str, msgspec.Meta(max_length=100)]
    facility: Annotated[str, msgspec.Meta(max_length=100)] = ""
    issued: float
    expires: float
    jti: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    demo: bool = False
    """True: made without asking anybody; production refuses it."""
    seat: str = ""
    generation: int = 0
    """Resume only: which of the seat's words this is; an old one is refused."""


@dataclass(frozen=True, slots=True)
class Key:
    """One signing key."""

    id: str
    secret: bytes = field(repr=False)


_decoder = msgspec.json.Decoder(Grant)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys in force: the first signs, all verify, so that a new key goes in front while old tokens run out."""

    keys: tuple[Key, ...]
    outside: Callable[[], Sequence[signed.SigningKey]] = field(default=tuple, repr=False, compare=False)
    """Public halves of the keys that the API signs join tokens with."""

    def sign(self, grant: Grant) -> str:
        """The token of a grant."""
        key = self.keys[0]
        head = f"v1.{key.id}.{_b64(_encoder.encode(grant))}"
        return f"{head}.{_b64(_mac(key, head))}"

    def verify(self, token: str, kind: Literal["join", "resume"], now: float, *, production: bool) -> Grant:
        """The grant of a token that is genuine and in force.

        Args:
            now: Unix seconds.
            production: whether demo tokens are refused.

        Raises:
            TokenError: anything else; the message never says more than the holder may know.
        """
        if len(token) > MAX_TOKEN or not token.isascii():
            raise TokenError("this token is not valid")
        if kind == "join" and not token.startswith("v1."):
            return self._signed(token, now)
        head, _, mac = token.rpartition(".")
        version, _, rest = head.partition(".")
        key_id, _, body = rest.partition(".")
        key = next((k for k in self.keys if k.id == key_id), None)
        if version != "v1" or key is None or not hmac.compare_digest(_b64(_mac(key, head)), mac):
            raise TokenError("this token is not valid")
        try:
            grant = _decoder.decode(_unb64(body))
        except (msgspec.DecodeError, ValueError, binascii.Error):
            raise TokenError("this token is not valid") from None
        if grant.kind != kind:
            raise TokenError("this token is not valid")
        if grant.demo and production:
            raise TokenError("demo tokens are refused here")
        longest = JOIN_SECONDS if kind == "join" else RESUME_SECONDS
        if grant.issued > now + LEEWAY or grant.expires - grant.issued > longest:
            raise TokenError("this token is not valid")
        if now >= grant.expires:
            raise TokenError("this token has expired: ask for a new one")
        return grant

    def _signed(self, token: str, now: float) -> Grant:
        """The grant of a join token that the API signed."""
        try:
            claims = signed.verify(
                token, self.outside(), typ=signed.JOIN, issuer=signed.ISSUER, audience=signed.CONSULT, now=now
            )
            grant = msgspec.convert(
                {
                    "kind": "join", "consult": claims.more.get("consult"), "role": claims.more.get("seat"),
                    "person": claims.subject, "name": claims.more.get("name"),
                    "facility": claims.more.get("facility"), "issued": claims.issued, "expires": claims.expires,
                    "jti": claims.id,
                },
                Grant,
            )  # fmt: skip
        except signed.TokenError as error:
            if error.code == "expired":
                raise TokenError("this token has expired: ask for a new one") from None
            raise TokenError("this token is not valid") from None
        except msgspec.ValidationError:
            raise TokenError("this token is not valid") from None
        if grant.expires - grant.issued > JOIN_SECONDS or not grant.person.startswith("p:"):
            raise TokenError("this token is not valid")
        return grant


def parse_keys(text: str) -> Keyring:
    """`id:base64,id:base64`, newest first.

    Raises:
        ValueError: says what is wrong without showing a secret.
    """
    keys: list[Key] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        key_id, colon, secret = part.partition(":")
        if not colon or not key_id.isalnum() or len(key_id) > 16:
            raise ValueError("a key is written id:base64, the id of at most 16 letters and digits")
        try:
            raw = base64.b64decode(secret, validate=True)
        except binascii.Error:
            raise ValueError(f"the secret of key {key_id} is not base64") from None
        if len(raw) < 32:
            raise ValueError(f"the secret of key {key_id} has fewer than 32 bytes")
        if any(k.id == key_id for k in keys):
            raise ValueError(f"key {key_id} stands twice")
        keys.append(Key(key_id, raw))
    if not keys:
        raise ValueError("there is no key")
    return Keyring(tuple(keys))


@dataclass(slots=True)
class Used:
    """Tokens that were used, in memory, until they expire by themselves.

    Full (`capacity` live ones): the next join is refused, since forgetting one would let it be used again.
    """

    capacity: int = 100_000
    _used: dict[str, tuple[float, float, bytes | None]] = field(default_factory=dict)
    """By jti: until when it lives, when it was used, the digest of its user's word."""

    def take(self, jti: str, expires: float, now: float, nonce: str | None = None) -> Taken:
        """Marks it as used.

        Raises:
            TokenError: with code `unavailable` when nothing more can be remembered.
        """
        word = digest(nonce)
        known = self._used.get(jti)
        if known is not None and known[0] > now:
            again = word is not None and word == known[2] and now < known[1] + AGAIN_SECONDS
            return Taken.AGAIN if again else Taken.USED
        if len(self._used) >= self.capacity:
            self._used = {j: one for j, one in self._used.items() if one[0] > now}
            if len(self._used) >= self.capacity:
                raise TokenError("too many joins at once: try again in a minute", code="unavailable")
        self._used[jti] = (expires, now, word)
        return Taken.FIRST


def digest(nonce: str | None) -> bytes | None:
    """What is kept of a client's word: it opens nothing."""
    return None if nonce is None else hashlib.sha256(nonce.encode()).digest()


def _mac(key: Key, head: str) -> bytes:
    return hmac.new(key.secret, head.encode(), hashlib.sha256).digest()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
