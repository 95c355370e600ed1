"""DELETE with what depends on it (OGC 18-088, table 25), and the end of links."""

import numpy as np

from services.sta.bodies import BodyError
from services.sta.resolve import Handle
from services.sta.tables import MAIN
from services.sta.writer import Writer
from tram.clock import to_micros
from tram.errors import ConflictError
from tram.store import observations

PIECE = 50_000
MOST = 500_000
"""Most Observations that one DELETE takes with it."""


def remove(writer: Writer, one: Handle) -> None:
    """Deletes an entity. Raises ConflictError when too many Observations would go with it."""
    entity, conn = one.entity.name, writer.conn
    writer.may_change(entity if entity != "Thing" else "Location")
    if entity == "Observation":
        observations.delete(conn, np.array([one.keys[0]]), np.array([to_micros(one.keys[1])]))
        return
    if entity == "Sensor":
        row = conn.execute("SELECT generic FROM sensor WHERE id = %s", one.keys).fetchone()
        if row and row[0]:
            raise ConflictError("this is the Sensor of all Datastreams that gateways make: it stays")
    column = {
        "Thing": "thing_id",
        "Sensor": "sensor_id",
        "ObservedProperty": "observed_property_id",
        "Datastream": "id",
    }
    if entity in column:
        rows = conn.execute(
            f"SELECT id FROM datastream WHERE {column[entity]} = %s ORDER BY id FOR UPDATE",
            one.keys,
        ).fetchall()
        _observations(writer, [row[0] for row in rows])
        conn.execute("DELETE FROM datastream WHERE id = ANY(%s)", ([row[0] for row in rows],))
    if entity == "FeatureOfInterest":
        _of_feature(writer, one)
    if entity == "Location":
        things = [
            row[0] for row in conn.execute("SELECT thing_id FROM thing_location WHERE location_id = %s", one.keys)
        ]
        conn.execute(
            "DELETE FROM historical_location WHERE id IN "
            "(SELECT historical_location_id FROM historical_location_location WHERE location_id = %s)",
            one.keys,
        )
    if entity != "Datastream":
        conn.execute(f"DELETE FROM {MAIN[entity]} WHERE id = %s".encode(), one.keys)
    if entity == "Location":
        for thing in things:
            writer.register(thing)


def _observations(writer: Writer, streams: list[int]) -> None:
    left = MOST
    for stream in streams:
        while True:
            deleted = observations.delete_interval(
                writer.conn, stream, observations.EARLIEST, observations.LATEST + 1, rows=PIECE
            )
            left -= deleted.removed
            if left < 0:
                raise ConflictError(f"more than {MOST} Observations would go with it: remove those first, by retention")
            if not deleted.more:
                break


def _of_feature(writer: Writer, one: Handle) -> None:
    rows = writer.conn.execute(
        "SELECT datastream_id, phenomenon_time FROM observation "
        "WHERE extra IS NOT NULL AND (extra ->> 'feature')::bigint = %s LIMIT %s",
        (one.keys[0], MOST + 1),
    ).fetchall()
    if len(rows) > MOST:
        raise ConflictError(f"more than {MOST} Observations would go with it")
    if rows:
        observations.delete(writer.conn, [row[0] for row in rows], [to_micros(row[1]) for row in rows])


def unlink(writer: Writer, one: Handle, name: str, target: Handle | None) -> None:
    """Ends a link; `target` None: all of them. Raises BodyError for one that an entity cannot be without."""
    writer.may_change(one.entity.name)
    entity, conn = one.entity.name, writer.conn
    if (entity, name) == ("Location", "Things") and target is not None:
        one, name, target, entity = target, "Locations", one, "Thing"
    if (entity, name) == ("Thing", "Locations"):
        conn.execute(
            "DELETE FROM thing_location WHERE thing_id = %s AND (%s::int IS NULL OR location_id = %s)",
            (one.keys[0], None if target is None else target.keys[0], None if target is None else target.keys[0]),
        )
        writer.register(one.keys[0])
    elif (entity, name) == ("HistoricalLocation", "Locations") and target is not None:
        conn.execute(
            "DELETE FROM historical_location_location WHERE historical_location_id = %s AND location_id = %s",
            (one.keys[0], target.keys[0]),
        )
    else:
        raise BodyError(f"a {entity} and its {name} cannot be without each other: link another one instead")
