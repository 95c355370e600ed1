"""HTTP beside the call: demo tokens, the check of the link, call quality, probes. Errors are RFC 9457 problem+json."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Path, Query, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from telehealth.conductor import Conductor
from telehealth.demo import tokens as demo_tokens
from telehealth.keeping import Keeper, PostgresKeeper
from telehealth.linkcheck import LinkChecks
from telehealth.people import People
from telehealth.tokens import TokenError
from tram.errors import NotFoundError, TramError, UnavailableError
from tram.identity import Decision, Target
from tram.runtime.readiness import Readiness
from tram.settings import Settings

router = APIRouter()
Detail = Callable[[], Mapping[str, Any]]

MOST_BYTES = 4_000_000
MOST_ROWS = 5_000
"""Rows read of the quality records, before those that one may not see are left out."""
CONSULT_ID = r"^[A-Za-z0-9_-]{1,64}$"


@dataclass(frozen=True, slots=True)
class Shared:
    """What the endpoints work with."""

    settings: Settings
    conductor: Conductor
    keeper: Keeper
    readiness: Readiness
    registry: CollectorRegistry
    checks: LinkChecks
    people: People | None
    """None: a trial without a database, where nobody can sign in."""


def _shared(request: Request) -> Shared:
    shared: Shared = request.app.state.consult
    return shared


class DemoWanted(BaseModel):
    """Which consult to make tokens for; a new one when left out."""

    consult: Annotated[str, Field(pattern=CONSULT_ID)] | None = None


class DemoTokens(BaseModel):
    """Join tokens by role: each works once, within five minutes."""

    consult: str
    tokens: dict[str, str]


@router.post("/consult/api/demo")
async def demo(request: Request, wanted: DemoWanted | None = None) -> DemoTokens:
    """A consult to try, with a join token for each role. A demo only: production answers 404."""
    shared = _shared(request)
    if shared.settings.environment == "production":
        raise NotFoundError("there is no demo here")
    consult = (wanted.consult if wanted else None) or f"demo-{os.urandom(4).hex()}"
    return DemoTokens(consult=consult, tokens=demo_tokens(shared.conductor.keyring, consult))


async def _bearer(request: Request, authorization: str | None) -> str:
    """The person of a join token that is not used up by this.

    Raises:
        TokenError: there is none, or it is not valid.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise TokenError("send the join token: Authorization: Bearer …")
    shared = _shared(request)
    await shared.conductor.rights.meet(token)
    return shared.checks.person(token)


Authorization = Annotated[str | None, Header()]


@router.head("/consult/api/link", status_code=204)
async def link_is_there() -> None:
    """Nothing: a page whose socket is lost asks this to learn when the way here is open again."""


