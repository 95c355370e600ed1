"""snapshot + events = a fresh snapshot, over random histories: told often, told seldom, come back to another hub."""

from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.live import catalogue
from services.live.catalogue import Entry, Selection
from services.live.messages import Filter, Stream, Thing
from services.live.mirror import Mirror
from services.live.view import TooManyError, View, World
from tests.live.worlds import (
    AREAS,
    DECISIONS,
    KINDS,
    PROPERTIES,
    Follower,
    Town,
    content,
    places,
    snapshot,
    things,
    view,
)  # fmt: skip
from tram.alarms.model import Priority, State

results = st.one_of(st.sampled_from([1.5, -2.0, 1e300]), st.sampled_from(["open", True, None, {"a": [1, "ệ"]}]))
rows = st.lists(st.tuples(st.integers(10, 53), st.integers(0, 6), results, st.sampled_from([0, 2])), max_size=12)
steps = st.one_of(
    st.tuples(st.just("thing"), things, places, st.sampled_from(KINDS), st.booleans(), st.integers(0, 3)),
    st.tuples(st.just("insert"), rows),
    st.tuples(st.just("insert"), rows),
    st.tuples(st.just("delete"), st.integers(10, 53), st.integers(0, 6)),
    st.tuples(st.just("alarm"), things, st.sampled_from(State), st.sampled_from(Priority)),
    st.tuples(st.just("tell"), st.integers(0, 2)),
    st.tuples(st.just("alarms"), st.integers(0, 2)),
)


def names(of: tuple[str, ...]) -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.lists(st.sampled_from(of), min_size=1, max_size=2)


filters = st.builds(
    Filter, things=names(("t-1", "t-2", "t-3")), areas=names(AREAS), properties=names(PROPERTIES),
    domains=names(KINDS), severity=st.sampled_from([None, "medium", "critical"]),
)  # fmt: skip


def play(town: Town, followers: list[Follower], step: tuple[Any, ...]) -> None:
    name, *more = step
    if name == "thing":
        changed = town.thing(*more)
        for follower in followers:
            if changed:
                alarmed = town.world.alarms.on({f"t-{more[0]}"})
                follower.view.registry(changed, alarmed=alarmed)
                if alarmed:
                    follower.at = None  # as the hub does
    elif name == "tell":
        followers[more[0]].tell()
    elif name == "alarms":
        followers[more[0]].tell(only_alarms=True)
    else:
        getattr(town, name)(*more)


@given(st.lists(steps, max_size=40), st.lists(steps, max_size=40), filters, st.sampled_from(sorted(DECISIONS)))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_snapshot_and_events_make_a_fresh_snapshot(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], filter: Filter, who: str
) -> None:
    town = Town()
    for step in before:
        if step[0] not in ("tell", "alarms"):
            play(town, [], step)
    followers = [Follower(view(town.world, filter, who)) for _ in range(3)]
    for follower in followers[:2]:
        follower.tell()
    for step in after:
        play(town, followers, step)
    fresh = Mirror()
    fresh.apply(snapshot(view(town.world, filter, who)))
    for follower in followers:
        follower.tell()
        assert content(follower.mirror) == content(fresh)
        event(f"snapshots: {min(follower.snapshots, 3)}")


@given(st.lists(steps, max_size=40), st.lists(steps, max_size=25), filters)
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_another_hub_goes_on_from_where_the_first_stood(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], filter: Filter
) -> None:
    # Two hubs are two worlds that read the same history, each with views of its own.
    first, second = Town(), Town()
    for step in before:
        if step[0] not in ("tell", "alarms"):
            play(first, [], step)
            play(second, [], step)
    client = Follower(view(first.world, filter, "everything"))
    client.tell()
    moved = Follower(view(second.world, filter, "everything"), client.mirror)
    for step in after:
        if step[0] not in ("tell", "alarms"):
            play(second, [moved], step)
    # The seq alone must say whether it can be gone on from.
    moved.at = client.at
    moved.tell()
    fresh = Mirror()
    fresh.apply(snapshot(view(second.world, filter, "everything")))
    assert content(moved.mirror) == content(fresh)
    if not any(step[0] == "thing" for step in after):
        assert moved.snapshots == 0


def test_a_hub_that_began_later_says_that_it_cannot_know() -> None:
    town = Town(World())
    town.thing(1, "north", "air", False, 2)
    town.insert([(10, 1, 1.0, 0)])
    follower = Follower(view(town.world, Filter(), "everything"))
    follower.tell()
    town.insert([(10, 2, 2.0, 0)])
    town.world.from_position = town.world.position
    assert follower.at is not None
    assert follower.view.events(follower.at, "").reason == "old"
    follower.tell()
    assert follower.snapshots == 2
    assert follower.mirror.values[10] == (2, 2.0, 0)


def test_a_filter_that_fits_all_of_very_many_is_refused_at_the_limit() -> None:
    town = Town()
    for id in range(1, 50_001):
        town.world.catalogue.put(Entry(Thing(id, f"t-{id}", "", "air", None, None, [Stream(id, "pm2_5", "")]), False))
    looked = 0
    real = View._show

    def show(self: View, id: int) -> int:
        nonlocal looked
        looked += 1
        return real(self, id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(View, "_show", show)
        with pytest.raises(TooManyError):
            view(town.world, Filter(), "everything", most=1_000)
    assert looked == 1_001
    assert view(town.world, Filter(things=["t-7"]), "everything").members.tolist() == [7]


@given(filters, st.sampled_from(sorted(DECISIONS)), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_what_fits_is_found_once_whatever_pieces_it_is_looked_for_in(filter: Filter, who: str, random: Random) -> None:
    town = Town()
    for id in range(1, 41):
        town.thing(id, random.choice((*AREAS, None)), random.choice(KINDS), random.random() < 0.3, random.randint(1, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "PIECE", 7)
        found = list(town.world.catalogue.fitting(filter, DECISIONS[who]))
    selection = Selection(filter, DECISIONS[who], town.world.catalogue)
    assert len(found) == len(set(found))
    assert {id for id, entry in town.world.catalogue.entries.items() if selection.streams(entry)} <= set(found)
    if filter.areas is not None or filter.domains is not None:
        assert all(selection.streams(entry) for id in found if (entry := town.world.catalogue.get(id)))
