"""$batch in the JSON form (OData JSON 4.01, 19): requests in order, those of one atomicityGroup in one transaction."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import psycopg

from services.errors import PROBLEMS, Problem
from services.sta import bodies, dispatch
from services.sta.answer import Answer, Request
from services.sta.bodies import BodyError
from services.sta.lexer import QueryError
from services.sta.read import Reader
from tram.errors import TramError, UnavailableError

MOST = 1_000
"""Most requests of a batch."""
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Group:
    """Requests that succeed or fail together. `ids`: what the answers are called."""

    ids: tuple[str, ...]
    requests: tuple[Request, ...]
    name: str | None = None

    @property
    def writes(self) -> bool:
        return any(request.method != "GET" for request in self.requests)


class GroupError(Exception):
    """A group failed: its answers."""

    def __init__(self, results: list[dict[str, object]]) -> None:
        super().__init__()
        self.results = results


def parse(body: bytes) -> list[Group]:
    """The groups, in order. Raises BodyError."""
    try:
        found = bodies.decode(body)
        members = msgspec.json.decode(body, type=dict[str, list[dict[str, msgspec.Raw]]])["requests"]
    except (msgspec.DecodeError, KeyError):
        raise Problem("query", 'a batch is {"requests": [{"id", "method", "url", "body"}, …]}') from None
    except BodyError as error:
        raise Problem("query", str(error)) from None
    if len(members) > MOST:
        raise Problem("query", f"at most {MOST} requests in a batch")
    groups: list[Group] = []
    for raw, plain in zip(members, found["requests"], strict=True):
        id, request, name = _request(raw, plain)
        if name is not None and groups and groups[-1].name == name:
            last = groups.pop()
            groups.append(Group((*last.ids, id), (*last.requests, request), name))
        else:
            groups.append(Group((id,), (request,), name))
    return groups


def _request(raw: dict[str, msgspec.Raw], plain: dict[str, Any]) -> tuple[str, Request, str | None]:
    id, method, url = plain.get("id"), str(plain.get("method", "")).upper(), plain.get("url")
    if not isinstance(id, str | int) or method not in METHODS or not isinstance(url, str):
        raise Problem("query", "each request of a batch has an id, a method (GET POST PATCH PUT DELETE) and a url")
    headers = plain.get("headers") or {}
    kind = "application/json"
    if isinstance(headers, dict):
        kind = next((str(v) for k, v in headers.items() if k.lower() == "content-type"), kind)
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=20, errors="replace")
    except ValueError:
        raise Problem("query", f"{url[:60]!r} is no address") from None
    path = unquote(parts.path, errors="replace")
    path = path.split("/v1.1/", 1)[-1].strip("/")
    body = bytes(raw["body"]) if "body" in raw else b""
    group = plain.get("atomicityGroup")
    kind = kind.split(";")[0].strip().lower()
    return str(id), Request(method, path, pairs, body, kind), None if group is None else str(group)


def run(reader: Reader, group: Group, made: dict[str, str]) -> list[dict[str, object]]:
    """Answers of a group. Raises GroupError when one fails: nothing of the group stays.

    `made`: what requests before it have made, path by id of the request; "" where one failed. The group's are added.
    """
    results: list[dict[str, object]] = []
    new: dict[str, str] = {}
    for id, request in zip(group.ids, group.requests, strict=True):
        try:
            answer = dispatch.answer(reader, _referring(request, made | new))
            results.append(_result(id, answer))
            if "Location" in answer.headers:
                new[id] = answer.headers["Location"].rsplit("/v1.1/", 1)[-1]
        except UnavailableError:
            raise
        except (TramError, psycopg.DataError, psycopg.IntegrityError) as error:
            status, detail = _status(error)
            raise GroupError(
                [
                    _failed(
                        one, status if one == id else 424, detail if one == id else f"request {id} of its group failed"
                    )
                    for one in group.ids
                ]
            ) from None
    made |= new
    return results


class DependencyError(TramError):
    """What a request refers to was not made."""

    code = "dependency"


def _referring(request: Request, made: dict[str, str]) -> Request:
    """The request with what it refers to: `$1/Datastreams` or `Things($1)` as url, `{"@iot.id": "$1"}` in the body."""

    def path(found: re.Match[str]) -> str:
        return _path(found["id"], made) if found["id"] in made else found[0]

    def id(found: re.Match[str]) -> str:
        return f"({_id(_path(found['id'], made))})" if found["id"] in made else found[0]

    def member(found: re.Match[bytes]) -> bytes:
        name = found["id"].decode("utf-8", "replace")
        if name not in made:
            return found[0]
        made_id = _id(_path(name, made))
        # An Observation's id is a text, all others' are numbers.
        return found["name"] + (f'"{made_id[1:-1]}"' if made_id.startswith("'") else made_id).encode()

    where = _SEGMENT.sub(id, _FIRST.sub(path, request.path))
    query = [(name, _VALUE.sub(lambda found: id(found)[1:-1], text)) for name, text in request.query]
    body = _MEMBER.sub(member, request.body)
    return Request(request.method, where, query, body, request.content_type)


# An unescaped quote stands in no JSON string: what these match in a body is a member.
_MEMBER = re.compile(rb'(?P<name>"@iot\.id"\s*:\s*)"\$(?P<id>[^"\\]+)"')
_FIRST = re.compile(r"^\$(?P<id>[^/()]+)(?=/|$)")
_SEGMENT = re.compile(r"\(\$(?P<id>[^()/]+)\)")
_VALUE = re.compile(r"(?<=eq )\$(?P<id>[\w-]+)\b")


def _path(id: str, made: dict[str, str]) -> str:
    if not made[id]:
        raise DependencyError(f"request {id} has made nothing")
    return made[id]


def _id(path: str) -> str:
    return path[path.rindex("(") + 1 : -1]


def _result(id: str, answer: Answer) -> dict[str, object]:
    body = answer.body if answer.stream is None else b"".join(answer.stream)
    found: dict[str, object] = {"id": id, "status": answer.status}
    if answer.headers:
        found["headers"] = {name.lower(): value for name, value in answer.headers.items()}
    if body:
        json = "json" in answer.content_type
        found["body"] = msgspec.Raw(body) if json else body.decode()
    return found


def _status(error: Exception) -> tuple[int, str]:
    text = str(error).strip().split("\n")[0]
    if isinstance(error, psycopg.IntegrityError):
        return 409, text
    if isinstance(error, DependencyError):
        return 424, text
    if isinstance(error, QueryError) or not isinstance(error, TramError):
        return 400, text
    return PROBLEMS.get(error.code, (400, ""))[0], text


def _failed(id: str, status: int, detail: str) -> dict[str, object]:
    return {"id": id, "status": status, "body": {"type": "/problems/query", "status": status, "detail": detail}}


def refused(group: Group, status: int, detail: str) -> list[dict[str, object]]:
    """The same refusal for each of a group."""
    return [_failed(id, status, detail) for id in group.ids]