@router.get("/consult/api/link/down")
async def link_down(
    request: Request, bytes: Annotated[int, Query(ge=1, le=MOST_BYTES)] = 1_000_000, authorization: Authorization = None
) -> Response:
    """That many random bytes, to measure the rate towards the client."""
    shared = _shared(request)
    shared.checks.spend(await _bearer(request, authorization), bytes)
    return Response(os.urandom(bytes), media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


class Took(BaseModel):
    """What came and how long it took."""

    bytes: int
    seconds: float


@router.post("/consult/api/link/up")
async def link_up(request: Request, authorization: Authorization = None) -> Took:
    """Takes bytes, to measure the rate from the client."""
    shared = _shared(request)
    person = await _bearer(request, authorization)
    started, size = time.perf_counter(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise TokenError(f"at most {MOST_BYTES} bytes", code="too-large")
    shared.checks.spend(person, size)
    return Took(bytes=size, seconds=time.perf_counter() - started)


class Sdp(BaseModel):
    """A session description."""

    sdp: Annotated[str, Field(max_length=32_768)]


@router.post("/consult/api/link/echo")
async def link_echo(request: Request, offer: Sdp, authorization: Authorization = None) -> Sdp:
    """A peer connection for at most 20 s whose data channel `echo` returns every message: loss and round trip."""
    shared = _shared(request)
    try:
        return Sdp(sdp=await shared.checks.echo(await _bearer(request, authorization), offer.sdp))
    except ValueError as error:
        raise TokenError(str(error), code="sdp") from None


class StationLink(BaseModel):
    """One facility's links over the period. Shares 0..1, ms, kbit/s."""

    facility: str
    records: int = Field(description="five-second records")
    consults: int
    bad_share: float = Field(description="share of records that were poor or lost")
    rtt_ms: float | None
    jitter_ms: float | None
    loss: float | None
    kbps_up: float | None
    kbps_down: float | None
    audio_only_share: float
    frozen_seconds: float
    trend: list[float | None] = Field(
        description="bad share in each of 24 equal parts of the period, the oldest first; null: no call"
    )
    last: datetime


@router.get("/consult/api/quality/stations")
async def quality_stations(
    request: Request,
    hours: Annotated[int, Query(ge=1, le=8760)] = 168,
    most: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[StationLink]:
    """Which of the facilities one may see have bad links: the worst first."""
    keeper, decision = await _quality(request)
    rows = [row for row in await keeper.stations(hours, MOST_ROWS) if _covers(decision, row)]
    return [StationLink(**row) for row in rows[:most]]


class LinkRecord(BaseModel):
    """One seat's link over five seconds. Shares 0..1, ms, kbit/s; null where not measured."""

    at: datetime
    seat: str
    role: str
    facility: str
    level: str
    reason: str
    loss_up: float | None
    loss_down: float | None
    jitter_ms: float | None
    rtt_ms: float | None
    kbps_up: float | None
    kbps_down: float | None
    freezes: int | None
    freeze_ms: float | None
    height: int | None
    layer: str
    video: str
    path: str


@router.get("/consult/api/quality/consults/{consult}")
async def quality_consult(
    request: Request,
    consult: Annotated[str, Path(pattern=CONSULT_ID)],
    most: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> list[LinkRecord]:
    """The records of one consult, newest first: of the facilities one may see."""
    keeper, decision = await _quality(request)
    rows = [row for row in await keeper.consult(consult, MOST_ROWS) if _covers(decision, row)]
    return [LinkRecord(**row) for row in rows[:most]]


async def _quality(request: Request) -> tuple[PostgresKeeper, Decision]:
    """The records, and the decision on whose of them may be seen."""
    shared = _shared(request)
    if shared.people is None or not isinstance(shared.keeper, PostgresKeeper):
        raise UnavailableError("call quality is kept in the database: there is none")
    return shared.keeper, await shared.people.permit(request, "consult.quality")


def _covers(decision: Decision, row: Mapping[str, Any]) -> bool:
    return decision.covers(Target(facility=row["facility"]))


@router.get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """Always 200 while the process answers."""
    return {"status": "ok"}


@router.get("/readyz", include_in_schema=False)
async def readyz(request: Request) -> JSONResponse:
    """200, or 503 with the reasons."""
    readiness = _shared(request).readiness
    if readiness.ready:
        return JSONResponse(readiness.problem())
    return JSONResponse(readiness.problem(), 503, {"Retry-After": "1"}, "application/problem+json")


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(_shared(request).registry), media_type=CONTENT_TYPE_LATEST)


STATUS = {
    "token": 401,
    "forbidden": 403,
    "not-found": 404,
    "too-large": 413,
    "sdp": 422,
    "rate": 429,
    "unavailable": 503,
}


def install(app: FastAPI) -> None:
    """Adds the endpoints and their one form of errors."""
    app.include_router(router)

    @app.exception_handler(TramError)
    async def problem(request: Request, error: TramError) -> JSONResponse:
        status = STATUS.get(error.code, 400)
        body = {"type": f"/problems/{error.code}", "title": str(error), "status": status}
        headers = {"Retry-After": "1"} if status in (429, 503) else None
        return JSONResponse(body, status, headers, "application/problem+json")
