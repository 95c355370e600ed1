"""What devices say of themselves, into the registry: many at once, and only where it says something new."""

from collections.abc import Iterable

from tram.sensing import Thing
from tram.store import resolver, sqlfile
from tram.store.batch import encode_json, storable_text
from tram.store.database import Connection, available
from tram.store.resolver import Held, Refused


def introduce(
    conn: Connection, things: Iterable[Thing], policy: str, pending_things: int = 10_000
) -> dict[str, Refused]:
    """Notes label, kind, area, location and properties, in the order of `things`.

    Unknown Things are provisioned as by `resolver.resolve`. An empty label, kind, area or location says nothing, nor
    does an area that does not exist; properties are merged by key. A Thing that waits is described too.

    Returns:
        those that are not to be known, by name. Never commits.
    """
    said: dict[str, Thing] = {}
    for thing in things:
        said[thing.name] = _merged(said[thing.name], thing) if thing.name in said else thing
    refused: dict[str, Refused] = {}
    for name in list(said):
        fault = resolver.name_fault(name, "thing")
        if fault:
            refused[name] = Refused("name", fault)
            del said[name]
    if not said:
        return refused
    rows: list[tuple[int, Thing]] = []
    with available():
        for name, answer in resolver.things(conn, sorted(said), policy, pending_things).items():
            if isinstance(answer, Refused):
                refused[name] = answer
            else:
                rows.append((answer.thing_id if isinstance(answer, Held) else answer, said[name]))
        rows.sort(key=lambda row: row[0])  # one order for all processes: none waits for the other in a circle
        places = [thing.location for _, thing in rows]
        arguments = {
            "ids": [id for id, _ in rows],
            "labels": [storable_text(thing.label) for _, thing in rows],
            "kinds": [storable_text(thing.kind) for _, thing in rows],
            "areas": [storable_text(thing.area or "") for _, thing in rows],
            "longitudes": [place.longitude if place else None for place in places],
            "latitudes": [place.latitude if place else None for place in places],
            "heights": [place.height if place else None for place in places],
            "properties": [encode_json(dict(thing.properties)).decode() for _, thing in rows],
        }
        if rows:
            conn.execute(sqlfile.load("registry")["introduce"], arguments)
    return refused


def _merged(before: Thing, after: Thing) -> Thing:
    return Thing(
        after.name, after.label or before.label, after.kind or before.kind, after.area or before.area,
        location=after.location or before.location, properties={**before.properties, **after.properties},
    )  # fmt: skip
