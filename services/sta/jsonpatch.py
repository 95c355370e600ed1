"""JSON Patch (RFC 6902) on one JSON document."""

import copy
from typing import Any

from services.sta.bodies import BodyError

OPERATIONS = 1_000


def apply(document: Any, patch: Any) -> Any:
    """The patched document. Raises BodyError, also for a failed `test`."""
    if not isinstance(patch, list) or not all(isinstance(step, dict) for step in patch):
        raise BodyError("a JSON Patch is a list of operations")
    if len(patch) > OPERATIONS:
        raise BodyError(f"more than {OPERATIONS} operations")
    document = {"": copy.deepcopy(document)}
    for step in patch:
        _step(document, step)
    return document[""]


def _step(root: dict[str, Any], step: dict[str, Any]) -> None:
    operation, path = step.get("op"), _pointer(step.get("path"))
    match operation:
        case "add":
            _add(root, path, _value(step))
        case "remove":
            _remove(root, path)
        case "replace":
            _get(root, path)
            _replace(root, path, _value(step))
        case "move":
            _add(root, path, _remove(root, _pointer(step.get("from"))))
        case "copy":
            _add(root, path, copy.deepcopy(_get(root, _pointer(step.get("from")))))
        case "test":
            if _get(root, path) != _value(step):
                raise BodyError(f"the test of {step.get('path')!r} failed")
        case _:
            raise BodyError(f"{str(operation)[:20]!r} is no operation of JSON Patch")


def _value(step: dict[str, Any]) -> Any:
    if "value" not in step:
        raise BodyError("an operation lacks its value")
    return step["value"]


def _pointer(text: object) -> list[str]:
    """RFC 6901. The document itself is the member "" of `root`."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise BodyError(f"{str(text)[:40]!r} is no JSON Pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")]


def _index(array: list[Any], part: str, *, end: bool = False) -> int:
    if end and part == "-":
        return len(array)
    if not (part.isascii() and part.isdigit() and len(part) < 10) or int(part) >= len(array) + end:
        raise BodyError(f"there is no element {part[:20]!r}")
    return int(part)


def _get(root: Any, path: list[str]) -> Any:
    found = root
    for part in path:
        if isinstance(found, list):
            found = found[_index(found, part)]
        elif isinstance(found, dict) and part in found:
            found = found[part]
        else:
            raise BodyError(f"there is no {part[:40]!r}")
    return found


def _add(root: Any, path: list[str], value: Any) -> None:
    parent, part = _get(root, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.insert(_index(parent, part, end=True), value)
    elif isinstance(parent, dict):
        parent[part] = value
    else:
        raise BodyError(f"{part[:40]!r} cannot be added to a value")


def _replace(root: Any, path: list[str], value: Any) -> None:
    parent, part = _get(root, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent[_index(parent, part)] = value
    else:
        parent[part] = value


def _remove(root: Any, path: list[str]) -> Any:
    value, parent, part = _get(root, path), _get(root, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[_index(parent, part)]
    else:
        del parent[part]
    return value
