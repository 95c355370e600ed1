"""Trying a draft of a calculated Datastream on history, before it exists. Nothing is stored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tram.clock import from_micros
from tram.errors import PayloadError
from tram.expressions import Series, run
from tram.quality import SUSPECT
from tram.store import calculated, sqlfile
from tram.store.calculated import Draft
from tram.store.calculated_rows import NUMBERS, ROWS
from tram.store.database import Connection, available
from tram.store.observations import EARLIEST


@dataclass(frozen=True, slots=True)
class Trial:
    """What a draft would have given.

    Attributes:
        times, values: shapes (n,): microseconds, results in `unit`; NaN: undefined. The first `limit` of them.
        count, undefined: of all moments of the interval.
        looked_at: rows of the inputs that were read.
    """

    unit: str
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    count: int
    undefined: int
    looked_at: int


def trial(conn: Connection, draft: Draft, first: int, last: int, limit: int) -> Trial:
    """Computes a draft over the moments first <= t <= last.

    Raises:
        PayloadError: too much would have to be read, or what `calculated.check` refuses.
    """
    program = calculated.check(conn, draft)
    inputs: dict[str, Series] = {}
    looked_at = 0
    for name, id in draft.inputs.items():
        start = max(first - program.reach[name] + 1, EARLIEST)
        arguments = {"id": id, "start": from_micros(start), "last": from_micros(last), "limit": ROWS}
        with available(), conn.cursor(binary=True) as cursor:
            found = NUMBERS.copy_out(cursor, sqlfile.load("calculated")["numbers"], arguments)
        if len(found) == ROWS:
            raise PayloadError(f"the input {name} has more than {ROWS} values there: try a shorter time", code="large")
        looked_at += len(found)
        good = found[(found["quality"] & SUSPECT) == 0]
        inputs[name] = Series(good["time"], good["result"])
    wanted = draft.triggers or list(draft.inputs)
    times = np.unique(np.concatenate([inputs[name].times for name in wanted]))
    times = times[(times >= first) & (times <= last)]
    computed = run(program, inputs, times)
    times, values = times[computed.present], computed.values[computed.present]
    undefined = int(np.isnan(values).sum())
    return Trial(calculated.result_unit(draft), times[:limit], values[:limit], len(times), undefined, looked_at)
