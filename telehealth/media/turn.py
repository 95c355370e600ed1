"""Short-lived TURN credentials, as coturn's `use-auth-secret` checks them (draft-uberti-behave-turn-rest). Pure.

The user name carries when it ends and whom it was for; the password is its HMAC under the secret shared with coturn. A
person's credential works for one consult's length and can be told in coturn's log.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from telehealth.messages import IceServer

SECONDS = 3_600
"""How long a credential opens new relays; an existing relay goes on while it is refreshed within this."""


def credential(secret: str, person: str, now: float) -> tuple[str, str]:
    """(user name, password). The person is hashed: a relay's log names nobody."""
    label = hashlib.sha256(person.encode()).hexdigest()[:16]
    user = f"{int(now) + SECONDS}:{label}"
    # SHA-1 is what the scheme and coturn speak; as an HMAC it still stands.
    mac = hmac.new(secret.encode(), user.encode(), hashlib.sha1)
    return user, base64.b64encode(mac.digest()).decode("ascii")


def ice_servers(urls: Sequence[str], secret: str, person: str, now: float) -> list[IceServer]:
    """What a client is told; empty in a LAN that needs none."""
    stun = [url for url in urls if url.startswith("stun")]
    turn = [url for url in urls if url.startswith("turn")]
    servers = [IceServer(urls=stun)] if stun else []
    if turn and secret:
        user, word = credential(secret, person, now)
        servers.append(IceServer(urls=turn, username=user, credential=word))
    return servers
