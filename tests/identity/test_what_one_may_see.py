"""Scopes, roles taken away, tokens that are narrowed, the audit of it: over the real API."""

from typing import Any

import httpx
import pytest

from tests.identity.conftest import AREA, FACILITY, OTHER_FACILITY, PROVINCE, Town
from tests.identity.signing import sign_in
from tests.people import autocommit
from tests.waiting import until
from tram.store import audit, people


def test_nobody_lifts_themselves(town: Town) -> None:
    """Each admin tries to reach beyond their own scope."""
    tries = [
        ("hospital-admin", f"hospital-admin:facility={FACILITY}"),
        ("hospital-admin", f"doctor:facility={OTHER_FACILITY}"),
        ("hospital-admin", "operator"),
        ("city-admin-here", "city-admin"),
        ("city-admin-here", f"operator:area={PROVINCE}"),
        ("city-admin-here", f"doctor:facility={FACILITY}"),
    ]
    for who, role in tries:
        town.again(who)
        with town.browser(who) as client:
            answer = client.post(f"/api/people/{town.ids[who]}/grants", json={"role": role})
            assert answer.status_code == 403, (who, role, answer.text)
            added = client.post("/api/people", json={"login": "x.y.z", "name": "X", "role": role})
            assert added.status_code == 403, (who, role, added.text)
    town.again("city-admin")
    with town.browser("city-admin") as client:
        for role in ("machine", "device", "citizen", "doctor", "root"):
            answer = client.post(f"/api/people/{town.ids['citizen']}/grants", json={"role": role})
            assert answer.status_code in (400, 403, 422), (role, answer.text)


def test_lists_show_what_one_may_see(town: Town) -> None:
    def things(role: str | None) -> set[str]:
        if role is None:
            return {t["name"] for t in httpx.get(f"{town.api.url}/api/things").json()["items"]}
        return {t["name"] for t in town.browser(role).get("/api/things").json()["items"]}

    assert things(None) == {"river-01"}, "what was opened to everybody"
    assert things("doctor") == {"river-01"}
    assert things("operator-here") == {"aq-02", "river-01"}
    assert {"aq-01", "aq-02", "river-01", "new-01"} <= things("operator")
    here = town.browser("operator-here")
    assert {r["thing"] for r in here.get("/api/latest").json()["items"]} == {"aq-02", "river-01"}
    assert {r["thing"] for r in here.get("/api/observations/newest").json()} <= {"aq-02", "river-01"}
    assert here.get("/api/things/aq-01").status_code == 403
    assert httpx.get(f"{town.api.url}/api/things/river-01/latest").status_code == 200
    assert httpx.get(f"{town.api.url}/api/things/aq-01/latest").status_code == 401
    town.again("hospital-admin")
    seen = {p["login"] for p in town.browser("hospital-admin").get("/api/people").json()["items"]}
    assert {"doctor.t", "hospital-admin.t"} <= seen
    assert not seen & {"operator.t", "station-staff.t", "citizen.t", "city-admin.t"}


def test_a_narrowed_token_sees_less(own_town: Town) -> None:
    client = own_town.browser("operator")
    made = client.post("/api/account/tokens", json={"label": "x", "role": f"operator:area={AREA}"}).json()
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    names = {t["name"] for t in httpx.get(f"{own_town.api.url}/api/things", headers=bearer).json()["items"]}
    assert names == {"aq-02"}
    refused = client.post("/api/account/tokens", json={"label": "x", "role": "city-admin"})
    assert refused.status_code == 403


def test_refusals_and_deeds_are_in_the_audit(own_town: Town) -> None:
    with own_town.browser("operator") as client:
        assert client.get("/api/audit").status_code == 403
    with own_town.browser("city-admin") as client:
        assert client.post("/api/pending/new-01/accept").status_code == 200
    with own_town.browser("auditor") as client:
        found: list[Any] = []

        def written() -> bool:
            found[:] = client.get("/api/audit", params={"outcome": "refused"}).json()["items"]
            return bool(found)

        until(written, "the refusal")
        assert (found[0]["actor_name"], found[0]["operation"]) == ("operator.t", "audit.read")
        deed = client.get("/api/audit", params={"operation": "pending.decide"}).json()["items"][0]
        assert (deed["actor_name"], deed["target"], deed["why"]) == (
            "city-admin.t",
            "new-01",
            "city-admin of area *; each one decided",
        )
        assert client.get("/api/audit", params={"operation": "audit.read"}).json()["items"], "who looked is there too"
        assert client.get("/api/audit/verify").json()["faults"] == []
        lines = client.get("/api/audit/export").text.splitlines()
        assert len(lines) >= 3
        assert {"hash", "previous"} <= set(__import__("json").loads(lines[0]))


def test_a_failed_deed_leaves_no_audit_row(own_town: Town) -> None:
    with own_town.browser("city-admin") as client:
        assert client.post("/api/pending/there-is-none/accept").status_code == 404
    with autocommit(own_town.settings) as conn:
        assert audit.search(conn, audit.Search(operation="pending.decide")) == []


def test_a_role_taken_is_taken_at_once(own_town: Town) -> None:
    operator = own_town.browser("operator")
    assert operator.get("/api/status").status_code == 200
    with autocommit(own_town.settings) as conn:
        people.take(conn, people.grants(conn, own_town.ids["operator"])[0].id)
    until(lambda: operator.get("/api/status").status_code == 403, "refused")


def test_a_disabled_account_is_out_at_once_everywhere(own_town: Town) -> None:
    doctor, admin = own_town.browser("doctor"), own_town.browser("hospital-admin")
    assert doctor.get("/api/account").status_code == 200
    assert admin.post(f"/api/people/{own_town.ids['doctor']}/disable").status_code == 204
    until(lambda: doctor.get("/api/account").status_code == 401, "out")
    assert sign_in(own_town, "doctor.t")[1].status_code == 401
    own = admin.post(f"/api/people/{own_town.ids['hospital-admin']}/disable")
    assert own.status_code in (403, 409)


@pytest.mark.parametrize("path", ["/", "/account", "/people", "/audit"])
def test_pages_send_who_is_not_signed_in_to_sign_in(town: Town, path: str) -> None:
    answer = httpx.get(f"{town.api.url}{path}", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
