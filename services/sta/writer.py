"""Writing entities: rows of their tables, links, and Observations gathered for the one write path at the end.

One Writer is one transaction. Nothing here commits.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from psycopg import sql

from services.sta import geo, resolve
from services.sta.bodies import BodyError, Sent
from services.sta.correct import correct
from services.sta.model import ENTITIES
from services.sta.read import Reader
from services.sta.resolve import Handle, Scope
from services.sta.results import Rows
from services.sta.tables import COLUMNS, LINK_COLUMNS, MAIN
from tram.clock import from_micros
from tram.errors import ConflictError, NotFoundError, TramError
from tram.store import observations
from tram.units import ucum

BOUNDED = ("Datastream", "Observation")
"""What somebody whose rights end at an area may make: what belongs to a Thing there."""


class ForbiddenError(TramError):
    """The caller's rights do not reach this."""

    code = "forbidden"


@dataclass
class Writer:
    """Writes for one request."""

    reader: Reader
    rows: Rows = field(default_factory=Rows)

    def __post_init__(self) -> None:
        access = self.reader.access
        if not access.write:
            raise ForbiddenError("writing needs other rights")
        if not access.everywhere:  # what is only public is not theirs to change
            self.reader = replace(self.reader, access=replace(access, public=False))
        self.conn = self.reader.conn
        # Places of Things are kept in step here, not by the registry's trigger.
        self.conn.execute("SELECT set_config('tram.sta', 'on', true)")

    def may_make(self, entity: str) -> None:
        """Raises ForbiddenError."""
        if not self.reader.access.everywhere and entity not in BOUNDED:
            raise ForbiddenError(f"a {entity} belongs to the whole province: your rights end at an area")

    def may_change(self, entity: str) -> None:
        """Raises ForbiddenError."""
        if entity != "Thing":
            self.may_make(entity)

    def find(self, entity: str, id: str) -> Handle:
        """One that is linked to. Raises BodyError."""
        alias = self.reader.alias()
        try:
            on = resolve.by_id(ENTITIES[entity], id, alias)
            return resolve.find(self.reader, Scope(ENTITIES[entity], alias, on), id)
        except NotFoundError as error:
            raise BodyError(str(error)) from None

    # Making

    def make(self, sent: Sent, context: tuple[str, Handle] | None = None) -> Handle:
        """An entity with all that is in it. `context`: the link back to the entity it was posted under."""
        entity = sent.entity.name
        self.may_make(entity)
        ones = {name: self._target(sent, name) for name, link in sent.entity.links.items() if not link.many}
        if context is not None:
            ones[context[0]] = context[1]
        if entity == "Observation":
            return self._observe(sent, ones)
        for name, link in sent.entity.links.items():
            if link.required and not link.many and ones.get(name) is None:
                raise BodyError(f"{entity} needs its {name}")
        values = self._columns(sent)
        for name, target in ones.items():
            if target is not None and (entity, name) in LINK_COLUMNS:
                values[LINK_COLUMNS[entity, name]] = target.keys[0]
        made = self._insert(sent, values)
        for name, link in sent.entity.links.items():
            if link.many:
                self._inside(made, name, sent.links.get(name, []))
        if context is not None and sent.entity.links[context[0]].many:
            self.add_link(made, context[0], [context[1]])
        return made

    def _target(self, sent: Sent, name: str) -> Handle | None:
        found = sent.links.get(name)
        if not found:
            return None
        one = found[0]
        return self.find(sent.entity.links[name].target, one) if isinstance(one, str) else self.make(one)

    def _columns(self, sent: Sent) -> dict[str, Any]:
        known = COLUMNS[sent.entity.name]
        values: dict[str, Any] = {}
        for name, value in sent.properties.items():
            if name in known:
                column = known[name][0]
                values[column] = "{}" if column == "properties" and value is None else value
        if sent.entity.name == "Datastream" and sent.properties.get("unitOfMeasurement") is not None:
            symbol = msgspec.json.decode(sent.properties["unitOfMeasurement"]).get("symbol")
            text = symbol.strip()[:255] if isinstance(symbol, str) else ""
            values["unit"] = ucum(text) or text
        return values

    def _insert(self, sent: Sent, values: dict[str, Any]) -> Handle:
        entity = sent.entity.name
        if entity in ("Thing", "ObservedProperty"):
            values["name"] = f"sta-{uuid.uuid4()}"
        if entity == "Datastream":
            values["channel"] = uuid.uuid4().hex
        if entity == "Location":
            values["feature_id"] = self._feature(values)
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(values))
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
            sql.Identifier(MAIN[entity]), names, marks
        )
        row = self.conn.execute(query, list(values.values())).fetchone()
        assert row is not None
        return Handle(sent.entity, (row[0],), str(row[0]))

    def _feature(self, values: dict[str, Any]) -> int:
        """The FeatureOfInterest of Observations that name none: where their Thing is (OGC 18-088, 10.2.1.3)."""
        row = self.conn.execute(
            "INSERT INTO feature_of_interest (name, description, encoding, feature) "
            "VALUES (%s, %s, %s, %s) RETURNING id",
            (values["name"], values.get("description") or "", values.get("encoding"), values["geometry"]),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _inside(self, made: Handle, name: str, found: Sequence[Sent | str]) -> None:
        """Links to many of a body."""
        target = ENTITIES[made.entity.links[name].target]
        back = next((n for n, link in target.links.items() if link.target == made.entity.name), "")
        linked = []
        for one in found:
            if isinstance(one, str):
                linked.append(self.find(target.name, one))
            elif target.links[back].many:
                linked.append(self.make(one))
            else:
                self.make(one, (back, made))
        if linked:
            self.add_link(made, name, linked)

    def _observe(self, sent: Sent, ones: dict[str, Handle | None]) -> Handle:
        stream = ones.get("Datastream")
        if stream is None:
            raise BodyError("Observation needs its Datastream")
        feature = ones.get("FeatureOfInterest")
        id = self.rows.add(stream.keys[0], sent.properties, None if feature is None else feature.keys[0])
        return Handle(sent.entity, (stream.keys[0], from_micros(self.rows.times[-1])), id)

    def flush(self) -> None:
        """Writes the Observations that were gathered: the last thing in the transaction. Raises ConflictError."""
        if not self.rows.ids:
            return
        written = observations.write(self.conn, self.rows.batch())
        if written.duplicates:
            raise ConflictError(
                "there is an Observation of this Datastream at this phenomenonTime already: PATCH it to correct it"
            )
        self.rows = Rows()

    # Links

    def add_link(self, one: Handle, name: str, targets: Sequence[Handle]) -> None:
        """Makes links; a link to one replaces what was there."""
        entity = one.entity.name
        for target in targets:
            if (entity, name) in LINK_COLUMNS:
                self._set(one, {LINK_COLUMNS[entity, name]: target.keys[0]})
                continue
            back = next((n for n, link in target.entity.links.items() if link.target == entity), "")
            if (target.entity.name, back) in LINK_COLUMNS:
                self._set(target, {LINK_COLUMNS[target.entity.name, back]: one.keys[0]})
        if (entity, name) == ("Thing", "Locations"):
            self.place(one, [t.keys[0] for t in targets])
        elif (entity, name) == ("Location", "Things"):
            for target in targets:
                self.place(target, [one.keys[0]])
        elif {entity, name} in ({"HistoricalLocation", "Locations"}, {"Location", "HistoricalLocations"}):
            for target in targets:
                pair = (one, target) if entity == "HistoricalLocation" else (target, one)
                self.conn.execute(
                    "INSERT INTO historical_location_location VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (pair[0].keys[0], pair[1].keys[0]),
                )

    def place(self, thing: Handle, locations: Sequence[int]) -> None:
        """A Thing is at these Locations now; that it is goes into its history, and its place into the registry."""
        id, now = thing.keys[0], datetime.now(UTC)
        self.conn.execute("DELETE FROM thing_location WHERE thing_id = %s", (id,))
        self.conn.execute(
            "INSERT INTO thing_location SELECT %s, l FROM unnest(%s::int[]) AS l ON CONFLICT DO NOTHING",
            (id, list(locations)),
        )
        row = self.conn.execute(
            "INSERT INTO historical_location (thing_id, time) VALUES (%s, %s) RETURNING id", (id, now)
        ).fetchone()
        assert row is not None
        self.conn.execute(
            "INSERT INTO historical_location_location SELECT %s, l FROM unnest(%s::int[]) AS l ON CONFLICT DO NOTHING",
            (row[0], list(locations)),
        )
        self.register(id)

    def register(self, thing: int) -> None:
        """The registry's longitude and latitude of a Thing follow its Locations."""
        found = self.conn.execute(
            "SELECT l.geometry FROM thing_location tl JOIN location l ON l.id = tl.location_id WHERE tl.thing_id = %s",
            (thing,),
        ).fetchall()
        points = [p for (geometry,) in found if isinstance(geometry, dict) and (p := geo.point(geometry)) is not None]
        longitude, latitude = points[0] if points else (None, None)
        self.conn.execute(
            "UPDATE thing SET longitude = %s, latitude = %s, height = NULL WHERE id = %s", (longitude, latitude, thing)
        )

    def _set(self, one: Handle, values: dict[str, Any]) -> None:
        pairs = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder()) for n in values)
        query = sql.SQL("UPDATE {} SET {} WHERE id = {}").format(
            sql.Identifier(MAIN[one.entity.name]), pairs, sql.Placeholder()
        )
        self.conn.execute(query, [*values.values(), one.keys[0]])

    # Changing

    def change(self, one: Handle, sent: Sent, *, whole: bool) -> None:
        """Sets what was sent; `whole`: what was not sent and need not be there becomes empty."""
        entity = one.entity.name
        self.may_change(entity)
        for name, found in sent.links.items():
            if any(isinstance(item, Sent) for item in found):
                raise BodyError(f"{entity}.{name}: a change only links entities that are there (OGC 18-088, 10.3)")
        if entity == "Observation":
            correct(self.conn, self.find, one, sent, whole=whole)
            return
        values = self._columns(sent)
        if whole:
            for name, known in one.entity.properties.items():
                if name not in sent.properties and name in COLUMNS[entity] and not known.required:
                    values[COLUMNS[entity][name][0]] = "{}" if name == "properties" else None
        for name in ("name", "description", "encoding"):
            if name in values and values[name] is None:
                raise BodyError(f"{entity}.{name} cannot be null")
        if entity == "Location" and "geometry" in values:
            row = self.conn.execute(
                "SELECT name, description, encoding FROM location WHERE id = %s", one.keys
            ).fetchone()
            assert row is not None
            described = dict(zip(("name", "description", "encoding"), row, strict=True))
            values["feature_id"] = self._feature(described | values)
        if values:
            self._set(one, values)
        for name, found in sent.links.items():
            ids = [item for item in found if isinstance(item, str)]
            self.add_link(one, name, [self.find(one.entity.links[name].target, id) for id in ids])
        if entity == "Location" and "geometry" in values:
            for (thing,) in self.conn.execute(
                "SELECT thing_id FROM thing_location WHERE location_id = %s", one.keys
            ).fetchall():
                self.register(thing)
