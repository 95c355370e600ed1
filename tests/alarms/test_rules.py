"""Rules as data: what is read is written again alike; what is wrong is said by its field; bytes from anybody."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alarms.histories import rules as some_rules
from tests.alarms.plant import threshold
from tram.alarms.plan import Catalogue, Place, plan
from tram.alarms.rules import Rule, RuleError, document, read
from tram.errors import TramError
from tram.store.alarm_rules import built_in, read_toml


@settings(max_examples=100, deadline=None, derandomize=True)
@given(some_rules())
def test_written_and_read_again(rule: Rule) -> None:
    assert read(json.loads(json.dumps(document(rule)))) == rule


def change(path: str, value: Any) -> dict[str, Any]:
    """A good rule with one thing in it made otherwise."""
    made: Any = threshold("level", 5.0, 8.0, escalation=[{"after": "5m", "to": "x"}])
    place, *steps = made, *path.split(".")
    for step in steps[:-1]:
        place = place[int(step) if step.isdigit() else step]
    place[int(steps[-1]) if steps[-1].isdigit() else steps[-1]] = value
    return dict(made)


DEEP: Any = {"type": "no-data", "after": "1m"}
for _ in range(6):
    DEEP = {"type": "all", "of": [DEEP]}
RING = [[0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("id", "Sông", "$.id"), ("vi", "", "$.vi"), ("en", 5, "$.en"), ("late", "soon", "$.late"),
        ("levels", [], "$.levels"), ("levels.0.priority", "urgent", "$.levels[0].priority"),
        ("levels.0.priority", "critical", "$.levels"), ("levels.1.when.value", "high", "$.levels[1].when.value"),
        ("levels.0.when.value", float("nan"), "$.levels[0].when.value"),
        ("levels.0.when.deadband", -1.0, "$.levels[0].when.deadband"), ("levels.0.when.op", "=", "$.levels[0].when.op"),
        ("levels.0.when.type", "magic", "$.levels[0].when.type"), ("levels.0.when.extra", 1, "$.levels[0].when"),
        ("levels.0.for", "-5m", "$.levels[0].for"),
        ("levels.0.repeat", {"times": 1, "within": "1m"}, "$.levels[0].repeat"),
        ("levels.0.when", {"type": "schedule"}, "$.levels[0].when"), ("levels.0.when", DEEP, "$.levels[0].when.of[0]"),
        ("levels.0.when", {"type": "all", "of": []}, "$.levels[0].when.of"),
        ("levels.0.when", {"type": "no-data", "after": 0}, "$.levels[0].when.after"),
        ("levels.0.when", {"type": "geofence", "on": "stay", "area": "1"}, "$.levels[0].when.on"),
        ("levels.0.when", {"type": "geofence", "on": "enter"}, "$.levels[0].when"),
        ("levels.0.when", {"type": "geofence", "on": "enter", "polygon": {"type": "Polygon", "coordinates": [RING]}},
         "$.levels[0].when.polygon"),
        ("scope", {}, "$.scope"), ("scope", {"all": True, "kind": "x"}, "$.scope"),
        ("scope", {"kinds": "x"}, "$.scope"),
        ("escalation", [{"after": "5m", "to": "x"}, {"after": "5m", "to": "y"}], "$.escalation[1].after"),
        ("storm", {"count": 1}, "$.storm"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_its_field(path: str, value: Any, where: str) -> None:
    with pytest.raises(RuleError) as error:
        read(change(path, value))
    assert str(error.value).startswith(f"{where}"), str(error.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4), max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(json_values, st.sampled_from(["id", "scope", "levels", "levels.0", "levels.0.when", "levels.0.for", "storm"]))
def test_anything_is_read_or_refused(value: Any, path: str) -> None:
    for given_ in (value, change(path, value)):
        try:
            rule = read(given_)
        except RuleError:
            continue
        assert read(document(rule)) == rule


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"[[rule]]\n{text}".encode()))
def test_any_bytes_are_a_file_of_rules_or_refused(data: bytes) -> None:
    with suppress(TramError):
        read_toml(data)


def test_the_built_in_rules_read_and_have_both_languages() -> None:
    found = built_in()
    assert len(found) > 10
    assert all(rule.vi and rule.en and all(level.vi and level.en for level in rule.levels) for rule in found)


def test_a_plan_says_what_is_missing() -> None:
    catalogue = Catalogue({1: Place(1, "a", kind="river", area="x", path=("19", "x"))}, [(10, 1, "water_level")])

    def faults(**more: Any) -> list[str]:
        return [fault.where for fault in plan(read({**threshold("level", 5.0), **more}), 1, catalogue).faults]

    assert faults() == []
    assert faults(scope={"area": "19"}) == []
    assert faults(scope={"area": "x", "kind": "river"}) == []
    assert faults(scope={"kind": "sea"}) == ["$.scope"]
    assert faults(scope={"thing": "b"}) == ["$.scope.thing"]
    other = {"type": "threshold", "property": "water_level", "op": ">", "value": 1, "thing": "up"}
    assert faults(levels=[{"priority": "low", "when": other}]) == ["$.levels[0].when"]
    both = {
        "type": "all",
        "of": [other | {"thing": "a"}, {"type": "threshold", "property": "rain", "op": ">", "value": 1}],
    }
    assert faults(levels=[{"priority": "low", "when": both}]) != []
    fence = {"type": "geofence", "on": "enter", "area": "nowhere"}
    assert "$.levels[0].when.area" in faults(levels=[{"priority": "low", "when": fence}])
