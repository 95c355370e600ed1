"""Every endpoint, message and command names a rule, with a case for allowed AND for refused: one without fails.

An endpoint's cases are real requests: "allowed" must not be answered with 401 or 403, "refused" must.
"""

from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from deploy import authorisation
from services.auth.guard import allowed, check_routes
from services.city.discovery import discover
from services.live import messages as live_messages
from services.live import operations as live_operations
from telehealth import messages
from telehealth.http_api import router as care
from telehealth.operations import ENDPOINTS, MESSAGES
from tests.identity.conftest import AREA, FACILITY, OTHER_FACILITY, ROLES, Town
from tests.people import autocommit
from tram import cli, web
from tram.commands._identity import whoever
from tram.identity import ANONYMOUS, OPERATIONS, Grant, Kind, Principal, Role, Scope, Target, decide
from tram.identity.claims import parse_grant
from tram.store import consults

NOBODY = None
OPEN = "open to everybody"
NOW = 1_800_000_000.0


def _who(name: str) -> str | None:
    """A role of the examples: somebody with a token that is none is `nobody-known`, `nobody` has none at all."""
    return {"nobody-known": "device-cookie", "nobody": NOBODY}.get(name, name)


HERE = f"doctor:facility={FACILITY}"

RULE = {
    "id": "1", "vi": "x", "en": "x", "scope": {"all": True},
    "levels": [{"priority": "low", "when": {"type": "no-data", "after": "1d"}}],
}  # fmt: skip
DASHBOARD = {"definition": {"labels": {"vi": "x"}, "panels": []}}
CALCULATED = {"thing": "aq-02", "property": "t", "expression": "a", "inputs": {"a": 999_999}}

NOTE = {"datastream": 999_999, "starts": "2026-01-01T00:00:00Z", "text": "x"}

