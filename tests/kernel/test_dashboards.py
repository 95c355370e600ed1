"""A dashboard's definition: what is stored was checked, whatever was sent."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tram.dashboards import definition as definitions
from tram.errors import PayloadError

ITEM: dict[str, Any] = {"id": "a", "panel": "value", "x": 0, "y": 0, "w": 3, "h": 3, "settings": {}}


def document(*items: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {"labels": labels or {"vi": "Lũ sông Cầu"}, "panels": [ITEM | item for item in items]}


def test_one_is_read_and_written_as_it_was() -> None:
    given = document({"settings": {"streams": ["water_level@river-gia-bay"], "levels": [25, 26.5], "trend": True}})
    found = definitions.read(given)
    assert definitions.read(json.loads(definitions.text(found))) == found
    assert definitions.things(found) == ["river-gia-bay"]


def test_the_things_that_it_names() -> None:
    settings = {"streams": ["pm2_5@aq-01", "x@odd/name #7 @b#12", "@none", "none@", 7], "things": ["rain-1", None]}
    found = definitions.read(document({"settings": settings}, {"id": "b", "settings": {"streams": "pm2_5@aq-02"}}))
    assert definitions.things(found) == ["aq-01", "none", "odd/name #7 @b", "odd/name #7 @b#12", "rain-1"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (document({"x": 10}), "within 12 columns - at `$.panels[0]`"),
        (document({"x": -1}), "at `$.panels[0].x`"),
        (document({"w": 2.5}), "at `$.panels[0].w`"),
        (document({"panel": "../value"}), "at `$.panels[0].panel`"),
        (document({}, {}), "the id 'a' is there twice - at `$.panels[1]`"),
        (document({"href": "x"}), "unknown field `href`"),
        (document(vi=" "), "needs a name"),
        (document(vi="x" * 121), "at `$.labels.vi`"),
        (document({"settings": {"a": [[[[[[[1]]]]]]]}}), "nested deeper"),
        (document({"settings": {"text": "\0"}}), "NUL"),
        (document({"settings": {"text": "\ud800"}}), "cannot be stored"),
        (document(*({"id": f"a{n}"} for n in range(101))), "at `$.panels`"),
        (document({"settings": {"text": "x" * 70_000}}), "at most 65536 fit"),
        ([], "Expected `object`"),
        (None, "Expected `object`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(wrong: Any, said: str) -> None:
    with pytest.raises(PayloadError) as refused:
        definitions.read(wrong)
    assert said in str(refused.value)
    assert refused.value.code == ("too-large" if "65536" in said else "invalid")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_any_settings_are_stored_or_refused(given: dict[str, Any]) -> None:
    try:
        found = definitions.read(document({"settings": given}))
    except PayloadError:
        return
    assert isinstance(json.loads(definitions.text(found)), dict)
    definitions.things(found)
