"""Definitions of calculated Datastreams: what there is, and its faults. Their values: tram.store.calculating.

Nothing here commits. A definition is checked before it is stored (tram.expressions), and no chain of definitions comes
back to where it began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg

from tram.errors import ConflictError, NotFoundError, PayloadError
from tram.expressions import Program, compile_expression
from tram.properties import known
from tram.sensing import Thing
from tram.store import registry, sqlfile
from tram.store.batch import storable_text
from tram.store.database import Connection, available
from tram.store.resolver import add_properties, name_fault
from tram.units import ucum

CHANNEL = "tram_calculated"
"""NOTIFY channel: a definition was added or changed."""
ALL = (-(2**60), 2**60)
"""The span of all time."""
MOST = 10_000
"""Definitions that there may be."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input of a definition.

    Attributes:
        datastream_id: None: it was deleted.
        was: `thing / property`, also when it is gone.
        reach: microseconds that it is looked back at.
        triggers: whether each of its values makes one of the result.
    """

    name: str
    datastream_id: int | None
    was: str
    thing: str | None
    unit: str | None
    reach: int
    triggers: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """A calculated Datastream. `output_id`, `thing`, `property`, `unit` are None when its Datastream was deleted.

    Attributes:
        max_age: microseconds after which an input's newest value counts no more.
        fault: why nothing is computed; "" when nothing is wrong.
        undefined: how many values came out as no number; `undefined_at`: the phenomenonTime of the newest.
        waiting: there are spans still to be computed.
    """

    id: int
    label: str
    expression: str
    output_id: int | None
    thing: str | None
    property: str | None
    unit: str | None
    max_age: int
    enabled: bool
    created_by: str
    created: datetime
    changed: datetime
    fault: str
    fault_at: datetime | None
    computed_at: datetime | None
    written: int
    undefined: int
    undefined_at: datetime | None
    waiting: bool
    inputs: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants computed.

    Attributes:
        thing, property: what the result is of; a Thing that does not exist is made.
        unit: of the result; "" takes the property's.
        inputs: name in the expression -> Datastream id.
        triggers: inputs whose values each make one of the result; empty: all inputs.
        max_age: microseconds.
    """

    thing: str
    property: str
    unit: str = ""
    expression: str
    inputs: Mapping[str, int]
    triggers: Sequence[str] = field(default_factory=tuple)
    max_age: int = 3_600_000_000
    label: str = ""
    enabled: bool = True


def list_definitions(conn: Connection, *, after: int = 0, limit: int = 1000) -> list[Definition]:
    """Definitions by id; the next page is `after` the last one."""
    return _read(conn, {"after": after, "ids": None, "limit": limit})


def get(conn: Connection, id: int) -> Definition:
    """One. Raises NotFoundError."""
    found = several(conn, [id])
    if not found:
        raise NotFoundError(f"there is no calculated Datastream {id}")
    return found[0]


def several(conn: Connection, ids: Sequence[int]) -> list[Definition]:
    """Those of these ids that there are."""
    return _read(conn, {"after": 0, "ids": list(ids), "limit": None})


def result_unit(draft: Draft) -> str:
    """The unit of a draft's result: of a property in the catalogue its own.

    Raises:
        PayloadError: another unit than the catalogue's, or one that is not known.
    """
    observed = known(draft.property)
    if observed is not None:
        if draft.unit and ucum(draft.unit) != observed.unit:
            raise PayloadError(f"{observed.name} is stored in {observed.unit}: leave the unit out", code="unit")
        return observed.unit
    if draft.unit and ucum(draft.unit) is None:
        raise PayloadError(f"the unit {draft.unit!r} is not known: use a UCUM code such as mm/h", code="unit")
    return ucum(draft.unit) or ""


def check(conn: Connection, draft: Draft) -> Program:
    """Compiles a draft against its inputs' units.

    Raises:
        ExpressionError: the expression; it names the character.
        NotFoundError: an input is no Datastream.
        PayloadError: its unit, or a trigger that is no input.
    """
    found = registry.get_datastreams(conn, list(draft.inputs.values()))
    for name, id in draft.inputs.items():
        if id not in found:
            raise NotFoundError(f"the input {name!r} is Datastream {id}, which does not exist")
    for name in draft.triggers:
        if name not in draft.inputs:
            raise PayloadError(f"the trigger {name!r} is none of the inputs", code="trigger")
    units = {name: found[id].unit for name, id in draft.inputs.items()}
    return compile_expression(draft.expression, units, result_unit(draft), draft.max_age)


