"""$expand of many: the one Observation of each by key, phenomenonTime from the extents, nested pages by key."""

from typing import Any

import pytest

from tests.sta.conftest import Sta
from tests.sta.test_writing import at, datastream, thing
from tram.store import database


def of(sta: Sta, histories: list[list[dict[str, Any]]]) -> tuple[int, list[int]]:
    """(a Thing, its Datastreams) with these Observations."""
    streams = [datastream(name=f"d{n}", Observations=rows) for n, rows in enumerate(histories)]
    made = sta.make("Things", thing(Datastreams=streams))["@iot.id"]
    return made, [one["@iot.id"] for one in sta.get(f"Things({made})/Datastreams", orderby="name")["value"]]


def plain(n: int, **more: Any) -> dict[str, Any]:
    return {"phenomenonTime": at(n), "result": n, **more}


@pytest.mark.parametrize("order", ["", ";$orderby=phenomenonTime", ";$orderby=phenomenonTime desc"])
def test_the_one_observation_of_each_is_the_one_that_its_own_set_begins_with(sta: Sta, order: str) -> None:
    day = "2019-05-01T00:00:00Z"
    histories = [
        [plain(n) for n in range(5)],
        [],
        [plain(3, result={"open": True}, parameters={"by": "hand"}, resultTime=at(4))],
        [plain(7), plain(2), {"phenomenonTime": day, "result": "old"}],
        [{"phenomenonTime": f"{at(1)}/{at(9)}", "result": 1.50}, plain(2)],
    ]
    id, streams = of(sta, histories)
    sta.make(f"Datastreams({streams[0]})/Observations", plain(-1 % 60, result="late"))
    newest = sta.get(f"Datastreams({streams[3]})/Observations", orderby="phenomenonTime desc")["value"][0]
    assert sta.send("DELETE", f"Observations('{newest['@iot.id']}')").status_code == 200
    expand = f"Datastreams($orderby=name;$expand=Observations($top=1{order}))"
    inside = sta.get(f"Things({id})", expand=expand)["Datastreams"]
    assert [one["@iot.id"] for one in inside] == streams
    options = {"orderby": order.split("=")[1]} if order else {}
    for stream in inside:
        alone = sta.get(f"Datastreams({stream['@iot.id']})/Observations", top=1, **options)
        assert stream["Observations"] == alone["value"]
        assert ("Observations@iot.nextLink" in stream) == ("@iot.nextLink" in alone)
        shown = sta.ask(f"Datastreams({stream['@iot.id']})/phenomenonTime")
        assert stream.get("phenomenonTime") == (shown.json()["phenomenonTime"] if shown.status_code == 200 else None)
    assert [len(one["Observations"]) for one in inside] == [1, 0, 1, 1, 1]


def test_a_newest_that_is_gone_since_it_was_noted_costs_the_others_nothing(sta: Sta) -> None:
    id, streams = of(sta, [[plain(n) for n in range(5)], [plain(1), plain(2)], [plain(8)]])
    with database.connect(sta.settings, "test") as conn:  # past the store's own ways, which note it
        conn.execute("DELETE FROM observation WHERE datastream_id = %s AND result = 4", (streams[0],))
        conn.execute("DELETE FROM observation WHERE datastream_id = %s", (streams[2],))
    expand = "Datastreams($orderby=name;$expand=Observations($top=1;$orderby=phenomenonTime desc))"
    inside = sta.get(f"Things({id})", expand=expand)["Datastreams"]
    assert [[one["result"] for one in stream["Observations"]] for stream in inside] == [[3], [2], []]
    assert ["Observations@iot.nextLink" in stream for stream in inside] == [True, True, False]


@pytest.mark.parametrize("order", ["", "$orderby=phenomenonTime desc", "$orderby=result,id desc"])
@pytest.mark.parametrize("top", [1, 3])
def test_a_nested_walk_has_no_gaps_and_no_duplicates_while_rows_come_and_go(sta: Sta, order: str, top: int) -> None:
    _, (first, second) = of(sta, [[plain(n) for n in range(10, 20)], [plain(1), plain(2)]])
    inner = ";".join(part for part in (f"$top={top}", order) if part)
    both = f"id eq {first} or id eq {second}"
    found = sta.get("Datastreams", filter=both, orderby="id", expand=f"Observations({inner})")["value"][0]
    seen = list(found["Observations"])
    link = found["Observations@iot.nextLink"]
    assert "$skip=" not in link
    gone = sta.send("DELETE", f"Observations('{seen[0]['@iot.id']}')")
    assert gone.status_code == 200
    backwards = "desc" in order and "result" not in order
    sta.make(f"Datastreams({first})/Observations", plain(50 if backwards else 1))  # before where the walk stands
    while link:
        answer = sta.client.get(link)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += page["value"]
        link = page.get("@iot.nextLink", "")
    assert sorted(one["result"] for one in seen) == list(range(10, 20))


def test_many_things_and_their_datastreams_page_by_key_too(sta: Sta) -> None:
    id, streams = of(sta, [[] for _ in range(7)])
    found = sta.get(f"Things({id})", expand="Datastreams($top=2;$orderby=name desc;$select=id)")
    walked = [one["@iot.id"] for one in found["Datastreams"]]
    page = sta.client.get(found["Datastreams@iot.nextLink"]).json()
    while True:
        walked += [one["@iot.id"] for one in page["value"]]
        if "@iot.nextLink" not in page:
            break
        page = sta.client.get(page["@iot.nextLink"]).json()
    assert walked == streams[::-1]
    none = sta.get(f"Things({id})", expand="Datastreams($top=0;$count=true)")
    assert (none["Datastreams"], none["Datastreams@iot.count"]) == ([], 7)
    assert "Datastreams@iot.nextLink" not in none
