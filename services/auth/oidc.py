"""The identity provider: OpenID Connect 1.0, authorization code flow with PKCE (RFC 7636), by authlib.

    start -> the provider's page -> callback: code -> tokens -> verified id token -> account, roles by its claims

Only signatures with a public key count (never `none`, never an HMAC); the keys come from the provider's own JWKS, which
is read again when it names a key that is not known yet: so its keys rotate without us.
"""

import base64
import hashlib
import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tram.errors import SettingsError, TramError, UnavailableError
from tram.identity.claims import parse_mapping
from tram.identity.principal import Grant
from tram.settings import Settings

log = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519", "EdDSA"]
TIMEOUT = 5.0
METADATA_FRESH = 3600.0
KEYS_AGAIN = 5.0  # seconds between two readings of the keys, however many unknown ones are named
LEEWAY = 30.0
ATTEMPT_LASTS = 600.0
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class ProviderError(TramError):
    """The provider's answer is not let in; one line says why, and never holds a token."""

    code = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way. It travels in a sealed cookie of the browser that began it."""

    state: str
    nonce: str
    verifier: str
    after: str
    began: float
    prove: int
    """The account that proves again who it is; 0: an ordinary sign-in."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at the provider."""

    issuer: str
    subject: str
    sid: str | None
    claims: Mapping[str, Any]
    id_token: str
    authenticated: float | None


