"""The compose file is well, and its check finds what is planted; the broker's files work on the real mosquitto."""

import base64
import copy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.check_compose import problems, read
from deploy.make_secrets import make, mosquitto_hash

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"


def test_the_compose_file_is_well() -> None:
    assert problems(read(FILE), ROOT) == []


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets what stands at a dotted path; None removes it."""

    def apply(compose: dict[str, Any]) -> None:
        *above, last = path.split(".")
        for part in above:
            compose = compose[part]
        if value is None:
            del compose[last]
        else:
            compose[last] = value

    return apply


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        (change("services.api.restart", None), "restart"),
        (change("services.api.healthcheck", None), "healthcheck"),
        (change("services.api.healthcheck", {"tests": ["x"]}), "schema"),
        (change("services.api.imaje", "x"), "schema"),
        (change("services.database.image", "timescale/timescaledb:latest"), "pinned"),
        (change("services.database.image", "timescale/timescaledb"), "pinned"),
        (change("services.api.image", "tram:9.9.9"), "version"),
        (change("services.api.ports", ["8080:8080"]), "off this machine"),
        (change("services.api.ports", ["0.0.0.0:8080:8080"]), "off this machine"),
        (change("services.api.ports", [{"target": 8080, "published": "8080"}]), "off this machine"),
        (change("services.api.environment.TRAM_ODD", "1"), "TRAM_ODD"),
        (change("services.api.environment.TRAM_ODD_FILE", "/run/secrets/database_url"), "TRAM_ODD_FILE"),
        (change("services.api.environment.TRAM_HTTP_PORT", "99999999"), "TRAM_HTTP_PORT"),
        (change("services.api.environment.TRAM_DATABASE_URL", "postgresql://a:b@c/d"), "secret"),
        (change("services.api.secrets", None), "not mounted"),
        (change("secrets.mqtt_url", None), "no secret"),
        (change("services.api.privileged", True), "privileged"),
        (change("services.api.read_only", False), "writable"),
        (change("services.api.cap_drop", None), "capabilities"),
        (change("services.api.command", ["python", "-m", "nothing_such"]), "no module"),
        (change("services.api.depends_on", {"migrate": {"condition": "service_healthy"}}), "healthcheck"),
        (change("services.api.depends_on", {"worker": {"condition": "service_completed_successfully"}}), "lasts"),
        (change("services.api.build.dockerfile", "deploy/None"), "deploy/None"),
        (change("volumes.broker", None), "no volume"),
    ],
)
def test_what_is_planted_is_found(planted: Callable[[dict[str, Any]], None], word: str) -> None:
    compose = copy.deepcopy(read(FILE))  # anchors are shared objects
    for service in compose["services"]:
        compose["services"][service] = copy.deepcopy(compose["services"][service])
    planted(compose)
    found = problems(compose, ROOT)
    assert any(word in line for line in found), found


def test_secrets_are_made_once_and_agree(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert len(make(folder)) == 7
    before = {f.name: f.read_text() for f in folder.iterdir()}
    assert make(folder) == []
    assert {f.name: f.read_text() for f in folder.iterdir()} == before
    assert before["database_password"].strip() in before["database_url"]
    assert before["mqtt_password"].strip() in before["mqtt_url"]
    assert before["mqtt_password"].strip() not in before["mosquitto_passwords"]
    assert folder.stat().st_mode & 0o077 == 0
    wanted = {secret["file"].rpartition("/")[2] for secret in read(FILE)["secrets"].values()}
    assert wanted <= set(before)


def test_hashes_are_as_mosquitto_makes_them(tmp_path: Path) -> None:
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("there is no mosquitto_passwd: `apt-get install mosquitto`")
    file = tmp_path / "passwords"
    subprocess.run([program, "-b", "-c", str(file), "device", "geheim"], check=True, capture_output=True)
    line = file.read_text().strip()
    _, _, iterations, salt, _ = line.split("$")
    ours = mosquitto_hash("geheim", base64.b64decode(salt))
    assert int(iterations) == 101
    assert line == f"device:{ours}"
