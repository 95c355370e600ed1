"""Signed tokens: short-lived statements one part of Trạm hands to another (a place in a consult, a live socket).

A compact JWS (RFC 7515) with the claims of RFC 7519, signed with Ed25519 and nothing else: `alg` is fixed by the key
that `kid` names, never read from the token (RFC 8725 sections 2.1, 3.1). `typ` says what the token is for, so that one
sort is no use as another (section 3.11). Sessions and personal tokens are opaque and not here.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from tram.errors import TramError

LONGEST = 4096
LEEWAY = 5.0
JOIN, ISSUER, CONSULT = "join+jwt", "tram", "consult"
"""`typ`, issuer and audience of a token that opens a consult's room."""
ALGORITHM = "Ed25519"  # RFC 9864's name: what "EdDSA" meant, with the curve said
_KNOWN = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})


class TokenError(TramError):
    """A token that is not let in. `code` says which check failed; the message never holds the token."""

    code = "token"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Times in seconds since 1970."""

    issuer: str
    subject: str
    audience: str
    issued: float
    expires: float
    id: str
    more: Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """One key pair and when it may be used. Times in seconds since 1970.

    Attributes:
        kid: its name in token headers.
        key: the pair, or the public half alone for who only verifies.
        signs_from, signs_until: when it signs.
        verifies_until: until when what it signed is still let in; later than `signs_until`: the overlap.
    """

    kid: str
    key: OKPKey
    signs_from: float
    signs_until: float
    verifies_until: float


def new_key(kid: str, *, now: float, signs: float, overlap: float, ahead: float = 0.0) -> SigningKey:
    """A new Ed25519 pair that signs for `signs` seconds from `now + ahead`, and verifies `overlap` seconds longer."""
    start = now + ahead
    return SigningKey(kid, OKPKey.generate_key("Ed25519"), start, start + signs, start + signs + overlap)


def signer(keys: Iterable[SigningKey], now: float) -> SigningKey:
    """The newest key that signs now.

    Raises:
        TokenError: there is none (the worker makes the next one ahead of time).
    """
    able = [k for k in keys if k.signs_from <= now < k.signs_until and k.key.is_private]
    if not able:
        raise TokenError("no signing key is in force: is the worker running?", code="no-key")
    return max(able, key=lambda k: k.signs_from)


def sign(
    key: SigningKey, *, typ: str, issuer: str, subject: str, audience: str, id: str, now: float, lifetime: float,
    more: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """A signed token that says `more` of the subject to the audience, for `lifetime` seconds."""
    claims = {
        **(more or {}), "iss": issuer, "sub": subject, "aud": audience, "jti": id,
        "iat": now, "nbf": now, "exp": now + lifetime,
    }  # fmt: skip
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": typ}
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return jws.serialize_compact(header, payload, key.key, algorithms=[ALGORITHM])


def verify(token: str, keys: Iterable[SigningKey], *, typ: str, issuer: str, audience: str, now: float) -> Claims:
    """Checks all of a token: form, key, signature, sort, issuer, audience, times.

    Raises:
        TokenError: any check failed; `code` is malformed, algorithm, key, signature, type, issuer, audience, expired,
            early or claims.
    """
    if len(token) > LONGEST:
        raise TokenError("the token is too long", code="malformed")
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TokenError("the token is malformed", code="malformed") from None
    if header.get("alg") != ALGORITHM:
        raise TokenError("the token is not signed with Ed25519", code="algorithm")
    if header.get("typ") != typ:
        raise TokenError(f"the token is not of the sort {typ}", code="type")
    if "crit" in header or "b64" in header or "jwk" in header or "jku" in header or "x5u" in header or "x5c" in header:
        raise TokenError("the token's header asks for what is not done here", code="malformed")
    key = next((k for k in keys if k.kid == header.get("kid") and now < k.verifies_until), None)
    if key is None:
        raise TokenError("the token's key is unknown or was retired", code="key")
    try:
        payload = jws.deserialize_compact(token.encode("ascii"), key.key, algorithms=[ALGORITHM]).payload
    except (JoseError, ValueError, KeyError, TypeError):
        raise TokenError("the token's signature does not fit", code="signature") from None
    return _checked(payload, issuer, audience, now)


def _checked(payload: bytes, issuer: str, audience: str, now: float) -> Claims:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise TokenError("the token holds no claims", code="claims") from None
    if not isinstance(claims, dict):
        raise TokenError("the token holds no claims", code="claims")
    for name in ("iss", "sub", "aud", "jti"):
        if not isinstance(claims.get(name), str):
            raise TokenError(f"the token says no {name}", code="claims")
    for name in ("exp", "nbf", "iat"):
        # bool is an int, and NaN compares false with everything: both would slip through the comparisons below.
        value = claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
            raise TokenError(f"the token says no {name}", code="claims")
    if claims["iss"] != issuer:
        raise TokenError("the token is another issuer's", code="issuer")
    if claims["aud"] != audience:
        raise TokenError("the token is for another audience", code="audience")
    if now >= claims["exp"]:
        raise TokenError("the token has expired", code="expired")
    if now + LEEWAY < claims["nbf"]:
        raise TokenError("the token is not good yet", code="early")
    more = {name: value for name, value in claims.items() if name not in _KNOWN}
    return Claims(
        claims["iss"], claims["sub"], claims["aud"], float(claims["iat"]), float(claims["exp"]), claims["jti"], more
    )


class Once:
    """Which token ids were used, so that none is used twice. Bounded: when full, new ids are refused."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._until: OrderedDict[str, float] = OrderedDict()

    def use(self, claims: Claims, now: float) -> None:
        """Marks the token's id as used.

        Raises:
            TokenError: it was used before (`replayed`), or too many are remembered (`full`).
        """
        if len(self._until) >= self._limit:
            for id in [id for id, until in self._until.items() if until <= now]:
                del self._until[id]
        if claims.id in self._until:
            raise TokenError("the token was used before", code="replayed")
        if len(self._until) >= self._limit:
            raise TokenError("too many tokens are in use; try again in a minute", code="full")
        self._until[claims.id] = claims.expires
