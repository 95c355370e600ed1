"""Notes on charts, messages as they came, how a device does, dead letters asked for: over a real database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.databases import EDITIONS, Database, Server
from tests.people import autocommit
from tests.servers.api import Api, serve
from tests.services.filling import fill, now, store
from tests.services.test_api import problem
from tests.services.test_wall import AUDIT, AXE, open_wall
from tram import web
from tram.readings import Message
from tram.store import deadletters, registry, watching
from tram.store.rollups import Rollups


@contextmanager
def filled(server: Server) -> Iterator[Database]:
    with server.database(next(edition for edition in EDITIONS if not server.missing(edition))) as made:
        with made.connect() as conn:
            fill(conn)
        yield made


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[Database]:
    """One for all of these: each looks only for what it made itself."""
    with filled(server) as made:
        yield made


@pytest.fixture(scope="module")
def fresh_api(database: Database) -> Iterator[Api]:
    """The API over it."""
    with serve(database.settings) as running:
        yield running


@pytest.fixture(scope="module")
def seen_database(server: Server) -> Iterator[Database]:
    """Another for the journeys, which accept and refuse what the others count."""
    with filled(server) as made:
        yield made


@pytest.fixture(scope="module")
def seen_api(seen_database: Database) -> Iterator[Api]:
    with serve(seen_database.settings) as running:
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
    both = fresh_api.client.get("/api/annotations", params={"datastream": [air, river]}).json()
    assert [(one["text"], one["on"]) for one in both] == [
        ("Hiệu chuẩn <b>", [air]), ("Mất điện", [air]), ("Bão", [air]),
    ]  # fmt: skip
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


# The same in a browser

in_browser = pytest.mark.skipif(web.directory() is None, reason=web.NOT_BUILT)
LONG = 60_000  # ms: on a busy machine the page asks late


def axe(page: Page) -> list[Any]:
    page.evaluate(AXE)
    return [(fault["id"], [n["html"][:160] for n in fault["nodes"]]) for fault in page.evaluate(AUDIT)]


@in_browser
@pytest.mark.browser
def test_a_note_is_written_on_a_chart_and_the_chart_is_kept_as_a_picture(page: Page, seen_api: Api) -> None:
    id = stream(seen_api, "aq-02", "pm2_5")
    open_wall(page, seen_api, f"#/charts?s={id}&range=1h")
    chart = page.get_by_role("img", name="Biểu đồ Bụi PM2.5")
    expect(chart).to_be_visible(timeout=LONG)
    notes = page.get_by_role("region", name="Ghi chú", exact=True)
    expect(notes).to_contain_text("Chưa có ghi chú nào", timeout=LONG)
    notes.get_by_role("button", name="Ghi chú mới").click()
    page.get_by_role("textbox", name="Nội dung").fill("Hiệu chuẩn đầu đo <b>")
    page.get_by_role("button", name="Lưu").click()
    row = notes.get_by_role("listitem")
    expect(row).to_contain_text("Hiệu chuẩn đầu đo <b>", timeout=LONG)
    row.get_by_role("button", name="Sửa ghi chú").click()
    page.get_by_role("textbox", name="Nội dung").fill("Hiệu chuẩn xong")
    page.get_by_role("button", name="Lưu").click()
    expect(row).to_contain_text("Hiệu chuẩn xong", timeout=LONG)
    assert notes_of(seen_api, id) == ["Hiệu chuẩn xong"]
    assert axe(page) == []

    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    kept = download.value.path().read_bytes()
    assert kept[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(kept[at : at + 4], "big") for at in (16, 20))
    size = chart.bounding_box()
    assert size is not None
    assert width > size["width"] * 0.9
    assert height > size["height"] + 80, "title, legend, note, time and source stand around it"

    row.get_by_role("button", name="Xoá ghi chú").click()
    notes.get_by_role("button", name="Hoàn tác").click()
    expect(row).to_contain_text("Hiệu chuẩn xong", timeout=LONG)
    # The same note on a dashboard: its flag is behind the line, the list a press away.
    panel = {"id": "dust", "panel": "series", "title": "", "settings": {"streams": ["pm2_5@aq-02"], "span": "1h"},
             "x": 0, "y": 0, "w": 6, "h": 6}  # fmt: skip
    definition = {"labels": {"vi": "Bụi", "en": ""}, "panels": [panel]}
    made = seen_api.client.post("/api/dashboards", json={"definition": definition, "shared": True})
    assert made.status_code == 201, made.text
    page.evaluate("hash => { location.hash = hash }", f"#/boards/{made.json()['id']}")
    page.get_by_role("button", name="1 ghi chú: xem, viết").click(timeout=LONG)
    listed = page.get_by_role("dialog", name="Ghi chú", exact=True)
    expect(listed.get_by_role("listitem")).to_contain_text("Hiệu chuẩn xong")
    listed.get_by_role("button", name="Ghi chú mới").click()
    page.get_by_role("textbox", name="Nội dung").fill("Viết ở bảng")
    page.get_by_role("button", name="Lưu").click()
    expect(listed.get_by_role("listitem")).to_have_count(2, timeout=LONG)
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="2 ghi chú: xem, viết")).to_be_visible(timeout=LONG)
    page.evaluate("hash => { location.hash = hash }", f"#/charts?s={id}&range=1h")
    expect(chart).to_be_visible(timeout=LONG)
    # Nearer and along by the keyboard; what is shown is in the address.
    page.locator("body").press("+")
    page.wait_for_url("**range=30m**", timeout=LONG)
    page.locator("body").press("[")
    page.wait_for_url("**range=30m@**", timeout=LONG)


def notes_of(api: Api, id: int) -> list[Any]:
    return notes(api, datastream=id)


@in_browser
@pytest.mark.browser
def test_what_a_device_sends_is_looked_at_on_a_phone(page: Page, seen_api: Api, seen_database: Database) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_wall(page, seen_api, "#/devices/aq-02")
    expect(page.get_by_role("region", name="Tình trạng")).to_contain_text("Số tốt trong 24 giờ", timeout=LONG)
    messages = page.get_by_role("region", name="Bản tin", exact=True)
    messages.get_by_role("button", name="Theo dõi 5 phút").click()
    expect(messages).to_contain_text("Đang chờ bản tin tiếp theo", timeout=LONG)
    with autocommit(seen_database.settings) as conn:
        thing = registry.get_thing(conn, "aq-02").id
        payload = b'{"pm2_5": 12.5, "note": "<b>"}'
        watching.keep(conn, [(thing, Message("tram/v1/aq-02/telemetry", payload, now()))])
    row = messages.get_by_role("row", name="pm2_5")
    expect(row).to_contain_text("12,5", timeout=LONG)
    messages.get_by_role("radio", name="Nguyên văn").click()
    expect(messages.locator("pre")).to_contain_text('"note": "<b>"')
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
    assert axe(page) == []

    # A new device is refused, and taken back.
    page.get_by_role("button", name="Về danh sách").click()
    waiting = page.get_by_role("region", name="Thiết bị mới chờ nhận")
    waiting.get_by_role("button", name="Từ chối", exact=True).click(timeout=LONG)
    page.get_by_role("dialog").get_by_role("button", name="Từ chối").click()
    waiting.get_by_role("status").get_by_role("button", name="Nhận lại").click(timeout=LONG)
    expect(page.get_by_role("status").filter(has_text="Đã nhận new-01")).to_be_visible(timeout=LONG)
    assert seen_api.get("/api/things/new-01").json()["status"] == "active"


@in_browser
@pytest.mark.browser
def test_dead_letters_are_chosen_and_read_again(page: Page, seen_api: Api, seen_database: Database) -> None:
    with autocommit(seen_database.settings) as conn:
        letter = deadletters.DeadLetter("tram/v1/desk-7/telemetry", "desk", "for the desk", b'{"pm2_5":1}', now())
        deadletters.insert(conn, [letter])
        [row] = [row for row in deadletters.list_newest(conn) if row.reason == "desk"]
    open_wall(page, seen_api, "#/system?reason=desk")
    letters = page.get_by_role("region", name="Bản tin hỏng")
    letters.get_by_role("checkbox", name=f"Chọn bản tin {row.id}").check(timeout=LONG)
    letters.get_by_role("button", name="Đọc lại 1", exact=True).click()
    expect(letters.get_by_role("status")).to_contain_text("1 bản tin sẽ được cổng đọc lại")
    item = letters.get_by_role("listitem")
    expect(item).to_contain_text("chờ đọc lại", timeout=LONG)
    with autocommit(seen_database.settings) as conn:  # what the gateway does: tests/gateway/test_desk.py
        deadletters.settle(conn, row.id, "stored", 1)
    expect(item).to_contain_text("đã lưu 1", timeout=LONG)
    expect(letters.get_by_role("checkbox", name=f"Chọn bản tin {row.id}")).to_be_disabled()
    expect(page.get_by_role("region", name="Hàng đợi")).to_contain_text("Bản tin hỏng chờ đọc lại")
    assert axe(page) == []
