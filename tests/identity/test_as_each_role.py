"""Schemathesis over the API's own OpenAPI document, as each role: no 500 and no leak; and no secret in any log.

Examples are few: the point is every operation as every role, in minutes. More with TRAM_X_EXAMPLES.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.identity.conftest import ROLES, Town
from tests.people import PASSWORD, autocommit
from tests.waiting import until
from tram.identity import passwords
from tram.runtime.logs import LineFormatter

EXAMPLES = int(os.environ.get("TRAM_X_EXAMPLES", "1"))
SKIPPED = re.compile(r"^/(auth/oidc|readyz|api/audit/export|api/account/sessions$|api/session$|sta/)")
"""Redirects away, streams, what would sign the tester out; SensorThings has its own suite."""
WRITES_OTHERS = re.compile(r"^/api/people/.*(disable|password|grants)")
SECRET = re.compile(
    r"\$argon2id\$|\$7\$\d+\$|BEGIN [A-Z ]*PRIVATE KEY|postgresql://[^\s\"]*:[^\s\"@]+@|Traceback \(most recent"
)


def ask_all(cases: Any, clients: Mapping[str, httpx.Client], url: str) -> list[tuple[str, httpx.Response]]:
    """A few requests of one operation, valid by the document, each by every role."""
    answers: list[tuple[str, httpx.Response]] = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=cases)
    def ask(case: schemathesis.Case) -> None:
        sent = case.as_transport_kwargs(base_url=url)
        headers = {k: v for k, v in sent["headers"].items() if k.lower() not in ("authorization", "user-agent")}
        for role, client in clients.items():
            try:
                answer = client.request(
                    sent["method"], sent["url"], params=sent.get("params"), json=sent.get("json"), headers=headers,
                )  # fmt: skip
            except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, TypeError):
                return  # a request that cannot be put on the wire
            answers.append((role, answer))

    ask()
    return answers


def test_no_operation_fails_inside_or_leaks(own_town: Town) -> None:
    """One walk through the operations: their examples cost more to make than to ask, and are each role's alike."""
    town = own_town
    document = httpx.get(f"{town.api.url}/api/openapi.json", timeout=60).json()
    asked: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    with ExitStack() as stack:
        clients = {
            role: stack.enter_context(httpx.Client(base_url=town.api.url, headers=headers, timeout=60))
            for role, headers in [
                ("nobody", {}),
                *((role, {"Authorization": f"Bearer {town.tokens[role]}"}) for role in ROLES),
            ]
        }
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            operation = found.ok()
            if SKIPPED.match(operation.path) or WRITES_OTHERS.match(operation.path):
                continue
            for role, answer in ask_all(operation.as_strategy(), clients, town.api.url):
                asked[role] += 1
                refused[role] += answer.status_code == 401
                where = f"{answer.request.method} {answer.request.url} as {role}: {answer.text[:300]}"
                assert answer.status_code < 500 or answer.status_code == 503, where
                assert not SECRET.search(answer.text), where
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json", where
    assert min(asked.values()) > 30
    assert set(asked) == {"nobody", *ROLES}
    assert [role for role in ROLES if refused[role] > asked[role] / 2] == [], "nobody lost their token on the way"


def test_no_secret_stands_in_any_log_or_answer(own_town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """A tour of everything that has to do with secrets; then all that was logged and answered is searched for them."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    secrets = {PASSWORD, own_town.settings.secret_key}

    def keep(answer: httpx.Response) -> None:
        answer.read()
        said.append(f"{answer.status_code} {answer.text}")

    client = httpx.Client(base_url=own_town.api.url, event_hooks={"response": [keep]}, timeout=60)
    wrong = passwords.new_password()
    secrets.add(wrong)
    for password in (wrong, PASSWORD):
        client.post("/api/session", json={"login": "city-admin.t", "password": password})
    client.post("/api/session", json={"login": wrong, "password": 5})  # a password typed in the wrong field
    secrets |= {value for name, value in client.cookies.items() if name == "tram_session"}
    client.post("/api/account/password", json={"current": wrong, "new": wrong[:11]})
    client.post("/api/account/password", content=f'{{"current": "{wrong}", "new": ')
    token = client.post("/api/account/tokens", json={"label": "x", "role": "city-admin"}).json()["secret"]
    issued = client.post("/api/devices/aq-01/credentials", json={"topics": []}).json()["password"]
    code = client.post("/api/devices/aq-01/claim-code").json()["code"]
    shown_once = {token, issued, code}
    said = [one for one in said if not any(secret in one for secret in shown_once)]
    secrets |= shown_once
    for bearer in (token[:-1] + "0", token):
        client.get("/api/audit", headers={"Authorization": f"Bearer {bearer}"})
    client.get("/api/tokens")
    client.get("/api/devices/aq-01/credentials")
    client.post("/api/device-renewals", headers={"Authorization": "Basic " + wrong})
    client.get(f"/api/things/{wrong}")
    client.get("/api/audit", params={"limit": 500})
    client.get("/api/events/security")
    said = [one for one in said if "renew" not in one]
    with autocommit(own_town.settings) as conn:
        until(lambda: conn.execute("SELECT count(*) FROM event").fetchone()[0] > 3, "events")  # type: ignore[index]
        for table in (
            "event",
            "audit",
            "account",
            "session",
            "access_token",
            "device_credential",
            "claim_code",
            "failed_try",
        ):
            said += [str(row) for row in conn.execute(f"SELECT t::text FROM {table} t").fetchall()]  # type: ignore[arg-type]
    formatter = LineFormatter("api")
    said += [formatter.format(record) for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    kept = [secret for secret in secrets if secret != wrong]  # `wrong` was also typed as a name: names are said
    for secret in kept:
        assert not [one[:300] for one in said if secret in one], "a secret is told"
