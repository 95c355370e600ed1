"""Tokens to trees: a recursive-descent parser of $filter, $orderby, $select and $expand, bounded in depth and size.

Precedence, loosest first (OData 4.01 Part 2, 5.1.1.17):
or; and; eq ne gt ge lt le in; add sub; mul div divby mod; - not.
"""

from collections.abc import Callable
from typing import TypeVar

from services.sta import wkt
from services.sta.functions import FUNCTIONS
from services.sta.lexer import QueryError, Token, tokens
from services.sta.syntax import Binary, Call, Expand, Expression, Geometry, Items, Literal, Options, Order, Path, Unary

T = TypeVar("T")

DEPTH = 40
"""Most levels of brackets, functions and expands within each other."""
NODES = 400
"""Most parts of one query."""
SEGMENTS = 20
"""Most parts of one path."""

_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("eq", "ne", "gt", "ge", "lt", "le", "in"),
    ("add", "sub"),
    ("mul", "div", "divby", "mod"),
)


class _Reader:
    """The tokens of one text, with the bounds that hold for all of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = list(tokens(text))
        self._next = 0
        self._depth = 0
        self._nodes = 0

    def peek(self, ahead: int = 0) -> Token:
        index = self._next + ahead
        return self._tokens[index] if index < len(self._tokens) else Token("end", "", len(self.text))

    def take(self) -> Token:
        token = self.peek()
        self._next += 1
        return token

    def accept(self, kind: str) -> bool:
        if self.peek().kind != kind:
            return False
        self._next += 1
        return True

    def expect(self, kind: str, what: str) -> Token:
        token = self.take()
        if token.kind != kind:
            raise self.error(f"{what} is expected, not {token.text or 'the end'!r},", token.at)
        return token

    def error(self, message: str, at: int) -> QueryError:
        return QueryError(message, self.text, at)

    def finish(self) -> None:
        token = self.peek()
        if token.kind != "end":
            raise self.error(f"{token.text!r} is too much", token.at)

    def deeper(self, read: Callable[["_Reader"], T]) -> T:
        self._depth += 1
        if self._depth > DEPTH:
            raise self.error(f"more than {DEPTH} levels within each other", self.peek().at)
        result = read(self)
        self._depth -= 1
        return result

    def node(self, made: T, at: int) -> T:
        self._nodes += 1
        if self._nodes > NODES:
            raise self.error(f"more than {NODES} parts in one query", at)
        return made


def parse_filter(text: str) -> Expression:
    """$filter. Raises QueryError."""
    return _whole(text, _expression)


def parse_orderby(text: str) -> tuple[Order, ...]:
    """$orderby. Raises QueryError."""
    return _whole(text, _orderby)


def parse_select(text: str) -> tuple[Path, ...]:
    """$select. Raises QueryError."""
    return _whole(text, _select)


def parse_expand(text: str) -> tuple[Expand, ...]:
    """$expand. Raises QueryError."""
    return _whole(text, _expand)


def _whole(text: str, read: Callable[[_Reader], T]) -> T:
    reader = _Reader(text)
    result = read(reader)
    reader.finish()
    return result


def _expression(reader: _Reader, level: int = 0) -> Expression:
    if level == len(_LEVELS):
        return _unary(reader)
    left = _expression(reader, level + 1)
    while (token := reader.peek()).kind == "name" and token.text in _LEVELS[level]:
        reader.take()
        right = _items(reader) if token.text == "in" else _expression(reader, level + 1)
        left = reader.node(Binary(token.text, left, right, token.at), token.at)
    return left


def _items(reader: _Reader) -> Items:
    at = reader.expect("(", "a list in brackets").at
    items = []
    while True:
        token = reader.expect("literal", "a constant")
        items.append(reader.node(Literal(token.value, token.at), token.at))
        if not reader.accept(","):
            break
    reader.expect(")", "',' or ')'")
    return Items(tuple(items), at)


def _unary(reader: _Reader) -> Expression:
    token = reader.peek()
    if token.kind == "-" or (token.kind == "name" and token.text == "not"):
        reader.take()
        return reader.node(Unary(token.text, reader.deeper(_unary), token.at), token.at)
    return _primary(reader)


def _primary(reader: _Reader) -> Expression:
    token = reader.take()
    match token.kind:
        case "literal":
            return reader.node(Literal(token.value, token.at), token.at)
        case "geo":
            return reader.node(Literal(_geometry(reader, token), token.at), token.at)
        case "(":
            inner = reader.deeper(_expression)
            reader.expect(")", "')'")
            return inner
        case "name" if reader.peek().kind == "(":
            return _call(reader, token)
        case "name":
            return reader.node(Path(_segments(reader, token), token.at), token.at)
    raise reader.error(f"a value, property or function is expected, not {token.text or 'the end'!r},", token.at)


def _geometry(reader: _Reader, token: Token) -> Geometry:
    try:
        return wkt.parse(token.text)
    except ValueError as error:
        raise reader.error(f"{error}: a geometry is WKT such as 'POINT (105.8 21.6)',", token.at) from None


def _call(reader: _Reader, name: Token) -> Call:
    function = FUNCTIONS.get(name.text)
    if function is None:
        raise reader.error(f"there is no function {name.text!r}", name.at)
    reader.expect("(", "'('")
    arguments: list[Expression] = []
    if not reader.accept(")"):
        arguments.append(reader.deeper(_expression))
        while reader.accept(","):
            arguments.append(reader.deeper(_expression))
        reader.expect(")", "',' or ')'")
    most = len(function.takes)
    if not function.least <= len(arguments) <= most:
        wanted = str(most) if function.least == most else f"{function.least} to {most}"
        raise reader.error(f"{name.text} takes {wanted} arguments, not {len(arguments)},", name.at)
    return reader.node(Call(name.text, tuple(arguments), name.at), name.at)


def _segments(reader: _Reader, first: Token) -> tuple[str, ...]:
    segments = [first.text]
    while reader.accept("/"):
        segments.append(reader.expect("name", "a property").text)
        if len(segments) > SEGMENTS:
            raise reader.error(f"more than {SEGMENTS} parts of a path", first.at)
    return tuple(segments)


def _orderby(reader: _Reader) -> tuple[Order, ...]:
    keys = []
    while True:
        at = reader.peek().at
        expression = _expression(reader)
        descending = False
        if (token := reader.peek()).kind == "name" and token.text in ("asc", "desc"):
            descending = reader.take().text == "desc"
        keys.append(reader.node(Order(expression, descending), at))
        if not reader.accept(","):
            return tuple(keys)


def _select(reader: _Reader) -> tuple[Path, ...]:
    paths = []
    while True:
        token = reader.take()
        if token.kind not in ("name", "*"):
            raise reader.error(f"a property is expected, not {token.text or 'the end'!r},", token.at)
        paths.append(reader.node(Path(_segments(reader, token), token.at), token.at))
        if not reader.accept(","):
            return tuple(paths)


def _expand(reader: _Reader) -> tuple[Expand, ...]:
    expands = []
    while True:
        first = reader.expect("name", "an entity to expand")
        path = _segments(reader, first)
        options = reader.deeper(_options) if reader.accept("(") else Options()
        expands.append(reader.node(Expand(path, options, first.at), first.at))
        if not reader.accept(","):
            return tuple(expands)


def _options(reader: _Reader) -> Options:
    """The options in brackets behind an $expand, `;` between them (an `&` is taken too, since clients send it)."""
    found: dict[str, object] = {}
    texts = []
    while True:
        token = reader.expect("name", "a query option")
        if token.text in found:
            raise reader.error(f"{token.text} stands here twice,", token.at)
        reader.expect("=", "'='")
        read = _READ.get(token.text)
        if read is None:
            raise reader.error(f"{token.text!r} is no option of an expand; these are: {', '.join(_READ)};", token.at)
        start = reader.peek().at
        found[token.text] = read(reader)
        texts.append((token.text, reader.text[start : reader.peek().at].strip()))
        if not reader.accept(";"):
            break
    reader.expect(")", "';' or ')'")
    return Options(**{name.lstrip("$"): value for name, value in found.items()}, texts=tuple(texts))  # type: ignore[arg-type]


def _whole_number(reader: _Reader) -> int:
    token = reader.expect("literal", "a whole number")
    if isinstance(token.value, bool) or not isinstance(token.value, int) or not 0 <= token.value < 2**31:
        raise reader.error(f"{token.text!r} is no whole number from 0", token.at)
    return token.value


def _flag(reader: _Reader) -> bool:
    token = reader.expect("literal", "true or false")
    if not isinstance(token.value, bool):
        raise reader.error(f"{token.text!r} is not true or false", token.at)
    return token.value


_READ: dict[str, Callable[[_Reader], object]] = {
    "$filter": _expression,
    "$orderby": _orderby,
    "$select": _select,
    "$expand": _expand,
    "$top": _whole_number,
    "$skip": _whole_number,
    "$count": _flag,
}
