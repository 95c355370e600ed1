"""Every example of every city service, against a real server: it answers, as its OpenAPI document says."""

import pytest

from services.city.discovery import discover
from tests.identity.conftest import Town, town

__all__ = ["town"]

EXAMPLES = [(domain.name, case, row) for domain in discover() for case, row in domain.examples().items()]


@pytest.mark.parametrize(("name", "case", "row"), EXAMPLES, ids=lambda value: value if isinstance(value, str) else "")
def test_an_example_answers(town: Town, name: str, case: str, row: dict[str, str]) -> None:
    method = case.split(" ")[0]
    with town.browser("city-admin") as client:
        if row.get("answers", 200) != 200:
            town.again("city-admin")
        answer = client.request(method, row["path"], json=row.get("body"))
    assert answer.status_code == row.get("answers", 200), answer.text
    if answer.headers["content-type"].startswith("application/json"):
        assert answer.json() is not None


def test_examples_stand_in_the_openapi_document(town: Town) -> None:
    with town.browser(None) as client:
        document = client.get("/api/openapi.json").json()
    for domain in discover():
        for case in domain.examples():
            method, path = case.split(" ")
            told = document["paths"][path.replace(":path}", "}")][method.lower()]
            assert told["summary"]
            assert told["description"], f"{case} says nothing of itself"
