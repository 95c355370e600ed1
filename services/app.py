"""The HTTP application: the UI's own API, the pages, the probes.

peer -> SecurityHeaders -> Guard -> Perimeter -> TimeLimit -> BodyLimit -> Measure -> routes
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI

import tram
from services import errors, pages
from services.api import (
    account,
    alarm_rules,
    alarms,
    annotations,
    areas,
    assignees,
    calculated,
    cap,
    citynow,
    cityservices,
    consults,
    dashboards,
    deadletters,
    devices,
    export,
    messages,
    notifications,
    observations,
    oversight,
    pending,
    people,
    probes,
    problems,
    provider,
    queues,
    retention,
    session,
    status,
    things,
)  # fmt: skip
from services.auth.guard import check_routes
from services.auth.oidc import Provider
from services.city.discovery import discover
from services.deps import State
from services.live import endpoint as live
from services.live.feed import Feed
from services.live.hub import Hub
from services.metrics import Measure
from services.middleware import BodyLimit, Guard, Perimeter, SecurityHeaders, TimeLimit
from services.overview import Overview
from services.sta import endpoints as sensorthings
from tram.embedded.secret import keyring
from tram.runtime.heartbeat import Heartbeat
from tram.runtime.known import Known
from tram.runtime.ledger import Ledger
from tram.runtime.rates import Rates
from tram.runtime.readiness import Readiness
from tram.runtime.visitor import Network, proxies
from tram.settings import Settings
from tram.store.database import open_pool

ROUTERS = (
    status, messages, things, observations, pending, deadletters, problems, probes, session, account, people, devices,
    oversight, provider, sensorthings, retention, export, consults, calculated, areas, assignees, alarms, alarm_rules,
    annotations, dashboards, notifications, cap, citynow, cityservices, queues, live,
)  # fmt: skip

DESCRIPTION = """The API of Trạm's own pages.

Errors are RFC 9457 problem details whose `type` is stable (`/problems`). Lists page by an opaque `cursor`: pass `next`
of one page to get the following one. Times are RFC 3339 with an offset; units are UCUM; places are RFC 7946."""


def create_app(settings: Settings, *, heartbeat: bool = True) -> FastAPI:
    """The application. Its parts (pool, monitor, heartbeat) start and stop with its lifespan.

    Args:
        settings: resolved ones: database_url is filled.
        heartbeat: False for one that shall not appear in the process table.

    Raises:
        SettingsError: a setting of the HTTP side does not fit.
    """
    allowed = proxies(settings)
    ring = keyring(settings)
    oidc = Provider(settings) if settings.oidc_issuer else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        readiness = Readiness("database")
        with open_pool(settings, "api") as pool:
            overview = Overview(pool, readiness)
            known, ledger = Known(settings, pool), Ledger(pool)
            hub = Hub(secrets.token_hex(4), viewers=settings.live_viewers, streams=settings.live_streams)
            feed, watch = Feed(settings, hub, asyncio.get_running_loop()), live.Watch()
            app.state.live_watch = watch
            app.state.tram = State(
                settings=settings, pool=pool, readiness=readiness, overview=overview, known=known, ledger=ledger,
                rates=Rates(settings.http_rate, settings.http_rate / 2), keyring=ring, proxies=allowed, oidc=oidc,
                hub=hub,
            )  # fmt: skip
            beat = Heartbeat("api", settings, readiness, hub.detail) if heartbeat else None
            overview.start()
            known.start()
            ledger.start()
            feed.start()
            watching = asyncio.create_task(watch.run(app.state.tram))
            if beat:
                beat.start()
            try:
                yield
            finally:
                if beat:
                    beat.stop()
                feed.stop()
                watching.cancel()
                hub.stop()
                overview.stop()
                known.stop()
                ledger.stop()
                await asyncio.to_thread(feed.join)

    app = FastAPI(
        title="Trạm",
        version=tram.__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url="/api/openapi.json",
        docs_url=None,  # Swagger's page loads from other hosts
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    errors.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    for domain in discover():
        app.include_router(domain.router)
    pages.install(app)
    check_routes(app)
    _wrap(app, settings, allowed)
    return app


def _wrap(app: FastAPI, settings: Settings, allowed: Sequence[Network]) -> None:
    # The last added stands outermost.
    app.add_middleware(Measure)
    app.add_middleware(BodyLimit, limit=settings.http_body_bytes, larger={sensorthings.PREFIX: settings.sta_body_bytes})
    app.add_middleware(TimeLimit, seconds=settings.http_timeout)
    names = frozenset(name.strip().lower() for name in settings.http_names.split(",") if name.strip())
    app.add_middleware(Perimeter, proxies=allowed, names=names, direct=bool(settings.http_tls_cert))
    app.add_middleware(Guard)
    app.add_middleware(SecurityHeaders, transport=bool(allowed or settings.http_tls_cert))
