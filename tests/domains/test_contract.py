"""The contract of a city service, for every folder of services/domains; and that each can be taken out."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import authorisation
from services.city import seeds
from services.city.discovery import discover, jobs
from services.city.domain import Domain
from services.jobs import JOBS
from tests.databases import Database
from tram.alarms.rules import NoData, leaves
from tram.identity import OPERATIONS
from tram.properties import known
from tram.settings import Settings
from tram.store import alarm_rules
from tram.store.migrate import read
from tram.units import UNITS as UCUM

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path for path in (ROOT / "services" / "domains").iterdir() if (path / "__init__.py").is_file())
DOMAINS = discover()
WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE|COPY)\s+(?!\()([a-z_]+)", re.IGNORECASE
)

MAKES = re.compile(
    r"\b(?:CREATE|ALTER|DROP)\s+(?:UNIQUE\s+)?(?:TABLE|INDEX|VIEW|SEQUENCE)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(\w+)",
    re.IGNORECASE,
)


def test_every_folder_is_a_service() -> None:
    assert [domain.name for domain in DOMAINS] == [folder.name for folder in FOLDERS]


each = pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)


@each
def test_labels_in_both_languages(domain: Domain) -> None:
    for labels in [domain.labels, *(panel.labels for panel in domain.panels)]:
        assert set(labels) == {"vi", "en"}
        assert all(text.strip() for text in labels.values())


@each
def test_its_properties_are_its_own_and_have_formulas(domain: Domain) -> None:
    assert domain.properties
    assert set(domain.formulas) == set(domain.properties)
    for name, observed in domain.properties.items():
        assert known(name) == observed
        assert observed.unit in UCUM
        assert set(observed.labels) == {"vi", "en"}
        formula = domain.formulas[name]
        assert formula.name
        assert formula.edition
        assert formula.description
        assert set(formula.labels) == {"vi", "en"}
        assert all(text.strip() for text in formula.labels.values())
    for other in DOMAINS:
        assert other is domain or not domain.properties.keys() & other.properties.keys()


@each
def test_every_endpoint_is_its_own_and_names_its_rule(domain: Domain) -> None:
    mine = {case: operation for case, operation in authorisation.city() if f" /api/{domain.name}/" in f"{case}/"}
    assert set(mine) == set(domain.examples()), "examples.toml names every endpoint, and no other"
    assert set(mine.values()) == domain.operations
    assert domain.operations <= set(OPERATIONS)
    paths = {case.split(" ")[1].replace(":path}", "}") for case in mine}
    for panel in domain.panels:
        assert panel.data.split("?")[0] in paths, f"the panel {panel.name} is filled by no endpoint"
        assert panel.name.startswith(f"{domain.name}-")
        assert (ROOT / "web" / "panels" / panel.name / "Panel.svelte").is_file(), "docs/guides/adding-a-panel.md"


@each
def test_its_work_is_bounded_and_named(domain: Domain) -> None:
    names = [job.name for job in (*JOBS, *jobs(DOMAINS))]
    assert len(names) == len(set(names))
    for derivation in domain.derivations:
        assert derivation.inputs
        assert derivation.width > 0
        assert derivation.grace >= 0
    for job in jobs([domain]):
        assert job.name.startswith(f"{domain.name}.")
        assert 0 < job.timeout <= 600


@each
def test_it_writes_only_its_own_tables(domain: Domain) -> None:
    own = rf"{domain.name}_[a-z_]+"
    for file in domain.folder.rglob("*.sql"):
        text = re.sub(r"--[^\n]*", "", file.read_text(encoding="utf-8"))
        if file.parent.name == "migrations":
            made = MAKES.findall(text)
            assert made, f"{file.name} makes nothing"
            assert [name for name in made if not re.fullmatch(own, name)] == []
        foreign = [
            name
            for name in WRITES.findall(text)
            if name.lower() not in ("set", "of", "skip") and not re.fullmatch(own, name)
        ]
        assert foreign == [], f"{file.name} writes {foreign}"
    # Results go through services.city.results alone, and SQL stands in .sql files.
    for file in domain.folder.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not any(re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|COPY)\s", text) for text in texts), file.name
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        assert not imported & {"tram.store.observations", "tram.store.committed"}, file.name


@each
def test_its_migrations_are_in_order(domain: Domain) -> None:
    for folder in domain.folder.glob("migrations"):
        assert [migration.folder for migration in read(folder)] == [domain.name] * len(read(folder))


@each
def test_its_guide_stands(domain: Domain) -> None:
    text = (ROOT / "docs" / "guides" / f"{domain.name}.md").read_text(encoding="utf-8")
    for name in domain.properties:
        assert f"`{name}`" in text, f"docs/guides/{domain.name}.md does not tell of {name}"


@each
def test_its_page_is_one_folder_that_nothing_else_names(domain: Domain) -> None:
    """web/services/{name}: found by itself, so that the pages build without it; panels of its own may use it."""
    folder = ROOT / "web" / "services" / domain.name
    assert (folder / "Page.svelte").is_file()
    assert list(folder.glob("*.test.ts")), "what it decides is tested"
    others = [
        path
        for path in (ROOT / "web").rglob("*")
        if path.suffix in (".ts", ".svelte") and "node_modules" not in path.parts and folder not in path.parents
        and not path.relative_to(ROOT / "web").as_posix().startswith(f"panels/{domain.name}-")
    ]  # fmt: skip
    assert len(others) > 50
    assert [str(path) for path in others if f"services/{domain.name}/" in path.read_text(encoding="utf-8")] == []
    own = [path.read_text(encoding="utf-8") for path in folder.glob("*.*")]
    assert not any(f"../{other.name}/" in text for text in own for other in DOMAINS)


SMOKE = """
import json, sys
from services.city.discovery import discover, jobs
from deploy import authorisation
from tram.commands.migrate import folders
found = discover()
endpoints = [case for case, _ in authorisation.city()]
print(json.dumps([[d.name for d in found], endpoints, [j.name for j in jobs(found)], [str(f) for f in folders()]]))
"""


@each
def test_without_its_folder_the_product_works(domain: Domain, tmp_path: Path) -> None:
    """In a copy: the others, the application, the worker's jobs and the migrations are there; nothing asks for it."""
    for package in ("tram", "services", "deploy", "telehealth", "gateway", "devices"):
        copy_tree(ROOT / package, tmp_path / package, domain.folder)
    done = subprocess.run(
        [sys.executable, "-c", SMOKE], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    names, endpoints, work, migrations = json.loads(done.stdout.splitlines()[-1])
    assert names == [other.name for other in DOMAINS if other is not domain]
    assert not any(f"/api/{domain.name}/" in case for case in endpoints)
    assert set(endpoints) == {case for case, _ in authorisation.city() if f"/api/{domain.name}/" not in case}
    assert work == [job.name for job in jobs(DOMAINS) if not job.name.startswith(f"{domain.name}.")]
    assert not any(f"/{domain.name}/migrations" in folder for folder in migrations)


def copy_tree(source: Path, target: Path, without: Path) -> None:
    """Python (as it is compiled too), data and SQL files alone: no built pages."""
    for path in source.rglob("*"):
        if path.is_file() and without not in path.parents and "web_dist" not in path.parts:
            to = target / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.hardlink_to(path) if to.parent.stat().st_dev == path.stat().st_dev else to.write_bytes(path.read_bytes())


@each
def test_its_alarm_rules_are_sound(domain: Domain) -> None:
    """In both languages; of what it computes or is fed by; late data is waited for as long as a bucket takes."""
    found = seeds.rules(domain)
    assert found
    inputs = {name for derivation in domain.derivations for name in derivation.inputs}
    for rule in found:
        assert rule.id.startswith(f"{domain.name}-")
        assert rule.vi
        assert rule.en
        for level in rule.levels:
            assert level.vi
            assert level.en
            for _, leaf in leaves(level.when):
                name = getattr(leaf, "property", None)
                assert name is None or name in domain.properties or name in inputs, name
                # Else what is computed after its bucket's end would come too late to raise anything.
                slowest = max(one.width + one.grace for one in domain.derivations if _hourly(one.width))
                waits = name in domain.properties and not isinstance(leaf, NoData)
                assert not waits or rule.late.micros > slowest, rule.id


def _hourly(width: int) -> bool:
    return width <= 3_600_000_000


def test_a_rule_is_seeded_once(one_database: Database) -> None:
    with one_database.connect() as conn:
        work = [seeds.Seeds(domain) for domain in DOMAINS]
        for job in work:
            job(conn, Settings())
        wanted = {rule.id for domain in DOMAINS for rule in seeds.rules(domain)}
        assert {one.id for one in alarm_rules.list_rules(conn)} >= wanted
        gone = sorted(wanted)[0]
        alarm_rules.delete(conn, gone, "p:1")
        for job in work:
            job(conn, Settings())
        assert gone not in {one.id for one in alarm_rules.list_rules(conn)}
