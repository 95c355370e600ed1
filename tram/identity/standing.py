"""Somebody's place in a consult, as `decide` needs it: read once, then asked at every message."""

from dataclasses import dataclass

from tram.identity.principal import Principal
from tram.identity.scope import Target


@dataclass(frozen=True, slots=True)
class Standing:
    """Who may be in a consult.

    Attributes:
        principal: with the grants of the moment.
        seat: what they are in it: station, doctor, specialist, interpreter, observer.
        until: seconds since 1970 when an emergency's access runs out; None: it does not.
        target: the consult, with who is assigned to it.
    """

    principal: Principal
    seat: str
    until: float | None
    target: Target
