"""What of the air service is open to everybody: the scale, the public page, its map, the badge."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, Response

from services.auth.guard import Permit
from services.city.http import Open
from services.city.reading import Place, areas, latest
from services.city.remembered import Remembered
from services.deps import Database, Text
from services.domains.air import public, schemas, spatial
from services.domains.air.badge import badge
from services.domains.air.bands import bands
from services.domains.air.derive import CHANNEL, FOLDER
from tram.errors import NotFoundError
from tram.store.areas import list_areas as all_areas
from tram.store.database import Connection

router = APIRouter()
FRESH = timedelta(hours=3)
"""An index older than this is not shown as the present one: two hours and the time to compute it."""
DAY_FRESH = timedelta(days=2, hours=1)
"""The same of a day: its index comes some minutes after midnight, and until then the one before it stands."""
CACHED = 60.0
EMBED = {
    "Cache-Control": f"public, max-age={round(CACHED)}, stale-while-revalidate=600",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
Language = Annotated[Literal["vi", "en"], Query(alias="lang")]
_pages: Remembered[schemas.PublicPage] = Remembered(CACHED)
_maps: Remembered[str] = Remembered(CACHED)


@router.get("/scale", summary="The bands of the index, their colours and advice")
def scale(permit: Open) -> list[schemas.BandInfo]:
    """Official bands and colours; advice for everybody, children, the elderly and athletes."""
    return [schemas.BandInfo.of(one) for one in bands()]


@router.get("/public", summary="The public page's data")
def public_page(permit: Open, database: Database, response: Response) -> schemas.PublicPage:
    """Estimates of all communes with the scale and advice; open to everybody, a minute old at most."""
    response.headers["Cache-Control"] = f"public, max-age={round(CACHED)}"
    return _public(permit, database)


@router.get("/public/map.svg", summary="The communes in the official colours", response_class=Response)
def public_map(permit: Open, database: Database, language: Language = "vi") -> Response:
    """For `<img>` on any page, as the badge."""
    return Response(_map(permit, database, language), media_type="image/svg+xml", headers=EMBED)


@router.get("/public/page.css", summary="The public page's style sheet", response_class=Response)
def public_css(permit: Open) -> Response:
    """public.css."""
    sheet = (FOLDER / "public.css").read_text(encoding="utf-8")
    return Response(sheet, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


@router.get("/public/page", summary="The public page", response_class=HTMLResponse)
def public_html(permit: Open, database: Database, language: Language = "vi") -> HTMLResponse:
    """Map, scale with advice by group, estimates of all communes; no script, no sign-in."""
    page = _public(permit, database)
    told = "" if page.updated is None else f"{page.updated.astimezone(local(permit)):%H:%M %d/%m/%Y} (+07)"
    schematic = any(area.schematic for area in all_areas(database))
    made = public.html(page, _map(permit, database, language), language, told, schematic=schematic)
    return HTMLResponse(made, headers={"Cache-Control": f"public, max-age={round(CACHED)}"})


@router.get("/public/{area}/badge.svg", summary="A commune's index as a picture to embed", response_class=Response)
def public_badge(
    permit: Open, database: Database,
    area: Annotated[Text, Path(min_length=1, max_length=64, examples=["05440"])],
    language: Language = "vi",
) -> Response:  # fmt: skip
    """For `<img>` on any page: no script, no style sheet; cached for minutes."""
    found = next((one for one in _public(permit, database).places if one.area == area), None)
    if found is None:
        raise NotFoundError(f"there is no area {area!r}")
    told = "" if found.time is None else f"{found.time.astimezone(local(permit)):%H:%M %d/%m}"
    drawn = badge(found.name, found.value, told, language, estimated=True)
    return Response(drawn, media_type="image/svg+xml", headers=EMBED)


def recent() -> datetime:
    """An index from before this is not the present one."""
    return datetime.now(UTC) - FRESH


def local(permit: Permit) -> timezone:
    """The province's offset."""
    return timezone(timedelta(hours=permit.state.settings.utc_offset))


def _map(permit: Permit, conn: Connection, language: str) -> str:
    def compute() -> str:
        found = all_areas(conn)
        schematic = any(area.schematic for area in found)
        shapes = [(area.id, area.geometry) for area in found]
        return public.drawn_map(shapes, _public(permit, conn), language, schematic=schematic)

    return _maps.get((permit.state.settings.database_url, language), compute)


def _public(permit: Permit, conn: Connection) -> schemas.PublicPage:
    def compute() -> schemas.PublicPage:
        found = communes(conn, recent())
        times = [one.index.time for one in found.items if one.index.time]
        return schemas.PublicPage(
            updated=max(times, default=None), method=found.labels, error=found.error,
            scale=[schemas.BandInfo.of(one) for one in bands()],
            places=[
                schemas.PublicPlace(area=one.area, name=one.name, value=one.index.value, band=one.index.band,
                                    time=one.index.time, badge=f"/api/air/public/{one.area}/badge.svg")
                for one in found.items
            ],
        )  # fmt: skip

    return _pages.get(permit.state.settings.database_url, compute)


def communes(conn: Connection, since: datetime) -> schemas.Communes:
    """Estimates not older than `since`."""
    rows = areas(conn)
    found = latest(conn, CHANNEL, ["vn_aqi_estimate", "vn_aqi_estimate_error"], since)
    errors = [told for (_, name), told in found.items() if name == "vn_aqi_estimate_error"]
    error = max(errors, key=lambda told: told.time, default=None)
    items = [
        schemas.Commune(
            area=row.code, name=row.name, index=schemas.Index.of(found.get((row.thing or 0, "vn_aqi_estimate"))),
            location=Place(0, "", "", "", None, row.longitude, row.latitude, {}).geojson(),
        )
        for row in rows if row.leaf
    ]  # fmt: skip
    return schemas.Communes(
        method=spatial.METHOD, labels=spatial.METHOD_NAME, error=error.value if error else None,
        error_time=error.time if error else None, items=items,
    )  # fmt: skip
