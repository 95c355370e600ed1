"""What an export takes out of the store, and how its queries are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tram.sensing import Micros
from tram.store.observations import EARLIEST
from tram.store.registry import DatastreamRow
from tram.store.wire import timestamps


@dataclass(frozen=True, slots=True)
class Span:
    """What is taken out: start <= phenomenonTime < end of these Datastreams."""

    datastreams: Sequence[DatastreamRow]
    start: Micros
    end: Micros


def arguments_of(span: Span, one: DatastreamRow) -> dict[str, Any]:
    """Of the queries of export.sql: the Datastream and the time."""
    start, last = timestamps(np.array([span.start, max(span.end - 1, EARLIEST)]))
    if span.end <= span.start:
        start, last = "infinity", "-infinity"
    return {"id": one.id, "start": start, "last": last}
