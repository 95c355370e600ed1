"""First and last Observations of many Datastreams at once: one look-up by key each, no walk for each Datastream.

The times come from the store's extents (tram.store.series), which are kept as data arrives. With them also the
Datastreams' own phenomenonTime is written, and whether there is more than the one Observation: first before last.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.sta.sql import Sql, make, value
from services.sta.syntax import Options, Path
from tram.store.series import Spans

_NEAR = 86_400_000_000
_GROUPS = 8


class Keys(NamedTuple):
    """Some Datastreams, each with the time of one Observation as RFC 3339; `first` and `last` of those times."""

    ids: list[int]
    times: list[str]
    first: str
    last: str


def wanted(options: Options) -> int | None:
    """0 or 1 when the first or the last Observation by phenomenonTime is all that is asked of each Datastream."""
    if options.top != 1 or options.filter is not None or options.skip or options.skip_token:
        return None
    if not options.orderby:
        return 0
    first = options.orderby[0]
    if len(options.orderby) > 1 or not isinstance(first.expression, Path):
        return None
    return int(first.descending) if first.expression.segments == ("phenomenonTime",) else None


def groups(spans: Spans, end: int) -> Iterator[Keys]:
    """The first (or last) Observations, those together that are near in time: a query then looks into few chunks."""
    times = (spans.firsts, spans.lasts)[end]
    order = np.argsort(-times)
    at, made = 0, 0
    while at < len(order):
        made += 1
        reach = int(times[order[at]]) - _NEAR
        stop = len(order) if made == _GROUPS else at + int(np.count_nonzero(times[order[at:]] >= reach))
        chosen = order[at:stop]
        texts = _texts(times[chosen])
        yield Keys(spans.ids[chosen].tolist(), texts, texts[-1], texts[0])
        at = stop


def source(keys: Keys) -> Sql:
    """What stands before the table in FROM, for `condition`; `w.id` is the Datastream."""
    # Arrays as text: psycopg takes ten times as long for lists of thousands.
    ids, times = "{" + ",".join(map(str, keys.ids)) + "}", "{" + ",".join(keys.times) + "}"
    return make("unnest({}, {}) AS w (id, at), ", value(ids, "int4[]"), value(times, "timestamptz[]"))


def condition(alias: str, keys: Keys) -> Sql:
    """That a row of `observation` is the one of `w`; by the bounds of all of them the planner leaves out chunks."""
    return make(
        f"{alias}.datastream_id = w.id AND {alias}.phenomenon_time = w.at "
        f"AND {alias}.phenomenon_time >= {{}} AND {alias}.phenomenon_time <= {{}}",
        value(keys.first, "timestamptz"), value(keys.last, "timestamptz"),
    )  # fmt: skip


def keys(spans: Spans, end: int, kinds: Sequence[str]) -> dict[int, list[str]]:
    """The sort key of that Observation of each Datastream that has more; `kinds` of its parts: moment or whole."""
    more = np.flatnonzero(spans.firsts < spans.lasts)
    ids, times = spans.ids[more].tolist(), _texts((spans.firsts, spans.lasts)[end][more])
    columns = [times if kind == "moment" else list(map(str, ids)) for kind in kinds]
    return {id: list(key) for id, key in zip(ids, zip(*columns, strict=True), strict=True)}


def members(spans: Spans) -> dict[int, str]:
    """`,"phenomenonTime":"first/last"` of each Datastream, as services.sta.mapping writes a period."""
    rows = zip(spans.ids.tolist(), _texts(spans.firsts), _texts(spans.lasts), strict=True)
    return {
        id: f',"phenomenonTime":"{first}"' if first == last else f',"phenomenonTime":"{first}/{last}"'
        for id, first, last in rows
    }


def _texts(times: NDArray[np.int64]) -> list[str]:
    if not (times % 1_000_000).any():
        return [f"{text}Z" for text in np.datetime_as_string((times // 1_000_000).astype("M8[s]")).tolist()]
    return [f"{text.rstrip('0').rstrip('.')}Z" for text in np.datetime_as_string(times.astype("M8[us]")).tolist()]
