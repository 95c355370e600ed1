"""Administrative areas for maps."""

import threading
from collections import OrderedDict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services import areamap
from services.auth.guard import Permit, allowed
from services.deps import Database
from services.errors import ANSWERS
from tram.store import areas

router = APIRouter(prefix="/api", tags=["areas"], responses=ANSWERS)
KEPT = 8
"""Answers that are remembered, by version and zoom."""


class AreaProperties(BaseModel):
    """What is said of an area."""

    code: str = Field(description="the official code", examples=["05443"])
    name: str = Field(examples=["Phường Phan Đình Phùng"])
    name_en: str
    kind: str
    parent: str | None = Field(description="the area it is part of")
    schematic: bool = Field(description="its borders are drawn, not surveyed: say so on a map")
    centre: tuple[float, float] | None = Field(description="longitude and latitude of a point inside")


class AreaFeature(BaseModel):
    """An area (RFC 7946, Feature)."""

    type: Literal["Feature"]
    id: str
    geometry: dict[str, Any] | None = Field(description="Polygon or MultiPolygon; null where none is known")
    properties: AreaProperties


class Areas(BaseModel):
    """All areas (RFC 7946, FeatureCollection)."""

    type: Literal["FeatureCollection"]
    features: list[AreaFeature]


class GeoJson(JSONResponse):
    """RFC 7946, 12; of bytes that are JSON already."""

    media_type = "application/geo+json"

    def render(self, content: Any) -> bytes:
        """As they are."""
        return bytes(content)


class _Kept:
    """The last answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            return self._answers.get(key)

    def put(self, key: str, answer: bytes) -> None:
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)


_kept = _Kept()


@router.get(
    "/areas",
    summary="The areas and their borders as GeoJSON",
    response_model=Areas,
    response_class=GeoJson,
    responses={304: {"description": "it is the one that If-None-Match names"}},
)
def list_areas(
    permit: Annotated[Permit, allowed("areas.read")],
    database: Database,
    zoom: Annotated[
        int | None,
        Query(ge=0, le=areamap.ZOOMS, description="borders as fine as a map at this zoom shows; without it, all of it"),
    ] = None,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Neighbours meet exactly at every zoom. Ask again with If-None-Match: areas hardly ever change."""
    key = f"{areas.version(database)}-{'full' if zoom is None else zoom}"
    headers = {"ETag": f'"{key}"', "Cache-Control": "no-cache"}
    if key in _named(if_none_match):
        return Response(status_code=304, headers=headers)
    answer = _kept.get(key)
    if answer is None:
        answer = areamap.render(areas.list_areas(database), zoom)
        _kept.put(key, answer)
    return GeoJson(answer, headers=headers)


def _named(header: str | None) -> set[str]:
    """The entity tags of If-None-Match (RFC 9110, 13.1.2), weak ones too."""
    return {part.strip().removeprefix("W/").strip('"') for part in (header or "").split(",")}
