"""The resource path of a request: `Things(1)/Datastreams/$ref`, OGC 18-088 section 9.2, checked against the model."""

import re
from dataclasses import dataclass

from services.sta.model import ENTITIES, SETS, Entity
from tram.errors import NotFoundError

LENGTH = 2_048
"""Most characters of a resource path."""
STEPS = 12
"""Most segments of a resource path."""

_SEGMENT = re.compile(r"(?P<name>[A-Za-z$@][\w$@.-]*)(?:\((?P<id>'(?:[^']|'')+'|\d{1,19})\))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One navigation: the entity it reaches, the link it took (None at the start), the id it named (None: the set)."""

    entity: Entity
    link: str | None
    id: str | None
    many: bool


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request points.

    Attributes:
        steps: from the service root on; the last one is what is asked for.
        tail: path of a property behind the last step, or ().
        suffix: "", "$ref", "$value" or "$count".
    """

    steps: tuple[Step, ...]
    tail: tuple[str, ...] = ()
    suffix: str = ""

    @property
    def target(self) -> Step:
        return self.steps[-1]


def parse(path: str) -> Address:
    """The address of a path below the service root.

    Raises:
        NotFoundError: it leads nowhere; the message names the first segment that does.
    """
    if len(path) > LENGTH:
        raise NotFoundError(f"a path may have {LENGTH} characters")
    segments = _split(path)
    if len(segments) > STEPS:
        raise NotFoundError(f"a path may have {STEPS} segments")
    suffix = segments.pop() if len(segments) > 1 and segments[-1] in ("$ref", "$value", "$count") else ""
    steps: list[Step] = []
    rest: list[str] = []
    for index, segment in enumerate(segments):
        step = _step(steps[-1] if steps else None, segment)
        if step is None:
            rest = segments[index:]
            break
        steps.append(step)
    if not steps:
        raise NotFoundError(f"there is no entity set {segments[0]!r}; these are: {', '.join(SETS)}")
    address = Address(tuple(steps), tuple(rest), suffix)
    _check(address)
    return address


def _split(path: str) -> list[str]:
    """At the slashes outside quoted ids."""
    return re.findall(r"(?:[^/']|'(?:[^']|'')*')+", path.strip("/")) or [""]


def _step(before: Step | None, segment: str) -> Step | None:
    """The step that a segment makes, or None when it names no entity here (a property, perhaps)."""
    match = _SEGMENT.fullmatch(segment)
    if match is None:
        return None
    name, id = match["name"], match["id"]
    if id is not None and id.startswith("'"):
        id = id[1:-1].replace("''", "'")
    if before is None:
        entity = SETS.get(name)
        return None if entity is None else Step(entity, None, id, many=id is None)
    link = before.entity.links.get(name)
    if link is None:
        return None
    if before.many:
        raise NotFoundError(f"{before.entity.set_name} is a set: name one of it before /{name}")
    if id is not None and not link.many:
        raise NotFoundError(f"{name} is one entity: it takes no id here")
    return Step(ENTITIES[link.target], name, id, many=link.many and id is None)


def _check(address: Address) -> None:
    target = address.target
    if address.tail:
        first = address.tail[0]
        if target.many or first not in target.entity.properties:
            raise NotFoundError(f"{target.entity.name} has no {first!r}")
        if len(address.tail) > 1 and target.entity.properties[first].kind not in ("json", "any"):
            raise NotFoundError(f"{first} has no parts")
    if address.suffix == "$value" and not address.tail:
        raise NotFoundError("$value stands behind a property")
    if address.suffix == "$ref" and address.tail:
        raise NotFoundError("$ref stands behind an entity or a set")
    if address.suffix == "$count" and not target.many:
        raise NotFoundError("$count stands behind a set")
