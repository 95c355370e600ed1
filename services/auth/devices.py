"""A device that speaks HTTP: its MQTT user name and password as HTTP Basic (RFC 7617)."""

import base64
import binascii
import math
import time

from starlette.requests import HTTPConnection

from services.auth import request as http
from services.auth.signin import ONE_AT_A_TIME
from services.deps import State
from services.errors import Problem
from tram.identity import Grant, Kind, Principal, Role, lockout
from tram.runtime.known import Caller
from tram.store import credentials, events, factors
from tram.store.database import available

REALM = {"WWW-Authenticate": 'Basic realm="device"'}


def caller(request: HTTPConnection, shared: State) -> Caller:
    """The device that asks. Raises Problem: it is none, or must wait."""
    user, password = _basic(request)
    now, origin = time.time(), http.origin(request, shared.proxies)
    tries = {f"device:{user[:100]}": lockout.ACCOUNT, f"address:{origin}": lockout.ADDRESS}
    with available(), shared.pool.connection() as conn:
        seconds = factors.wait(conn, tries, now)
        if seconds:
            raise Problem("locked", headers={"Retry-After": str(math.ceil(seconds))})
        with ONE_AT_A_TIME:
            thing = credentials.check(conn, user, password, now)
        if thing is None:
            factors.failed(conn, tries, now)
            subject = f"d:{user[:100]}"
            events.security(conn, "device.refused", at=int(now * 1e6), subject=subject, origin=origin)
    if thing is None:
        raise Problem("wrong-credentials", headers=REALM)
    return Caller(Principal(Kind.DEVICE, f"d:{thing}", thing, (Grant(Role.DEVICE),)), None, now)


def _basic(request: HTTPConnection) -> tuple[str, str]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        user, colon, password = "", "", ""
    if scheme.lower() != "basic" or not colon or "\0" in user + password or len(value) > 1000:
        raise Problem("unauthenticated", "send the MQTT user name and password", REALM)
    return user, password
