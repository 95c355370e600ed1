"""The flood of October 2025 as it would have been told; CAP messages of it."""

import re
from dataclasses import replace
from datetime import timedelta, timezone

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response

from services.auth.guard import Permit
from services.city.http import Reads
from services.domains.rivers import cap, now, schemas
from services.domains.rivers import replay as scenario
from tram.cap.document import Status
from tram.clock import from_micros

router = APIRouter()


@router.get("/replays/2025-10", summary="The record flood of October 2025, replayed")
def replayed(permit: Reads) -> schemas.ReplayAnswer:
    """The timeline of alarms at Gia Bảy, forecasts scored against persistence; learnt from a flood of 2024's height."""
    told = scenario.replay()
    return schemas.ReplayAnswer(
        alarms=scenario.ALARMS.tolist(), lag=told.lag, leads=now.leads(list(told.scores)),
        timeline=[
            schemas.ReplayEvent(time=from_micros(e.time), kind=e.kind, level=round(e.level, 2), text=_text(e))
            for e in told.events
        ],
        times=[from_micros(int(t)) for t in told.times.tolist()], levels=np.round(told.levels, 2).tolist(),
    )  # fmt: skip


@router.get("/replays/2025-10/cap", summary="The replay's CAP message", response_class=Response)
def replayedcap_answer(permit: Reads) -> Response:
    """As it would have gone out when level III was reached, with the status Exercise."""
    told = scenario.replay()
    up = next(event for event in told.events if event.en == "Alarm level III reached")
    place = (105.84, 21.60, 5.0)
    state = cap.State("Gia Bảy", "sông Cầu", 3, up.level, 27.0, from_micros(up.time), False, place)
    return cap_answer(permit, state, "gia-bay-2025-10", Status.EXERCISE)


def cap_answer(permit: Permit, state: cap.State, name: str, status: Status) -> Response:
    """A CAP 1.2 document of a station's state, in the province's time."""
    local = timezone(timedelta(hours=permit.state.settings.utc_offset))
    here = replace(state, at=state.at.astimezone(local))
    identifier = re.sub(r"[^A-Za-z0-9.-]", "-", name)
    drawn = cap.message(here, sender="tram-rivers", identifier=identifier, sent=here.at, status=status)
    return Response(drawn, media_type="application/cap+xml")


def _text(event: scenario.Event) -> dict[str, str]:
    return {"vi": event.vi, "en": event.en}
