"""What the feed hands to the hub. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from services.live.catalogue import Catalogue, Entry
from services.live.values import Row
from services.live.view import World
from tram.alarms.model import AlarmChange
from tram.identity.scope import AreaTree
from tram.store.batch import Batch


@dataclass(frozen=True, slots=True)
class Registry:
    """Things as they are now.

    Attributes:
        names: of what was looked for: a Thing of one of these that is not in `entries` is gone.
        renewed, rows: Datastreams that were not known before, and the values that they have already.
    """

    names: Collection[str]
    entries: Sequence[Entry]
    tree: AreaTree
    renewed: Collection[int] = ()
    rows: Sequence[Row] = ()

    def beside(self, known: Catalogue) -> "Registry":
        """What of all Things is not as it is known, those included that are gone: among a million there are few."""
        there = {entry.thing.id for entry in self.entries}
        gone = [old.thing.name for id, old in known.entries.items() if id not in there]
        return replace(self, names=gone, entries=[one for one in self.entries if known.get(one.thing.id) != one])


@dataclass(frozen=True, slots=True)
class Update:
    """One step.

    Attributes:
        world: everything was read anew; it comes first.
        registry: applied before the batches, so that a value finds its Thing.
        batches: of the committed stream in order, as (seq, rows, None) for an insertion, and for corrections and
            deletions (seq, rows that were touched, what stands there now).
        alarms: changes in order.
    """

    world: World | None = None
    registry: Registry | None = None
    batches: Sequence[tuple[int, Batch, Sequence[Row] | None]] = ()
    alarms: Sequence[AlarmChange] = ()
