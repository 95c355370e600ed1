"""Signed tokens and opaque secrets: everything that was ever done to a JWT is refused."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey, RSAKey

from tram.errors import SettingsError
from tram.identity import secrets, tokens
from tram.identity.tokens import Once, SigningKey, TokenError, new_key, sign, signer, verify

NOW = 1_800_000_000.0
KEY = new_key("k1", now=NOW, signs=3600, overlap=600)
OTHER = new_key("k2", now=NOW, signs=3600, overlap=600)
MORE = {"room": "c-17", "role": "doctor"}


def made(key: SigningKey = KEY, typ: str = "join+jwt", audience: str = "consult", id: str = "j1") -> str:
    return sign(key, typ=typ, issuer="tram", subject="p:1", audience=audience, id=id, now=NOW, lifetime=60, more=MORE)


def checked(token: str, now: float = NOW, keys: tuple[SigningKey, ...] = (KEY, OTHER)) -> tokens.Claims:
    return verify(token, keys, typ="join+jwt", issuer="tram", audience="consult", now=now)


def forged(header: dict[str, object], claims: object, signature: bytes = b"") -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    return ".".join([part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature)])


CLAIMS = {"iss": "tram", "sub": "p:1", "aud": "consult", "jti": "j1", "iat": NOW, "nbf": NOW, "exp": NOW + 60}


def test_a_good_token_says_what_was_signed() -> None:
    claims = checked(made())
    assert (claims.subject, claims.id, claims.more) == ("p:1", "j1", MORE)


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "HS256", "HS512", "RS256", "ES256", "EdDSA ", "Ed448", "", None, 7, ["Ed25519"]]
)
def test_another_algorithm_is_refused(alg: object) -> None:
    with pytest.raises(TokenError) as raised:
        checked(forged({"alg": alg, "kid": "k1", "typ": "join+jwt"}, CLAIMS))
    assert raised.value.code in {"algorithm", "malformed"}


@pytest.mark.parametrize("secret", ["raw", "pem", "jwk", "empty"])
def test_the_public_key_as_an_hmac_secret_is_refused(secret: str) -> None:
    public = {
        "raw": base64.urlsafe_b64decode(KEY.key.as_dict(private=False)["x"] + "="),
        "pem": KEY.key.as_pem(private=False),
        "jwk": json.dumps(KEY.key.as_dict(private=False)).encode(),
        "empty": b"",
    }[secret]
    import hashlib
    import hmac

    head = forged({"alg": "HS256", "kid": "k1", "typ": "join+jwt"}, CLAIMS).rsplit(".", 1)[0]
    token = (
        head + "." + base64.urlsafe_b64encode(hmac.digest(public, head.encode(), hashlib.sha256)).decode().rstrip("=")
    )
    with pytest.raises(TokenError) as raised:
        checked(token)
    assert raised.value.code == "algorithm"


def test_a_key_of_its_own_in_the_header_is_refused() -> None:
    mine = OKPKey.generate_key("Ed25519")
    for name, value in {
        "jwk": mine.as_dict(private=False),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example",
    }.items():
        header = {"alg": "Ed25519", "kid": "k1", "typ": "join+jwt", name: value}
        try:
            token = jws.serialize_compact(header, json.dumps(CLAIMS), mine, algorithms=["Ed25519"])
        except Exception:  # the library itself may refuse to make it
            token = forged(header, CLAIMS, b"x" * 64)
        with pytest.raises(TokenError):
            checked(token)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"aud": "live"}, "audience"),
        ({"aud": ["consult", "live"]}, "claims"),
        ({"iss": "other"}, "issuer"),
        ({"exp": NOW}, "expired"),
        ({"exp": None}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": "9999999999"}, "claims"),
        ({"exp": float("inf")}, "claims"),
        ({"exp": float("nan")}, "claims"),
        ({"nbf": NOW + 60}, "early"),
        ({"sub": 1}, "claims"),
        ({"jti": None}, "claims"),
    ],
)
def test_wrong_claims_are_refused_even_when_signed(change: dict[str, object], code: str) -> None:
    header = {"alg": "Ed25519", "kid": "k1", "typ": "join+jwt"}
    token = jws.serialize_compact(header, json.dumps({**CLAIMS, **change}), KEY.key, algorithms=["Ed25519"])
    with pytest.raises(TokenError) as raised:
        checked(token)
    assert raised.value.code == code


def test_one_sort_of_token_is_no_use_as_another() -> None:
    with pytest.raises(TokenError) as raised:
        checked(made(typ="live+jwt"))
    assert raised.value.code == "type"


def test_the_wrong_keys_signature_is_refused() -> None:
    impostor = SigningKey("k1", OTHER.key, NOW, NOW + 60, NOW + 120)
    with pytest.raises(TokenError) as raised:
        checked(made(impostor))
    assert raised.value.code == "signature"


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_is_refused(where: int, by: int) -> None:
    token = made()
    i = where % len(token)
    changed = token[:i] + chr((ord(token[i]) ^ by) & 0x7F) + token[i + 1 :]
    try:
        claims = checked(changed)
    except TokenError:
        return
    # The last letter of a base-64 part has unused bits: the same bytes, so the same statement.
    assert claims == checked(token)


@settings(max_examples=500)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_noise_is_refused_with_a_token_error(noise: str) -> None:
    with pytest.raises(TokenError):
        checked(noise)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=4), c, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_as_header_or_claims_is_refused(value: object) -> None:
    with pytest.raises(TokenError):
        checked(forged({"alg": "Ed25519", "kid": "k1", "typ": "join+jwt"}, value, b"0" * 64))
    header = value if isinstance(value, dict) else {"x": value}
    with pytest.raises(TokenError):
        checked(forged(header, CLAIMS, b"0" * 64))


def test_keys_rotate_with_overlap() -> None:
    old = new_key("old", now=NOW, signs=100, overlap=60)
    new = new_key("new", now=NOW, signs=100, overlap=60, ahead=90)
    assert signer([old, new], NOW).kid == "old"
    assert signer([old, new], NOW + 95).kid == "new"
    early = sign(
        old, typ="join+jwt", issuer="tram", subject="p:1", audience="consult", id="1", now=NOW + 99, lifetime=50
    )
    assert checked(early, NOW + 110, (old, new)).subject == "p:1"
    with pytest.raises(TokenError) as raised:
        checked(early, NOW + 160, (old, new))
    assert raised.value.code == "key"
    with pytest.raises(TokenError, match="no signing key"):
        signer([old], NOW + 100)


def test_a_token_is_good_once_and_the_memory_is_bounded() -> None:
    once, first, second, third = Once(limit=2), checked(made()), checked(made(id="j2")), checked(made(id="j3"))
    once.use(first, NOW)
    with pytest.raises(TokenError, match="used before"):
        once.use(first, NOW)
    once.use(second, NOW)
    with pytest.raises(TokenError, match="too many"):
        once.use(third, NOW)
    once.use(third, NOW + 61)


def test_a_token_never_shows_in_an_error() -> None:
    for token in (made(typ="x"), made(audience="x"), forged({"alg": "none"}, CLAIMS), "secret-stuff"):
        with pytest.raises(TokenError) as raised:
            checked(token)
        assert token not in str(raised.value)


def test_other_kinds_of_keys_do_not_verify() -> None:
    for key in (RSAKey.generate_key(2048), OctKey.generate_key(256)):
        token = jws.serialize_compact(
            {"alg": "RS256" if isinstance(key, RSAKey) else "HS256", "kid": "k1", "typ": "join+jwt"},
            json.dumps(CLAIMS),
            key,
        )
        with pytest.raises(TokenError):
            checked(token)


def test_personal_tokens_have_a_form() -> None:
    token = secrets.new_personal_token()
    assert secrets.is_personal_token(token)
    assert token.startswith("tram_pat_")
    for wrong in (
        token[:-1],
        token + "a",
        token.replace("tram_pat_", ""),
        "tram_pat_",
        "",
        token[:-1] + ("a" if token[-1] != "a" else "b"),
    ):
        assert not secrets.is_personal_token(wrong)


@given(st.binary(max_size=100), st.text(max_size=10))
def test_what_was_sealed_opens_for_its_purpose_only(value: bytes, purpose: str) -> None:
    ring, other = secrets.Keyring((b"k" * 32,)), secrets.Keyring((b"j" * 32,))
    sealed = ring.seal(value, purpose)
    assert ring.open(sealed, purpose) == value
    assert secrets.Keyring((b"n" * 32, b"k" * 32)).open(sealed, purpose) == value
    for keys, wanted in ((other, purpose), (ring, purpose + "x")):
        with pytest.raises(secrets.OpeningError):
            keys.open(sealed, wanted)


def test_marks_survive_a_change_of_key() -> None:
    old, new = secrets.Keyring((b"k" * 32,)), secrets.Keyring((b"n" * 32, b"k" * 32))
    assert old.mark("ABCDE", "recovery:1") in new.marks("ABCDE", "recovery:1")
    assert old.mark("ABCDE", "recovery:2") not in new.marks("ABCDE", "recovery:1")


@pytest.mark.parametrize("text", ["", " , ", "short", "AAAA", "!" * 44])
def test_a_wrong_server_key_is_one_line(text: str) -> None:
    with pytest.raises(SettingsError, match="secret_key"):
        secrets.Keyring.parse(text)
