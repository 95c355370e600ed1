"""The registry: one Thing and one Datastream whoever asks, by policy, whatever the name."""

import math
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import Database
from tram.errors import ConflictError, NotFoundError, PayloadError
from tram.properties import known
from tram.sensing import Location, Thing, ThingStatus
from tram.store import committed, registry, resolver
from tram.store.database import Connection
from tram.store.registry import Held, Key, Refused, Resolved, resolve


def ids(answers: dict[Key, registry.Resolution]) -> list[int]:
    return [answer.datastream_id for answer in answers.values() if isinstance(answer, Resolved)]


def test_open_makes_what_is_missing(database: Database) -> None:
    conn = database.connect()
    keys = [Key("trạm-1", "temperature", "K"), Key("trạm-1", "air_temperature", "Cel"), Key("trạm-1", "mùi", "°C")]
    found = resolve(conn, keys, "open")
    first, alias, strange = (found[key] for key in keys)
    assert isinstance(first, Resolved)
    assert first == alias
    assert (first.property, first.unit) == ("air_temperature", "Cel")
    observed = known("air_temperature")
    assert observed
    assert (first.low, first.high, first.stuck_after) == (observed.low, observed.high, observed.stuck_after)
    assert isinstance(strange, Resolved)
    assert (strange.property, strange.unit, strange.stuck_after) == ("mùi", "Cel", 0)
    assert math.isnan(strange.low)
    assert resolve(conn, keys, "closed") == found
    row = registry.get_datastreams(conn, [first.datastream_id, 12345])[first.datastream_id]
    assert (row.thing, row.property, row.labels["vi"]) == ("trạm-1", "air_temperature", "Nhiệt độ không khí")


def test_a_property_keeps_the_unit_it_began_with(database: Database) -> None:
    conn = database.connect()
    resolve(conn, [Key("a", "mùi", "")], "open")
    assert isinstance(answer := resolve(conn, [Key("a", "mùi", "Cel")], "open")[Key("a", "mùi", "Cel")], Resolved)
    assert answer.unit == ""


def test_pending_and_closed(database: Database) -> None:
    conn = database.connect()
    resolve(conn, [Key("known", "pm10")], "open")
    new = Key("new", "pm10")
    closed = resolve(conn, [new, Key("known", "pm2_5")], "closed")
    assert isinstance(closed[Key("known", "pm2_5")], Resolved)
    assert isinstance(refused := closed[new], Refused)
    assert refused.reason == "closed"
    held = resolve(conn, [new], "pending")[new]
    assert isinstance(held, Held)
    assert resolve(conn, [new], "open")[new] == held, "an operator's decision is not taken by a change of policy"
    assert registry.list_datastreams(conn, thing_id=held.thing_id) == []
    assert registry.refuse(conn, held.thing_id).status is ThingStatus.REFUSED
    assert isinstance(refused := resolve(conn, [new], "open")[new], Refused)
    assert refused.reason == "refused"
    assert registry.accept(conn, held.thing_id).status is ThingStatus.ACTIVE
    assert isinstance(resolve(conn, [new], "closed")[new], Resolved)


def test_so_many_may_wait_and_no_more(database: Database) -> None:
    conn = database.connect()
    keys = [Key(f"t{n}", "pm10") for n in range(5)]
    answers = list(resolve(conn, keys, "pending", pending_things=3).values())
    assert [type(a) for a in answers] == [Held] * 3 + [Refused] * 2
    assert isinstance(answers[4], Refused)
    assert answers[4].reason == "pending-full"
    assert isinstance(resolve(conn, keys, "pending", pending_things=3)[keys[0]], Held)


def test_a_thing_that_makes_up_names_is_stopped(one_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "DATASTREAMS_PER_THING", 5)
    conn = one_database.connect()
    answers = resolve(conn, [Key("a", f"p{n}") for n in range(9)] + [Key("b", "p0")], "open")
    assert len(ids(answers)) == 6
    more = resolve(conn, [Key("a", "p0"), Key("a", "another")], "open")
    assert isinstance(refused := more[Key("a", "another")], Refused)
    assert refused.reason == "datastreams-full"
    assert isinstance(more[Key("a", "p0")], Resolved)


@pytest.mark.parametrize("policy", ["open", "pending"])
def test_concurrent_resolvers_make_one(database: Database, policy: str) -> None:
    keys = [Key(f"t{t}", f"p{p}") for t in range(10) for p in range(5)]

    def gateway(number: int) -> dict[Key, registry.Resolution]:
        with database.connect() as conn:
            mine = keys[number:] + keys[:number]
            return resolve(conn, mine, policy)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(gateway, range(0, 40, 10)))
    assert all(answer == answers[0] for answer in answers)
    conn = database.connect()
    assert len(registry.list_things(conn)) == 10
    expected = len(keys) if policy == "open" else 0
    assert len(set(ids(answers[0]))) == len(registry.list_datastreams(conn)) == expected


