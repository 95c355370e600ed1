"""Errors as the outside sees them: RFC 9457 problem+json with a stable `type`; no stack trace leaves the process.

`type` is `/problems/{code}` on the same host, and answers there with what it means (services/api/problems.py).
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse
from psycopg import errors as sql
from psycopg_pool import PoolTimeout, TooManyRequests
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from tram.errors import TramError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

# code -> (status, title). The codes are an interface: they are added to, never renamed.
PROBLEMS: dict[str, tuple[int, str]] = {
    "invalid": (422, "A parameter or the body does not fit"),
    "cursor": (400, "The cursor is not one this server gave out"),
    "query": (400, "The query or the body does not fit; the detail says where"),
    "bad-request": (400, "The request cannot be understood"),
    "unauthenticated": (401, "Sign in first"),
    "forbidden": (403, "That is not allowed"),
    "other-site": (403, "A write must come from this site's own pages, or from a program"),
    "unknown-host": (421, "This server does not answer to that host name"),
    "not-found": (404, "There is nothing here by that name"),
    "method": (405, "That method is not allowed here"),
    "conflict": (409, "The write contradicts what is stored"),
    "too-large": (413, "The request body is too large"),
    "upgrade": (426, "This is for WebSockets: docs/live-protocol.md"),
    "media-type": (415, "The body is of a type that is not read here"),
    "wrong-credentials": (401, "The name, password or code is not right"),
    "locked": (429, "Too many failed tries; wait"),
    "rate-limited": (429, "Too many requests; wait"),
    "step-up": (403, "Prove again who you are: the password or the code"),
    "must-change": (403, "Set a password of your own first"),
    "must-enrol": (403, "Your role needs a second factor: set it up first"),
    "weak-password": (422, "The password is not good enough"),
    "internal": (500, "Something failed inside; the log has it under this id"),
    "unavailable": (503, "Something this server needs is away; try again soon"),
    "timeout": (503, "The answer took too long; ask for less, or try again"),
}
_BY_STATUS = {400: "bad-request", 401: "unauthenticated", 403: "forbidden", 404: "not-found", 405: "method",
              409: "conflict", 413: "too-large", 415: "media-type", 422: "invalid", 503: "unavailable"}  # fmt: skip
RETRY_AFTER = 1
"""Seconds a client is told to wait when a dependency is away."""


class FieldProblem(BaseModel):
    """One part of a request that does not fit."""

    where: str = Field(description="query, path, header or body, and the name", examples=["query.limit"])
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["/problems/not-found"])
    title: str
    status: int
    detail: str = ""
    errors: list[FieldProblem] | None = None
    id: str | None = Field(default=None, description="finds a 500 in the server's log")


class Problem(TramError):
    """An error an endpoint raises on purpose. `code` is one of PROBLEMS."""

    def __init__(self, code: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or PROBLEMS[code][1], code=code)
        self.headers = headers


def problem(
    code: str,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldProblem] | None = None,
    id: str | None = None,
) -> JSONResponse:
    """The answer for a code of PROBLEMS; a 503 carries Retry-After."""
    status, title = PROBLEMS[code]
    body = ProblemBody(
        type=f"/problems/{code}",
        title=title,
        status=status,
        detail=detail,
        errors=list(errors) if errors else None,
        id=id,
    )
    sent = dict(headers or {})
    if status == 503:
        sent.setdefault("Retry-After", str(RETRY_AFTER))
    sent.setdefault("Cache-Control", "no-store")
    return JSONResponse(body.model_dump(exclude_none=True), status, sent, MEDIA_TYPE)


def unexpected(error: BaseException, what: str) -> JSONResponse:
    """Logs an error nobody foresaw under a fresh id and answers with that id alone."""
    id = uuid.uuid4().hex[:12]
    log.error("unhandled error %s in %s", id, what, exc_info=error)
    return problem("internal", f"tell whoever runs this server the id {id}", id=id)


def away(error: Exception) -> JSONResponse:
    """The answer while the database is away, full or too slow."""
    log.warning("database: %s", str(error).strip().split("\n")[0])
    if isinstance(error, sql.QueryCanceled):
        return problem("timeout", "the database took too long")
    return problem("unavailable", "the database is away or busy")


async def _tram(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return problem(error.code, str(error), headers=error.headers)
    assert isinstance(error, TramError)
    if not error.permanent:
        return problem("unavailable", str(error))
    return problem(error.code if error.code in PROBLEMS else "bad-request", str(error))


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [FieldProblem(where=".".join(map(str, e["loc"])), detail=str(e["msg"])) for e in error.errors()[:20]]
    # What was sent is not repeated: it may be large, hostile or private.
    return problem("invalid", found[0].detail if found else "", errors=found)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _BY_STATUS.get(error.status_code, "bad-request")
    # Starlette's own details are the names of statuses: they say nothing that the title does not.
    detail = "" if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
    return problem(code, detail, headers=error.headers)


async def _database(request: Request, error: Exception) -> JSONResponse:
    return away(error)


def install(app: FastAPI) -> None:
    """Registers the handlers. What none of them knows is caught by middleware.Guard."""
    app.add_exception_handler(TramError, _tram)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    for kind in (sql.OperationalError, sql.InterfaceError, PoolTimeout, TooManyRequests):
        app.add_exception_handler(kind, _database)
    # A programming error, not the client's: let the guard answer 500 with an id.
    app.exception_handlers.pop(ResponseValidationError, None)


_SCHEMA = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    # A `model` is made anew for each status of each endpoint, a thousand times: one of them brings the schema.
    status: {"content": _SCHEMA, "description": title} | ({"model": ProblemBody} if status == 503 else {})
    for status, title in (
        (400, "The request cannot be understood"),
        (401, "Sign in, or send a token that is in force"),
        (403, "No rule allows it; `type` says whether a step-up would help"),
        (429, "Too many requests or failed tries; Retry-After says when to come back"),
        (404, "Nothing by that name"),
        (422, "A parameter does not fit"),
        (503, "The database is away; Retry-After says when to come back"),
    )
}
"""For `responses=` of a router: the problems every endpoint may answer with."""
