"""Resource paths and query strings: what they mean, and what is said of those that mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sta import address, options
from services.sta.lexer import QueryError
from services.sta.model import ENTITIES, SETS
from tram.errors import NotFoundError


def test_every_link_leads_to_an_entity_and_back() -> None:
    assert len(ENTITIES) == len(SETS) == 8
    for entity in ENTITIES.values():
        for link in entity.links.values():
            back = [inverse.target for inverse in ENTITIES[link.target].links.values()]
            assert entity.name in back


def test_paths() -> None:
    path = address.parse("/Things(1)/Datastreams(2)/Observations")
    assert [(step.entity.name, step.id, step.many) for step in path.steps] == [
        ("Thing", "1", False),
        ("Datastream", "2", False),
        ("Observation", None, True),
    ]
    path = address.parse("Observations('2.1763805600000000')/Datastream/Thing/properties/floor/$value")
    assert (path.steps[0].id, path.target.entity.name) == ("2.1763805600000000", "Thing")
    assert (path.tail, path.suffix) == (("properties", "floor"), "$value")
    assert address.parse("Things('a''b/c')/Locations/$ref").steps[0].id == "a'b/c"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Thngs", "there is no entity set 'Thngs'"),
        ("", "there is no entity set ''"),
        ("Things/Datastreams", "is a set"),
        ("Things(1)/colour", "has no 'colour'"),
        ("Things(1)/name/x", "has no parts"),
        ("Datastreams(1)/Thing(2)", "takes no id"),
        ("Things(x)", "no entity set"),
        ("Things(1)/$value", "$value stands behind a property"),
        ("Things(1)/name/$ref", "$ref stands behind an entity"),
        ("Things(1)/$count", "$count stands behind a set"),
        ("Things(1)" + "/Locations(1)/Things(1)" * 40, "segments"),
        ("Things(" + "1" * 3000 + ")", "characters"),
    ],
)
def test_paths_that_lead_nowhere(path: str, said: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        address.parse(path)
    assert said in str(raised.value)


@given(st.text(max_size=80))
def test_no_path_does_more_than_not_be_found(path: str) -> None:
    try:
        found = address.parse(path)
    except NotFoundError:
        return
    assert found.steps


def test_options() -> None:
    found = options.parse([("$top", "5"), ("$count", "true"), ("$resultFormat", "geojson"), ("$orderby", "name")])
    assert (found.top, found.count, found.result_format, len(found.orderby)) == (5, True, "GeoJSON", 1)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("$top", "-1")], "whole number"),
        ([("$top", "٣")], "whole number"),
        ([("$top", "1"), ("$top", "2")], "twice"),
        ([("top", "1")], "no query option 'top'"),
        ([("$count", "yes")], "true or false"),
        ([("$resultFormat", "xml")], "one of dataArray"),
    ],
)
def test_options_that_are_none(pairs: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(QueryError) as raised:
        options.parse(pairs)
    assert said in str(raised.value)
