"""`/sta/v1.1`: OGC SensorThings API 1.1 over HTTP. Answers are made in get.py and write.py; here is transport."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Annotated
from urllib.parse import parse_qsl, unquote

import psycopg
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from services.auth.guard import Permit, allowed
from services.auth.request import base_url
from services.deps import CONNECTION_SECONDS, Shared, State
from services.errors import ANSWERS, Problem
from services.sta import answer as answers
from services.sta import batch, dispatch, openapi
from services.sta.access import Access
from services.sta.lexer import QueryError
from services.sta.read import Reader, TooLongError
from services.sta.root import root
from tram.errors import TramError
from tram.identity import Reach, decide
from tram.store.database import Connection, available

PREFIX = "/sta/v1.1"
SECONDS = 5.0
"""What one statement may take: a query that needs longer is told to ask for less. With a filter: settings."""
BATCH_SECONDS = 8.0
"""After so long no further request of a batch is begun."""

router = APIRouter(prefix=PREFIX, tags=["sensorthings"], responses=ANSWERS)

Reads = Annotated[Permit, allowed("sensorthings.read")]
Writes = Annotated[Permit, allowed("sensorthings.write")]


async def _body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_body)]


@router.get("", summary="The service root: entity sets and what this server conforms to")
@router.get("/", include_in_schema=False)
def service_root(permit: Reads, request: Request, shared: Shared) -> Response:
    """OGC 18-088, 9.2.1."""
    mode = shared.settings.sta_mqtt
    url = shared.settings.mqtt_url.rsplit("@", 1)[-1].split("://")[-1] if mode != "off" else ""
    return _response(
        answers.of(root(_base(request, shared), [f"mqtt://{url}"] if url else [], logged=mode == "logged"))
    )


@router.get(
    "/{path:path}", summary="Entities, links, properties, $ref, $value, $count", openapi_extra=openapi.READ,
    responses=openapi.READ_ANSWERS,
)  # fmt: skip
def read(permit: Reads, request: Request, shared: Shared, path: openapi.ResourcePath) -> Response:
    """OGC 18-088, clauses 9 and 12; query options $filter $select $expand $orderby $top $skip $count $resultFormat."""
    asked = _asked(request, b"")
    with ExitStack() as stack:
        reader = stack.enter_context(_reader(permit, request, shared, write=False))
        answer = dispatch.answer(reader, asked)
        if answer.stream is None:
            return _response(answer)
        # The first piece now: what is wrong with the query is said before the answer has begun.
        first = next(answer.stream, b"")
        kept = stack.pop_all()
        return StreamingResponse(_rest(first, answer.stream, kept), media_type=answer.content_type)


@router.post("/$batch", summary="Several operations in one request (JSON)", openapi_extra=openapi.BATCH)
def post_batch(permit: Reads, request: Request, shared: Shared, body: Body) -> Response:
    """OGC 18-088, clause 11, in the JSON form of OData 4.01. Writes in it need the rights of writing."""
    may = _may_write(permit)
    groups = batch.parse(body)
    results = []
    made: dict[str, str] = {}
    until = time.monotonic() + BATCH_SECONDS
    for group in groups:
        if time.monotonic() > until:
            results += batch.refused(group, 400, f"what is before it took {BATCH_SECONDS:g} s: send it again, in parts")
            continue
        answers_of = _group(permit, request, shared, group, made, may=may)
        made = dict.fromkeys(group.ids, "") | made
        results += answers_of
    return _response(answers.of({"responses": results}))


@router.post(
    "/{path:path}", summary="Create entities, deep or with links; CreateObservations", status_code=201,
    openapi_extra=openapi.CREATE,
)  # fmt: skip
def create(permit: Writes, request: Request, shared: Shared, path: openapi.ResourcePath, body: Body) -> Response:
    """OGC 18-088, clause 10."""
    return _write(permit, request, shared, body)


@router.patch(
    "/{path:path}", summary="Change an entity: the given properties, or a JSON Patch", openapi_extra=openapi.CHANGE
)
def change(permit: Writes, request: Request, shared: Shared, path: openapi.ResourcePath, body: Body) -> Response:
    """OGC 18-088, 10.3; RFC 6902 with content type application/json-patch+json."""
    return _write(permit, request, shared, body)


@router.put("/{path:path}", summary="Replace an entity, or a link", openapi_extra=openapi.REPLACE)
def put(permit: Writes, request: Request, shared: Shared, path: openapi.ResourcePath, body: Body) -> Response:
    """OGC 18-088, 10.3."""
    return _write(permit, request, shared, body)


@router.delete("/{path:path}", summary="Delete an entity and what depends on it, or a link")
def delete(permit: Writes, request: Request, shared: Shared, path: openapi.ResourcePath) -> Response:
    """OGC 18-088, 10.4."""
    return _write(permit, request, shared, b"")


def _write(permit: Permit, request: Request, shared: State, body: bytes) -> Response:
    asked = _asked(request, body)
    with _reader(permit, request, shared, write=True) as reader:
        answer = dispatch.answer(reader, asked)
        _audit(permit, reader, asked)
    return _response(answer)


def _group(
    permit: Permit, request: Request, shared: State, group: batch.Group, made: dict[str, str], *, may: Permit | None
) -> list[dict[str, object]]:
    """One atomicity group, or one request: all of it in one transaction."""
    if group.writes and may is None:
        return batch.refused(group, 403, "writing needs other rights")
    try:
        with _reader(may or permit, request, shared, write=may is not None) as reader:
            results = batch.run(reader, group, made)
            if group.writes:
                for one in group.requests:
                    _audit(permit, reader, one)
            return results
    except batch.GroupError as error:
        return error.results


def _audit(permit: Permit, reader: Reader, asked: answers.Request) -> None:
    """What changes the registry is audited; Observations are too many, and the committed stream has them."""
    if asked.method != "GET" and not asked.path.rstrip("/").endswith(("Observations", "CreateObservations")):
        permit.audit(
            reader.conn, operation="sensorthings.write", target=asked.path[:200], detail={"method": asked.method}
        )


def _may_write(permit: Permit) -> Permit | None:
    decision = decide(permit.principal, "sensorthings.write", now=permit.now)
    return replace(permit, decision=decision) if decision.allowed else None


@contextmanager
def _reader(permit: Permit, request: Request, shared: State, *, write: bool) -> Iterator[Reader]:
    """A connection in a transaction, and what the caller reaches. Errors of the database become problems."""
    decision = permit.decision
    areas = decision.areas(shared.known.tree())
    access = Access(areas, decision.reaches(Reach.PUBLIC), write, write and areas is None)
    try:
        with available(), shared.pool.connection(timeout=CONNECTION_SECONDS) as conn:
            _limit(conn)
            yield Reader(conn, access, _base(request, shared), shared.settings.sta_filter_seconds)
    except (QueryError, TramError) as error:
        raise _problem(error) from None
    except psycopg.errors.QueryCanceled:
        raise _problem(TooLongError()) from None
    except psycopg.errors.StatementTooComplex:
        raise Problem("query", "it is nested too deep for the database") from None
    except psycopg.DataError as error:
        raise Problem("query", str(error).strip().split("\n")[0]) from None
    except psycopg.errors.IntegrityError as error:
        raise Problem("conflict", str(error.diag.message_primary or "")) from None


def _limit(conn: Connection) -> None:
    conn.execute("SELECT set_config('statement_timeout', %s, true)", (str(round(SECONDS * 1000)),))


def _problem(error: TramError) -> TramError:
    if isinstance(error, QueryError) or error.code in ("query", "body", "row", "time", "json", "name"):
        return Problem("query", str(error))
    return error


def _asked(request: Request, body: bytes) -> answers.Request:
    # The path as it was sent: a slash inside an id must stay escaped until segments are told apart.
    raw = request.scope.get("raw_path") or request.url.path.encode()
    text = raw.decode("latin-1").split("?", 1)[0]
    path = unquote(text[len(PREFIX) :], errors="replace")
    pairs = parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=20, errors="replace")
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    return answers.Request(request.method, path.strip("/"), pairs, body, kind)


def _base(request: Request, shared: State) -> str:
    return base_url(request, shared.settings, shared.proxies) + PREFIX


def _response(answer: answers.Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), answer.content_type if answer.body else None)


def _rest(first: bytes, stream: Iterator[bytes], kept: ExitStack) -> Iterator[bytes]:
    with kept:
        yield first
        yield from stream
