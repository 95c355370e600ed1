"""What a city service says in one line: the tile on the operators' first page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from services.auth.guard import Permit
    from tram.store.database import Connection

Tone = Literal["ok", "notice", "warning", "danger", "unknown"]


@dataclass(frozen=True, slots=True)
class Headline:
    """The one number of a service that tells most, and how bad it is.

    Attributes:
        labels: what the number is; `unit`: UCUM.
        value: None where there is nothing so new.
        tone: how bad; `state`: that in words.
        time: phenomenonTime of the value. None: there is none.
        thing: name of the Thing it is of, empty for one of many.
        property: name of the ObservedProperty whose value it is, of that Thing; empty: of none.
        fresh, all: Things with something new, and Things there are, of those one may see.
    """

    labels: Mapping[str, str]
    unit: str
    value: float | None = None
    tone: Tone = "unknown"
    state: Mapping[str, str] | None = None
    time: datetime | None = None
    thing: str = ""
    fresh: int = 0
    all: int = 0
    property: str = ""


Headliner = Callable[["Connection", "Permit"], Headline]
"""Of what the permit lets its person see. Raises UnavailableError."""