# (endpoint, who may, who may not, body). OPEN: nobody is refused, which the rule itself must say.
Case = tuple[str, str | None, str | None, Any]
CASES: list[Case] = [
    ("GET /", NOBODY, OPEN, None),
    ("GET /flow", NOBODY, OPEN, None),
    ("GET /account", NOBODY, OPEN, None),
    ("GET /people", NOBODY, OPEN, None),
    ("GET /notifications", NOBODY, OPEN, None),
    ("GET /audit", NOBODY, OPEN, None),
    ("GET /sign-in", NOBODY, OPEN, None),
    ("GET /favicon.ico", NOBODY, OPEN, None),
    ("GET /static", NOBODY, OPEN, None),
    ("GET /ui", NOBODY, OPEN, None),
    ("GET /healthz", NOBODY, OPEN, None),
    ("GET /readyz", NOBODY, OPEN, None),
    ("GET /metrics", NOBODY, OPEN, None),
    ("GET /problems", NOBODY, OPEN, None),
    ("GET /problems/{code}", NOBODY, OPEN, None),
    ("GET /api/openapi.json", NOBODY, OPEN, None),
    ("GET /api/roles", NOBODY, OPEN, None),
    ("GET /api/me/may", NOBODY, OPEN, None),
    ("GET /api/session", NOBODY, OPEN, None),
    ("POST /api/session", NOBODY, OPEN, {"login": "nobody.t", "password": "x"}),
    ("POST /api/session/code", NOBODY, OPEN, {"code": "1"}),
    ("DELETE /api/session", NOBODY, OPEN, None),
    ("GET /auth/oidc/start", NOBODY, OPEN, None),
    ("GET /auth/oidc/callback", NOBODY, OPEN, None),
    ("POST /auth/oidc/back-channel-logout", NOBODY, OPEN, None),
    ("GET /auth/oidc/front-channel-logout", NOBODY, OPEN, None),
    ("POST /api/device-claims", NOBODY, OPEN, {"code": "AAAA-BBBB-CCCC"}),
    ("POST /api/device-renewals", "device", NOBODY, None),
    ("POST /api/session/prove", "citizen", NOBODY, {"password": "x"}),
    ("GET /api/account", "citizen", NOBODY, None),
    ("PATCH /api/account", "citizen", NOBODY, {"name": "Dân"}),
    ("POST /api/account/password", "citizen", NOBODY, {"current": "x", "new": "y"}),
    ("POST /api/account/totp", "citizen", NOBODY, None),
    ("POST /api/account/totp/confirm", "citizen", NOBODY, {"code": "000000"}),
    ("DELETE /api/account/totp", "citizen", NOBODY, None),
    ("POST /api/account/recovery-codes", "citizen", NOBODY, None),
    ("GET /api/account/sessions", "citizen", NOBODY, None),
    ("DELETE /api/account/sessions/{id}", "citizen", NOBODY, None),
    ("DELETE /api/account/sessions", "station-staff", NOBODY, None),
    ("GET /api/account/tokens", "citizen", NOBODY, None),
    ("POST /api/account/tokens", "operator", NOBODY, {"label": "t", "role": "operator"}),
    ("DELETE /api/account/tokens/{id}", "citizen", NOBODY, None),
    ("GET /api/things", "operator-here", "device-cookie", None),
    ("GET /api/things/{name:path}", "operator-here", "citizen", None),
    ("GET /api/things/{name:path}/latest", "operator-here", "doctor", None),
    ("GET /api/datastreams/{id}", "operator", "station-staff", None),
    ("GET /api/datastreams/{id}/series", "operator", NOBODY, None),
    ("GET /api/latest", "operator", "device-cookie", None),
    ("GET /api/areas", NOBODY, OPEN, None),
    ("GET /api/domains", "operator", "device-cookie", None),
    ("GET /api/domains/now", "operator", "device-cookie", None),
    ("GET /api/export", "operator-here", "citizen", None),
    ("GET /api/retention", "operator", "citizen", None),
    ("PUT /api/retention", "city-admin", "operator", {"property": "", "level": "raw", "keep_days": None}),
    ("GET /api/alarms", "operator-here", "citizen", None),
    ("GET /api/alarms/history", "operator-here", "doctor", None),
    ("GET /api/alarms/statistics", "auditor", "citizen", None),
    ("GET /api/alarms/out", "operator-here", "citizen", None),
    ("PUT /api/alarms/out", "city-admin-here", "operator-here", {"rule": "x", "thing": "aq-02", "mode": "in-service"}),
    ("GET /api/alarms/assigned", "auditor", "citizen", None),
    ("GET /api/alarms/{id}/assignees", "operator", "auditor", None),
    ("GET /api/alarms/{id}", "auditor", "citizen", None),
    ("GET /api/alarms/{id}/changes", "operator", "doctor", None),
    ("POST /api/alarms/{id}/acknowledge", "operator", "auditor", {}),
    ("POST /api/alarms/{id}/assign", "operator", "auditor", {"to": ""}),
    ("POST /api/alarms/{id}/comment", "operator", "citizen", {"comment": "x"}),
    ("POST /api/alarms/{id}/shelve", "operator", "auditor", {"until": "2030-01-01T00:00:00Z"}),
    ("POST /api/alarms/{id}/unshelve", "operator", "doctor", {}),
    ("POST /api/alarms/{id}/close", "operator", "auditor", {}),
    ("GET /api/alarm-rules", "operator-here", "citizen", None),
    ("POST /api/alarm-rules/trial", "operator", "auditor", {"rule": RULE}),
    ("GET /api/alarm-rules/{id}", "auditor", "citizen", None),
    ("GET /api/alarm-rules/{id}/versions", "operator", "doctor", None),
    ("PUT /api/alarm-rules/{id}", "city-admin", "operator", RULE),
    ("DELETE /api/alarm-rules/{id}", "city-admin", "operator", None),
    ("GET /api/calculated", "operator-here", "citizen", None),
    ("GET /api/calculated/{id}", "operator", "doctor", None),
    ("POST /api/calculated", "city-admin", "operator", CALCULATED),
    ("POST /api/calculated/trial", "operator", "auditor", CALCULATED),
    ("PUT /api/calculated/{id}", "city-admin", "operator", CALCULATED),
    ("DELETE /api/calculated/{id}", "city-admin", "operator-here", None),
    ("GET /api/dashboards", "operator-here", "doctor", None),
    ("POST /api/dashboards", "operator-here", "auditor", DASHBOARD),
    ("GET /api/dashboards/{id}", "operator", "citizen", None),
    ("PUT /api/dashboards/{id}", "city-admin", "doctor", DASHBOARD),
    ("DELETE /api/dashboards/{id}", "operator", "station-staff", None),
    ("GET /api/dashboards/{id}/versions", "operator", "citizen", None),
    ("GET /api/dashboards/{id}/versions/{version}", "city-admin", "auditor", None),
    ("POST /api/dashboards/{id}/restore", "operator", "hospital-admin", {"version": 1}),
    ("GET /api/notifications/preferences", "citizen", NOBODY, None),
    ("PUT /api/notifications/preferences", "citizen", NOBODY, {}),
    ("GET /api/notifications/channels", "operator", NOBODY, None),
    ("POST /api/notifications/channels", "operator", NOBODY, {"kind": "email", "address": "no address"}),
    ("PATCH /api/notifications/channels/{id}", "operator", NOBODY, {"label": "x"}),
    ("DELETE /api/notifications/channels/{id}", "operator", NOBODY, None),
    ("POST /api/notifications/channels/{id}/confirm", "operator", NOBODY, {"code": "000000"}),
    ("POST /api/notifications/channels/{id}/test", "operator", NOBODY, None),
    ("GET /api/notifications/push-key", "operator", NOBODY, None),
    ("GET /api/notifications/log", "operator", NOBODY, None),
    ("GET /api/notifications/log/all", "auditor", "operator", None),
    ("GET /cap/feed.atom", NOBODY, OPEN, None),
    ("GET /cap/documents/{identifier}", NOBODY, OPEN, None),
    ("GET /api/cap/rules", "operator", "citizen", None),
    ("PUT /api/cap/rules/{id}", "city-admin", "operator", {}),
    ("DELETE /api/cap/rules/{id}", "city-admin", "auditor", None),
    ("GET /api/observations/newest", "operator", "device-cookie", None),
    ("GET /api/trends", "operator", "device-cookie", None),
    ("GET /api/status", "operator", "citizen", None),
    ("GET /api/queues", "operator", "citizen", None),
    ("GET /api/overview", "operator", "doctor", None),
    ("GET /api/pending", "city-admin", "auditor", None),
    ("POST /api/pending/{name:path}/accept", "city-admin", "operator", None),
    ("POST /api/pending/{name:path}/refuse", "city-admin", "city-admin-here", None),
    ("GET /api/dead-letters", "operator", "auditor", None),
    ("GET /api/dead-letters/{id}", "operator", "doctor", None),
    ("POST /api/dead-letters/redecode", "operator", "auditor", {"ids": [999_999]}),
    ("GET /api/things/{name:path}/messages", "operator-here", "citizen", None),
    ("POST /api/things/{name:path}/watch", "operator-here", "auditor", None),
    ("GET /api/things/{name:path}/health", "operator-here", "doctor", None),
    ("GET /api/annotations", "operator-here", "citizen", None),
    ("POST /api/annotations", "operator", "auditor", NOTE),
    ("PUT /api/annotations/{id}", "operator", "auditor", NOTE),
    ("DELETE /api/annotations/{id}", "operator-here", "doctor", None),
    ("GET /api/devices/{name}/credentials", "operator-here", "doctor", None),
    ("POST /api/devices/{name}/credentials", "city-admin-here", "operator-here", {"topics": []}),
    ("POST /api/devices/{name}/credentials/rotate", "city-admin-here", "operator-here", {}),
    ("POST /api/devices/{name}/claim-code", "city-admin-here", "hospital-admin", None),
    ("DELETE /api/devices/{name}/credentials", "city-admin-here", "operator", None),
    ("GET /api/people", "hospital-admin", "operator", None),
    ("GET /api/people/{id}", "hospital-admin", "city-admin-here", None),
    ("POST /api/people", "hospital-admin", "operator", {"login": "moi.t", "name": "Mới", "role": HERE}),
    ("POST /api/people/{id}/password", "hospital-admin", "city-admin-here", None),
    ("POST /api/people/{id}/disable", "hospital-admin", "auditor", None),
    ("POST /api/people/{id}/enable", "hospital-admin", "auditor", None),
    ("POST /api/people/{id}/grants", "hospital-admin", "city-admin-here", {"role": HERE}),
    ("DELETE /api/people/{id}/grants/{grant_id}", "city-admin", "auditor", None),
    ("GET /api/tokens", "auditor", "operator", None),
    ("GET /api/audit", "auditor", "operator", None),
    ("GET /api/audit/export", "auditor", "city-admin", None),
    ("GET /api/audit/verify", "auditor", "hospital-admin", None),
    ("GET /live", "operator", "device-cookie", None),
    ("GET /sta/v1.1", "operator", "device-cookie", None),
    ("GET /sta/v1.1/", "operator", "device-cookie", None),
    ("GET /sta/v1.1/{path:path}", "operator", "device-cookie", None),
    ("POST /sta/v1.1/$batch", "operator", "device-cookie", {"requests": []}),
    ("POST /sta/v1.1/{path:path}", "city-admin", "operator", {}),
    ("PATCH /sta/v1.1/{path:path}", "city-admin", "auditor", {}),
    ("PUT /sta/v1.1/{path:path}", "city-admin", "doctor", {}),
    ("DELETE /sta/v1.1/{path:path}", "city-admin", "operator", None),
    ("POST /api/consults", "station-staff", "doctor", {"station": OTHER_FACILITY, "hospital": FACILITY}),
    ("GET /api/consults", "doctor", "operator", None),
    ("POST /api/consults/{consult}/accept", "doctor", "station-staff", None),
    ("POST /api/consults/{consult}/people", "hospital-admin", "doctor", {"person": 1}),
    ("DELETE /api/consults/{consult}/people/{id}", "hospital-admin", "city-admin", None),
    ("DELETE /api/consults/{consult}", "hospital-admin", "doctor", None),
    ("POST /api/consults/{consult}/token", "station-staff", "doctor", None),
    ("POST /api/consults/{consult}/break-glass", "doctor", "station-staff", {"reason": "ngừng tim tại trạm"}),
    ("POST /api/records/{record}/break-glass", "doctor", "hospital-admin", {"reason": "ngừng tim tại trạm"}),
    ("GET /api/events/security", "auditor", "doctor", None),
    ("GET /sta/v1.1", NOBODY, OPEN, None),
    ("GET /sta/v1.1/", NOBODY, OPEN, None),
    ("GET /sta/v1.1/{path:path}", NOBODY, OPEN, None),
    ("POST /sta/v1.1/$batch", NOBODY, OPEN, {"requests": []}),
    ("POST /sta/v1.1/{path:path}", "city-admin", "operator", {}),
    ("PATCH /sta/v1.1/{path:path}", "city-admin", "operator", {}),
    ("PUT /sta/v1.1/{path:path}", "city-admin", "operator", {}),
    ("DELETE /sta/v1.1/{path:path}", "city-admin", "operator", None),
]  # fmt: skip

