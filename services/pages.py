"""The first page and its parts: plain files, no build step, nothing from another host."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")
# Checked each time (ETag), so that an update is seen at once; fonts never change under one name.
REVALIDATE = {"Cache-Control": "no-cache"}
FOR_GOOD = "public, max-age=31536000, immutable"


class Files(StaticFiles):
    """StaticFiles with an explicit Cache-Control."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file of the folder, or 404."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOR_GOOD if path.endswith(".woff2") else REVALIDATE["Cache-Control"]
        return response


def install(app: FastAPI) -> None:
    """Adds `/` and `/static/…`."""
    app.mount("/static", Files(directory=STATIC))

    @app.get("/", include_in_schema=False)
    async def first_page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=REVALIDATE)

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "mark.svg", headers=REVALIDATE, media_type="image/svg+xml")
