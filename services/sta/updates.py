"""What subscribers over MQTT are told of entities (OGC 18-088 clause 14): topics and payloads, from `entity_change`.

made or changed    v1.1/Things, and the sets it stands in: v1.1/Locations(7)/Things     the entity
changed            v1.1/Things(5)                                                       the entity
changed            v1.1/Things(5)/name                                                  {"name": …}
any of these with ?$select=name,id, where somebody listens to it                        those members
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from services.sta import address as addresses
from services.sta.lexer import QueryError
from services.sta.mapping import TABLES
from services.sta.model import ENTITIES
from services.sta.parser import parse_select
from services.sta.query import body, build
from services.sta.read import Reader
from services.sta.sql import Sql
from services.sta.syntax import Options
from services.sta.tables import COLUMNS
from tram.errors import TramError
from tram.store.database import Connection

ROOT = "v1.1"
STEP = 200
"""Most entities published in one transaction."""
TOPICS = 1_000
"""Most topics with $select that are remembered; the one that was asked for longest ago goes."""

Message = tuple[str, str]
"""(topic, payload)"""


class Change(NamedTuple):
    """A row of `entity_change`."""

    entity: str
    id: int
    version: int
    created: bool
    columns: list[str]


class Watched:
    """The topics with $select that are listened to: names of members by topic, by what stands before the `?`."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, list[str]]] = {}

    def load(self, conn: Connection) -> None:
        """Reads them."""
        self._topics = {}
        for (topic,) in conn.execute("SELECT topic FROM sta_topic ORDER BY seen DESC LIMIT %s", (TOPICS,)).fetchall():
            self._add(topic)

    def learn(self, conn: Connection, topic: str) -> None:
        """Somebody has subscribed. What is no topic of ours is passed over."""
        if not self._add(topic):
            return
        conn.execute(
            "INSERT INTO sta_topic (topic) VALUES (%s) ON CONFLICT (topic) DO UPDATE SET seen = now()", (topic,)
        )
        conn.execute(
            "DELETE FROM sta_topic WHERE topic NOT IN (SELECT topic FROM sta_topic ORDER BY seen DESC LIMIT %s)",
            (TOPICS,),
        )
        if sum(map(len, self._topics.values())) > TOPICS:
            self.load(conn)

    def also(self, topic: str, text: str) -> Iterator[Message]:
        """The messages that a message on `topic` is to those who want some members of it."""
        for longer, names in self._topics.get(topic, {}).items():
            yield longer, select(text, names)

    def _add(self, topic: str) -> bool:
        path, mark, query = topic.partition("?$select=")
        if not mark or len(topic) > 1024 or not path.startswith(f"{ROOT}/"):
            return False
        try:
            target = addresses.parse(path.removeprefix(f"{ROOT}/"))
            names = [one.segments[0] for one in parse_select(query)]
        except (TramError, QueryError):
            return False
        entity = target.target.entity
        known = {*entity.properties, *entity.links, "id", "@iot.id"}
        if target.tail or target.suffix or not known.issuperset(names):
            return False
        self._topics.setdefault(path, {})[topic] = names
        return True


def select(text: str, names: Iterable[str]) -> str:
    """Some members of an entity's JSON, as they stand in it; a property without a value is null."""
    members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    chosen: dict[str, msgspec.Raw] = {}
    for name in names:
        link = f"{name}@iot.navigationLink"
        name = "@iot.id" if name == "id" else link if link in members else name
        chosen[name] = members.get(name, msgspec.Raw(b"null"))
    return msgspec.json.encode(chosen).decode()


def waiting(conn: Connection) -> list[Change]:
    """The next changes that nobody has been told of."""
    rows = conn.execute(
        "SELECT entity, id, version, created, columns FROM entity_change ORDER BY entity, id LIMIT %s", (STEP,)
    )
    return [Change(*row) for row in rows.fetchall()]


def told(conn: Connection, changes: Sequence[Change]) -> None:
    """Removes them, but for what has changed again meanwhile. Never commits."""
    conn.execute(
        "DELETE FROM entity_change c USING unnest(%s::text[], %s::bigint[], %s::bigint[]) AS t (entity, id, version) "
        "WHERE c.entity = t.entity AND c.id = t.id AND c.version = t.version",
        ([c.entity for c in changes], [c.id for c in changes], [c.version for c in changes]),
    )


def messages(reader: Reader, changes: Sequence[Change]) -> list[Message]:
    """What is published of them. Things that nobody may see yet, and what is gone again, are not in it."""
    found: list[Message] = []
    for name in ENTITIES:
        some = {change.id: change for change in changes if change.entity == name}
        if some:
            found += _of_entity(reader, name, some)
    return found


def _of_entity(reader: Reader, name: str, changes: Mapping[int, Change]) -> Iterator[Message]:
    entity, alias = ENTITIES[name], reader.alias()
    on = Sql(f"{alias}.id = ANY(%s::bigint[])", (list(changes),))
    query = build(reader.conn, name, alias, reader.access, Options(), on=on)
    rows = reader.rows(query.select([Sql(f"({alias}.id)::text"), body(query, list(entity.properties))], limit=None))
    sets = _sets(reader, name, list(changes))
    for row, text in zip(rows, reader.entities(entity, rows, Options()), strict=True):
        change = changes[int(row[0])]
        for topic in (f"{ROOT}/{entity.set_name}", *sets.get(change.id, ())):
            yield topic, text
        properties = changed(change)
        if properties:
            own = f"{ROOT}/{entity.set_name}({change.id})"
            yield own, text
            for one in properties:
                yield f"{own}/{one}", select(text, [one])


def changed(change: Change) -> list[str]:
    """The properties that were changed; none of an entity that is new."""
    if change.created or "status" in change.columns:
        return []
    known = {column: name for name, (column, _) in COLUMNS[change.entity].items()} | {"unit": "unitOfMeasurement"}
    return sorted({known[column] for column in change.columns if column in known})


def _sets(reader: Reader, name: str, ids: Sequence[int]) -> dict[int, list[str]]:
    """By id the topics of the sets of other entities that it stands in."""
    found: dict[int, list[str]] = {}
    for parent in ENTITIES.values():
        for link, to in parent.links.items():
            if to.target != name or not to.many:
                continue
            how = TABLES[parent.name].links[link]
            through = f"{how.through} l, " if how.through else ""
            query = Sql(
                f"SELECT t.id, p.id FROM {TABLES[parent.name].main} p, {through}{TABLES[name].main} t "
                f"WHERE {how.on.format(e='p', t='t', l='l')} AND t.id = ANY(%s::bigint[])",
                (list(ids),),
            )
            for id, above in reader.run(query).fetchall():
                found.setdefault(id, []).append(f"{ROOT}/{parent.set_name}({above})/{link}")
    return found
