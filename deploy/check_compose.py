"""`python -m deploy.check_compose FILE`: the compose file against the specification's schema and our own rules.

The schema is the Compose Specification's own, as the PyPI package check-jsonschema ships it (docs/adr/0053).
"""

import importlib.util
import ipaddress
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

import tram
from tram.errors import SettingsError
from tram.settings import described, load

Compose = Mapping[str, Any]
Service = Mapping[str, Any]
OWN = "tram"
PINNED = re.compile(r"(:v?\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})$")


def read(path: Path) -> Any:
    """The file, with its anchors and merge keys resolved."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def problems(compose: Any, folder: Path) -> list[str]:
    """Everything wrong with a compose file, one line each; empty when all is well.

    Args:
        compose: what `read` returned.
        folder: that paths in it are relative to.
    """
    found = [f"schema: {error.json_path}: {error.message[:300]}" for error in _schema().iter_errors(compose)]
    if found:
        return found
    for name, service in compose["services"].items():
        found += [f"{name}: {line}" for rule in RULES for line in rule(name, service, compose)]
    return found + [f"secret {line}" for line in _secrets(compose)] + list(_files(compose, folder))


def _schema() -> Validator:
    text = files("check_jsonschema").joinpath("builtin_schemas", "vendor", "compose-spec.json").read_text("utf-8")
    schema = json.loads(text)
    return validator_for(schema)(schema)  # of the draft that the schema names


def _one_shot(service: Service) -> bool:
    return service.get("restart") in ("no", "on-failure")


def _own(service: Service) -> bool:
    return str(service.get("image", "")).split(":")[0] == OWN


def _environment(service: Service) -> dict[str, str]:
    given = service.get("environment", {})
    pairs = given.items() if isinstance(given, dict) else (str(line).partition("=")[::2] for line in given)
    return {str(name): str(value) for name, value in pairs}


def lives(name: str, service: Service, compose: Compose) -> Iterator[str]:
    """Every service says how it is restarted, and a lasting one how one knows that it works."""
    if "restart" not in service:
        yield "has no restart policy"
    if not _one_shot(service) and not service.get("healthcheck", {}).get("test"):
        yield "has no healthcheck"


def pinned(name: str, service: Service, compose: Compose) -> Iterator[str]:
    """Images stand still: an exact version or a digest; our own is this version."""
    image = str(service.get("image", ""))
    if not PINNED.search(image):
        yield f"image {image!r} is not pinned to a version or digest"
    if _own(service) and image != f"{OWN}:{tram.__version__}":
        yield f"image {image!r} is not of this version, {tram.__version__}"


def settings(name: str, service: Service, compose: Compose) -> Iterator[str]:
    """Every TRAM_ variable is a setting and its value fits; what is secret comes from a file."""
    environment = {k: v for k, v in _environment(service).items() if k.startswith("TRAM_")}
    if environment and not _own(service):
        yield "has TRAM_ variables but is not ours"
    try:
        load({k: v for k, v in environment.items() if not k.endswith("_FILE")}, Path("/nonexistent"))
        # A file is read where the container runs: here only its name can be checked.
        known = {variable for _, variable, _, _ in described()}
        yield from (f"{k} is no setting" for k in environment if k.endswith("_FILE") and k[:-5] not in known)
    except SettingsError as error:
        yield str(error)
    for _, variable, _, meta in described():
        if meta["secret"] and variable in environment:
            yield f"{variable} is a secret: use {variable}_FILE"


def mounted(name: str, service: Service, compose: Compose) -> Iterator[str]:
    """What is read under /run/secrets is mounted there, and the other way round."""
    attached = {s if isinstance(s, str) else s["source"] for s in service.get("secrets", ())}
    text = json.dumps([_environment(service), service.get("healthcheck"), service.get("command")])
    wanted = set(re.findall(r"/run/secrets/([\w.-]+)", text))
    yield from (f"reads the secret {s}, which is not mounted" for s in sorted(wanted - attached))
    yield from (f"mounts {s}, which is no secret" for s in sorted(attached - set(compose.get("secrets", {}))))


def inward(name: str, service: Service, compose: Compose) -> Iterator[str]:
    """Nothing is published off this machine."""
    for port in service.get("ports", ()):
        host = (
            str(port.get("host_ip", "")) if isinstance(port, dict) else str(port).rpartition(":")[0].rpartition(":")[0]
        )
        try:
            inside = ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            inside = False
        if not inside:
            yield f"publishes {port} off this machine: write 127.0.0.1: before it"
    if service.get("network_mode") == "host":
        yield "shares the machine's network"


def confined(name: str, service: Service, compose: Compose) -> Iterator[str]:
    """Ours need no rights: a read-only root, no capabilities, no way to more."""
    if service.get("privileged"):
        yield "is privileged"
    if not _own(service):
        return
    if not service.get("read_only"):
        yield "has a writable root"
    if service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may gain privileges"


def started(name: str, service: Service, compose: Compose) -> Iterator[str]:
    """Commands name modules that exist; what is waited for can come."""
    command = service.get("command", [])
    runs = command[2] if _own(service) and command[:2] == ["python", "-m"] else None
    if runs and importlib.util.find_spec(runs) is None:
        yield f"there is no module {runs} to run"
    for other, how in service.get("depends_on", {}).items():
        waited = compose["services"].get(other)
        if waited is None:
            yield f"waits for {other}, which is no service"
        elif how["condition"] == "service_completed_successfully" and not _one_shot(waited):
            yield f"waits for {other} to end, which lasts"
        elif how["condition"] == "service_healthy" and "healthcheck" not in waited:
            yield f"waits for {other} to be healthy, which has no healthcheck"


RULES: tuple[Callable[[str, Service, Compose], Iterator[str]], ...] = (
    lives, pinned, settings, mounted, inward, confined, started,
)  # fmt: skip


def _secrets(compose: Compose) -> Iterator[str]:
    for name, secret in compose.get("secrets", {}).items():
        if "file" not in secret:
            yield f"{name} is not a file"


def _files(compose: Compose, folder: Path) -> Iterator[str]:
    for name, service in compose["services"].items():
        build = service.get("build")
        if isinstance(build, dict) and not (folder / build["context"] / build["dockerfile"]).is_file():
            yield f"{name}: there is no {build['dockerfile']}"
        for volume in service.get("volumes", ()):
            source = str(volume).split(":")[0]
            if source.startswith("./") and not (folder / source).exists():
                yield f"{name}: there is no {source}"
            elif not source.startswith((".", "/")) and source not in compose.get("volumes", {}):
                yield f"{name}: {source} is no volume"


def main() -> int:
    """Returns the exit code: 0 when all is well."""
    if len(sys.argv) != 2:
        print("usage: python -m deploy.check_compose FILE", file=sys.stderr)
        return 2
    path = Path(sys.argv[1])
    found = problems(read(path), path.parent)
    for line in found:
        print(f"{path}: {line}", file=sys.stderr)
    if not found:
        print(f"{path}: all well")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
