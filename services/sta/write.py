"""POST, PATCH, PUT and DELETE below the service root (OGC 18-088, clause 10), in the transaction of one request."""

import msgspec

from services.sta import address as addresses
from services.sta import bodies, bulk, jsonpatch, remove, resolve
from services.sta.address import Address, Step
from services.sta.answer import Answer, Request
from services.sta.bodies import BodyError
from services.sta.read import Reader
from services.sta.resolve import Handle
from services.sta.syntax import Options
from services.sta.writer import Writer
from tram.errors import NotFoundError

PATCH_TYPE = "application/json-patch+json"
TYPES = ("application/json", PATCH_TYPE, "application/merge-patch+json", "text/plain", "")


def write(reader: Reader, request: Request) -> Answer:
    """Answers a write. Raises TramError."""
    if request.method != "DELETE" and request.content_type not in TYPES:
        raise BodyError(f"a body of type {request.content_type[:60]!r} is not read here: send application/json")
    writer = Writer(reader)
    if request.path.strip("/") in ("CreateObservations", "Observations/CreateObservations"):
        _only(request, "POST")
        return bulk.create(writer, request.body)
    address = addresses.parse(request.path)
    if address.suffix in ("$count", "$value") or (address.tail and address.suffix):
        raise BodyError(f"nothing is written to {address.suffix}")
    if address.suffix == "$ref":
        return _link(writer, request, address)
    if request.method == "POST":
        return _post(writer, request, address)
    if address.target.many:
        raise BodyError(f"{request.method} is for one entity: name its id")
    one = resolve.handle(writer.reader, address, lock=request.method != "GET" and _lockable(address))
    if request.method == "DELETE":
        if address.tail:
            raise BodyError("a property is not deleted: PATCH the entity")
        remove.remove(writer, one)
        return Answer(200)
    _change(writer, request, address, one)
    writer.flush()
    made = one if one.entity.name == "Observation" else None
    on, alias = (None, "") if made else (one, reader.alias())
    if on is not None:
        found = reader.one(one.entity.name, Options(), on.at(alias), alias=alias)
    else:
        alias = reader.alias()
        found = reader.one("Observation", Options(), resolve.by_id(one.entity, one.id, alias), alias=alias)
    return Answer(200, (found or "{}").encode())


def _lockable(address: Address) -> bool:
    return address.target.entity.name != "Observation"


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise NotFoundError(f"only {method} goes here")


def _post(writer: Writer, request: Request, address: Address) -> Answer:
    target = address.target
    if address.tail or not target.many:
        raise BodyError("POST is for a set of entities")
    sent = bodies.read(target.entity, request.body, whole=True)
    context = None
    if len(address.steps) > 1:
        parent = resolve.handle(writer.reader, Address(address.steps[:-1]))
        back = _inverse(parent, target)
        context = (back, parent)
    made = writer.make(sent, context)
    writer.flush()
    link = writer.reader.link(made.entity, made.id)
    alias = writer.reader.alias()
    found = writer.reader.one(made.entity.name, Options(), made.at(alias), alias=alias)
    return Answer(201, (found or "{}").encode(), {"Location": link})


def _inverse(parent: Handle, target: Step) -> str:
    for name, link in target.entity.links.items():
        if link.target == parent.entity.name:
            return name
    raise BodyError(f"a {target.entity.name} is not made under a {parent.entity.name}")


def _change(writer: Writer, request: Request, address: Address, one: Handle) -> None:
    entity = one.entity
    body = request.body
    if address.tail:
        if len(address.tail) > 1:
            raise BodyError("a property is changed as a whole")
        bodies.decode(body)
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw]) if body.lstrip().startswith(b"{") else {}
        raw = bytes(members.get("value", members.get(address.tail[0], body)))
        body = b'{"' + address.tail[0].encode() + b'":' + raw + b"}"
        writer.change(one, bodies.read(entity, body, whole=False), whole=False)
        return
    if request.content_type == PATCH_TYPE and request.method == "PATCH":
        alias = writer.reader.alias()
        now = writer.reader.one(entity.name, Options(), one.at(alias), alias=alias)
        before = msgspec.json.decode(now or "{}")
        before = {name: value for name, value in before.items() if name in entity.properties}
        after = jsonpatch.apply(before, bodies.decode(body))
        if not isinstance(after, dict):
            raise BodyError("the patched entity is no object")
        gone = {name: None for name in before if name not in after}
        changed = {n: v for n, v in (after | gone).items() if n not in before or before[n] != v}
        writer.change(one, bodies.read(entity, msgspec.json.encode(changed), whole=False), whole=False)
        return
    whole = request.method == "PUT"
    writer.change(one, bodies.read(entity, body, whole=whole), whole=whole)


def _link(writer: Writer, request: Request, address: Address) -> Answer:
    """$ref: a link to one that is there."""
    if len(address.steps) < 2:
        raise BodyError("$ref stands behind a link of an entity")
    parent = resolve.handle(writer.reader, Address(address.steps[:-1]))
    last = address.target
    assert last.link is not None
    if request.method == "DELETE":
        target = None if last.id is None else writer.find(last.entity.name, last.id)
        remove.unlink(writer, parent, last.link, target)
        return Answer(204)
    bodies.decode(request.body)
    id = bodies.reference(request.body)
    if id is None:
        raise BodyError('a link is {"@iot.id": …}')
    writer.may_change(parent.entity.name)
    found = writer.find(last.entity.name, id)
    if parent.entity.name == "Observation" or found.entity.name == "Observation":
        one, name, other = (parent, last.link, found) if parent.entity.name == "Observation" else (
            found, _inverse(parent, last), parent)  # fmt: skip
        sent = bodies.Sent(one.entity, {}, {name: [other.id]})
        writer.change(one, sent, whole=False)
    else:
        writer.add_link(parent, last.link, [found])
    return Answer(204)
