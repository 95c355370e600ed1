"""The telehealth process: signalling, the call's HTTP beside it, the pages, the probes.

/consult            WebSocket (docs/consult-protocol.md)
/consult/api/…      demo tokens, link check, call quality (telehealth/http_api.py)
/ui/…               the built pages
/healthz /readyz /metrics
"""

import asyncio
import base64
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from fastapi import FastAPI, WebSocket
from prometheus_client import CollectorRegistry
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect, WebSocketState

import tram
from telehealth import http_api
from telehealth.conductor import Conductor
from telehealth.keeping import Keeper, MemoryKeeper, PostgresKeeper
from telehealth.linkcheck import LinkChecks
from telehealth.media.beacon import BeaconServer
from telehealth.media.turn import ice_servers
from telehealth.metrics import Collector
from telehealth.people import People
from telehealth.placement import Placement, parse_peers
from telehealth.rights import Rights, RoleRights
from telehealth.standing import Standings
from telehealth.tokens import Keyring, parse_keys
from tram import web
from tram.errors import SettingsError, UnavailableError
from tram.runtime import visitor
from tram.runtime.heartbeat import Heartbeat
from tram.runtime.readiness import Readiness
from tram.runtime.transport import Transport
from tram.settings import Settings
from tram.store.database import open_async_pool

log = logging.getLogger(__name__)

PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()"


def create_app(
    settings: Settings, *, memory: bool = False, rights: Rights | None = None, heartbeat: bool = True
) -> FastAPI:
    """The application; its parts start and stop with its lifespan.

    Args:
        settings: resolved ones: database_url is filled, unless `memory`.
        memory: keep rooms in this process only (a trial on one laptop; refused in production).
        rights: who may do what; when None by the people of the database, or with `memory` by role alone.
        heartbeat: False for one that shall not appear in the process table.

    Raises:
        SettingsError: a setting of telehealth does not fit.
    """
    production = settings.environment == "production"
    if production and memory:
        raise SettingsError("a database is needed in production: set TRAM_DATABASE_URL")
    keyring = keys(settings)
    placement = place(settings)
    proxies = visitor.proxies(settings)
    origins = frozenset(o.strip().rstrip("/") for o in settings.telehealth_origins.split(",") if o.strip())
    urls = [u.strip() for u in settings.telehealth_ice.split(",") if u.strip()]
    if any(not u.startswith(("stun:", "turn:", "turns:")) for u in urls):
        raise SettingsError("TRAM_TELEHEALTH_ICE: each must be like turn:host:3478 or stun:host:3478")
    if any(u.startswith("turn") for u in urls) and not settings.telehealth_turn_secret:
        raise SettingsError("TRAM_TELEHEALTH_ICE names a TURN server: set TRAM_TELEHEALTH_TURN_SECRET too")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        readiness = Readiness() if memory else Readiness("database")
        async with AsyncExitStack() as stack:
            keeper: Keeper
            if memory:
                keeper = MemoryKeeper()
            else:
                pool = await stack.enter_async_context(open_async_pool(settings, "telehealth"))
                keeper = PostgresKeeper(pool, settings.quality_days)
            people, decided, ring = None, rights or RoleRights(), keyring
            if not memory:
                people = People(settings)
                people.start()
                stack.callback(people.stop)
                if rights is None:
                    decided = standings = Standings(settings)
                    ring = replace(keyring, outside=standings.keys)
                    standings.start()
                    stack.callback(standings.stop)
            beacon = BeaconServer()
            await beacon.start()
            stack.callback(beacon.stop)
            conductor = Conductor(
                keyring=ring,
                rights=decided,
                keeper=keeper,
                placement=placement,
                ice=lambda person: ice_servers(urls, settings.telehealth_turn_secret, person, time.time()),
                production=production,
                beacon=beacon.told,
                most_sockets=settings.telehealth_sockets,
            )
            checks = LinkChecks(ring, production=production)
            registry = CollectorRegistry()
            registry.register(Collector(conductor))
            app.state.consult = http_api.Shared(settings, conductor, keeper, readiness, registry, checks, people)
            beat = None
            if heartbeat and not memory:
                beat = Heartbeat("telehealth", settings, readiness, conductor_detail(conductor))
                beat.start()
            tasks = [asyncio.create_task(conductor.housekeeping())]
            if isinstance(keeper, PostgresKeeper):
                tasks.append(asyncio.create_task(_watch(keeper, readiness)))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await conductor.drain()
                await checks.close()
                if beat is not None:
                    await asyncio.to_thread(beat.stop)

    app = FastAPI(title="Trạm: consults", version=tram.__version__, openapi_url="/consult/api/openapi.json",
                  docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)  # fmt: skip
    http_api.install(app)
    app.add_middleware(Transport, settings=settings, proxies=proxies)

    @app.websocket("/consult")
    async def consult(websocket: WebSocket) -> None:
        conductor: Conductor = app.state.consult.conductor
        address = visitor.origin(websocket, proxies)
        if not allowed_origin(websocket.headers.get("origin"), websocket.headers.get("host", ""), origins):
            await websocket.close(1008)  # before the handshake: 403
            return
        if not conductor.admits_socket(address):
            await websocket.close(1013)
            return
        await websocket.accept()
        await conductor.serve(_Socket(websocket), address, (websocket.scope.get("server") or ("",))[0])

    @app.get("/", include_in_schema=False)
    async def first() -> RedirectResponse:
        return RedirectResponse(f"{web.PREFIX}/consult/")

    pages = web.directory()
    if pages is not None:
        app.mount(web.PREFIX, _Pages(directory=pages, html=True))
    return app


