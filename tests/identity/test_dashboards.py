"""Dashboards over the real API: whose they are, who may open a link, what happens when two people save."""

from typing import Any

import httpx

from tests.identity.conftest import Town
from tests.people import autocommit
from tram.store import audit


def board(name: str, *streams: str, **settings: Any) -> dict[str, Any]:
    item = {"id": "a", "panel": "value", "x": 0, "y": 0, "w": 3, "h": 3,
            "settings": {"streams": list(streams)} | settings}  # fmt: skip
    return {"labels": {"vi": name}, "panels": [item]}


def add(client: httpx.Client, definition: dict[str, Any], *, shared: bool = False) -> Any:
    answer = client.post("/api/dashboards", json={"definition": definition, "shared": shared})
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    return answer.json()


def save(client: httpx.Client, id: str, version: int, definition: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"definition": definition} | more
    return client.put(f"/api/dashboards/{id}", json=body, headers={"If-Match": f'"{version}"'})


def names(client: httpx.Client) -> set[str]:
    return {one["id"] for one in client.get("/api/dashboards", params={"limit": 1000}).json()["items"]}


def test_a_link_opens_for_who_may_see_what_it_shows(town: Town) -> None:
    with town.browser("operator") as owner, town.browser("operator-here") as here, town.browser("city-admin") as admin:
        private = add(owner, board("riêng", "pm2_5@aq-02"))["id"]
        near = add(owner, board("gần", "pm2_5@aq-02", things=["no-such-thing"]), shared=True)["id"]
        far = add(owner, board("xa", "pm2_5@aq-02", "pm2_5@aq-01"), shared=True)["id"]
        assert {private, near, far} <= names(owner)
        assert names(here) & {private, near, far} == {near}
        assert names(admin) & {private, near, far} == {near, far}
        assert here.get(f"/api/dashboards/{near}").json()["definition"]["panels"][0]["settings"]["things"]
        for closed in (private, far):
            for path in (closed, f"{closed}/versions", f"{closed}/versions/1"):
                refused = here.get(f"/api/dashboards/{path}")
                assert refused.status_code == 403, refused.text
        assert "aq-01" in here.get(f"/api/dashboards/{far}").json()["detail"]
        # Taken back: the link is closed again.
        version = save(owner, near, 1, board("gần", "pm2_5@aq-02"), shared=False).json()["version"]
        assert here.get(f"/api/dashboards/{near}").status_code == 403
        assert version == 2
        # Theirs to change: the owner's, and an admin's of everywhere where it is shared.
        save(owner, near, 2, board("gần", "pm2_5@aq-02"), shared=True)
        assert save(here, near, 2, board("hỏng", "pm2_5@aq-02")).status_code == 403
        assert here.get(f"/api/dashboards/{near}").json()["manageable"] is False
        assert admin.get(f"/api/dashboards/{near}").json()["manageable"] is True
        assert save(admin, near, 2, board("sửa", "pm2_5@aq-02")).json()["by_name"] == "City-Admin.T"
        assert save(admin, private, 1, board("sửa")).status_code == 403
    with town.browser("city-admin-here") as elsewhere:
        assert save(elsewhere, near, 3, board("hỏng", "pm2_5@aq-02")).status_code == 403


def test_two_who_save_lose_nothing(town: Town) -> None:
    with town.browser("operator") as one, town.browser("city-admin") as other:
        id = add(one, board("chung"), shared=True)["id"]
        assert save(other, id, 1, board("của người kia")).status_code == 200
        clash = save(one, id, 1, board("của tôi"))
        assert clash.status_code == 409
        assert "City-Admin.T saved version 2" in clash.json()["detail"]
        assert "save yours as a new dashboard" in clash.json()["detail"]
        assert one.get(f"/api/dashboards/{id}").headers["ETag"] == '"2"'
        for wrong in ({}, {"If-Match": "*"}, {"If-Match": '"one"'}):
            answer = one.put(f"/api/dashboards/{id}", json={"definition": board("x")}, headers=wrong)
            assert answer.status_code == 422, answer.text
        # An old version comes back as a new one; a deleted dashboard as well.
        match = {"If-Match": '"2"'}
        restored = one.post(f"/api/dashboards/{id}/restore", json={"version": 1}, headers=match).json()
        assert (restored["version"], restored["labels"]["vi"]) == (3, "chung")
        kept = one.get(f"/api/dashboards/{id}/versions").json()
        assert [(v["version"], v["labels"]["vi"]) for v in kept] == [(3, "chung"), (2, "của người kia"), (1, "chung")]
        assert one.delete(f"/api/dashboards/{id}", headers=match).status_code == 409
        assert one.delete(f"/api/dashboards/{id}", headers={"If-Match": "3"}).status_code == 204
        assert one.get(f"/api/dashboards/{id}").status_code == 404
        back = one.post(f"/api/dashboards/{id}/restore", json={"version": 3}, headers={"If-Match": "3"})
        assert (back.status_code, back.json()["version"], back.json()["shared"]) == (200, 4, True)
    with autocommit(town.settings) as conn:
        rows = audit.search(conn, audit.Search(target=f"dashboard {id}", outcome="allowed"))
        assert [row.entry.operation for row in rows] == ["dashboards.manage"] * 5


def test_what_is_too_large_or_odd_is_refused_in_words(town: Town) -> None:
    with town.browser("operator") as client:
        large = client.post("/api/dashboards", json={"definition": board("x", text="x" * 70_000)})
        assert large.status_code == 413
        assert "at most 65536 fit" in large.json()["detail"]
        odd = client.post("/api/dashboards", json={"definition": board("x") | {"panels": [{"id": "a"}]}})
        assert (odd.status_code, odd.json()["type"]) == (422, "/problems/invalid")
        assert "$.panels[0]" in odd.json()["detail"]
        assert client.get("/api/dashboards/x%00").status_code == 422
