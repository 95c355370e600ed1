"""Rules as data: what one looks like, and reading one from JSON or TOML with errors that point to the field.

A rule looks at every Thing of its scope by itself. It has one to four levels, the least first; a level holds while its
condition does. docs/alarms.md tells the meaning of every field.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from tram.alarms.durations import ZERO, Duration
from tram.alarms.model import Priority
from tram.errors import PayloadError
from tram.geometry import check_polygon

MOST_LEVELS, MOST_LEAVES, MOST_DEPTH, MOST_POSITIONS, MOST_REPEATS = 4, 16, 5, 10_000, 100
ANY = "*"
"""As a property of `no-data`: whatever the Thing sends."""
LONGITUDE, LATITUDE = "longitude", "latitude"
POINTS = ("location", "position")
"""Properties whose value is a GeoJSON Point."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")

Op = Literal[">", ">=", "<", "<="]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class RuleError(PayloadError):
    """A rule that cannot be used; the message begins with the path of the field, like `$.levels[0].when.value`."""

    code = "invalid"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Threshold(_Part, frozen=True, tag_field="type", tag="threshold"):
    """The property is beyond the value; it must come back by `deadband` (in its unit) to be over."""

    property: str
    op: Op
    value: float
    deadband: float = 0.0
    thing: str | None = None


class Rate(_Part, frozen=True, tag_field="type", tag="rate"):
    """The property changes by more than `value` in `per`, measured over `window` (at least half of it)."""

    property: str
    op: Op
    value: float
    window: Duration
    per: Duration = Duration(3_600_000_000)
    deadband: float = 0.0
    thing: str | None = None


class Side(_Part, frozen=True):
    """A property; of the rule's Thing, or of another one by name."""

    property: str
    thing: str | None = None


class Compare(_Part, frozen=True, tag_field="type", tag="compare"):
    """Two Datastreams against each other: left - right, or left / right."""

    left: Side
    right: Side
    by: Literal["difference", "ratio"]
    op: Op
    value: float
    deadband: float = 0.0


class NoData(_Part, frozen=True, tag_field="type", tag="no-data"):
    """Nothing newer than `after` ago; the property `*` is any of the Thing's."""

    after: Duration
    property: str = ANY
    thing: str | None = None


class Schedule(_Part, frozen=True, tag_field="type", tag="schedule"):
    """The local time is within [start, end) on one of the days. An end before the start lies on the next day."""

    days: tuple[Day, ...] = DAYS
    start: str = "00:00"
    end: str = "24:00"


class Geofence(_Part, frozen=True, tag_field="type", tag="geofence"):
    """Where the Thing is, by its Datastreams `longitude` and `latitude`, or `location` (GeoJSON Points).

    `inside` and `outside` hold whenever it is; `enter` and `leave` only once it was seen to cross the border; `stay` is
    `inside` for a level that has a `for`.
    """

    on: Literal["enter", "leave", "inside", "outside", "stay"]
    area: str | None = None
    polygon: dict[str, Any] | None = None
    thing: str | None = None


class All(_Part, frozen=True, tag_field="type", tag="all"):
    """Every one of them (AND)."""

    of: tuple["Condition", ...]


class AnyOf(_Part, frozen=True, tag_field="type", tag="any"):
    """At least one of them (OR)."""

    of: tuple["Condition", ...]


Leaf = Threshold | Rate | Compare | NoData | Schedule | Geofence
Condition = Threshold | Rate | Compare | NoData | Schedule | Geofence | All | AnyOf


class Repeat(_Part, frozen=True):
    """At least so many readings within this time."""

    times: int
    within: Duration


class Level(_Part, frozen=True):
    """One level of a rule. `for_`: how long the condition must hold; `repeat`: at how many readings it must."""

    priority: Literal["low", "medium", "high", "critical"]
    when: Condition
    for_: Duration = msgspec.field(default=ZERO, name="for")
    repeat: Repeat | None = None
    vi: str = ""
    en: str = ""

    @property
    def rank(self) -> Priority:
        return Priority[self.priority.upper()]