def add(conn: Connection, draft: Draft, by: str) -> Definition:
    """Stores a definition; all its history is computed soon after the commit.

    Raises:
        ConflictError: another definition has this result, or there are too many.
        ExpressionError, NotFoundError, PayloadError: see `check`.
    """
    queries = sqlfile.load("calculated")
    with available():
        conn.execute(queries["lock"])
        program = check(conn, draft)
        row = conn.execute("SELECT count(*) FROM calculated").fetchone()
        assert row is not None
        if row[0] >= MOST:
            raise ConflictError(f"there are {MOST} calculated Datastreams: remove one first")
        output = _output(conn, draft)
        _no_circle(conn, output, draft)
        values = _values(draft) | {"output": output, "by": by}
        try:
            made = conn.execute(queries["add"], values).fetchone()
        except psycopg.errors.UniqueViolation:
            raise ConflictError(f"{draft.property} of {draft.thing} is calculated already") from None
        assert made is not None
        _inputs(conn, made[0], draft, program)
        if draft.enabled:
            mark(conn, [made[0]], [ALL[0]], [ALL[1]])
        conn.execute(queries["notify"])
    return get(conn, made[0])


def change(conn: Connection, id: int, draft: Draft) -> Definition:
    """Makes a definition what the draft says, its result staying where it is; all its history is computed anew.

    Raises:
        ConflictError: it would be computed from itself, or names another result.
        NotFoundError: no such definition; others as `add`.
    """
    queries = sqlfile.load("calculated")
    with available():
        conn.execute(queries["lock"])
        now = get(conn, id)
        if now.output_id is None:
            raise ConflictError("its Datastream was deleted: remove it and make a new one")
        observed = known(draft.property)
        if (draft.thing, observed.name if observed else draft.property) != (now.thing, now.property):
            raise ConflictError("a calculated Datastream keeps its Thing and property: remove it and make a new one")
        program = check(conn, draft)
        if result_unit(draft) != now.unit:
            raise ConflictError(f"its Datastream is in {now.unit or 'no unit'}: remove it and make a new one")
        _no_circle(conn, now.output_id, draft)
        conn.execute(queries["change"], _values(draft) | {"id": id})
        conn.execute(queries["clear_inputs"], (id,))
        _inputs(conn, id, draft, program)
        if draft.enabled:
            mark(conn, [id], [ALL[0]], [ALL[1]])
        conn.execute(queries["notify"])
    return get(conn, id)


def remove(conn: Connection, id: int) -> None:
    """Takes a definition away; what it has computed stays in its Datastream. Raises NotFoundError."""
    with available():
        if conn.execute(sqlfile.load("calculated")["remove"], (id,)).rowcount == 0:
            raise NotFoundError(f"there is no calculated Datastream {id}")


def mark(conn: Connection, ids: Sequence[int], firsts: Sequence[int], lasts: Sequence[int]) -> None:
    """Has these spans computed anew: microseconds, both ends belong to it."""
    if ids:
        with available():
            conn.execute(sqlfile.load("calculated")["mark"], (list(ids), list(firsts), list(lasts)))


def _values(draft: Draft) -> dict[str, Any]:
    return {
        "label": storable_text(draft.label), "expression": draft.expression, "max_age": draft.max_age,
        "enabled": draft.enabled,
    }  # fmt: skip


def _inputs(conn: Connection, id: int, draft: Draft, program: Program) -> None:
    streams = registry.get_datastreams(conn, list(draft.inputs.values()))
    rows = [
        {"id": id, "name": name, "datastream": stream, "reach": program.reach[name],
         "was": f"{streams[stream].thing} / {streams[stream].property}",
         "triggers": not draft.triggers or name in draft.triggers}
        for name, stream in draft.inputs.items()
    ]  # fmt: skip
    conn.cursor().executemany(sqlfile.load("calculated")["add_input"], rows)


def _output(conn: Connection, draft: Draft) -> int:
    observed = known(draft.property)
    name = observed.name if observed else draft.property
    fault = name_fault(name, "property") or name_fault(draft.thing, "thing")
    if fault:
        raise PayloadError(fault, code="name")
    try:
        thing = registry.get_thing(conn, draft.thing)
    except NotFoundError:
        thing = registry.put(conn, Thing(draft.thing, draft.label, "calculated"))
    add_properties(conn, [name])
    unit = result_unit(draft)
    values = {"thing": thing.id, "property": name, "unit": unit}
    row = conn.execute(sqlfile.load("calculated")["output"], values).fetchone()
    assert row is not None
    if row[1] != unit:
        raise ConflictError(f"its Datastream is there already, in {row[1] or 'no unit'}: use that unit")
    return int(row[0])


def _no_circle(conn: Connection, output: int, draft: Draft) -> None:
    rows = conn.execute(sqlfile.load("calculated")["upstream"], {"ids": list(draft.inputs.values())})
    if output in {row[0] for row in rows}:
        raise ConflictError(f"{draft.property} of {draft.thing} would be computed from itself")


def _read(conn: Connection, arguments: Mapping[str, Any]) -> list[Definition]:
    queries = sqlfile.load("calculated")
    with available():
        rows = conn.execute(queries["list"], arguments).fetchall()
        inputs: dict[int, list[Source]] = {row[0]: [] for row in rows}
        for row in conn.execute(queries["inputs"], (list(inputs),)).fetchall():
            inputs[row[0]].append(Source(*row[1:]))
    return [replace(Definition(*row), inputs=tuple(inputs[row[0]])) for row in rows]