HOSTILE = ["", "\0", "a\0b", "x" * 256, "\ud800", "a\nb", " a", "a\t", "\x7f"]
ODD = ["'; DROP TABLE thing; --", "%", "a_b", "\\", "{0}", "ă" * 255, "🙂", "../..", "%s %(x)s", "$1"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_with_a_reason(one_database: Database, name: str) -> None:
    conn = one_database.connect()
    keys = [Key(name, "pm10"), Key("a", name), Key("b", "pm10", name), Key("good", "pm10")]
    answers = resolve(conn, keys, "open")
    refused = [answer for answer in answers.values() if isinstance(answer, Refused)]
    assert {r.reason for r in refused} == {"name"}
    assert len(refused) == (3 if name else 2), "no unit at all is fine"
    assert all(r.detail.encode() and len(r.detail) < 200 for r in refused)
    assert isinstance(answers[keys[3]], Resolved)


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_names(database: Database, name: str) -> None:
    conn = database.connect()
    assert isinstance(resolve(conn, [Key(name, name, name)], "open")[Key(name, name, name)], Resolved)
    assert registry.get_thing(conn, name).name == name
    assert [t.name for t in registry.list_things(conn, search=name)] == [name]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.builds(Key, st.text(max_size=5), st.text(max_size=5), st.text(max_size=3)), max_size=5))
def test_every_key_has_an_answer(one_database: Database, keys: list[Key]) -> None:
    conn = one_database.connect()
    assert resolve(conn, keys, "open").keys() == set(keys)
    conn.rollback()
    conn.close()


def test_lists_page_by_name(one_database: Database) -> None:
    conn = one_database.connect()
    names = sorted(f"t{n:02}" for n in range(25))
    resolve(conn, [Key(name, "pm10") for name in names], "open")
    seen: list[str] = []
    while page := registry.list_things(conn, after=seen[-1] if seen else "", limit=10):
        seen += [thing.name for thing in page]
    assert seen == names
    datastreams = registry.list_datastreams(conn, limit=20)
    rest = registry.list_datastreams(conn, after=datastreams[-1].id)
    assert sorted(d.thing for d in datastreams + rest) == names
    assert registry.list_things(conn, status=ThingStatus.PENDING) == []
    assert registry.list_things(conn, search="T0", limit=3)[0].name == "t00"


def test_describing(one_database: Database) -> None:
    conn = one_database.connect()
    conn.execute("INSERT INTO area (id, name) VALUES ('05443', 'Phổ Yên')")
    place = Location(105.8, 21.5, 30.0)
    made = registry.put(conn, Thing("a", "Trạm A", "air", "05443", place, properties={"k": [1]}))
    assert (made.label, made.kind, made.area, made.location, made.properties) == (
        "Trạm A",
        "air",
        "05443",
        place,
        {"k": [1]},
    )
    changed = registry.describe(conn, made.id, name="b", area="")
    assert (changed.name, changed.area, changed.label, changed.location) == ("b", None, "Trạm A", place)
    assert registry.put(conn, Thing("b", "B", status=ThingStatus.PENDING)).status is ThingStatus.ACTIVE
    conn.commit()
    registry.put(conn, Thing("c"))
    with pytest.raises(ConflictError, match="another Thing is called 'b'"):
        registry.describe(conn, registry.get_thing(conn, "c").id, name="b")
    conn.rollback()
    with pytest.raises(NotFoundError, match="no area 'nowhere'"):
        registry.describe(conn, made.id, area="nowhere")
    conn.rollback()
    with pytest.raises(PayloadError, match="control character"):
        registry.describe(conn, made.id, name="a\0")
    for absent in (made.id + 1000, 2**40, "nobody", "\0"):
        with pytest.raises(NotFoundError, match="there is no Thing"):
            registry.get_thing(conn, absent)
    for change in (registry.accept, registry.refuse):
        with pytest.raises(NotFoundError):
            change(conn, made.id + 1000)


def test_seen_only_moves_forward(one_database: Database) -> None:
    conn = one_database.connect()
    thing = registry.put(conn, Thing("a"))
    for time, expected in ((10_000_000, 10), (5_000_000, 10), (20_000_000, 20)):
        registry.seen(conn, {thing.id: time})
        found = registry.get_thing(conn, thing.id).seen
        assert found
        assert found.timestamp() == expected


def test_changes_are_notified(database: Database) -> None:
    conn = database.connect()
    listener = committed.Listener(database.settings, (registry.CHANNEL,))
    try:
        assert listener.wait(60) == [(registry.CHANNEL, "")]
        held = resolve(conn, [Key("một", "pm10")], "pending")[Key("một", "pm10")]
        assert isinstance(held, Held)
        notified(listener, conn, {"một"})
        registry.accept(conn, held.thing_id)
        notified(listener, conn, {"một"})
        registry.describe(conn, held.thing_id, name="hai")
        notified(listener, conn, {"một", "hai"})
        resolve(conn, [Key("hai", "pm10")], "open")
        registry.seen(conn, {held.thing_id: 10_000_000})
        conn.execute("UPDATE datastream SET unit = 'x'")
        notified(listener, conn, {"hai"})
        conn.execute("DELETE FROM datastream")
        registry.refuse(conn, held.thing_id)
        notified(listener, conn, {"hai"})
    finally:
        listener.close()


def notified(listener: committed.Listener, conn: Connection, names: set[str]) -> None:
    """After this commit exactly these names come."""
    conn.commit()
    found = {name for _, name in listener.wait(60)}
    while len(found) < len(names) and (more := listener.wait(60)):
        found |= {name for _, name in more}
    assert found == names
    assert listener.wait(0.01) == []


def test_no_patient_has_a_place_here(one_database: Database) -> None:
    """Whatever identifies a person belongs to telehealth/clinical: no column of this schema is named like it."""
    conn: psycopg.Connection = one_database.connect()
    columns = conn.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()
    assert columns
    for (column,) in columns:
        assert not any(word in column for word in ("patient", "birth", "phone", "national_id", "insurance"))
