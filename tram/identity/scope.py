"""Where a role holds: areas (a tree), facilities, single records. And what an operation is done on.

A scope is a set of roots: whoever is given an area is given all below it. An operation's Target says where the thing
acted upon stands, as the path of its area from the root of the tree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reach(StrEnum):
    """How far a rule lets a role go. One word of a rule in operations.py."""

    EVERYWHERE = "everywhere"
    """Any target: the operation has no place, or the role is not bound to one."""
    AREA = "area"
    """Targets inside an area of the grant."""
    FACILITY = "facility"
    """Targets of a facility of the grant."""
    ASSIGNED = "assigned"
    """Records that this very person is assigned to."""
    OWN = "own"
    """What belongs to this very principal: a person's account, a device's own topics."""
    PUBLIC = "public"
    """What was opened to everybody."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a grant holds, or to what a token is narrowed.

    Attributes:
        areas: codes of the areas (and all below them); None: every area, and what lies in none.
        facilities: codes of the facilities; None: every facility.
    """

    areas: frozenset[str] | None = None
    facilities: frozenset[str] | None = None

    def covers(self, target: "Target") -> bool:
        """Whether the target lies inside; what has no place lies only in an unbounded scope."""
        return self.covers_area(target.path) and self.covers_facility(target.facility)

    def covers_area(self, path: tuple[str, ...]) -> bool:
        return self.areas is None or not self.areas.isdisjoint(path)

    def covers_facility(self, facility: str | None) -> bool:
        return self.facilities is None or facility in self.facilities


ANYWHERE = Scope()


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation is done on; only what is known and matters is filled in.

    Attributes:
        path: codes of its areas from the root to the leaf; empty: it lies in none.
        facility: code of the health facility it belongs to.
        owner: id of the principal it belongs to.
        assigned: ids of the people assigned to the record.
        public: whether it was opened to everybody.
        name: what the audit writes of it (never a patient's name).
    """

    path: tuple[str, ...] = ()
    facility: str | None = None
    owner: str | None = None
    assigned: frozenset[str] = frozenset()
    public: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class AreaTree:
    """The tree of areas, as child -> parent (None at a root)."""

    parents: Mapping[str, str | None] = field(default_factory=dict)

    def path(self, area: str | None) -> tuple[str, ...]:
        """From the root to the area; an unknown one is its own path, so that only its own scope covers it."""
        walked: list[str] = []
        while area is not None and area not in walked:  # a loop in the table must not hang a request
            walked.append(area)
            area = self.parents.get(area)
        return tuple(reversed(walked))

    def below(self, roots: Iterable[str]) -> frozenset[str]:
        """The roots and every known area below them."""
        wanted = frozenset(roots)
        return wanted | frozenset(a for a in self.parents if not wanted.isdisjoint(self.path(a)))
