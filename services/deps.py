"""What endpoints ask for by type: a database connection, the shared state. Authorisation: services.auth.guard.

Endpoints are plain functions on FastAPI's thread pool over the store's own functions (docs/adr/0050): one copy of every
query, none twice for an event loop.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from psycopg_pool import ConnectionPool
from pydantic import AfterValidator

from services.auth.oidc import Provider
from services.live.hub import Hub
from services.overview import Overview
from tram.identity.secrets import Keyring
from tram.runtime.known import Known
from tram.runtime.ledger import Ledger
from tram.runtime.rates import Rates
from tram.runtime.readiness import Readiness
from tram.runtime.visitor import Network
from tram.settings import Settings
from tram.store.database import Connection, available

CONNECTION_SECONDS = 0.8
"""How long a request waits for a connection: the answer that the database is away comes within a second."""


@dataclass(slots=True)
class State:
    """What all requests of the process share; `app.state.tram`.

    Attributes:
        known: who cookies and tokens are, and where Things stand.
        ledger: where refusals are noted.
        rates: requests of each principal.
        keyring: the server's keys.
        proxies: networks of the stated reverse proxies.
        oidc: the identity provider, where one is set.
        hub: tells live values and alarms.
    """

    settings: Settings
    pool: ConnectionPool[Connection]
    readiness: Readiness
    overview: Overview
    known: Known
    ledger: Ledger
    rates: Rates
    keyring: Keyring
    proxies: Sequence[Network]
    oidc: Provider | None
    hub: Hub


def state(request: Request) -> State:
    """The shared state."""
    found = request.app.state.tram
    assert isinstance(found, State)
    return found


Shared = Annotated[State, Depends(state)]


def _connection(shared: Shared) -> Iterator[Connection]:
    with available(), shared.pool.connection(timeout=CONNECTION_SECONDS) as conn:
        yield conn


# Scope "function": committed before the answer is sent, so that who reads it can rely on it.
Database = Annotated[Connection, Depends(_connection, scope="function")]
"""A connection in a transaction: committed when the endpoint returns, rolled back when it raises."""


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("it must not contain a NUL character")
    return text


Text = Annotated[str, AfterValidator(_storable)]
ThingName = Annotated[Text, Path(min_length=1, max_length=512, description="the name on the wire", examples=["aq-01"])]
Id = Annotated[int, Path(ge=1, le=2**31 - 1)]
Search = Annotated[Text, Query(max_length=200, description="part of the name or label, in any case")]
Filter = Annotated[Text | None, Query(max_length=200)]
