"""The pages: plain files, no build step, nothing from another host. Who is not signed in is sent to sign in."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, RedirectResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from services.auth import request as http
from services.auth.guard import Permit, allowed
from services.errors import Problem
from tram import web
from tram.errors import UnavailableError
from tram.identity import decide

STATIC = Path(__file__).with_name("static")
# Checked each time (ETag), so that an update is seen at once; fonts never change under one name.
REVALIDATE = {"Cache-Control": "no-cache"}
FOR_GOOD = "public, max-age=31536000, immutable"

PAGES = {
    "/": ("index.html", "overview.read"),
    "/account": ("account.html", ""),
    "/notifications": ("notifications.html", "notifications.read"),
    "/people": ("people.html", "people.read"),
    "/audit": ("audit.html", "audit.read"),
}
"""Page -> (its file, the operation one must be able to do to have any use of it; empty: signing in is enough)."""


class Files(StaticFiles):
    """StaticFiles with an explicit Cache-Control."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file of the folder, or 404."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOR_GOOD if path.endswith(".woff2") else REVALIDATE["Cache-Control"]
        return response


class Built(StaticFiles):
    """The pages built from web/: names under assets/ carry a hash of what they hold, so they stay for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file of the folder, or 404; 503 while the pages are not built."""
        if web.directory() is None:
            raise Problem("unavailable", web.NOT_BUILT)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOR_GOOD if path.startswith("assets/") else REVALIDATE["Cache-Control"]
        return response


def install(app: FastAPI) -> None:
    """Adds the pages and `/static/…`. A page is the same file for everybody: its data comes from the guarded API."""
    app.mount("/static", Files(directory=STATIC))
    app.mount(web.PREFIX, Built(directory=Path(web.__file__).with_name("web_dist"), html=True, check_dir=False))

    @app.get("/sign-in", include_in_schema=False)
    async def sign_in(permit: Annotated[Permit, allowed("open.read")]) -> FileResponse:
        return FileResponse(STATIC / "sign-in.html", headers=REVALIDATE)

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon(permit: Annotated[Permit, allowed("open.read")]) -> FileResponse:
        return FileResponse(STATIC / "mark.svg", headers=REVALIDATE, media_type="image/svg+xml")

    async def page(request: Request, permit: Annotated[Permit, allowed("open.read")]) -> Response:
        path = request.url.path
        file, operation = PAGES[path]
        elsewhere = await run_in_threadpool(_elsewhere, request, permit, path, operation)
        if elsewhere is not None:
            return RedirectResponse(elsewhere, 303, headers={"Cache-Control": "no-store"})
        return FileResponse(STATIC / file, headers=REVALIDATE)

    for path in PAGES:
        app.get(path, include_in_schema=False)(page)


def _elsewhere(request: Request, permit: Permit, path: str, operation: str) -> str | None:
    """Where who asks belongs instead: to sign in, or to finish what their account needs; None: here."""
    secret = http.cookie(request, permit.state.proxies)
    try:
        known = permit.state.known
        caller = (known.remembered(secret) or known.session(secret)) if secret else None
    except UnavailableError:
        return None  # the page itself says that the database is away
    if caller is None or caller.session is None or not caller.session.complete:
        return "/sign-in" if path == "/" else f"/sign-in?next={quote(path)}"
    if path == "/account":
        return None
    if caller.session.restricted or not decide(caller.principal, operation, None, now=0.0).allowed:
        return "/account"
    return None
