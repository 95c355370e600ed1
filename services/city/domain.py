"""The contract: what a folder of services/domains tells of itself. Data alone; the rest follows from it."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from services.city.headline import Headliner
from services.city.inputs import Touched
from services.city.results import Results
from services.jobs import Job
from tram.properties import read_catalogue
from tram.sensing import Micros, ObservedProperty
from tram.settings import Settings
from tram.store.database import Connection

Labels = Mapping[str, str]
"""Language ("vi", "en") -> what people read."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """Something that is computed from what is measured, bucket by bucket, whenever a bucket was touched.

    Attributes:
        name: unique in its service.
        inputs: names of measured ObservedProperties.
        width: microseconds of a bucket; `offset`: buckets begin so long before whole widths since 1970.
        grace: microseconds after a bucket's end before it is computed: most data is there by then, and what comes later
            touches the bucket again.
        compute: (connection, touched, settings) to results; reads what it needs, writes nothing. The same input gives
            the same results: nothing that was not touched changes.
    """

    name: str
    inputs: frozenset[str]
    width: Micros
    grace: Micros
    compute: Callable[[Connection, Touched, Settings], Results]
    offset: Micros = 0


@dataclass(frozen=True, slots=True)
class Clocked:
    """Something that is computed by the clock: a forecast. `period` in seconds; None: nothing to do yet."""

    name: str
    period: float
    compute: Callable[[Connection, Settings, Micros], Results | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel of the operators' page: the folder web/panels/{name}. `data`: the endpoint that fills it."""

    name: str
    labels: Labels
    data: str


@dataclass(frozen=True, slots=True)
class Formula:
    """How a property is computed. `edition` is stored with the Datastream, and stands in docs beside its source.

    `name` is that of the Sensor in SensorThings: another one begins another Sensor. `labels` say the same to people.
    """

    name: str
    edition: str
    description: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Domain:
    """One city service.

    Attributes:
        name: its folder's; also the channel of its Datastreams, which nobody else writes.
        labels: of the service.
        properties: what it computes; names that no other service claims.
        formulas: property -> how it is computed.
        router: its endpoints, below /api/{name}; each names an operation of tram.identity.operations.
        operations: those operations: what a person needs a right for.
        derivations: computed from the committed stream; `clocked`: by the clock.
        jobs: what else the worker does for it: its own tables.
        panels: its place on the operators' page.
        headline: its one line on the first page (services.city.headline); None: it has no tile there.
        folder: where it stands: migrations/ (its tables), examples.toml (its endpoints), alarms.toml (its rules).
    """

    name: str
    labels: Labels
    properties: Mapping[str, ObservedProperty]
    formulas: Mapping[str, Formula]
    router: APIRouter
    operations: frozenset[str]
    folder: Path
    derivations: Sequence[Derivation] = ()
    clocked: Sequence[Clocked] = ()
    jobs: Sequence[Job] = ()
    panels: Sequence[Panel] = ()
    headline: Headliner | None = None

    def examples(self) -> Mapping[str, Mapping[str, Any]]:
        """Endpoint ("GET /api/air/stations") -> path and body that answer, who may (`allowed`), who not (`refused`)."""
        text = (self.folder / "examples.toml").read_text(encoding="utf-8")
        found: dict[str, Mapping[str, Any]] = tomllib.loads(text)
        return found


def properties(folder: Path) -> Mapping[str, ObservedProperty]:
    """The catalogue properties.toml of a service; the form of tram/properties.toml. Raises ValueError."""
    told = read_catalogue((folder / "properties.toml").read_text(encoding="utf-8"))[0]
    return {name: replace(observed, computed=True) for name, observed in told.items()}


def formulas(folder: Path) -> Mapping[str, Formula]:
    """`[property] formula, vi, en, edition, description` of formulas.toml."""
    rows = tomllib.loads((folder / "formulas.toml").read_text(encoding="utf-8"))
    return {
        name: Formula(row["formula"], row["edition"], row["description"], {"vi": row["vi"], "en": row["en"]})
        for name, row in rows.items()
    }