class Scope(_Part, frozen=True):
    """Which Things. Several fields narrow it: kind = "air" and area = "19" are the air sensors of that area."""

    thing: str | None = None
    kind: str | None = None
    area: str | None = None
    all: bool = False


class Step(_Part, frozen=True):
    """A step of the escalation: so long after the alarm asked for attention, unacknowledged, it is told to `to`."""

    after: Duration
    to: str


class Storm(_Part, frozen=True):
    """More than `count` raisings of this rule within `within` become one entry."""

    count: int = 10
    within: Duration = Duration(60_000_000)


class Rule(_Part, frozen=True):
    """A rule.

    Attributes:
        id: small letters, digits, dashes.
        vi, en: its name.
        quality: `good` passes over values that the quality check holds suspect; `any` takes them.
        late: data that arrives later than this after its own time raises nothing (it still counts).
        escalation: steps, each later than the one before.
        advice_vi, advice_en: what whoever sees the alarm should do.
    """

    id: str
    vi: str
    en: str
    scope: Scope
    levels: tuple[Level, ...]
    enabled: bool = True
    quality: Literal["good", "any"] = "good"
    late: Duration = Duration(900_000_000)
    escalation: tuple[Step, ...] = ()
    storm: Storm = Storm()
    advice_vi: str = ""
    advice_en: str = ""


def read(document: object) -> Rule:
    """A rule from what JSON or TOML gave. In TOML `level` may stand for `levels`.

    Raises:
        RuleError: the first thing that is wrong, and where.
    """
    if isinstance(document, Mapping) and "level" in document and "levels" not in document:
        document = {("levels" if key == "level" else key): value for key, value in document.items()}
    try:
        rule = msgspec.convert(document, Rule, dec_hook=_decode)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        raise RuleError(f"{where.strip('`') or '$'}: {what}") from None
    except RecursionError:
        raise RuleError("$: nested too deep") from None
    _check(rule)
    return rule


def document(rule: Rule) -> dict[str, Any]:
    """What `read` reads."""
    found: dict[str, Any] = msgspec.to_builtins(rule, enc_hook=_encode)
    return found


def leaves(condition: Condition, path: str = "$.when") -> Iterator[tuple[str, Leaf]]:
    """Every simple condition in it and its path, in order."""
    if isinstance(condition, All | AnyOf):
        for index, inner in enumerate(condition.of):
            yield from leaves(inner, f"{path}.of[{index}]")
    else:
        yield path, condition


