"""/healthz, /readyz, /metrics: for supervisors, load balancers and Prometheus."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.auth.guard import allowed
from services.deps import Shared
from services.errors import MEDIA_TYPE, RETRY_AFTER

router = APIRouter(tags=["probes"], dependencies=[allowed("open.read")])


@router.get("/healthz", summary="Does the process answer")
async def healthz() -> dict[str, str]:
    """Always 200 while it does."""
    return {"status": "ok"}


@router.get("/readyz", summary="Can the process do its work", responses={503: {"description": "not yet, and why"}})
async def readyz(shared: Shared) -> JSONResponse:
    """200, or 503 with the reasons."""
    if shared.readiness.ready:
        return JSONResponse(shared.readiness.problem())
    return JSONResponse(shared.readiness.problem(), 503, {"Retry-After": str(RETRY_AFTER)}, MEDIA_TYPE)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
def metrics() -> Response:
    """In the text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
