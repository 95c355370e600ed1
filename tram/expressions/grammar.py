"""From text to a typed tree: Python's own parser, then a whitelist of its nodes; nothing is ever evaluated by Python.

Why: docs/adr/0126-expressions.md. What a text may hold is bounded before it is parsed (length) and while it is walked
(nodes, depth, how far back it looks). An error names the character and says what to write instead.
"""

import ast
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from tram.errors import TramError
from tram.expressions import rules
from tram.expressions.measures import Measure, conversion, of_unit
from tram.expressions.tree import Constant, Convert, Input, Node, Window

LENGTH = 2_000
NODES = 300
DEPTH = 40
INPUTS = 20
LAST = 10_000
"""Most values of a window of the last n."""
REACH = 31 * 86_400_000_000
"""Microseconds that a window may look back."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
}  # fmt: skip
_COMPARE: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


class ExpressionError(TramError):
    """An expression that is refused. `at`: the character it is about, counted from 1; 0: the whole."""

    code = "expression"

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(f"character {at}: {message}" if at else message)
        self.at = at


@dataclass(frozen=True, slots=True)
class Program:
    """A checked expression.

    Attributes:
        root: the tree; its value is in the unit that was asked for.
        reach: input -> microseconds that it is looked back at most: a value at s can matter to moments in
            [s, s + reach].
        max_age: microseconds after which a newest value counts no more.
        nodes: its size.
    """

    root: Node
    reach: Mapping[str, int]
    max_age: int
    nodes: int


def duration(text: str) -> int | None:
    """Microseconds of "90s", "10min", "1.5h", "2d"; None when it is none of these, or 0."""
    found = _DURATION.fullmatch(text.strip())
    return (round(float(found[1]) * _SECONDS[found[2]] * 1_000_000) or None) if found else None


def compile_expression(text: str, units: Mapping[str, str], unit: str, max_age: int) -> Program:
    """Checks an expression.

    Args:
        text: see docs/calculated.md.
        units: name of each input -> the unit (UCUM) its values are in.
        unit: the unit that the result is wanted in; "" for a number.
        max_age: microseconds after which an input's newest value counts no more.

    Raises:
        ExpressionError: it says where and what to do.
    """
    if len(text) > LENGTH:
        raise ExpressionError(f"it has {len(text)} characters; at most {LENGTH} are read: split it into a chain")
    if len(units) > INPUTS:
        raise ExpressionError(f"it has {len(units)} inputs; at most {INPUTS}: split it into a chain")
    for name in units:
        if not NAME.fullmatch(name) or name in rules.RESERVED:
            raise ExpressionError(
                f"{name!r} cannot name an input: small letters, digits and _, at most 40, and no function's name"
            )
    if not 0 < max_age <= REACH:
        raise ExpressionError("the greatest age of a value must be more than 0 and at most 31 days")
    walk = _Walk(text, units, max_age)
    node = walk.node(_parsed(text), 0)
    unused = [name for name in units if name not in walk.reach]
    if unused:
        raise ExpressionError(f"the input {unused[0]!r} is not used: use it, or take it out")
    if not walk.reach:
        raise ExpressionError("it uses no input: its value would never change")
    wanted = of_unit(unit)
    fit = conversion(node.measure, wanted)
    if fit is None:
        raise ExpressionError(
            f"the result is in {node.measure.text}, which is no {wanted.text}: convert it with quantity(…, "
            f'"{wanted.text}") or change the unit'
        )
    if fit != (1.0, 0.0):
        node = Convert(node, *fit, wanted)
    return Program(node, walk.reach, max_age, walk.nodes)


def _parsed(text: str) -> ast.expr:
    flat = re.sub(r"[\r\n\t\f]", " ", text)
    if not flat.isprintable():
        at = next(n for n, letter in enumerate(flat, 1) if not letter.isprintable())
        raise ExpressionError("a character that cannot be seen: take it out", at)
    shift = len(flat) - len(flat.lstrip(" "))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(flat[shift:], mode="eval").body
    except SyntaxError as error:
        at = min((error.offset or len(text)) + shift, len(text) + 1)
        raise ExpressionError(f"this cannot be read ({error.msg})", at) from None
    except (ValueError, MemoryError, RecursionError, OverflowError):
        raise ExpressionError("this cannot be read: it is nested too deep, or holds a character of no text") from None
    # Leading spaces are no indentation here; positions still count them.
    for node in ast.walk(body):
        if isinstance(node, ast.expr):
            node.col_offset += shift
    return body


@dataclass(slots=True)
class _Walk:
    text: str
    units: Mapping[str, str]
    max_age: int
    nodes: int = 0
    reach: dict[str, int] = field(default_factory=dict)

    def at(self, node: ast.expr) -> int:
        """The character of a node: ast counts bytes of UTF-8."""
        return len(self.text.encode()[: node.col_offset].decode("utf-8", "ignore")) + 1

    def error(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(message, self.at(node))

    def node(self, node: ast.expr, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > NODES:
            raise self.error(node, f"it has more than {NODES} parts: split it into a chain")
        if depth > DEPTH:
            raise self.error(node, f"it is nested deeper than {DEPTH}: split it into a chain")
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Name():
                return self.input(node)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.node(operand, depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.build(node, "negative", [self.node(operand, depth + 1)])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.build(node, "not", [self.node(operand, depth + 1)])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self.build(node, _BINARY[type(op)], [self.node(left, depth + 1), self.node(right, depth + 1)])
            case ast.BoolOp(op=op, values=values):
                word = "and" if isinstance(op, ast.And) else "or"
                found = self.node(values[0], depth + 1)
                for value in values[1:]:
                    found = self.build(node, word, [found, self.node(value, depth + 1)])
                return found
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
                return self.compare(node, [left, *others], [_COMPARE[type(op)] for op in ops], depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(node, name, arguments, depth)
            case ast.IfExp():
                raise self.error(node, "write where(condition, yes, no) instead of yes if condition else no")
            case ast.BinOp(op=ast.BitXor()):
                raise self.error(node, "write ** for a power")
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
                raise self.error(node, "write and, or")
        raise self.error(
            node, "only numbers, inputs, + - * / // % **, comparisons, and, or, not and functions stand here"
        )

    def constant(self, node: ast.Constant) -> Node:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self.error(node, "only a number can stand here")
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self.error(node, "this number is too large")
        return Constant(value, Measure(zero=value == 0))

    def input(self, node: ast.Name) -> Node:
        if node.id not in self.units:
            known = ", ".join(self.units) or "none"
            hint = ": a function needs its brackets" if node.id in rules.RESERVED else f"; the inputs are {known}"
            raise self.error(node, f"there is no input {node.id!r}{hint}")
        self.looks(node, node.id, self.max_age)
        return Input(node.id, of_unit(self.units[node.id]))

    def looks(self, node: ast.expr, name: str, reach: int) -> None:
        if reach > REACH:
            days = reach / 86_400_000_000
            raise self.error(node, f"this looks back {days:.0f} days; at most 31: take fewer values or a smaller age")
        self.reach[name] = max(self.reach.get(name, 0), reach)

    def build(self, node: ast.expr, function: str, arguments: list[Node]) -> Node:
        made = rules.apply(function, arguments)
        if isinstance(made, str):
            raise self.error(node, made)
        return made

    def compare(self, node: ast.expr, parts: list[ast.expr], signs: list[str], depth: int) -> Node:
        values = [self.node(part, depth + 1) for part in parts]
        found: Node | None = None
        for left, sign, right in zip(values, signs, values[1:], strict=False):
            one = self.build(node, sign, [left, right])
            found = one if found is None else self.build(node, "and", [found, one])
        assert found is not None
        return found

    def call(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> Node:
        if name in rules.WINDOWS:
            return self.window(node, name, arguments)
        if name in ("quantity", "number"):
            return self.unit_call(node, name, arguments, depth)
        if name not in rules.ARGUMENTS:
            raise self.error(node, f"there is no function {name!r}; there are {', '.join(sorted(rules.RESERVED))}")
        least, most = rules.ARGUMENTS[name]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise self.error(node, f"{name} takes {wanted} argument(s), not {len(arguments)}")
        return self.build(node, name, [self.node(argument, depth + 1) for argument in arguments])

    def unit_call(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> Node:
        if len(arguments) != 2 or not isinstance(arguments[1], ast.Constant) or not isinstance(arguments[1].value, str):
            raise self.error(node, f'write {name}(value, "unit"), with a UCUM unit such as "mm/h"')
        inner, unit = self.node(arguments[0], depth + 1), of_unit(arguments[1].value)
        if name == "quantity":
            if inner.measure.powers or inner.measure.point:
                raise self.error(node, f"this is in {inner.measure.text} already: number(…) takes a unit away first")
            return Convert(inner, inner.measure.scale, 0.0, unit)
        fit = conversion(inner.measure, unit)
        if fit is None:
            raise self.error(node, f"this is in {inner.measure.text}, which is no {unit.text}")
        return Convert(inner, *fit, Measure())

    def window(self, node: ast.Call, name: str, arguments: list[ast.expr]) -> Node:
        if len(arguments) != 2 or not isinstance(arguments[0], ast.Name) or not isinstance(arguments[1], ast.Constant):
            raise self.error(
                node, f'write {name}(input, 10) for the last 10 values or {name}(input, "1h"); what is computed '
                "first becomes a calculated Datastream of its own"
            )  # fmt: skip
        source = self.input(arguments[0])
        assert isinstance(source, Input)
        size = arguments[1].value
        span = duration(size) if isinstance(size, str) else None
        whole = isinstance(size, int) and not isinstance(size, bool)
        if span is None and not (whole and 1 <= int(str(size)) <= LAST):
            raise self.error(
                arguments[1], f'a window is 1 to {LAST} values, or a time such as "30s", "10min", "1h", "2d"'
            )
        last = int(str(size)) if span is None else 0
        if name == "lag":
            self.looks(node, source.name, (span or 0) + self.max_age * (last + 1))
        else:
            self.looks(node, source.name, span or self.max_age * last)
        measure = rules.window_measure(name, source.measure)
        if isinstance(measure, str):
            raise self.error(node, measure)
        self.nodes += 1
        return Window(name, source.name, span or 0, last, measure)
