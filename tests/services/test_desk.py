"""Notes on charts, messages as they came, how a device does, dead letters asked for: over a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.databases import EDITIONS, Database, Server
from tests.people import autocommit
from tests.servers.api import Api, serve
from tests.services.filling import fill, now, store
from tests.services.test_api import problem
from tram.readings import Message
from tram.store import deadletters, registry, watching
from tram.store.rollups import Rollups


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[Database]:
    """One for all of these: each looks only for what it made itself."""
    with server.database(next(edition for edition in EDITIONS if not server.missing(edition))) as made:
        with made.connect() as conn:
            fill(conn)
        yield made


@pytest.fixture(scope="module")
def fresh_api(database: Database) -> Iterator[Api]:
    """The API over it."""
    with serve(database.settings) as running:
        yield running


def at(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def stream(api: Api, thing: str, property: str) -> int:
    [found] = [s["id"] for s in api.get(f"/api/things/{thing}").json()["streams"] if s["property"] == property]
    return int(found)


def notes(api: Api, **parameters: object) -> list[Any]:
    return [note["text"] for note in api.get("/api/annotations", **parameters).json()]


def test_notes_on_charts_and_their_places(fresh_api: Api, database: Database) -> None:
    air, river = stream(fresh_api, "aq-01", "pm2_5"), stream(fresh_api, "river-01", "water_level")
    with autocommit(database.settings) as conn:
        conn.execute("INSERT INTO area (id, name) VALUES ('19', 'Tỉnh')")
        conn.execute("INSERT INTO area (id, name, parent) VALUES ('05', 'Xã', '19'), ('06', 'Xã khác', '19')")
        conn.execute("UPDATE thing SET area = '05' WHERE name = 'aq-01'")
    post = fresh_api.client.post
    made = post(
        "/api/annotations", json={"datastream": air, "starts": at(2), "ends": at(1), "text": " Hiệu chuẩn <b> "}
    )
    assert made.status_code == 201, made.text
    note = made.json()
    assert (note["text"], note["datastream"], note["editable"]) == ("Hiệu chuẩn <b>", air, True)
    for area, text in (("19", "Bão"), ("05", "Mất điện"), ("06", "Lễ hội")):
        assert post("/api/annotations", json={"area": area, "starts": at(3), "text": text}).status_code == 201

    assert notes(fresh_api, datastream=air) == ["Hiệu chuẩn <b>", "Mất điện", "Bão"]
    assert notes(fresh_api, datastream=river) == []
    assert notes(fresh_api, area="06") == ["Lễ hội", "Bão"]
    assert notes(fresh_api, datastream=air, **{"from": at(1.5), "to": at(1.2)}) == ["Hiệu chuẩn <b>"]
    assert notes(fresh_api, datastream=air, **{"from": at(0.5)}) == []

    changed = fresh_api.client.put(f"/api/annotations/{note['id']}", json={"starts": at(2), "text": "Thay cảm biến"})
    assert changed.json()["starts"] == changed.json()["ends"]
    assert notes(fresh_api, datastream=air)[0] == "Thay cảm biến"
    assert fresh_api.client.delete(f"/api/annotations/{note['id']}").status_code == 204
    problem(fresh_api.client.delete(f"/api/annotations/{note['id']}"), 404, "not-found")


@pytest.mark.parametrize(
    "body",
    [
        {"starts": "2026-01-01T00:00:00Z", "text": "of nothing"},
        {"datastream": 1, "area": "19", "starts": "2026-01-01T00:00:00Z", "text": "of two"},
        {"datastream": 1, "starts": "2026-01-02T00:00:00Z", "ends": "2026-01-01T00:00:00Z", "text": "back"},
        {"datastream": 1, "starts": "2026-01-01T00:00:00Z", "text": "   "},
        {"datastream": 1, "starts": "2026-01-01T00:00:00Z", "text": "x" * 2001},
        {"datastream": 1, "starts": "2026-01-01", "text": "no offset"},
    ],
)
def test_notes_that_say_nothing_are_refused(fresh_api: Api, body: dict[str, Any]) -> None:
    problem(fresh_api.client.post("/api/annotations", json=body), 422, "invalid")


def test_messages_of_a_device_raw_and_decoded(fresh_api: Api, database: Database) -> None:
    problem(fresh_api.client.get("/api/things/nobody/messages"), 404, "not-found")
    assert fresh_api.get("/api/things/aq-01/messages").json() == {"until": None, "items": []}
    until = fresh_api.client.post("/api/things/aq-01/watch")
    assert until.status_code == 202
    with autocommit(database.settings) as conn:
        thing = registry.get_thing(conn, "aq-01").id
        topic = "tram/v1/aq-01/telemetry"
        payloads = [
            b'{"ts": 1800000000000, "pm2_5": 12.5, "odd": [1]}', b'{"pm2_5": ', b"\xff\x00\x01", b'{"heart_rate": 70}',
        ]  # fmt: skip
        watching.keep(conn, [(thing, Message(topic, payload, now() + n)) for n, payload in enumerate(payloads)])
    answer = fresh_api.get("/api/things/aq-01/messages").json()
    assert answer["until"] == until.json()["until"]
    binary, broken, good = answer["items"]
    assert (good["format"], good["text"]) == ("native", True)
    assert good["payload"] == payloads[0].decode()
    assert good["readings"][0] == {
        "thing": "aq-01", "property": "pm2_5", "value": 12.5, "unit": "", "time": "2027-01-15T08:00:00Z",
    }  # fmt: skip
    assert (broken["format"], broken["readings"]) == ("", [])
    assert broken["faults"][0].startswith("json")
    assert (binary["payload"], binary["text"]) == ("ff 00 01", False)
    [waiting] = fresh_api.get("/api/things/new-01/messages").json()["items"]
    assert waiting["readings"][0]["property"] == "pm2_5"


def test_how_a_device_does(fresh_api: Api, database: Database) -> None:
    whole = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with database.connect() as conn:
        id = stream(fresh_api, "river-01", "water_level")
        hours = [whole - timedelta(hours=h, minutes=-m) for h in range(1, 49) for m in ((0, 30) if h > 1 else (0,))]
        store(conn, [id], [int(hour.timestamp() * 1e6) for hour in hours])
        conn.commit()
        rollups = Rollups(7)
        with conn.transaction():
            rollups.start(conn)
        more = True
        while more:
            with conn.transaction():
                more = rollups.step(conn).more
        deadletters.insert(conn, [deadletters.DeadLetter("tram/v1/river-01/telemetry", "json", "", b"{", now())])
        conn.commit()
    found = fresh_api.get("/api/things/river-01/health").json()
    assert len(found["per_hour"]) == 24
    assert found["per_hour"][:20] == [2] * 20
    assert found["usual"] == 2
    assert found["share"] > 0
    assert found["good"] == 1
    assert found["letters"] == 1
    young = fresh_api.get("/api/things/odd%2Fname%20%2541%20%3Cb%3E/health").json()
    assert (young["usual"], young["share"]) == (None, None)


def test_what_waits_and_what_takes_room(fresh_api: Api, database: Database) -> None:
    with autocommit(database.settings) as conn:
        end = conn.execute("SELECT max(seq) FROM committed").fetchone()
        assert end is not None
        conn.execute("INSERT INTO committed_position (reader, seq) VALUES ('desk-behind', 0), ('desk-there', %s)", end)
    # The answer is kept for two seconds.
    answer = fresh_api.eventually("/api/queues", lambda answer: "desk-behind" in answer.text, 60).json()
    readers = {reader["name"]: reader for reader in answer["readers"]}
    assert readers["desk-behind"]["batches"] > 0
    assert (readers["desk-there"]["batches"], readers["desk-there"]["seconds"]) == (0, 0)
    assert answer["pending_messages"] == 1
    sizes = {table["name"]: table["size"] for table in answer["tables"]}
    assert sizes["committed"] > 0
    assert sizes["observation"] > 8192


def test_dead_letters_are_asked_for(fresh_api: Api) -> None:
    letters = fresh_api.get("/api/dead-letters").json()["items"]
    ids = [letter["id"] for letter in letters]
    assert {letter["outcome"] for letter in letters} == {""}
    answer = fresh_api.client.post("/api/dead-letters/redecode", json={"ids": [*ids, 10**15]})
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"waiting": len(ids), "stored": 0, "missing": 1}
    asked = fresh_api.get(f"/api/dead-letters/{ids[0]}").json()
    assert asked["asked"] is not None
    assert (asked["settled"], asked["whole"]) == (None, True)
    [row] = [r for r in fresh_api.get("/api/audit").json()["items"] if r["operation"] == "deadletters.redecode"]
    assert row["target"] == "dead letters"
    for body in ({"ids": []}, {"ids": [0]}, {"ids": ["x"]}, {"ids": [1] * 501}, {}):
        problem(fresh_api.client.post("/api/dead-letters/redecode", json=body), 422, "invalid")
