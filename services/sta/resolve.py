"""A resource path walked in the database: each entity it names must be there, linked as it says, and visible."""

from dataclasses import dataclass
from typing import Any

from services.sta.address import Address, Step
from services.sta.identity import number, observation_key
from services.sta.mapping import TABLES
from services.sta.model import Entity
from services.sta.read import Reader
from services.sta.sql import Sql, join, make, value
from tram.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Handle:
    """One entity that exists: `keys` are the values of its table's key columns, `id` its id as text."""

    entity: Entity
    keys: tuple[Any, ...]
    id: str

    def at(self, alias: str) -> Sql:
        """The condition that `alias` is this row."""
        pairs = zip(TABLES[self.entity.name].keys, self.keys, strict=True)
        return join(" AND ", [Sql(f"{key.format(e=alias)} = %s", (found,)) for key, found in pairs])


@dataclass(frozen=True, slots=True)
class Scope:
    """A set, or one of it: `on` limits the table aliased `alias`; `through` stands in front of it."""

    entity: Entity
    alias: str
    on: Sql
    through: str = ""


def by_id(entity: Entity, id: str, alias: str) -> Sql:
    """The condition that a row has this id; NotFoundError when none can."""
    if entity.name == "Observation":
        key = observation_key(id)
        if key is None:
            raise NotFoundError(f"there is no Observation {id[:40]!r}: an id is 'datastream.microseconds'")
        same = make(
            f"({alias}.datastream_id = {{}} AND {alias}.phenomenon_time = {{}} AND {alias}.extra ->> 'id' IS NULL)",
            value(key[0], "int4"), value(key[1], "timestamptz"),
        )  # fmt: skip
        # One whose phenomenonTime was changed keeps its id (docs/adr/0100).
        moved = Sql(f"({alias}.extra IS NOT NULL AND {alias}.extra ->> 'id' = %s)", (id,))
        return make("({} OR {})", same, moved)
    found = number(id, 63 if entity.name == "FeatureOfInterest" else 31)
    if found is None:
        raise NotFoundError(f"there is no {entity.name} {id[:40]!r}")
    return make(f"{alias}.id = {{}}", value(found, "int8"))


def scope(reader: Reader, steps: tuple[Step, ...]) -> Scope:
    """What the last step points at, every step before it having been found.

    Raises:
        NotFoundError: one of those is not there, or not linked so.
    """
    before: Handle | None = None
    for step in steps[:-1]:
        before = find(reader, _scope(reader, before, step), step.id)
    return _scope(reader, before, steps[-1])


def _scope(reader: Reader, before: Handle | None, step: Step) -> Scope:
    alias = reader.alias()
    conditions = [] if step.id is None else [by_id(step.entity, step.id, alias)]
    through = ""
    if before is not None:
        assert step.link is not None
        table = TABLES[before.entity.name]
        how, parent = table.links[step.link], reader.alias()
        conditions += [before.at(parent), Sql(how.on.format(e=parent, t=alias, l=f"{alias}_l"))]
        through = f"{table.main} {parent}" + (f", {how.through} {alias}_l" if how.through else "")
    return Scope(step.entity, alias, join(" AND ", conditions) if conditions else Sql("true"), through)


def find(reader: Reader, found: Scope, id: str | None = None, *, lock: bool = False) -> Handle:
    """The one entity of a scope. Raises NotFoundError."""
    table, alias = TABLES[found.entity.name], found.alias
    conditions = join(" AND ", [found.on, Sql(table.where.format(e=alias)), reader.access.sees(table.seen, alias)])
    keys = ", ".join(key.format(e=alias) for key in table.keys)
    before = Sql(f"{found.through}, " if found.through else "")
    query = make(
        f"SELECT ({table.id.format(e=alias)})::text, {keys} FROM {{}}{table.source.format(e=alias)} WHERE {{}} LIMIT 1"
        + (f" FOR UPDATE OF {alias}" if lock else ""),
        before, conditions,
    )  # fmt: skip
    row = reader.conn.execute(query.query, query.params).fetchone()
    if row is None:
        raise NotFoundError(f"there is no such {found.entity.name}" + (f" {id[:40]!r}" if id else ""))
    return Handle(found.entity, tuple(row[1:]), row[0])


def handle(reader: Reader, address: Address, *, lock: bool = False) -> Handle:
    """The one entity that an address names. Raises NotFoundError."""
    return find(reader, scope(reader, address.steps), address.target.id, lock=lock)
