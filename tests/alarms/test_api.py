"""`/api/alarms` and `/api/alarm-rules` over a real database, with the real alarm process between."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.alarms.plant import Plant, threshold
from tests.databases import Database
from tests.people import account, token
from tests.servers.api import Api, serve
from tram.identity import Grant, Role, Scope
from tram.store import areas, people


@pytest.fixture
def plant(one_database: Database) -> Plant:
    made = Plant(one_database)
    areas.seed(made.conn)
    made.conn.commit()
    return made


@pytest.fixture
def api(plant: Plant, one_database: Database) -> Iterator[Api]:
    with serve(one_database.settings) as running:
        yield running


def raised(plant: Plant, *names: str, area: str | None = None) -> None:
    for name in names:
        plant.thing(name, "water_level", area=area)
    plant.rule(threshold("level", 5.0, 8.0, escalation=[{"after": "5m", "to": "role:city-admin"}]))
    plant.step()
    for name in names:
        plant.write((name, "water_level", 6.0))
    plant.step()


def body(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_the_life_of_an_alarm_through_the_api(api: Api, plant: Plant) -> None:
    raised(plant, "r1")
    (alarm,) = api.get("/api/alarms").json()["items"]
    assert alarm["state"] == "unacknowledged"
    assert alarm["message"]["en"] == "Trạm r1: Water, Level 1 (6 m)"
    url = f"/api/alarms/{alarm['id']}"
    assert body(api.client.post(f"{url}/acknowledge", json={"comment": "đi xem"}))["state"] == "acknowledged"
    assert body(api.client.post(f"{url}/acknowledge"))["state"] == "acknowledged"  # twice is once
    until = datetime.now(UTC) + timedelta(hours=2)
    assert body(api.client.post(f"{url}/shelve", json={"until": until.isoformat()}))["state"] == "shelved"
    assert body(api.client.post(f"{url}/unshelve"))["state"] == "unacknowledged"
    assert body(api.client.post(f"{url}/assign", json={"to": "p:999999"}), 422)["type"] == "/problems/invalid"
    assert body(api.client.post(f"{url}/close", json={}), 409)["type"] == "/problems/conflict"
    assert body(api.client.post(f"{url}/comment", json={"comment": "nước rút"}))["state"] == "unacknowledged"
    assert body(api.client.post(f"{url}/close", json={"comment": "cảm biến sai"}))["state"] == "normal"
    kinds = [one["kind"] for one in api.get(f"{url}/changes").json()["items"]]
    assert kinds == ["raised", "acknowledged", "shelved", "unshelved", "commented", "closed"]
    assert api.get("/api/alarms").json()["items"] == []
    assert [one["id"] for one in api.get("/api/alarms/history").json()["items"]] == [alarm["id"]]
    plant.step()
    assert api.get("/api/alarms").json()["items"] == []  # it holds still, and stays closed
    plant.write(("r1", "water_level", 9.0))
    plant.step()
    assert [one["level"] for one in api.get("/api/alarms").json()["items"]] == [2]
    operations = [row["operation"] for row in api.get("/api/audit", operation="alarms.act").json()["items"]]
    assert len(operations) >= 6


def test_an_alarm_is_given_to_those_who_may_act_on_it(api: Api, plant: Plant) -> None:
    raised(plant, "r1", area="05482")
    here, there = Scope(areas=frozenset({"05482"})), Scope(areas=frozenset({"01840"}))
    made = {
        "an.le": account(plant.conn, "an.le", Grant(Role.OPERATOR, here), email="an@example.org"),
        "binh.nguyen": account(plant.conn, "binh.nguyen", Grant(Role.CITY_ADMIN)),
        "chi": account(plant.conn, "chi", Grant(Role.OPERATOR, there)),
        "dung": account(plant.conn, "dung", Grant(Role.AUDITOR)),
        "em": account(plant.conn, "em", Grant(Role.OPERATOR, here, expires=1.0)),
        "giang": account(plant.conn, "giang", Grant(Role.OPERATOR, here)),
    }
    people.set_disabled(plant.conn, made["giang"], True)
    plant.conn.commit()
    (alarm,) = api.get("/api/alarms").json()["items"]
    url = f"/api/alarms/{alarm['id']}"
    able = [{"id": f"p:{made[login]}", "name": login.title()} for login in ("an.le", "binh.nguyen")]
    listed = body(api.get(f"{url}/assignees"))["items"]
    assert [one for one in listed if one["id"] in {f"p:{id}" for id in made.values()}] == able
    assert body(api.get(f"{url}/assignees", search="BINH."))["items"] == able[1:]
    assert body(api.get(f"{url}/assignees", search="%"))["items"] == []
    first = body(api.get(f"{url}/assignees", limit=1))
    second = body(api.get(f"{url}/assignees", limit=1, cursor=first["next"]))
    assert first["items"] + second["items"] == listed[:2]
    for login in ("chi", "dung", "em", "giang"):
        refused = body(api.client.post(f"{url}/assign", json={"to": f"p:{made[login]}"}), 422)
        assert refused["type"] == "/problems/invalid"
    assert body(api.get("/api/alarms/assigned")) == []
    assert body(api.client.post(f"{url}/assign", json={"to": able[1]["id"]}))["assignee"] == able[1]["id"]
    assert body(api.get("/api/alarms/assigned")) == able[1:]
    given = body(api.get(f"{url}/changes"))["items"][-1]
    assert given["names"][given["detail"]["to"]] == able[1]["name"]
    assert body(api.client.post(f"{url}/close", json={"comment": "cảm biến sai"}))["state"] == "normal"
    assert body(api.get("/api/alarms/assigned")) == []
    closed = [body(api.get(url)), *body(api.get("/api/alarms/history"))["items"]]
    assert {one["assignee_name"] for one in closed} == {able[1]["name"]}  # told also when it is over


def test_lists_page_and_filter(api: Api, plant: Plant) -> None:
    raised(plant, *(f"r{n}" for n in range(7)))
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = api.get("/api/alarms", limit=3, **cursor).json()
        seen += [one["id"] for one in answer["items"]]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)
    assert len(api.get("/api/alarms", thing="r3").json()["items"]) == 1
    assert api.get("/api/alarms", priority="high").json()["items"] == []
    assert api.get("/api/alarms", state="shelved").json()["items"] == []
    assert len(api.get("/api/alarms/history", rule="level", limit=3).json()["items"]) == 3
    assert body(api.client.get("/api/alarms", params={"cursor": "zz"}), 400)["type"] == "/problems/cursor"
    assert body(api.client.get("/api/alarms/999999"), 404)["type"] == "/problems/not-found"


def test_an_operator_sees_and_does_what_lies_in_her_area(api: Api, plant: Plant) -> None:
    here, there = (area.id for area in areas.list_areas(plant.conn)[:2])
    assert here != areas.PROVINCE
    raised(plant, "a1", area=here)
    raised(plant, "b1", area=there)
    operator = Grant(Role.OPERATOR, Scope(areas=frozenset({here})))
    secret = token(plant.conn, operator)
    plant.conn.commit()
    with httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {secret}"}) as client:
        mine = body(client.get("/api/alarms"))["items"]
        assert [one["thing"] for one in mine] == ["a1"]
        (other,) = [one for one in api.get("/api/alarms").json()["items"] if one["thing"] == "b1"]
        assert client.get(f"/api/alarms/{other['id']}").status_code == 403
        assert client.post(f"/api/alarms/{other['id']}/acknowledge").status_code == 403
        assert body(client.post(f"/api/alarms/{mine[0]['id']}/acknowledge"))["state"] == "acknowledged"
        assert client.put("/api/alarm-rules/level", json=threshold("level", 1.0)).status_code == 403
        assert body(client.get("/api/alarms/statistics"))["raised"] == 1
        everywhere = {"rule": threshold("x", 5.0)}
        assert client.post("/api/alarm-rules/trial", json=everywhere).status_code == 403
        inside = {"rule": threshold("x", 5.0, scope={"area": here})}
        assert body(client.post("/api/alarm-rules/trial", json=inside))["times"] == 1


def test_rules_are_versioned_and_their_errors_point_to_the_field(api: Api, plant: Plant) -> None:
    rule = threshold("level", 5.0)
    assert body(api.client.put("/api/alarm-rules/level", json=rule, params={"version": 0}))["version"] == 1
    assert body(api.client.put("/api/alarm-rules/level", json=rule))["version"] == 1  # the same: nothing changes
    assert body(api.client.put("/api/alarm-rules/level", json=threshold("level", 6.0)))["version"] == 2
    conflict = api.client.put("/api/alarm-rules/level", json=threshold("level", 7.0), params={"version": 1})
    assert body(conflict, 409)["detail"].startswith("the rule 'level' has version 2")
    bad = threshold("level", 5.0)
    bad["levels"][0]["when"]["op"] = "=>"
    assert body(api.client.put("/api/alarm-rules/level", json=bad), 422)["detail"].startswith("$.levels[0].when.op")
    assert body(api.client.put("/api/alarm-rules/other", json=rule), 422)["detail"].startswith("$.id")
    assert body(api.client.put("/api/alarm-rules/x", json={}), 422)
    body(api.client.delete("/api/alarm-rules/level"), 204)
    assert api.client.get("/api/alarm-rules/level").status_code == 404
    versions = api.get("/api/alarm-rules/level/versions").json()
    assert [(one["version"], one["deleted"]) for one in versions] == [(3, True), (2, False), (1, False)]


def test_a_rule_is_tried_on_history(api: Api, plant: Plant) -> None:
    plant.thing("r1", "water_level")
    now = plant.clock()
    values = [4.0, 6.0, 6.5, 4.0, 9.0, 3.0, 7.0]
    for hours, value in enumerate(values):
        plant.write(("r1", "water_level", value), at=now - timedelta(hours=len(values) - hours))
    tried = body(api.client.post("/api/alarm-rules/trial", json={"rule": threshold("t", 5.0, 8.0)}))
    assert (tried["times"], tried["things"], tried["looked_at"], tried["used"]) == (3, 1, 1, "raw")
    assert [(f["level"], f["end"] is None) for f in tried["fired"]] == [(1, False), (2, False), (1, True)]
    first = tried["fired"][0]
    begun = datetime.fromisoformat(first["start"])
    assert abs(begun - (now - timedelta(hours=6))) < timedelta(seconds=1)
    held = {**threshold("t", 5.0)}
    held["levels"][0]["for"] = "90m"
    assert body(api.client.post("/api/alarm-rules/trial", json={"rule": held}))["times"] == 1
    assert plant.changes() == []
    span = {"rule": held, "start": "2020-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
    assert body(api.client.post("/api/alarm-rules/trial", json=span), 400)["type"] == "/problems/query"


def test_out_of_service_until_restored(api: Api, plant: Plant) -> None:
    raised(plant, "r1")
    out = {"rule": "level", "thing": "r1", "mode": "out-of-service", "comment": "thay cảm biến"}
    assert body(api.client.put("/api/alarms/out", json=out))[0]["mode"] == "out-of-service"
    (alarm,) = api.get("/api/alarms").json()["items"]
    assert alarm["state"] == "out-of-service"
    for value in (1.0, 9.0):
        plant.write(("r1", "water_level", value))
        plant.step()
    (alarm,) = api.get("/api/alarms").json()["items"]
    assert (alarm["state"], alarm["level"]) == ("out-of-service", 2)
    assert body(api.client.put("/api/alarms/out", json={**out, "mode": "in-service"})) == []
    (alarm,) = api.get("/api/alarms").json()["items"]
    assert alarm["state"] == "unacknowledged"
    assert alarm["escalate_at"] is not None


def test_a_storm_is_acknowledged_as_one(api: Api, plant: Plant) -> None:
    names = [f"r{n}" for n in range(15)]
    for name in names:
        plant.thing(name, "water_level")
    plant.rule(threshold("level", 5.0, storm={"count": 5, "within": "60s"}))
    plant.step()
    plant.write(*((name, "water_level", 6.0) for name in names))
    plant.step()
    (entry,) = api.get("/api/alarms").json()["items"]
    assert (entry["kind"], entry["members"]) == ("storm", 15)
    assert len(api.get("/api/alarms", storm=entry["id"]).json()["items"]) == 15
    assert body(api.client.post(f"/api/alarms/{entry['id']}/acknowledge"))["state"] == "acknowledged"
    members = api.get("/api/alarms", storm=entry["id"]).json()["items"]
    assert {one["state"] for one in members} == {"acknowledged"}
    plant.write(*((name, "water_level", 1.0) for name in names))
    plant.step()
    assert api.get("/api/alarms").json()["items"] == []