def allowed_origin(origin: str | None, host: str, others: frozenset[str]) -> bool:
    """Whether a page of this origin may open a socket here: our own pages and those named.

    A program sends none; it needs a token like everybody. Browsers always send one (RFC 6455 section 10.2), and do not
    let a page choose it.
    """
    if origin is None:
        return True
    if origin.rstrip("/") in others:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc != "" and parts.netloc == host


def keys(settings: Settings) -> Keyring:
    """The keys of join tokens. A demo without any makes one and keeps it in its home, so that a restart knows it.

    Raises:
        SettingsError: they cannot be read, or production has none.
    """
    text = settings.telehealth_keys
    if not text:
        if settings.environment == "production":
            raise SettingsError("TRAM_TELEHEALTH_KEYS is needed in production: id:base64 of 32 random bytes")
        text = _demo_key(settings.home / "run" / "telehealth_keys")
    try:
        return parse_keys(text)
    except ValueError as error:
        raise SettingsError(f"TRAM_TELEHEALTH_KEYS: {error}") from None


def _demo_key(file: Path) -> str:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        made = f"demo:{base64.b64encode(secrets.token_bytes(32)).decode()}"
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return file.read_text(encoding="ascii").strip() or made
        with os.fdopen(handle, "w") as out:
            out.write(made)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}; or set TRAM_TELEHEALTH_KEYS") from None
    return made


def place(settings: Settings) -> Placement:
    """Which process has which consult.

    Raises:
        SettingsError: the list of processes cannot be read, or lacks this one.
    """
    try:
        peers = parse_peers(settings.telehealth_peers)
    except ValueError as error:
        raise SettingsError(f"TRAM_TELEHEALTH_PEERS: {error}") from None
    if peers and settings.telehealth_name not in peers:
        raise SettingsError(f"TRAM_TELEHEALTH_PEERS has no {settings.telehealth_name} (TRAM_TELEHEALTH_NAME)")
    return Placement(settings.telehealth_name, peers)


def conductor_detail(conductor: Conductor) -> http_api.Detail:
    """What the process table shows."""
    return lambda: {"consults": len(conductor.consults), "sockets": conductor.sockets}


async def _watch(keeper: PostgresKeeper, readiness: Readiness) -> None:
    """Keeps /readyz true to the database."""
    while True:
        try:
            await keeper.ping()
            readiness.met("database")
        except UnavailableError as error:
            readiness.lost("database", str(error))
        except psycopg.errors.UndefinedTable:
            readiness.lost("database", "the tables are missing: run `tram migrate`")
        await asyncio.sleep(2.0)


class _Socket:
    """Starlette's WebSocket as a telehealth.client.Socket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes | None:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send(self, text: str) -> None:
        try:
            await self._websocket.send_text(text)
        except WebSocketDisconnect:
            raise ConnectionError("the socket is closed") from None

    async def close(self, code: int, reason: str) -> None:
        if self._websocket.application_state is not WebSocketState.DISCONNECTED:
            await self._websocket.close(code, reason)


class _Pages(StaticFiles):
    """The built pages with the headers that all pages have, and the camera allowed."""

    def file_response(self, *args, **kwargs):  # type: ignore[no-untyped-def]  # starlette's own signature varies
        response = super().file_response(*args, **kwargs)
        for name, value in web.HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response
