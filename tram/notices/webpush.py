"""Web Push: encryption of the message (RFC 8291, aes128gcm of RFC 8188) and who sends it (VAPID, RFC 8292).

Written here on `cryptography` and `joserfc`, which are there anyway: docs/adr/0129-web-push.md.
"""

import base64
import secrets
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.jwk import ECKey

from tram.errors import TramError

RECORD = 4096
LONGEST = 3000
"""Most bytes of a message: push services take records of 4096 bytes at least (RFC 8030, 7.2)."""
_CURVE = ec.SECP256R1()


class PushError(TramError):
    """A subscription's keys are none."""

    code = "push"


def new_key() -> bytes:
    """A VAPID key: PKCS 8, DER."""
    return ec.generate_private_key(_CURVE).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_key(key: bytes) -> str:
    """What a browser subscribes with (applicationServerKey): the uncompressed point, base64url."""
    return _encoded(_point(_private(key).public_key()))


def check_subscription(p256dh: str, auth: str) -> None:
    """Raises PushError when these are no keys of a subscription."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, _decoded(p256dh))
        good = len(_decoded(auth)) == 16
    except ValueError:
        good = False
    if not good:
        raise PushError("the keys of this subscription are not those of a browser (p256dh, auth)")


def encrypt(body: bytes, p256dh: str, auth: str) -> bytes:
    """The request's body, readable by this subscription alone. Raises PushError; ValueError beyond LONGEST bytes."""
    if len(body) > LONGEST:
        raise ValueError(f"a push message has at most {LONGEST} bytes")
    check_subscription(p256dh, auth)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, _decoded(p256dh))
    ours = ec.generate_private_key(_CURVE)
    public = _point(ours.public_key())
    shared = ours.exchange(ec.ECDH(), theirs)
    material = _hkdf(_decoded(auth), b"WebPush: info\x00" + _point(theirs) + public, 32, shared)
    salt = secrets.token_bytes(16)
    key = _hkdf(salt, b"Content-Encoding: aes128gcm\x00", 16, material)
    nonce = _hkdf(salt, b"Content-Encoding: nonce\x00", 12, material)
    sealed = AESGCM(key).encrypt(nonce, body + b"\x02", None)  # 2: the last record
    return salt + RECORD.to_bytes(4, "big") + bytes([len(public)]) + public + sealed


def authorization(endpoint: str, key: bytes, contact: str, now: float) -> str:
    """The Authorization header for a push service. `contact`: mailto:… or https://…"""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now) + 12 * 3600, "sub": contact}
    pem = _private(key).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(pem))
    return f"vapid t={token}, k={public_key(key)}"


def _private(key: bytes) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_der_private_key(key, None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return loaded


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _hkdf(salt: bytes, info: bytes, length: int, material: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
