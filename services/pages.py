"""The pages: plain files, no build step, nothing from another host. Who is not signed in is sent to sign in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
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
TEMPLATES = Path(__file__).with_name("templates")
# Checked each time (ETag), so that an update is seen at once; fonts never change under one name.
REVALIDATE = {"Cache-Control": "no-cache"}
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Page:
    """A page: services/templates/page.html with its own words, script and body.

    Attributes:
        title: in Vietnamese; its script writes it in the reader's language.
        script: below /static.
        operation: what one must be able to do to have any use of it; empty: signing in is enough.
        body: of services/templates.
        theme: until the reader's own is known.
    """

    title: str
    script: str
    operation: str = ""
    body: str = "shell"
    theme: str = "light"
    description: str = "Trạm: trung tâm giám sát, điều hành thông minh và khám từ xa"

    def text(self) -> str:
        """The whole page; the same for everybody."""
        style = "" if self.body == "flow" else '<link rel="stylesheet" href="/static/id/id.css">\n'
        body = (TEMPLATES / f"{self.body}.html").read_text("utf-8")
        return Template((TEMPLATES / "page.html").read_text("utf-8")).substitute(
            theme=self.theme, title=self.title, script=self.script, description=self.description, style=style, body=body
        )


FLOW = "Trạm: dòng dữ liệu của tỉnh, từ thiết bị vào kho"
PAGES = {
    "/flow": Page(
        "Dòng dữ liệu", "main.js", "overview.read", "flow", "dark", "Trạm: dòng dữ liệu của tỉnh, từ thiết bị vào kho"
    ),
    "/account": Page("Tài khoản", "id/account.js"),
    "/notifications": Page("Thông báo", "id/notifications.js", "notifications.read"),
    "/people": Page("Người dùng", "id/people.js", "people.read"),
    "/audit": Page("Nhật ký", "id/audit.js", "audit.read"),
}
WALL = f"{web.PREFIX}/wall/"
SIGN_IN = Page("Đăng nhập", "id/sign-in.js", body="sign-in")


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

    gate, texts = _tagged(SIGN_IN), {path: _tagged(made) for path, made in PAGES.items()}

    @app.get("/sign-in", include_in_schema=False)
    async def sign_in(request: Request, permit: Annotated[Permit, allowed("open.read")]) -> Response:
        return _answer(request, *gate)

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon(permit: Annotated[Permit, allowed("open.read")]) -> FileResponse:
        return FileResponse(STATIC / "mark.svg", headers=REVALIDATE, media_type="image/svg+xml")

    @app.get("/", include_in_schema=False)
    async def home(request: Request, permit: Annotated[Permit, allowed("open.read")]) -> Response:
        """Whoever is signed in to the wall; to the flow of data while the wall's pages are not built."""
        first = "/flow" if web.directory() is None else WALL
        elsewhere = await run_in_threadpool(_elsewhere, request, permit, "/", PAGES["/flow"].operation)
        return RedirectResponse(elsewhere or first, 303, headers={"Cache-Control": "no-store"})

    async def page(request: Request, permit: Annotated[Permit, allowed("open.read")]) -> Response:
        path = request.url.path
        elsewhere = await run_in_threadpool(_elsewhere, request, permit, path, PAGES[path].operation)
        if elsewhere is not None:
            return RedirectResponse(elsewhere, 303, headers={"Cache-Control": "no-store"})
        return _answer(request, *texts[path])

    for path in PAGES:
        app.get(path, include_in_schema=False)(page)


def _tagged(made: Page) -> tuple[str, str]:
    """A page's text and its ETag."""
    text = made.text()
    return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _answer(request: Request, text: str, tag: str) -> Response:
    headers = {**REVALIDATE, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(text, headers=headers)


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
