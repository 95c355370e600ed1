"""Whatever is sent, the answer is one that the API describes, never a 500: schemathesis over the real server."""

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.servers.api import Api

EXAMPLES = 12  # of each operation


@pytest.fixture(scope="module")
def described(_filled: dict[str, Api]) -> tuple[str, object]:
    api = next(iter(_filled.values()))
    return api.url, api.get("/api/openapi.json").json()


def test_no_request_makes_a_server_error(described: tuple[str, object]) -> None:
    url, document = described
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        if operation.path == "/readyz":  # 503 is an answer of its own there
            continue

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        def hostile(case: schemathesis.Case) -> None:
            answer = case.call(base_url=url, timeout=60)
            checks = [not_a_server_error, content_type_conformance, response_schema_conformance]
            case.validate_response(answer, checks=checks)

        hostile()
