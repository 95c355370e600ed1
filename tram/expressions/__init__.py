"""Expressions of calculated Datastreams: read, checked and computed. Pure: no network, no database, no eval.

    text --grammar--> typed tree (units checked) --evaluate--> numpy arrays, one value a moment

The language stands in docs/calculated.md. What a text may cost is bounded before anything runs (`Limits`).
"""

from tram.expressions.evaluate import Computed, Series, run
from tram.expressions.grammar import ExpressionError, Program, compile_expression, duration

__all__ = ["Computed", "ExpressionError", "Program", "Series", "compile_expression", "duration", "run"]
