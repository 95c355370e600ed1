"""What each operator and function wants of its arguments, and what comes of it: the units of the language."""

from fractions import Fraction

from tram.expressions.measures import NUMBER, RADIAN, SECOND, TRUTH, Measure, conversion, power, product, quotient
from tram.expressions.tree import Apply, Constant, Convert, Node

WINDOWS = {"mean", "min", "max", "sum", "count", "first", "last", "delta", "rate", "lag"}
ARGUMENTS = {
    "abs": (1, 1), "sqrt": (1, 1), "exp": (1, 1), "log": (1, 1), "log10": (1, 1), "round": (1, 1), "floor": (1, 1),
    "ceil": (1, 1), "sign": (1, 1), "sin": (1, 1), "cos": (1, 1), "tan": (1, 1), "arctan2": (2, 2), "hypot": (2, 2),
    "minimum": (2, 20), "maximum": (2, 20), "clip": (3, 3), "where": (3, 3), "coalesce": (2, 20),
}  # fmt: skip
"""Function -> (fewest, most arguments)."""
RESERVED = WINDOWS | ARGUMENTS.keys() | {"quantity", "number", "and", "or", "not", "if", "else", "is", "in", "lambda"}
_SAME = {"round", "floor", "ceil", "abs"}
_NUMBERS = {"exp", "log", "log10"}
_ORDER = {"<", "<=", ">", ">=", "==", "!="}


def window_measure(function: str, source: Measure) -> Measure | str:
    """What a window's value measures; a text: why there is none."""
    if function == "count":
        return NUMBER
    if function == "delta":
        return source.step
    if function == "rate":
        return quotient(source.step, SECOND)
    if function == "sum" and source.point:
        return f'values in {source.text} have no sum: sum a difference, or take number(…, "{source.text}") of a mean'
    return source


def apply(function: str, arguments: list[Node]) -> Node | str:
    """The node of a function or operator over these arguments; a text: why they do not fit."""
    first = arguments[0].measure
    if function in ("+", "-"):
        return _sum(function, arguments[0], arguments[1])
    if function in ("*", "/", "//", "%", "**"):
        return _product(function, arguments[0], arguments[1])
    if function in _ORDER:
        return _alike(function, arguments, TRUTH)
    if function in ("and", "or", "not"):
        wrong = next((a for a in arguments if not a.measure.truth), None)
        if wrong is not None:
            return f"{function} joins comparisons such as a > b; this is a value in {wrong.measure.text}"
        return Apply(function, tuple(arguments), TRUTH)
    if function == "where":
        if not first.truth:
            return "where begins with a comparison such as a > b"
        made = _alike("where", arguments[1:], None)
        return made if isinstance(made, str) else Apply("where", (arguments[0], *made.arguments), made.measure)
    if function in ("minimum", "maximum", "clip", "coalesce"):
        return _alike(function, arguments, None)
    if function == "hypot":
        return _alike(function, arguments, None)
    if function == "arctan2":
        return _alike(function, arguments, RADIAN)
    return _of_one(function, arguments[0])


def _of_one(function: str, argument: Node) -> Node | str:
    measure = argument.measure
    if function == "negative":
        if measure.point:
            return f'a value in {measure.text} has no negative: write number(…, "{measure.text}")'
        return Apply(function, (argument,), _value(measure))
    if function in _SAME:
        return Apply(function, (argument,), _value(measure))
    if function == "sign":
        return Apply(function, (argument,), NUMBER)
    if measure.point:
        return f'a value in {measure.text} cannot stand here: write number(…, "{measure.text}")'
    if function == "sqrt":
        return Apply(function, (argument,), power(_value(measure), Fraction(1, 2)))
    if function in _NUMBERS:
        fitted = _into(argument, NUMBER)
        return (
            Apply(function, (fitted,), NUMBER)
            if fitted is not None
            else f"{function} takes a number, not {measure.text}"
        )
    fitted = _into(argument, RADIAN) or _into(argument, NUMBER)  # sin, cos, tan: an angle, or radians as a number
    return Apply(function, (fitted,), NUMBER) if fitted else f"{function} takes an angle, not {measure.text}"


def _sum(sign: str, left: Node, right: Node) -> Node | str:
    a, b = left.measure, right.measure
    if a.point and b.point:
        if sign == "+":
            return f"two values in {a.text} have no sum; their difference or mean would do"
        fitted = _into(right, a)
        return _misfit(sign, a, b) if fitted is None else Apply("-", (left, fitted), a.step)
    if b.point:
        if sign == "-" or (fitted := _into(left, b.step)) is None:
            return _misfit(sign, a, b)
        return Apply("+", (fitted, right), b)
    if a.point:  # a point and a step
        fitted = _into(right, a.step)
        return _misfit(sign, a, b) if fitted is None else Apply(sign, (left, fitted), a)
    return _alike(sign, [left, right], None)


def _product(function: str, left: Node, right: Node) -> Node | str:
    for side in (left, right):
        if side.measure.point:
            unit = side.measure.text
            return f'a value in {unit} has no product: write number(…, "{unit}"), or take a difference'
    a, b = _value(left.measure), _value(right.measure)
    if function == "*":
        return Apply("*", (left, right), product(a, b))
    if function == "/":
        return Apply("/", (left, right), quotient(a, b))
    if function in ("//", "%"):
        return _alike(function, [left, right], NUMBER if function == "//" else None)
    if b.powers:
        return f"a power must be a number, not {b.text}"
    right = _into(right, NUMBER) or right
    if not a.powers:
        return Apply("**", (_into(left, NUMBER) or left, right), NUMBER)
    exponent = _literal(right)
    if exponent is None:
        return f"of a value in {a.text} only a fixed power can be taken, such as ** 2"
    return Apply("**", (left, right), power(a, exponent))


def _literal(node: Node) -> Fraction | None:
    if isinstance(node, Apply) and node.function == "negative":
        inner = _literal(node.arguments[0])
        return None if inner is None else -inner
    if isinstance(node, Constant) and abs(node.value) <= 12:
        return Fraction(node.value).limit_denominator(12)
    return None


def _alike(function: str, arguments: list[Node], result: Measure | None) -> Apply | str:
    """All in the unit of the first that has one."""
    lead = next((a.measure for a in arguments if not a.measure.zero), arguments[0].measure)
    fitted = []
    for argument in arguments:
        made = _into(argument, lead)
        if made is None:
            return _misfit(function, lead, argument.measure)
        fitted.append(made)
    truth = all(a.measure.truth for a in arguments) and function in ("where", "coalesce", "minimum", "maximum")
    return Apply(function, tuple(fitted), result or (TRUTH if truth else _value(lead)))


def _into(node: Node, target: Measure) -> Node | None:
    fit = conversion(node.measure, target)
    if fit is None:
        return None
    return node if fit == (1.0, 0.0) else Convert(node, *fit, target)


def _value(measure: Measure) -> Measure:
    """Without what only a literal or a comparison is."""
    return Measure(measure.powers, measure.scale, measure.offset, measure.text)


def _misfit(function: str, a: Measure, b: Measure) -> str:
    text = f"{function}: {a.text} and {b.text} measure different things"
    bare = a if a.powers or a.point else b
    if (not a.powers and not a.point) or (not b.powers and not b.point):
        return f'{text}: a bare number has no unit; write quantity(…, "{bare.text}")'
    return text