def minute_of_day(clock: str) -> int:
    """`07:30` is 450."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _decode(kind: type, given: object) -> Any:
    if kind is Duration:
        return Duration.parse(given)
    raise NotImplementedError(kind)


def _encode(given: object) -> Any:
    if isinstance(given, Duration):
        return str(given)
    raise NotImplementedError(type(given))


def _refuse(where: str, what: str) -> None:
    raise RuleError(f"{where}: {what}")


def _check(rule: Rule) -> None:
    if not _ID.fullmatch(rule.id):
        _refuse("$.id", "small letters, digits and dashes, at most 63")
    for name, text, most in (("vi", rule.vi, 200), ("en", rule.en, 200), ("advice_vi", rule.advice_vi, 2000),
                             ("advice_en", rule.advice_en, 2000)):  # fmt: skip
        _text(f"$.{name}", text, most, empty=name.startswith("advice"))
    scope = rule.scope
    if scope.all == any((scope.thing, scope.kind, scope.area)):
        _refuse("$.scope", "say which Things: thing, kind, area, or all = true alone")
    for name in ("thing", "kind", "area"):
        _text(f"$.scope.{name}", getattr(scope, name) or "", 512, empty=True)
    if not 1 <= len(rule.levels) <= MOST_LEVELS:
        _refuse("$.levels", f"one to {MOST_LEVELS}")
    ranks = [level.rank for level in rule.levels]
    if ranks != sorted(ranks):
        _refuse("$.levels", "the least priority comes first")
    for index, level in enumerate(rule.levels):
        _level(f"$.levels[{index}]", level)
    if sum(1 for level in rule.levels for _ in leaves(level.when)) > MOST_LEAVES:
        _refuse("$.levels", f"more than {MOST_LEAVES} simple conditions")
    after = -1
    for index, step in enumerate(rule.escalation):
        if step.after.micros <= max(after, 0):
            _refuse(f"$.escalation[{index}].after", "each step comes later than the one before")
        after = step.after.micros
        _text(f"$.escalation[{index}].to", step.to, 100)
    if len(rule.escalation) > 5:
        _refuse("$.escalation", "at most 5 steps")
    if not 2 <= rule.storm.count <= 100_000 or not rule.storm.within.micros:
        _refuse("$.storm", "a count from 2 to 100000, within more than 0 s")


def _text(where: str, text: str, most: int, *, empty: bool = False) -> None:
    if (not empty and not text.strip()) or len(text) > most or not text.isprintable():
        _refuse(where, f"a text of 1 to {most} characters, none of them a control character")


def _level(path: str, level: Level) -> None:
    _text(f"{path}.vi", level.vi, 200, empty=True)
    _text(f"{path}.en", level.en, 200, empty=True)
    _depth(f"{path}.when", level.when, 1)
    repeat = level.repeat
    if repeat is not None and (not 2 <= repeat.times <= MOST_REPEATS or not repeat.within.micros):
        _refuse(f"{path}.repeat", f"times from 2 to {MOST_REPEATS}, within more than 0 s")
    found = list(leaves(level.when, f"{path}.when"))
    if all(isinstance(leaf, Schedule) for _, leaf in found):
        _refuse(f"{path}.when", "a schedule alone looks at nothing: join it to something with `all`")
    for where, leaf in found:
        _leaf(where, leaf, level)


def _depth(path: str, condition: Condition, depth: int) -> None:
    if isinstance(condition, All | AnyOf):
        if not condition.of:
            _refuse(f"{path}.of", "at least one condition")
        if depth >= MOST_DEPTH:
            _refuse(path, f"nested deeper than {MOST_DEPTH}")
        for index, inner in enumerate(condition.of):
            _depth(f"{path}.of[{index}]", inner, depth + 1)


def _leaf(path: str, leaf: Leaf, level: Level) -> None:
    for name in ("property", "thing", "area"):
        value = getattr(leaf, name, None)
        if value is not None:
            _text(f"{path}.{name}", value, 512)
    for name in ("value", "deadband"):
        number = getattr(leaf, name, 0.0)
        if number != number or abs(number) == float("inf") or (name == "deadband" and number < 0):
            _refuse(f"{path}.{name}", "a finite number" + (", 0 or more" if name == "deadband" else ""))
    for name in ("window", "per", "after"):
        span = getattr(leaf, name, None)
        if span is not None and span.micros <= 0:
            _refuse(f"{path}.{name}", "more than 0 s")
    if isinstance(leaf, Compare):
        for side in ("left", "right"):
            one: Side = getattr(leaf, side)
            _text(f"{path}.{side}.property", one.property, 255)
            _text(f"{path}.{side}.thing", one.thing or "", 512, empty=True)
    elif isinstance(leaf, Schedule):
        for name in ("start", "end"):
            if not _CLOCK.fullmatch(getattr(leaf, name)):
                _refuse(f"{path}.{name}", "a time of day like 07:30")
        if leaf.start == leaf.end or leaf.start == "24:00":
            _refuse(f"{path}.end", "another time than the start; a start before 24:00")
        if not leaf.days:
            _refuse(f"{path}.days", "at least one of " + ", ".join(DAYS))
    elif isinstance(leaf, Geofence):
        if (leaf.area is None) == (leaf.polygon is None):
            _refuse(path, "either an area or a polygon")
        fault = check_polygon(leaf.polygon) if leaf.polygon is not None else None
        if fault:
            _refuse(f"{path}.polygon", fault)
        if leaf.polygon is not None and len(msgspec.json.encode(leaf.polygon)) > 50 * MOST_POSITIONS:
            _refuse(f"{path}.polygon", f"more than about {MOST_POSITIONS} positions")
        if leaf.on == "stay" and not level.for_.micros:
            _refuse(f"{path}.on", "to stay takes a time: give the level a `for`")
