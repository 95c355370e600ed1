"""Rules of alarms as they are kept: every version, what the engine found wrong, and the registry they are joined to."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

import msgspec

from tram.alarms import rules
from tram.alarms.model import State
from tram.alarms.plan import Catalogue, Fault, Place
from tram.alarms.rules import Geofence, Rule, RuleError
from tram.errors import ConflictError, NotFoundError, PayloadError
from tram.store import sqlfile
from tram.store.database import Connection, available

CHANNEL = "tram_alarm_rules"
"""NOTIFY channel; the payload is the id of a rule that was added, changed or deleted."""
MOST_RULES = 2_000
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A rule as stored. `faults`: what the engine found wrong with it: where, what."""

    id: str
    version: int
    enabled: bool
    deleted: bool
    document: Mapping[str, Any]
    faults: tuple[Fault, ...]
    updated: datetime
    by: str

    @property
    def rule(self) -> Rule:
        """Raises RuleError: it was stored by another version of this program, or by hand."""
        return rules.read({**self.document, "enabled": self.enabled})


def list_rules(conn: Connection, *, after: str = "", limit: int = MOST_RULES, deleted: bool = False) -> list[Stored]:
    """By id; the next page is `after` the last."""
    with available():
        values = {"after": after, "limit": limit, "deleted": deleted}
        return [_stored(row) for row in conn.execute(sqlfile.load("alarm_rules")["list"], values)]


def get(conn: Connection, id: str) -> Stored:
    """Raises NotFoundError, also for a deleted one."""
    with available():
        row = conn.execute(sqlfile.load("alarm_rules")["get"], (id,)).fetchone()
    if row is None or row[3]:
        raise NotFoundError(f"there is no alarm rule {id!r}")
    return _stored(row)


def versions(conn: Connection, id: str) -> list[Stored]:
    """Every version of a rule, the newest first; also of a deleted one."""
    with available():
        return [_stored(row) for row in conn.execute(sqlfile.load("alarm_rules")["versions"], (id,))]


def put(conn: Connection, rule: Rule, by: str, *, expected: int | None = None) -> Stored:
    """Adds a rule, or a new version of it. The same once more changes nothing. Never commits.

    Args:
        expected: the version that it must have now; 0: it must not be there; None: whatever.

    Raises:
        ConflictError: it has another version, or there are MOST_RULES.
    """
    document = rules.document(rule)
    document.pop("enabled", None)
    text = msgspec.json.encode(document).decode()
    if len(text) > MOST_BYTES:
        raise PayloadError(f"a rule has at most {MOST_BYTES} bytes", code="invalid")
    queries = sqlfile.load("alarm_rules")
    with available():
        row = conn.execute(queries["get_for_update"], (rule.id,)).fetchone()
        now = _stored(row) if row else None
        standing = 0 if now is None or now.deleted else now.version
        if expected is not None and expected != standing:
            raise ConflictError(f"the rule {rule.id!r} has version {standing}, not {expected}: read it again")
        if now and standing and now.enabled == rule.enabled and dict(now.document) == msgspec.json.decode(text):
            return now
        if now is None and len(list_rules(conn, deleted=True, limit=MOST_RULES)) >= MOST_RULES:
            raise ConflictError(f"there are {MOST_RULES} rules: that is all there may be")
        _write(conn, rule.id, (now.version if now else 0) + 1, rule.enabled, text, by, deleted=False)
    return get(conn, rule.id)


def delete(conn: Connection, id: str, by: str, *, expected: int | None = None) -> None:
    """Takes a rule out; its alarms are closed by the engine, its versions stay. Never commits.

    Raises:
        NotFoundError: there is none (any more). ConflictError: as `put`.
    """
    with available():
        row = conn.execute(sqlfile.load("alarm_rules")["get_for_update"], (id,)).fetchone()
        now = _stored(row) if row else None
        if now is None or now.deleted:
            raise NotFoundError(f"there is no alarm rule {id!r}")
        if expected is not None and expected != now.version:
            raise ConflictError(f"the rule {id!r} has version {now.version}, not {expected}: read it again")
        text = msgspec.json.encode(dict(now.document)).decode()
        _write(conn, id, now.version + 1, False, text, by, deleted=True)


def _write(conn: Connection, id: str, version: int, enabled: bool, text: str, by: str, *, deleted: bool) -> None:
    values = {"id": id, "version": version, "enabled": enabled, "deleted": deleted, "document": text, "by": by}
    conn.execute(sqlfile.load("alarm_rules")["put"], values)
    conn.execute(sqlfile.load("alarm_rules")["put_version"], values)


def set_faults(conn: Connection, id: str, faults: Iterable[Fault]) -> None:
    """What the engine found wrong with it. Never commits."""
    text = msgspec.json.encode([{"where": f.where, "what": f.what} for f in faults]).decode()
    with available():
        conn.execute(sqlfile.load("alarm_rules")["set_faults"], (text, id))


