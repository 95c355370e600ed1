"""The Things that there are, by what a filter can name: which fit is set arithmetic, never a walk over all. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from services.live.messages import Filter, Stream, Thing
from tram.identity.decide import Decision
from tram.identity.scope import AreaTree, Reach, Target

PIECE = 10_000
"""Things that are looked at together: sets of so many are soon intersected."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A Thing as registered. `thing.streams`: all that it has. `public`: opened to everybody."""

    thing: Thing
    public: bool


@dataclass(slots=True)
class _Index:
    """Ids of Things by one word of theirs."""

    held: dict[str, set[int]] = field(default_factory=dict)

    def add(self, words: Iterable[str | None], id: int) -> None:
        for word in words:
            if word is not None:
                self.held.setdefault(word, set()).add(id)

    def take(self, words: Iterable[str | None], id: int) -> None:
        for word in words:
            ids = self.held.get(word) if word is not None else None
            if ids is not None:
                ids.discard(id)
                if not ids:
                    del self.held[word]  # type: ignore[arg-type]  # None is in no index

    def any(self, words: Iterable[str]) -> set[int]:
        return set().union(*self.sets(words))

    def sets(self, words: Iterable[str]) -> list[set[int]]:
        """Those of each word that is known; not to be changed."""
        return [self.held[word] for word in words if word in self.held]


class Catalogue:
    """The registry in memory."""

    def __init__(self) -> None:
        self.tree = AreaTree()
        self._entries: dict[int, Entry] = {}
        self._owner: dict[int, int] = {}
        self._named, self._area, self._kind, self._property = _Index(), _Index(), _Index(), _Index()
        self._public: set[int] = set()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> Mapping[int, Entry]:
        """All, by id."""
        return self._entries

    def put(self, entry: Entry) -> None:
        """Adds a Thing, or describes it anew."""
        thing = entry.thing
        self.remove(thing.id)
        self._entries[thing.id] = entry
        self._owner.update((stream.id, thing.id) for stream in thing.streams)
        self._words(thing, True)
        if entry.public:
            self._public.add(thing.id)

    def remove(self, id: int) -> None:
        """Takes a Thing away; one that is not there is no error."""
        old = self._entries.pop(id, None)
        if old is not None:
            self._words(old.thing, False)
            self._public.discard(id)
            for stream in old.thing.streams:
                self._owner.pop(stream.id, None)

    def _words(self, thing: Thing, add: bool) -> None:
        words: tuple[tuple[_Index, list[str | None]], ...] = (
            (self._named, [thing.name]),
            (self._area, [thing.area]),
            (self._kind, [thing.kind]),
            (self._property, [stream.property for stream in thing.streams]),
        )
        for index, of in words:
            (index.add if add else index.take)(of, thing.id)

    def get(self, id: int) -> Entry | None:
        """By id."""
        return self._entries.get(id)

    def named(self, name: str) -> Entry | None:
        """By its name on the wire."""
        return next((self._entries[id] for id in self._named.held.get(name, ())), None)

    def all_named(self, names: Iterable[str]) -> set[int]:
        """Ids of the Things of these names."""
        return self._named.any(names)

    def property_of(self, stream: int) -> str | None:
        """The ObservedProperty of a Datastream."""
        entry = self._entries.get(self._owner.get(stream, -1))
        return None if entry is None else next((s.property for s in entry.thing.streams if s.id == stream), None)

    def knows(self, stream: int) -> bool:
        """Whether a Datastream is one of a Thing that is here."""
        return stream in self._owner

    def fitting(self, filter: Filter, decision: Decision) -> Iterator[int]:
        """Ids of the Things that may fit and may be seen, each once: `Selection.streams` decides on each.

        Whoever takes some of them pays for some: no set of all is made, though there be a million.
        """
        groups: list[list[set[int]]] = []  # a Thing must be in one set of every group
        if filter.things is not None:
            groups.append([self._named.any(filter.things)])
        if filter.areas is not None:
            groups.append(self._area.sets(self.tree.below(filter.areas)))
        if filter.domains is not None:
            groups.append(self._kind.sets(filter.domains))
        if filter.properties is not None:
            groups.append(self._property.sets(filter.properties))
        areas = decision.areas(self.tree)
        if areas is not None:
            groups.append([*self._area.sets(areas), *([self._public] if decision.reaches(Reach.PUBLIC) else ())])
        if not groups:
            yield from self._entries
            return
        groups.sort(key=lambda group: sum(map(len, group)))
        first, *others = groups
        had: set[int] = set()
        for ids in first:
            left = iter(ids)
            while piece := set(islice(left, PIECE)):
                for group in others:
                    piece = set[int]().union(*(piece & some for some in group))
                piece -= had
                yield from piece
                if len(first) > 1:
                    had |= piece


class Selection:
    """A filter in the eyes of one sort of person: which Things, Datastreams and alarms it fits."""

    def __init__(self, filter: Filter, decision: Decision, catalogue: Catalogue) -> None:
        self.filter, self.decision, self._catalogue = filter, decision, catalogue
        self._things = None if filter.things is None else frozenset(filter.things)
        self._domains = None if filter.domains is None else frozenset(filter.domains)
        self._properties = None if filter.properties is None else frozenset(filter.properties)
        self.refresh()

    def refresh(self) -> None:
        """After the tree of areas has changed."""
        below = self._catalogue.tree.below
        self._areas = None if self.filter.areas is None else below(self.filter.areas)
        self._seen: dict[tuple[str | None, bool], bool] = {}

    def covers(self, area: str | None, public: bool) -> bool:
        """Whether what stands in an area may be seen."""
        key = (area, public)
        found = self._seen.get(key)
        if found is None:
            target = Target(path=self._catalogue.tree.path(area), public=public)
            found = self._seen[key] = self.decision.covers(target)
        return found

    def place(self, name: str, area: str | None, kind: str) -> bool:
        """Whether a Thing's name, area and kind fit."""
        return (
            (self._things is None or name in self._things)
            and (self._areas is None or area in self._areas)
            and (self._domains is None or kind in self._domains)
        )

    def streams(self, entry: Entry) -> list[Stream]:
        """Those of a Thing's Datastreams that are followed; []: the Thing is not."""
        thing = entry.thing
        if not self.place(thing.name, thing.area, thing.kind) or not self.covers(thing.area, entry.public):
            return []
        if self._properties is None:
            return thing.streams
        return [stream for stream in thing.streams if stream.property in self._properties]

    def properties(self, found: Iterable[str | None]) -> bool:
        """Whether one of these ObservedProperties is asked for."""
        return self._properties is None or not self._properties.isdisjoint(found)
