"""The keys that sign short-lived tokens: made ahead of time, overlapping, their private halves sealed. Nothing commits.

A key signs for a week and verifies for an hour longer than the longest token lives. The next one is made a day before
it is needed, so that every process has read it by then.
"""

import json
import secrets

from joserfc.jwk import OKPKey

from tram.identity.secrets import Keyring
from tram.identity.tokens import SigningKey, new_key
from tram.store import sqlfile
from tram.store.database import Connection, available

SIGNS = 7 * 86_400.0
OVERLAP = 13 * 3600.0
AHEAD = 86_400.0


def load(conn: Connection, ring: Keyring | None, now: float) -> list[SigningKey]:
    """The keys that verify now. Without the server's keyring: public halves only."""
    with available():
        rows = conn.execute(sqlfile.load("credentials")["keys"], {"now": now}).fetchall()
    found = []
    for kid, public, private, signs_from, signs_until, verifies_until in rows:
        jwk = public
        if ring is not None and private is not None:
            jwk = json.loads(ring.open(bytes(private), f"signing-key:{kid}"))
        found.append(SigningKey(kid, OKPKey.import_key(jwk), signs_from, signs_until, verifies_until))
    return found


def rotate(conn: Connection, ring: Keyring, now: float, *, signs: float = SIGNS, overlap: float = OVERLAP) -> bool:
    """Makes the next key when the newest one is about to stop signing, forgets old ones; returns whether one was made.

    The worker calls it every few minutes; `tram keys rotate` calls it after `stop`.
    """
    queries = sqlfile.load("credentials")
    with available():
        conn.execute(queries["key_lock"])  # two workers make one key
        conn.execute(queries["key_retire"], {"now": now})
        conn.execute(queries["key_drop"], {"now": now})
        rows = conn.execute(queries["keys"], {"now": now}).fetchall()
        last = max((row[4] for row in rows if row[2] is not None), default=0.0)
        if last - now > AHEAD:
            return False
        # It takes over a little before the last one ends; the very first one signs at once.
        ahead = max(0.0, last - now - 60.0)
        key = new_key(f"{int(now):x}{secrets.token_hex(3)}", now=now, signs=signs, overlap=overlap, ahead=ahead)
        private = json.dumps(key.key.as_dict(private=True)).encode()
        values = {
            "kid": key.kid, "public": json.dumps(key.key.as_dict(private=False)),
            "private": ring.seal(private, f"signing-key:{key.kid}"), "signs_from": key.signs_from,
            "signs_until": key.signs_until, "verifies_until": key.verifies_until,
        }  # fmt: skip
        conn.execute(queries["key_add"], values)
    return True


def stop(conn: Connection, now: float) -> int:
    """After a leak: no key verifies any more, all tokens are void at once. Returns how many were stopped."""
    with available():
        return conn.execute(sqlfile.load("credentials")["key_stop"], {"now": now}).rowcount