def read_toml(data: bytes) -> list[Rule]:
    """Rules of a TOML file: `[[rule]]` tables.

    Raises:
        PayloadError: no TOML. RuleError: the first rule that is wrong, by its number and field.
    """
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise PayloadError(f"no TOML: {error}", code="toml") from None
    given = document.get("rule")
    if not isinstance(given, list) or set(document) != {"rule"}:
        raise PayloadError("a file of rules has [[rule]] tables and nothing else", code="toml")
    found: dict[str, Rule] = {}
    for number, one in enumerate(given, 1):
        try:
            rule = rules.read(one)
        except RuleError as error:
            name = one.get("id", "") if isinstance(one, dict) else ""
            raise RuleError(f"rule {number} {name!r}: {error}") from None
        if rule.id in found:
            raise RuleError(f"rule {number}: the id {rule.id!r} is there twice")
        found[rule.id] = rule
    return list(found.values())


def seed(conn: Connection) -> int:
    """The built-in rules, where there never was any; returns how many. Never commits."""
    with available():
        conn.execute(sqlfile.load("alarm_rules")["lock_seed"])
        row = conn.execute(sqlfile.load("alarm_rules")["any"]).fetchone()
        if row is None or row[0]:
            return 0
        found = built_in()
        for rule in found:
            put(conn, rule, "system")
    return len(found)


def built_in() -> list[Rule]:
    """The rules of tram/alarms/seed.toml."""
    return read_toml(files("tram.alarms").joinpath("seed.toml").read_bytes())


def catalogue(conn: Connection, wanted: Sequence[Rule]) -> Catalogue:
    """The registry as these rules see it."""
    queries = sqlfile.load("alarm_rules")
    codes = {leaf.area for rule in wanted for level in rule.levels for _, leaf in rules.leaves(level.when)
             if isinstance(leaf, Geofence) and leaf.area}  # fmt: skip
    with available():
        places = {
            row[0]: Place(row[0], row[1], row[2], row[3], row[4], tuple(row[5]))
            for row in conn.execute(queries["places"])
        }
        streams = conn.execute(queries["streams"]).fetchall()
        computed = frozenset(row[0] for row in conn.execute(queries["computed"]))
        shapes = conn.execute(queries["area_shapes"], (sorted(codes),)).fetchall() if codes else []
    return Catalogue(places, [(row[0], row[1], row[2]) for row in streams], dict(shapes), computed)


def units(conn: Connection) -> dict[str, str]:
    """Property -> its unit."""
    with available():
        return dict(conn.execute(sqlfile.load("alarm_rules")["units"]).fetchall())


@dataclass(frozen=True, slots=True)
class Out:
    """A rule at a Thing that people took out: `mode` is suppressed or out-of-service."""

    rule: str
    thing: str
    mode: State
    by: str
    comment: str
    at: datetime
    level: int
    area: str | None


def out(conn: Connection) -> list[Out]:
    """All that are suppressed or out of service."""
    with available():
        rows = conn.execute(sqlfile.load("alarm_rules")["out"]).fetchall()
    return [Out(row[0], row[1], State(row[2]), *row[3:]) for row in rows]


def modes(conn: Connection, points: Sequence[tuple[str, int]]) -> dict[tuple[str, int], State]:
    """Which of these (rule, Thing id) are out."""
    with available():
        rows = conn.execute(
            sqlfile.load("alarm_rules")["modes"], ([rule for rule, _ in points], [thing for _, thing in points])
        ).fetchall()
    return {(rule, thing): State(mode) for rule, thing, mode in rows}


def put_mode(conn: Connection, rule: str, thing_id: int, mode: State | None, by: str, comment: str) -> None:
    """Takes a rule at a Thing out, or puts it back (None). Never commits."""
    values = {"rule": rule, "thing_id": thing_id, "mode": mode.value if mode else "", "by": by, "comment": comment}
    with available():
        conn.execute(sqlfile.load("alarm_rules")["put_mode"], values)


def standing(conn: Connection) -> dict[tuple[str, int], int]:
    """What people were told last of every (rule, Thing id): its level, 0 too."""
    with available():
        return {(row[0], row[1]): int(row[2]) for row in conn.execute(sqlfile.load("alarm_rules")["points"])}


def tell(conn: Connection, levels: Mapping[tuple[str, int], int]) -> None:
    """Keeps what people were told. Never commits."""
    if levels:
        rows = [(rule, thing, level) for (rule, thing), level in sorted(levels.items())]
        with available(), conn.cursor() as cursor:
            cursor.executemany(sqlfile.load("alarm_rules")["put_level"], rows)


def forget(conn: Connection, points: Iterable[tuple[str, int]]) -> None:
    """Forgets points whose rule or Thing is gone. Never commits."""
    with available(), conn.cursor() as cursor:
        cursor.executemany(sqlfile.load("alarm_rules")["forget_point"], sorted(points))


def _stored(row: Any) -> Stored:
    id, version, enabled, deleted, document, faults, updated, by = row
    found = tuple(Fault(str(one.get("where", "")), str(one.get("what", ""))) for one in faults)
    return Stored(id, version, enabled, deleted, msgspec.json.decode(document), found, updated, by)


def recently_raised(conn: Connection, since: datetime) -> list[tuple[str, int, datetime]]:
    """(rule, alarm, when) of alarms that were raised since and belong to no storm, in order."""
    with available():
        rows = conn.execute(sqlfile.load("alarm_rules")["recently_raised"], (since,)).fetchall()
    return [(str(rule), int(id), at) for rule, id, at in rows]