# City services tell of their endpoints themselves: services/domains/*/examples.toml.
EXAMPLES = {case: row for domain in discover() for case, row in domain.examples().items()}
CASES += [
    (case, row.get("allowed"), OPEN if "refused" not in row else _who(row["refused"]), row.get("body"))
    for case, row in EXAMPLES.items()
]


def fills(town: Town, path: str) -> str:
    """A path with real things in it: aq-02 stands in AREA, the person is another doctor of FACILITY."""
    name = "new-01" if "pending" in path else "aq-02"
    filled = (
        path.replace("{path:path}", "Things(999999)")
        .replace("{name:path}", name)
        .replace("{name}", name)
        .replace("{code}", "not-found")
        .replace("{identifier}", "none")
        .replace("{version}", "1")
    )
    if "{consult}" in path or "{record}" in path:
        filled = fills_consult(town, filled)
    id = str(town.ids["somebody"]) if "people" in path else "1"
    filled = filled.replace("{path:path}", "Locations(999999)").replace("{grant_id}", "999999").replace("{id}", id)
    more = {"/static": "/tokens.css", "/ui": "/wall/", "/api/trends": "?id=1", "/api/me/may": "?operation=x"}
    return filled + more.get(filled, "")


def fills_consult(town: Town, path: str) -> str:
    """A fresh consult of the station's nurse, not accepted yet, and its record."""
    with autocommit(town.settings) as conn:
        nurse = town.ids["station-staff"]
        made = consults.request(conn, station=OTHER_FACILITY, hospital=FACILITY, account=nurse)
        record = consults.get(conn, made).record
    return path.replace("{consult}", made).replace("{record}", str(record))


