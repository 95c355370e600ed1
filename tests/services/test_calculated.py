"""Calculated Datastreams through the API, the worker's thread and the command."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from services.calculated import Calculation
from tests.databases import Database
from tests.servers.api import Api, serve
from tests.services.filling import fill, now, store
from tram import cli


@pytest.fixture
def place(one_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Database, Api, dict[Any, int]]]:
    """The API, its Datastreams, and the worker's thread at work."""
    with one_database.connect() as conn:
        ids = fill(conn)
    monkeypatch.setenv("TRAM_DATABASE_URL", one_database.url)
    stopping = threading.Event()
    calculation = Calculation(one_database.settings, stopping)
    calculation.retry = 0.1
    calculation.start()
    with serve(one_database.settings) as api:
        yield one_database, api, ids
    stopping.set()
    calculation.join()


def test_from_the_draft_to_live_values(place: tuple[Database, Api, dict[Any, int]]) -> None:
    database, api, ids = place
    level = ids["river-01", "water_level"]
    draft = {"thing": "river-01", "property": "rise", "unit": "cm/h", "expression": "rate(h, '1h')",
             "inputs": {"h": level}}  # fmt: skip
    tried = api.client.post("/api/calculated/trial", json=draft)
    assert tried.status_code == 200, tried.text
    assert tried.json()["count"] == 29  # of thirty; the first has nothing before it
    made = api.client.post("/api/calculated", json=draft)
    assert made.status_code == 201, made.text
    one = f"/api/calculated/{made.json()['id']}"
    api.eventually(one, lambda answer: not answer.json()["waiting"] and answer.json()["written"] == 29)
    series = f"/api/datastreams/{made.json()['datastream_id']}/series"
    assert len(api.get(series).json()["items"]) == 29
    assert [v["result"] for v in api.get(series).json()["items"]] == [v["result"] for v in tried.json()["values"]]
    with database.connect() as conn:
        store(conn, [level], [now()])
    api.eventually(series, lambda answer: len(answer.json()["items"]) == 30)
    assert [i["id"] for i in api.get("/api/calculated").json()["items"]] == [made.json()["id"]]
    # Changed: all of it is computed anew, in the same Datastream.
    answer = api.client.put(one, json=draft | {"expression": "rate(h, '1h') * 0"})
    assert answer.json()["datastream_id"] == made.json()["datastream_id"]
    api.eventually(series, lambda answer: {v["result"] for v in answer.json()["items"]} == {0.0})
    assert api.client.delete(one).status_code == 204
    assert api.client.get(one).status_code == 404
    assert len(api.get(series).json()["items"]) == 30


def test_a_lost_connection_loses_nothing(place: tuple[Database, Api, dict[Any, int]]) -> None:
    database, api, ids = place
    level = ids["river-01", "water_level"]
    draft = {"thing": "river-01", "property": "x", "unit": "m", "expression": "h", "inputs": {"h": level}}
    made = api.client.post("/api/calculated", json=draft).json()
    series = f"/api/datastreams/{made['datastream_id']}/series"
    api.eventually(series, lambda answer: len(answer.json()["items"]) == 30)
    with database.connect() as conn:
        for n in range(3):
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%%calculated%%' "
                "AND datname = current_database()"
            )
            store(conn, [level], [now() + n])
            conn.commit()
    api.eventually(series, lambda answer: len(answer.json()["items"]) == 33, 60)


def test_what_is_wrong_is_said(place: tuple[Database, Api, dict[Any, int]]) -> None:
    _, api, ids = place
    draft: dict[str, Any] = {"thing": "river-01", "property": "x", "unit": "m", "expression": "h",
                             "inputs": {"h": ids["river-01", "water_level"]}}  # fmt: skip
    for change, status, says in (
        ({"expression": "h + "}, 422, "character 4: this cannot be read"),
        ({"expression": "h + k"}, 422, "character 5: there is no input 'k'"),
        ({"unit": "s"}, 422, "which is no s"),
        ({"inputs": {"h": 999_999}}, 404, "does not exist"),
        ({"inputs": {}}, 422, ""),
        ({"max_age": 0}, 422, ""),
        ({"expression": "h" * 2001}, 422, ""),
    ):
        for path in ("/api/calculated", "/api/calculated/trial"):
            answer = api.client.post(path, json=draft | change)
            assert (answer.status_code, says in answer.text) == (status, True), answer.text
    reversed_time = {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
    assert api.client.post("/api/calculated/trial", json=draft | reversed_time).status_code == 422
    assert api.client.post("/api/calculated", json=draft).status_code == 201
    assert api.client.post("/api/calculated", json=draft).status_code == 409


def test_the_command(place: tuple[Database, Api, dict[Any, int]], capsys: pytest.CaptureFixture[str]) -> None:
    what = ["--result", "river-01", "rise", "--unit", "m/h", "--input", "h=river-01:water_level"]
    what += ["--expression", "rate(h, '30min')"]
    assert cli.main(["calculated", "try", *what]) == 0
    assert "29 values in m/h, 0 undefined" in capsys.readouterr().out
    assert cli.main(["calculated", "add", *what]) == 0
    id = capsys.readouterr().out.split("\t")[0]
    assert cli.main(["calculated", "change", id, *what[:-1], "rate(h, '1h')"]) == 0
    capsys.readouterr()
    assert cli.main(["calculated", "list"]) == 0
    assert "river-01\trise\tm/h\trate(h, '1h')" in capsys.readouterr().out
    assert cli.main(["calculated", "remove", id]) == 0
    for wrong in (["remove"], ["add"], ["add", *what[:-1], "h +"], ["try", *what, "--over", "x"],
                  ["add", *what, "--input", "k=nowhere:x"]):  # fmt: skip
        assert cli.main(["calculated", *wrong]) == 2
