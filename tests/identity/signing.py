"""What the tests of signing in share."""

from typing import Any

import httpx

from tests.identity.conftest import Town
from tests.people import PASSWORD


def sign_in(town: Town, login: str, password: str = PASSWORD, **more: Any) -> tuple[httpx.Client, httpx.Response]:
    client = httpx.Client(base_url=town.api.url, timeout=60, **more)
    return client, client.post("/api/session", json={"login": login, "password": password})


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])
