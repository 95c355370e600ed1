"""`/live`: who opens a socket, and whether they still may while it is open.

A refusal comes as a close code behind the handshake: a page cannot see why a handshake was refused.
"""

import asyncio
import logging
import time
from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect

from services.auth.guard import Permit, allowed, caller_of, permit_of
from services.deps import State
from services.errors import Problem
from services.live.followers import Client
from services.live.messages import Close
from services.live.operations import FOLLOW
from services.live.wire import wire_of
from tram.errors import UnavailableError
from tram.identity.decide import decide
from tram.runtime import visitor as http
from tram.runtime.known import Caller

log = logging.getLogger(__name__)
router = APIRouter()

CHECK = 5.0
"""Seconds between looks at whether those who follow still may."""
READY = 5.0
"""Seconds that a socket waits for a hub that has just begun."""
_REFUSED = {"unauthenticated": Close.SIGNED_OUT, "rate-limited": Close.FLOODING, "unavailable": Close.FULL}


@router.get("/live", include_in_schema=False)
async def plain(permit: Annotated[Permit, allowed(FOLLOW)]) -> None:
    """A request that is no WebSocket's: the same rule, and then what is missing."""
    raise Problem("upgrade", headers={"Upgrade": "websocket", "Connection": "Upgrade"})


async def _named() -> None:
    """Names the rule; it is decided in the endpoint, which can say the refusal in a close code."""


_named.__dict__["operation"] = FOLLOW


@router.websocket("/live", dependencies=[Depends(_named)])
async def live(websocket: WebSocket) -> None:
    """One socket, until it closes."""
    shared: State = websocket.app.state.tram
    hub = shared.hub
    wire = wire_of(websocket)
    watch: Watch = websocket.app.state.live_watch
    caller, permit, refusal = await _enter(websocket, shared)
    await websocket.accept()
    if refusal is None:
        await hub.ready(READY)
    if refusal is None and hub.refusal is not None:
        refusal = Close.FULL, hub.refusal
    if refusal is not None or permit is None:
        code, reason = refusal or (Close.FORBIDDEN, "")
        await websocket.close(int(code), reason)
        return
    client = hub.attach(wire, permit.decision)
    number = watch.add(websocket, client, caller)
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                break
            data = message.get("text")
            hub.receive(client, data if data is not None else message.get("bytes") or b"")
    except (WebSocketDisconnect, RuntimeError):
        log.debug("a socket is gone", exc_info=True)
    finally:
        watch.remove(number)
        hub.detach(client)


async def _enter(websocket: WebSocket, shared: State) -> tuple[Caller | None, Permit | None, tuple[Close, str] | None]:
    """(who it is, what they may, why they may not)."""
    try:
        caller = await caller_of(websocket, shared)
        if caller is None and http.cookie(websocket, shared.proxies) is not None:
            # Whose session is over is told so, not let in as nobody to see little and wonder.
            return None, None, (Close.SIGNED_OUT, "the session is over")
        return caller, permit_of(websocket, shared, FOLLOW, caller), None
    except Problem as problem:
        return None, None, (_REFUSED.get(problem.code, Close.FORBIDDEN), str(problem)[:100])
    except UnavailableError:
        return None, None, (Close.FULL, "the database is away")


class Watch:
    """Looks now and then whether those who follow are still who they were, and may still."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[WebSocket, Client, Caller | None]] = {}
        self._number = 0

    def add(self, websocket: WebSocket, client: Client, caller: Caller | None) -> int:
        """Begins to watch a socket; returns what `remove` takes."""
        self._number += 1
        self._open[self._number] = websocket, client, caller
        return self._number

    def remove(self, number: int) -> None:
        """The socket is gone."""
        self._open.pop(number, None)

    async def run(self, shared: State) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK)
            for websocket, client, caller in list(self._open.values()):
                try:
                    await self._look(shared, websocket, client, caller)
                except Exception:
                    log.exception("whether somebody may still follow could not be decided")

    async def _look(self, shared: State, websocket: WebSocket, client: Client, caller: Caller | None) -> None:
        if client.closed:
            return
        try:
            now = await caller_of(websocket, shared)
        except UnavailableError:
            # Nobody is signed out because the database is away; but nobody stays beyond their time either.
            if caller is None or time.time() < caller.until:
                return
            now = None
        except Problem:
            now = None
        if now is None and caller is not None:
            shared.hub.close(client, Close.SIGNED_OUT, "the session is over")
            return
        decision = decide(now.principal if now else client.decision.principal, FOLLOW, None, now=time.time())
        if decision.allowed:
            shared.hub.permit(client, decision)
        else:
            shared.hub.close(client, Close.FORBIDDEN, decision.why[:100])