class Provider:
    """One provider. Its metadata and keys are read when they are first needed."""

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.time, transport: httpx2.BaseTransport | None = None
    ) -> None:
        """Raises SettingsError: the issuer, the client id or the mapping of roles does not fit."""
        parts = urlsplit(settings.oidc_issuer)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise SettingsError("TRAM_OIDC_ISSUER must be https://… (http:// only on this machine)")
        if not settings.oidc_client_id:
            raise SettingsError("TRAM_OIDC_CLIENT_ID is not set: the name of this system at the provider")
        self.issuer = settings.oidc_issuer
        self.mapping: dict[str, tuple[Grant, ...]] = parse_mapping(settings.oidc_roles)
        self.claim = settings.oidc_claim
        self._id, self._secret, self._scope = (
            settings.oidc_client_id, settings.oidc_client_secret or None, settings.oidc_scope,
        )  # fmt: skip
        self._clock, self._transport = clock, transport
        self._lock = threading.Lock()
        self._metadata: tuple[dict[str, Any], float] | None = None
        self._keys: tuple[KeySet, float] | None = None

    def start(self, redirect: str, after: str, *, prove: int = 0) -> tuple[str, Attempt]:
        """(where to send the browser, what to remember). Raises UnavailableError."""
        attempt = Attempt(
            secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), after, self._clock(), prove
        )
        more: dict[str, Any] = {"prompt": "login", "max_age": 0} if prove else {}
        with self._client(redirect) as client:
            url, _ = client.create_authorization_url(
                self._endpoint("authorization_endpoint"), state=attempt.state, nonce=attempt.nonce,
                code_verifier=attempt.verifier, **more,
            )  # fmt: skip
        return str(url), attempt

    def finish(self, attempt: Attempt, redirect: str, parameters: Mapping[str, str]) -> Identity:
        """Who came back. Raises ProviderError, UnavailableError."""
        if not 0 <= self._clock() - attempt.began <= ATTEMPT_LASTS:
            raise ProviderError("the sign-in took too long: start again")
        if not hmac.compare_digest(parameters.get("state", ""), attempt.state):
            raise ProviderError("this answer belongs to another sign-in: start again")
        if "iss" in parameters and parameters["iss"] != self.issuer:  # RFC 9207: mix-up of providers
            raise ProviderError("this answer is another provider's")
        if "error" in parameters or "code" not in parameters:
            raise ProviderError("the provider did not sign you in")
        try:
            with self._client(redirect) as client:
                token = client.fetch_token(
                    self._endpoint("token_endpoint"), code=parameters["code"], code_verifier=attempt.verifier
                )
                claims = self._verified(str(token.get("id_token", "")))
                self._check(claims, attempt.nonce)
                self._check_at_hash(claims, str(token.get("access_token", "")))
                info = self._userinfo(client, claims["sub"])
        except OAuthError as error:
            raise ProviderError(f"the provider refused the code ({error.error})") from None
        except httpx2.HTTPError as error:
            raise UnavailableError(f"the identity provider does not answer ({type(error).__name__})") from None
        moment = claims.get("auth_time")
        authenticated = float(moment) if isinstance(moment, int | float) and not isinstance(moment, bool) else None
        if attempt.prove and (authenticated is None or authenticated < attempt.began - LEEWAY):
            raise ProviderError("the provider did not ask you again: try again")
        sid = claims.get("sid")
        return Identity(
            self.issuer, claims["sub"], sid if isinstance(sid, str) else None, {**info, **claims},
            str(token["id_token"]), authenticated,
        )  # fmt: skip

    def signed_out(self, token: str) -> tuple[str | None, str | None]:
        """(sid, subject) of a logout token (OIDC Back-Channel Logout 1.0 section 2.6). Raises ProviderError."""
        claims = self._verified(token)
        self._check(claims, None)
        if "nonce" in claims or LOGOUT not in (claims.get("events") or {}):
            raise ProviderError("this is no logout token")
        if self._clock() - float(claims["iat"]) > 300:
            raise ProviderError("the logout token is too old")
        sid, subject = claims.get("sid"), claims.get("sub")
        sid, subject = sid if isinstance(sid, str) else None, subject if isinstance(subject, str) else None
        if sid is None and subject is None:
            raise ProviderError("the logout token names nobody")
        return sid, subject

    def end_session_url(self, hint: str | None, base: str) -> str | None:
        """Where to sign out at the provider too (RP-Initiated Logout 1.0); None: it has no such page."""
        try:
            endpoint = self._metadata_now().get("end_session_endpoint")
        except UnavailableError:
            return None
        if not isinstance(endpoint, str):
            return None
        query = {"client_id": self._id, "post_logout_redirect_uri": f"{base}/sign-in"}
        if hint:
            query["id_token_hint"] = hint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def _client(self, redirect: str) -> OAuth2Client:
        return OAuth2Client(
            self._id, self._secret, scope=self._scope, redirect_uri=redirect, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            timeout=TIMEOUT, transport=self._transport, follow_redirects=False,
        )  # fmt: skip

    def _get(self, url: str) -> dict[str, Any]:
        try:
            with httpx2.Client(timeout=TIMEOUT, transport=self._transport, follow_redirects=False) as client:
                answer = client.get(url, headers={"Accept": "application/json"})
                answer.raise_for_status()
                found = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise UnavailableError(f"the identity provider does not answer ({type(error).__name__})") from None
        if not isinstance(found, dict):
            raise UnavailableError("the identity provider answers nonsense")
        return found

    def _metadata_now(self) -> dict[str, Any]:
        with self._lock:
            now = self._clock()
            if self._metadata is None or now >= self._metadata[1]:
                found = self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != self.issuer:  # OpenID Connect Discovery section 4.3
                    raise UnavailableError("the identity provider calls itself by another name than TRAM_OIDC_ISSUER")
                self._metadata = found, now + METADATA_FRESH
            return self._metadata[0]

    def _endpoint(self, name: str) -> str:
        url = self._metadata_now().get(name)
        if not isinstance(url, str):
            raise UnavailableError(f"the identity provider has no {name}")
        return url

    def _keys_now(self, kid: object) -> KeySet:
        url = self._endpoint("jwks_uri")
        with self._lock:
            now = self._clock()
            known = self._keys is not None and any(key.kid == kid for key in self._keys[0].keys)
            if self._keys is None or (not known and now - self._keys[1] >= KEYS_AGAIN):
                try:
                    self._keys = KeySet.import_key_set(self._get(url)), now  # type: ignore[arg-type]
                except (JoseError, ValueError, KeyError, TypeError):
                    raise UnavailableError("the identity provider's keys cannot be read") from None
            return self._keys[0]

    def _verified(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature is the provider's."""
        if not token or len(token) > 32_768:
            raise ProviderError("the provider sent no id token")
        try:
            head = token.split(".")[0]
            header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
            if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
                raise ProviderError("the token is not signed with a public key")
            found = jwt.decode(token, self._keys_now(header.get("kid")), algorithms=ALGORITHMS)
        except (JoseError, ValueError, KeyError, TypeError, RecursionError):
            raise ProviderError("the token's signature is not the provider's") from None
        return dict(found.claims)

    def _check(self, claims: Mapping[str, Any], nonce: str | None) -> None:
        """OpenID Connect Core section 3.1.3.7."""
        now = self._clock()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self.issuer:
            raise ProviderError("the token is another provider's")
        if self._id not in audiences or (len(audiences) > 1 and claims.get("azp") != self._id):
            raise ProviderError("the token is for somebody else")
        for name in ("iat", "exp"):
            value = claims.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
                if name == "exp" and nonce is None and value is None:
                    continue  # older logout tokens have none
                raise ProviderError(f"the token says no {name}")
        if now - LEEWAY >= claims.get("exp", now + 1):
            raise ProviderError("the token has expired")
        if claims["iat"] > now + LEEWAY:
            raise ProviderError("the token is from the future: compare the clocks")
        if nonce is not None:
            if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
                raise ProviderError("the token says no sub")
            if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
                raise ProviderError("the token belongs to another sign-in")

    def _check_at_hash(self, claims: Mapping[str, Any], access_token: str) -> None:
        wanted = claims.get("at_hash")
        if isinstance(wanted, str) and access_token:
            for digest in (hashlib.sha256, hashlib.sha384, hashlib.sha512):
                half = digest(access_token.encode()).digest()
                if base64.urlsafe_b64encode(half[: len(half) // 2]).decode().rstrip("=") == wanted:
                    return
            raise ProviderError("the access token is not the id token's")

    def _userinfo(self, client: OAuth2Client, subject: str) -> dict[str, Any]:
        """The claims that the provider keeps out of the id token; nothing when it has no such endpoint."""
        url = self._metadata_now().get("userinfo_endpoint")
        if not isinstance(url, str):
            return {}
        answer = client.get(url)
        found = answer.json() if answer.status_code == 200 else {}
        if not isinstance(found, dict) or (found and found.get("sub") != subject):  # Core section 5.3.2
            raise ProviderError("the provider's userinfo is about somebody else")
        return found
