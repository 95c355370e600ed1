"""A walk by nextLink gives every entity once, in order: whatever the order, with ties, nulls, and both directions."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sta.conftest import Sta
from tests.sta.test_writing import datastream, thing

KEYS = st.sampled_from(
    [
        "name",
        "description",
        "properties/n",
        "properties/s",
        "properties/mixed",
        "length(name)",
        "id",
        "properties/n add 1",
    ]
)
ORDERS = st.lists(st.tuples(KEYS, st.sampled_from(["", " asc", " desc"])), min_size=1, max_size=3)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "n": st.one_of(st.integers(-2, 2), st.sampled_from([0.1, 0.30000000000000004, 2**53 + 1])),
        "s": st.sampled_from(["", "a", "ă", "B", "%"]),
        "mixed": st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.text("ab", max_size=1), st.just([1])),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(st.lists(PROPERTIES, min_size=1, max_size=12), ORDERS, st.integers(1, 5), st.integers(0, 3))
def test_a_walk_gives_every_thing_once(
    one_sta: Sta, properties: list[dict[str, object]], orders: list[tuple[str, str]], top: int, skip: int
) -> None:
    group = uuid.uuid4().hex
    requests = [
        {"id": str(i), "atomicityGroup": "g", "method": "post", "url": "Things",
         "body": thing(name="xy"[i % 2], description=group, properties=one)}
        for i, one in enumerate(properties)
    ]  # fmt: skip
    made = one_sta.send("POST", "$batch", {"requests": requests}).json()["responses"]
    ids = {one["body"]["@iot.id"] for one in made}
    options = {"filter": f"description eq '{group}'", "orderby": ",".join(key + way for key, way in orders)}
    whole = [one["@iot.id"] for one in one_sta.get("Things", top=1000, **options)["value"]]
    assert set(whole) == ids
    assert len(whole) == len(ids)
    walked = [one["@iot.id"] for one in one_sta.walk("Things", top=top, skip=skip, **options)]
    assert walked == whole[skip:]


def test_observations_by_result_time_and_value(sta: Sta) -> None:
    rows = [
        {"phenomenonTime": f"2026-04-01T00:{n:02d}:00.{n:03d}Z", "result": [1, 1, "a", 2.5, None][n % 5]}
        for n in range(40)
    ]
    made = sta.make("Things", thing(Datastreams=[datastream(Observations=rows)]))
    path = f"Things({made['@iot.id']})/Datastreams"
    stream = sta.get(path)["value"][0]["@iot.id"]
    for order in (
        "result",
        "result desc",
        "resultTime",
        "resultTime desc",
        "phenomenonTime desc",
        "id desc",
        "Datastream/name",
    ):
        walked = sta.walk(f"Datastreams({stream})/Observations", orderby=order, top=7)
        assert len({one["@iot.id"] for one in walked}) == len(walked) == 40, order
    times = [one["phenomenonTime"] for one in sta.walk("Observations", filter=f"Datastream/id eq {stream}", top=9)]
    assert times == sorted(times)
    assert len(times) == 40


def test_a_token_serves_its_own_query_only(sta: Sta) -> None:
    link = sta.get("Things", orderby="name", top=1)["@iot.nextLink"]
    assert sta.client.get(link).status_code == 200
    assert sta.client.get(link.replace("orderby=name", "orderby=description")).status_code == 400
    token = link.split("skiptoken=")[1]
    assert sta.client.get(link.replace(token, token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))).status_code == 400


@pytest.mark.parametrize("order", ["phenomenonTime", "phenomenonTime desc", "phenomenonTime desc,result"])
def test_all_observations_by_time_whatever_lies_between_them(sta: Sta, order: str) -> None:
    """Stretches of time grow from a second to decades: a walk over all of them is the whole set, sorted."""
    years = ["1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z", "2019-05-05T05:05:05Z", "2044-01-01T00:00:00Z"]
    rows = [{"phenomenonTime": time, "result": n} for n, time in enumerate(years)]
    made = sta.make("Things", thing(Datastreams=[datastream(Observations=rows), datastream(Observations=rows)]))
    filter = f"Datastream/Thing/id eq {made['@iot.id']}"
    for top in (1, 3, 100):
        walked = sta.walk("Observations", orderby=order, filter=filter, top=top)
        times = [one["phenomenonTime"] for one in walked]
        assert len({one["@iot.id"] for one in walked}) == len(walked) == 8
        assert times == sorted(years * 2, reverse="desc" in order)
    everything = sta.walk("Observations", orderby=order, top=1000)
    times = [one["phenomenonTime"] for one in everything]
    assert len(times) == int(sta.ask("Observations/$count").text)
    # Other tests may have made later ones.
    assert times[0] >= years[-1] if "desc" in order else times[0] == min(times)
    page = sta.get("Observations", orderby=order, filter=filter, skip=6)
    assert [one["phenomenonTime"] for one in page["value"]] == sorted(years * 2, reverse="desc" in order)[6:]
    assert sta.get("Observations", orderby=order, filter="result eq 'nothing is so'")["value"] == []
    values = sta.get("Observations", orderby=order, filter=filter, resultFormat="dataArray", select="phenomenonTime")
    assert sum(part["dataArray@iot.count"] for part in values["value"]) == 8
