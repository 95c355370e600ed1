"""Finds the city services: every folder of services/domains is one. Nothing else names them."""

import importlib
import pkgutil
import time
from collections.abc import Callable, Sequence
from functools import cache

from services import domains
from services.city.domain import Clocked, Domain
from services.city.follow import Follower
from services.city.putting import put
from services.city.seeds import Seeds
from services.jobs import Job, Outcome
from tram import properties
from tram.settings import Settings
from tram.store.database import Connection


@cache
def discover() -> tuple[Domain, ...]:
    """All of them, by name; makes their properties known to the catalogue.

    Raises:
        ValueError: a folder whose DOMAIN has another name, or a property that two claim.
    """
    found = []
    for module in pkgutil.iter_modules(domains.__path__):
        domain = importlib.import_module(f"{domains.__name__}.{module.name}").DOMAIN
        if not isinstance(domain, Domain) or domain.name != module.name:
            raise ValueError(f"services/domains/{module.name}: DOMAIN must be a Domain called {module.name!r}")
        properties.extend(domain.properties)
        found.append(domain)
    return tuple(sorted(found, key=lambda domain: domain.name))


def _by_clock(domain: Domain, clocked: Clocked) -> Callable[[Connection, Settings], Outcome]:
    def work(conn: Connection, settings: Settings) -> Outcome:
        made = clocked.compute(conn, settings, time.time_ns() // 1000)
        if made is not None:
            put(conn, domain, made)
        return Outcome(0)

    return work


PERIOD, TIMEOUT = 10.0, 120.0


def jobs(found: Sequence[Domain]) -> tuple[Job, ...]:
    """What the worker does for them: one job a derivation and a clock, and their own."""
    made: list[Job] = []
    for domain in found:
        made += [Job(f"{domain.name}.{d.name}", PERIOD, TIMEOUT, Follower(domain, d)) for d in domain.derivations]
        made += [Job(f"{domain.name}.{c.name}", c.period, TIMEOUT, _by_clock(domain, c)) for c in domain.clocked]
        made += [*domain.jobs, Job(f"{domain.name}.rules", 60.0, 30.0, Seeds(domain))]
    return tuple(made)
