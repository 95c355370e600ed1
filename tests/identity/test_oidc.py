"""Answers of an OpenID Connect provider that lies in every way there is: refused. A real one: test_oidc_browser.py."""

import base64
import hmac
import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from services.auth.oidc import LOGOUT, Attempt, Provider, ProviderError
from tram.errors import SettingsError, UnavailableError
from tram.settings import Settings

MAPPING = "truc-ban = operator:area=05860; lanh-dao = city-admin"

KEY, WRONG = RSAKey.generate_key(2048, {"kid": "k1"}), RSAKey.generate_key(2048, {"kid": "k1"})
ISSUER = "http://localhost:9"
NOW = 1_800_000_000.0


class Liar:
    """Answers as the provider, with the tokens it is told to give."""

    def __init__(self) -> None:
        self.token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.keys: Any = KeySet([KEY]).as_dict(private=False)
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t",
            "jwks_uri": f"{ISSUER}/k", "userinfo_endpoint": f"{ISSUER}/u",
        }  # fmt: skip
        self.asked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.asked.append(path)
        if path.endswith("openid-configuration"):
            return httpx2.Response(200, json=self.metadata)
        if path == "/k":
            return httpx2.Response(200, json=self.keys)
        if path == "/t":
            assert b"code_verifier=" in request.content, "PKCE"
            return httpx2.Response(200, json=self.token)
        return httpx2.Response(200, json=self.userinfo or {"sub": "lan"})


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
def provider(liar: Liar) -> Provider:
    settings = Settings(oidc_issuer=ISSUER, oidc_client_id="tram", oidc_roles=MAPPING)
    return Provider(settings, clock=lambda: NOW, transport=httpx2.MockTransport(liar))


ATTEMPT = Attempt("state", "nonce", "v" * 64, "/", NOW, 0)
GOOD = {"iss": ISSUER, "aud": "tram", "sub": "lan", "nonce": "nonce", "iat": NOW, "exp": NOW + 60, "sid": "s1"}


def token(claims: dict[str, Any], key: Any = KEY, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": "k1", **header}, claims, key, algorithms=[alg])


def finish(provider: Provider, liar: Liar, id_token: str, **parameters: str) -> Any:
    liar.token = {"access_token": "at", "token_type": "Bearer", "id_token": id_token}
    return provider.finish(ATTEMPT, "http://x/cb", {"state": "state", "code": "c", **parameters})


def test_a_true_answer_is_let_in(provider: Provider, liar: Liar) -> None:
    found = finish(provider, liar, token(GOOD), iss=ISSUER)
    assert (found.subject, found.sid) == ("lan", "s1")


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"aud": "other"}, {"aud": ["tram", "other"]}, {"aud": ["tram", "other"], "azp": "other"}, {"aud": None},
    {"iss": "http://evil"}, {"nonce": "other"}, {"nonce": None}, {"exp": NOW - 60}, {"exp": None}, {"exp": "soon"},
    {"exp": True}, {"iat": NOW + 600}, {"iat": None}, {"sub": ""}, {"sub": None}, {"sub": 5}, {"sub": "x" * 300},
    {"at_hash": "AAAA"},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG_CLAIMS)
def test_a_wrong_id_token_is_refused(provider: Provider, liar: Liar, change: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        finish(provider, liar, token({**GOOD, **change}))


def unsigned(alg: str) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': alg, 'kid': 'k1'})}.{part(GOOD)}."


def confused() -> str:
    """An HMAC whose secret is the provider's public key (RFC 8725 section 2.1)."""
    head = unsigned("HS256").rsplit(".", 1)[0]
    mac = hmac.digest(KEY.as_pem(private=False), head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_forged_id_token_is_refused(provider: Provider, liar: Liar) -> None:
    forged = [
        token(GOOD, WRONG), unsigned("none"), unsigned("None"), unsigned("RS256"), "", "a.b.c", "a" * 40_000,
        confused(), token(GOOD, KEY) + "x", token(GOOD, kid="unknown"),
    ]  # fmt: skip
    for one in forged:
        with pytest.raises(ProviderError):
            finish(provider, liar, one)


def test_a_wrong_answer_is_refused(provider: Provider, liar: Liar) -> None:
    good = token(GOOD)
    for parameters in ({"state": "other"}, {"state": ""}, {"iss": "http://evil"}, {"error": "access_denied"}):
        with pytest.raises(ProviderError):
            finish(provider, liar, good, **parameters)
    liar.userinfo = {"sub": "somebody-else", "groups": ["lanh-dao"]}
    with pytest.raises(ProviderError, match="somebody else"):
        finish(provider, liar, good)
    old = replace(ATTEMPT, began=NOW - 3600)
    with pytest.raises(ProviderError, match="too long"):
        provider.finish(old, "http://x/cb", {"state": "state", "code": "c"})
    again = replace(ATTEMPT, prove=7)
    liar.userinfo = None
    with pytest.raises(ProviderError, match="ask you again"):
        provider.finish(again, "http://x/cb", {"state": "state", "code": "c"})


def test_unknown_keys_are_not_asked_for_without_end(provider: Provider, liar: Liar) -> None:
    for i in range(20):
        with pytest.raises(ProviderError):
            finish(provider, liar, token(GOOD, kid=f"unknown-{i}"))
    assert liar.asked.count("/k") == 1


def test_a_provider_by_another_name_or_with_nonsense_is_away(provider: Provider, liar: Liar) -> None:
    liar.metadata["issuer"] = "http://evil"
    with pytest.raises(UnavailableError):
        provider.start("http://x/cb", "/")
    liar.metadata = {"issuer": ISSUER}
    with pytest.raises(UnavailableError):
        provider.start("http://x/cb", "/")


def test_a_logout_token_is_checked(provider: Provider) -> None:
    event = {
        "iss": ISSUER,
        "aud": "tram",
        "sub": "lan",
        "sid": "s1",
        "iat": NOW,
        "exp": NOW + 60,
        "events": {LOGOUT: {}},
    }
    assert provider.signed_out(token(event)) == ("s1", "lan")
    wrong = [
        {"nonce": "x"},
        {"events": {}},
        {"aud": "other"},
        {"iat": NOW - 3600},
        {"sub": None, "sid": None},
        {"exp": NOW - 60},
    ]
    for change in wrong:
        with pytest.raises(ProviderError):
            provider.signed_out(token({**event, **change}))
    with pytest.raises(ProviderError):
        provider.signed_out(token(event, WRONG))


@pytest.mark.parametrize(
    "settings",
    [
        {"oidc_issuer": "http://idp.example"},
        {"oidc_issuer": "ftp://x"},
        {"oidc_client_id": ""},
        {"oidc_roles": "x=king"},
    ],
)
def test_a_wrong_setting_is_said(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^[^\n]+$"):
        Provider(Settings(**{"oidc_issuer": ISSUER, "oidc_client_id": "tram", **settings}))  # type: ignore[arg-type]