def ask(town: Town, case: str, who: str | None, body: Any) -> httpx.Response:
    """One request as somebody. `device`: its credential; `device-cookie`: a cookie and token that are none."""
    method, _, path = case.partition(" ")
    url = EXAMPLES[case]["path"] if case in EXAMPLES else fills(town, path)
    if who == "device":
        issued = ask(town, "POST /api/devices/{name}/credentials", "city-admin-here", {"topics": []}).json()
        with httpx.Client(base_url=town.api.url) as client:
            return client.request(method, url, auth=(issued["user"], issued["password"]))
    if who == "device-cookie":
        with httpx.Client(base_url=town.api.url, headers={"Authorization": "Bearer no-such-token"}) as client:
            return client.request(method, url, json=body)
    if who is not None:
        town.again(who)
    with town.browser(who) as client:
        return client.request(method, url, json=body)


def test_every_endpoint_has_its_cases() -> None:
    assert {case for case, _ in authorisation.city()} == {case for case, _, _, _ in CASES}
    for case, operation in authorisation.city():
        assert operation in OPERATIONS, f"{case} names no operation"


REFUSING = {"/problems/unauthenticated", "/problems/forbidden", "/problems/step-up", "/problems/must-change"}


def kind(answer: httpx.Response) -> str:
    """The problem's type; what is wrong with a password is no refusal by a rule."""
    return (
        str(answer.json().get("type", ""))
        if "json" in answer.headers.get("content-type", "") and answer.status_code >= 400
        else ""
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_allowed(town: Town, case: Case) -> None:
    name, who, _, body = case
    answer = ask(town, name, who, body)
    if name == "GET /ui" and web.directory() is None:
        assert web.NOT_BUILT in answer.text
        return
    assert answer.status_code < 500, answer.text
    if name not in ("POST /api/session/code",):  # nobody has half a session: told to start again
        assert kind(answer) not in REFUSING, answer.text


@pytest.mark.parametrize("case", [case for case in CASES if case[2] is not OPEN], ids=lambda case: case[0])
def test_refused(town: Town, case: Case) -> None:
    name, _, who, body = case
    answer = ask(town, name, who, body)
    assert answer.status_code in (401, 403), answer.text
    assert kind(answer) in REFUSING


def test_what_is_open_to_everybody_says_so_in_its_rule() -> None:
    operations = dict(authorisation.city())
    for case, _, refused, _ in CASES:
        if refused is OPEN:
            assert decide(ANONYMOUS, operations[case], None, now=NOW).allowed, case


def test_a_new_endpoint_without_a_rule_stops_the_start() -> None:
    app = authorisation.application()

    @app.get("/api/forgotten")
    def forgotten() -> str:
        return "everything"

    with pytest.raises(RuntimeError, match="/api/forgotten names no rule"):
        check_routes(app)
    with pytest.raises(KeyError):
        allowed("made.up")


def test_every_websocket_message_names_its_rule() -> None:
    tags = {message.__struct_config__.tag for message in get_args(messages.ClientMessage)}
    assert tags == set(MESSAGES)
    doctor = Principal(Kind.PERSON, "p:1", "d", (Grant(Role.DOCTOR),))
    theirs, others = Target(assigned=frozenset({"p:1"})), Target(assigned=frozenset({"p:2"}))
    for tag, operation in MESSAGES.items():
        assert decide(doctor, operation, theirs, now=NOW).allowed, tag
        assert not decide(doctor, operation, others, now=NOW).allowed, tag
        assert not decide(ANONYMOUS, operation, theirs, now=NOW).allowed, tag


def test_every_message_of_the_live_hub_names_its_rule() -> None:
    tags = {message.__struct_config__.tag for message in get_args(live_messages.ClientMessage)}
    assert tags == set(live_operations.MESSAGES)
    operator = Principal(Kind.PERSON, "p:1", "o", (Grant(Role.OPERATOR, Scope(areas=frozenset({AREA}))),))
    here, elsewhere = Target(path=(AREA,)), Target(path=("05482",))
    for tag, operation in live_operations.MESSAGES.items():
        assert decide(operator, operation, here, now=NOW).allowed, tag
        assert not decide(operator, operation, elsewhere, now=NOW).allowed, tag
        assert not decide(ANONYMOUS, operation, here, now=NOW).allowed, tag


def test_every_endpoint_of_the_care_plane_names_its_rule() -> None:
    found = {f"{method} {route.path}" for route in care.routes for method in route.methods if method != "HEAD"}  # type: ignore[attr-defined]
    assert found <= set(ENDPOINTS)
    assert set(ENDPOINTS.values()) <= set(OPERATIONS)


def test_every_command_names_a_rule_that_the_server_may_and_nobody_else() -> None:
    found = authorisation.commands()
    assert {name.split()[1] for name, _ in found} == set(cli.names())
    person = Principal(Kind.PERSON, "p:1", "x", tuple(g for g in ROLES.values() if g), stepped_up=NOW)
    for name, operation in found:
        assert decide(whoever(), operation, None, now=NOW).allowed, name
        assert not decide(ANONYMOUS, operation, None, now=NOW).allowed, name
        if operation.startswith("server."):
            assert not decide(person, operation, None, now=NOW).allowed, name


def test_the_document_is_the_code() -> None:
    file = Path(__file__).parents[2] / "docs" / "authorisation.md"
    assert file.read_text(encoding="utf-8") == authorisation.document(), (
        "run python -m deploy.authorisation > docs/authorisation.md"
    )


def test_a_grant_as_typed_is_read() -> None:
    assert parse_grant(f"operator:area={AREA}") == ROLES["operator-here"]
