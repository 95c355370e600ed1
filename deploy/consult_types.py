"""Write web/consult/messages.ts: the consult protocol's messages as TypeScript, from the Python types of the server.

Usage: python -m deploy.consult_types [--check]     --check: exit 1 when the file is not what would be written
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from telehealth import messages, vitals

OUT = Path(__file__).resolve().parent.parent / "web" / "consult" / "messages.ts"
UNIONS: dict[str, Any] = {
    "ClientMessage": messages.ClientMessage,
    "ServerMessage": messages.ServerMessage,
    "VitalsFrame": vitals.VitalsFrame,
    "VitalsMessage": vitals.VitalsOut,
}
HEAD = """\
/** The consult protocol's messages (docs/consult-protocol.md). Generated from telehealth/messages.py and
 *  telehealth/vitals.py by `python -m deploy.consult_types`; a test fails when the two differ. Do not edit. */
"""


class Writer:
    """Collects the types that are reached from the unions, each once, in the order met."""

    def __init__(self) -> None:
        self.done: dict[str, str] = {}
        self.longest: dict[str, int] = {}

    def type(self, kind: Any) -> str:
        """The TypeScript of one Python type; what it names is written too."""
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return self._enum(kind)
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            return self._dataclass(kind)
        if kind is Any:
            return "unknown"
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._struct(kind)
        plain = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", datetime: "string"}
        if kind in plain:
            return plain[kind]
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Annotated:
            return self.type(inner[0])
        if origin in (typing.Union, types.UnionType):
            return " | ".join(self.type(one) for one in inner)
        if origin is typing.Literal:
            return " | ".join(f"'{one}'" for one in inner)
        if origin is tuple and inner[1:] == (Ellipsis,):
            return f"{self.type(inner[0])}[]"
        if origin is list:
            item = self.type(inner[0])
            return f"({item})[]" if "|" in item else f"{item}[]"
        if origin in (dict, Mapping):
            return f"Record<string, {self.type(inner[1])}>"
        raise TypeError(f"no TypeScript for {kind!r}")

    def _enum(self, kind: type[enum.Enum]) -> str:
        self.done.setdefault(
            kind.__name__, f"export type {kind.__name__} = " + " | ".join(_literal(one.value) for one in kind)
        )
        return kind.__name__

    def _dataclass(self, kind: type[Any]) -> str:
        name = kind.__name__
        if name not in self.done:
            self.done[name] = ""
            hints = typing.get_type_hints(kind, include_extras=True)
            lines = [f"  {field.name}: {self.type(hints[field.name])}" for field in dataclasses.fields(kind)]
            about = (kind.__doc__ or "").splitlines()[0]
            self.done[name] = f"/** {about} */\nexport interface {name} {{\n" + "\n".join(lines) + "\n}"
        return name

    def _struct(self, kind: type[msgspec.Struct]) -> str:
        name = kind.__name__
        if name in self.done:
            return name
        self.done[name] = ""  # a struct may name itself
        config = kind.__struct_config__
        lines = [f"  {config.tag_field}: '{config.tag}'"] if config.tag is not None else []
        hints = typing.get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            hint = hints[field.name]
            # The encoder leaves out what has its default, and a client may as well.
            absent = "" if field.required else "?"
            lines.append(f"  {field.encode_name}{absent}: {self.type(hint)}")
            bound = self._bound(hint)
            if bound is not None and config.tag is not None:
                self.longest[f"{config.tag}.{field.encode_name}"] = bound
        said = inspect.cleandoc(kind.__doc__ or "").replace("*/", "* /").splitlines()
        about = "/** " + "\n *  ".join(line for line in said if line) + " */\n" if said else ""
        self.done[name] = f"{about}export interface {name} {{\n" + "\n".join(lines) + "\n}"
        return name

    def _bound(self, hint: Any) -> int | None:
        for one in (hint, *typing.get_args(hint)):
            if typing.get_origin(one) is typing.Annotated and typing.get_args(one)[0] is str:
                return next((meta.max_length for meta in typing.get_args(one)[1:] if meta.max_length), None)
        return None


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


def written() -> str:
    """The whole file."""
    writer = Writer()
    unions = {name: writer.type(union) for name, union in UNIONS.items()}
    text = [HEAD, *(f"{one}\n" for one in writer.done.values() if one)]
    for name, union in unions.items():
        text.append(f"export type {name} =\n  | " + "\n  | ".join(union.split(" | ")) + "\n")
    client = {str(kind.__struct_config__.tag) for kind in typing.get_args(messages.ClientMessage)}
    bounds = sorted((key, most) for key, most in writer.longest.items() if key.split(".")[0] in client)
    text.append("/** The most characters that the server takes, by `message.field`. */")
    text.append(
        "export const LONGEST = {\n" + "".join(f"  '{key}': {most},\n" for key, most in bounds) + "} as const\n"
    )
    return "\n".join(text)


def main() -> int:
    text = written()
    if "--check" not in sys.argv[1:]:
        OUT.write_text(text)
        return 0
    if OUT.is_file() and OUT.read_text() == text:
        return 0
    print(f"{OUT.name} is not what the Python types say: run `python -m deploy.consult_types`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
