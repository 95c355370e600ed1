"""The query grammar: trees by example, precedence, bounds, and no text at all that does more than say what is wrong."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sta.lexer import QueryError
from services.sta.parser import parse_expand, parse_filter, parse_orderby, parse_select
from services.sta.syntax import Binary, Call, Expression, Geometry, Interval, Items, Literal, Path, Unary


def shape(node: Expression) -> object:
    """The tree without its places, short enough to read."""
    match node:
        case Literal(value):
            return value
        case Path(segments):
            return "/".join(segments)
        case Call(name, arguments):
            return (name, *map(shape, arguments))
        case Unary(operator, operand):
            return (operator, shape(operand))
        case Binary(operator, left, right):
            return (operator, shape(left), shape(right))
        case Items(items):
            return [item.value for item in items]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("result gt 2.5", ("gt", "result", Decimal("2.5"))),
        ("a eq 1 or b eq 2 and c eq 3", ("or", ("eq", "a", 1), ("and", ("eq", "b", 2), ("eq", "c", 3)))),
        ("(a eq 1 or b eq 2) and c eq 3", ("and", ("or", ("eq", "a", 1), ("eq", "b", 2)), ("eq", "c", 3))),
        ("a sub 1 sub 2 eq 3", ("eq", ("sub", ("sub", "a", 1), 2), 3)),
        ("a add 2 mul 3 gt -4", ("gt", ("add", "a", ("mul", 2, 3)), -4)),
        ("not contains(name,'O''Brien')", ("not", ("contains", "name", "O'Brien"))),
        ("not a eq true", ("eq", ("not", "a"), True)),
        ("name in ('a','b')", ("in", "name", ["a", "b"])),
        ("Datastream/Thing/properties/floor eq null", ("eq", "Datastream/Thing/properties/floor", None)),
        ("phenomenonTime ge 2026-11-22T17:00:00.123456789+07:00",
         ("ge", "phenomenonTime", datetime(2026, 11, 22, 10, 0, 0, 123456, UTC))),
        ("date(resultTime) eq 2026-11-22", ("eq", ("date", "resultTime"), date(2026, 11, 22))),
        ("phenomenonTime lt now() sub duration'PT1H30M'",
         ("lt", "phenomenonTime", ("sub", ("now",), timedelta(hours=1, minutes=30)))),
        ("@iot.id eq 5", ("eq", "@iot.id", 5)),
        ("substring(name,1,2) eq 'ạm'", ("eq", ("substring", "name", 1, 2), "ạm")),
    ],
)  # fmt: skip
def test_trees(text: str, tree: object) -> None:
    assert shape(parse_filter(text)) == tree


def test_an_interval_and_a_geometry() -> None:
    tree = parse_filter("phenomenonTime eq 2026-01-01T00:00:00Z/2026-01-02T00:00:00Z")
    assert isinstance(tree, Binary)
    assert isinstance(tree.right, Literal)
    assert tree.right.value == Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    tree = parse_filter("st_within(location, geography'POLYGON ((105 21, 106 21, 106 22, 105 21))')")
    assert isinstance(tree, Call)
    polygon = tree.arguments[1]
    assert isinstance(polygon, Literal)
    assert isinstance(polygon.value, Geometry)
    assert polygon.value.geojson["coordinates"] == [[[105, 21], [106, 21], [106, 22], [105, 21]]]


def test_expand_with_options_within_options() -> None:
    (expand,) = parse_expand(
        "Datastreams($select=name,unitOfMeasurement;"
        "$expand=Observations($top=1;$orderby=phenomenonTime desc;$count=true))"
    )
    assert expand.path == ("Datastreams",)
    assert [path.segments for path in expand.options.select] == [("name",), ("unitOfMeasurement",)]
    (inner,) = expand.options.expand
    assert (inner.path, inner.options.top, inner.options.count) == (("Observations",), 1, True)
    assert inner.options.orderby[0].descending
    assert [e.path for e in parse_expand("Datastream/Thing,FeatureOfInterest")] == [
        ("Datastream", "Thing"),
        ("FeatureOfInterest",),
    ]


def test_orderby_and_select() -> None:
    keys = parse_orderby("name desc, result, tolower(description) asc")
    assert [key.descending for key in keys] == [True, False, False]
    assert [path.segments for path in parse_select("id,properties/floor,*")] == [
        ("id",),
        ("properties", "floor"),
        ("*",),
    ]


@pytest.mark.parametrize(
    ("text", "said", "at"),
    [
        ("name eq 'a", "a string that is not closed", 8),
        ("name eq", "is expected", 7),
        ("nme(1)", "there is no function 'nme'", 0),
        ("year()", "year takes 1 arguments, not 0", 0),
        ("substring('a')", "takes 2 to 3 arguments", 0),
        ("a eq 1 b", "'b' is too much", 7),
        ("(a eq 1", "')' is expected", 7),
        ("a eq 2026-13-01T00:00:00Z", "is no datetime", 5),
        ("a in 1", "a list in brackets is expected", 5),
        ("a eq 1e999", "outside what a double can hold", 5),
        ("a eq " + "9" * 60, "more than 40 characters", 5),
        ("a eq \x00", "is not expected", 5),
        ("a eq geography'POINT (1)'", "two or three numbers", 5),
        ("a eq geography'POINT (181 0)'", "no place on Earth", 5),
        ("a eq geography'POLYGON ((1 1, 2 2, 1 1))'", "four positions", 5),
    ],
)
def test_errors_point_at_the_character(text: str, said: str, at: int) -> None:
    with pytest.raises(QueryError) as raised:
        parse_filter(text)
    assert said in str(raised.value)
    assert raised.value.at == at
    assert f"character {at + 1}" in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000,
        "not " * 5_000 + "a",
        "-" * 5_000 + "a",
        " and ".join(["a eq 1"] * 1_000),
        "concat(" * 200,
        "a eq '" + "x" * 20_000 + "'",
        "a in (" + ",".join("1" * 1_000) + ")",
    ],
)
def test_cost_is_bounded(text: str) -> None:
    with pytest.raises(QueryError):
        parse_filter(text)
    with pytest.raises(QueryError):
        parse_expand("a($expand=" * 200)


SPEECH = (
    "a eq and or not in ( ) , / 'x' 1 - now contains $top = ; 2026 geography'POINT(1_2)' duration'PT1S' true @iot.id *"
)
WORDS = st.lists(st.sampled_from(SPEECH.split(" ")), max_size=30)


@given(st.one_of(st.text(max_size=60), WORDS.map(" ".join), WORDS.map("".join)))
def test_no_text_does_more_than_say_what_is_wrong(text: str) -> None:
    for parse in (parse_filter, parse_orderby, parse_select, parse_expand):
        with suppress(QueryError):
            parse(text)
