"""`tram` from an empty folder: help that is true, one clear line for what it does not understand."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.typed import in_folder
from tests.journey.system import ROOT, environment, tram
from tram import cli
from tram.commands import doctor, migrate
from tram.embedded import system
from tram.settings import Settings, described

COMMANDS = cli.names()
PARENTS = ("gateway", "services", "telehealth", "devices")


def test_the_commands_of_the_design_are_there() -> None:
    wanted = {"up", "gateway", "api", "worker", "telehealth", "simulate", "migrate", "doctor", "timescaledb"}
    assert wanted <= set(COMMANDS)


def test_help_lists_every_command(tmp_path: Path) -> None:
    done = tram(tmp_path, "--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^    {name}\b", done.stdout, re.MULTILINE), name
    assert tram(tmp_path).stdout == done.stdout


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "simulate"])
def test_every_command_explains_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = in_folder(tmp_path, name, "--help")
    assert done.returncode == 0
    assert f"usage: tram {name}" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_simulate_hands_its_arguments_on(tmp_path: Path) -> None:
    done = tram(tmp_path, "simulate", "--help")
    assert done.returncode == 0
    assert "--scenario" in done.stdout


@pytest.mark.parametrize(
    ("words", "telling"),
    [
        (["fly"], "'fly'"),
        (["up", "--sideways"], "--sideways"),
        (["up", "--only", "gateway,moon"], "'moon' is none of gateway, api, worker, alarms, telehealth, simulator"),
        (["doctor", "extra"], "extra"),
        (["--versio"], "--versio"),
    ],
)
def test_what_it_does_not_understand_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], telling: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = in_folder(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tram: ")
    assert telling in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "telling"),
    [
        ({"TRAM_HTTP_PORT": "many"}, "TRAM_HTTP_PORT: http_port must be of type int, not 'many'"),
        ({"TRAM_HTPP_PORT": "80"}, "TRAM_HTPP_PORT is no setting"),
        ({"TRAM_CONFIG": "nowhere.toml"}, "there is no file nowhere.toml"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(tmp_path: Path, settings: dict[str, str], telling: str) -> None:
    done = tram(tmp_path, "up", **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert telling in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["migrate", "gateway", "api", "worker"])
def test_without_a_database_it_says_what_to_do(tmp_path: Path, name: str) -> None:
    done = tram(tmp_path, name)
    assert done.returncode == 2
    assert "start `make up` or set TRAM_" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_imports_no_plane(tmp_path: Path) -> None:
    code = (
        "import importlib, sys; from tram import cli\n"
        "for name in cli.names(): importlib.import_module('tram.commands.' + name)\n"
        f"print([name for name in sys.modules if name.partition('.')[0] in {PARENTS!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_the_doctor_says_what_is_missing_and_its_exit_code_too(tmp_path: Path) -> None:
    fine = tram(tmp_path, "doctor")
    assert fine.returncode == 0, fine.stdout
    assert "✗" not in fine.stdout
    away = tram(tmp_path, "doctor", "--json", TRAM_DATABASE_URL="postgresql://x:s3cr3t@127.0.0.1:9/x")
    assert away.returncode == 1
    assert "s3cr3t" not in away.stdout + away.stderr
    report = json.loads(away.stdout)
    wrong = [check for check in report["checks"] if not check["ok"] and check["needed"]]
    assert [check["name"] for check in wrong] == ["server"]
    assert all(check["cure"] for check in report["checks"] if not check["ok"])
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_lists_every_setting_and_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "tram.toml").write_text("batch_rows = 500\n")
    (tmp_path / "secret").write_text("mqtts://d:s3cr3t@h\n")
    settings = {"TRAM_MQTT_URL_FILE": "secret", "TRAM_LOG_LEVEL": "warning"}
    done = tram(tmp_path, "doctor", "--settings", **settings)
    assert done.returncode == 0
    assert "s3cr3t" not in done.stdout
    lines = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert set(lines) == {variable for _, variable, _, _ in described()}
    assert "500" in lines["TRAM_BATCH_ROWS"]
    assert "(tram.toml)" in lines["TRAM_BATCH_ROWS"]
    assert "(TRAM_LOG_LEVEL)" in lines["TRAM_LOG_LEVEL"]
    assert "(hidden)" in lines["TRAM_MQTT_URL"]
    assert "(default)" in lines["TRAM_HTTP_HOST"]


def test_ports_set_to_zero_are_chosen_and_told_to_the_children() -> None:
    chosen, environ = system.choose_ports(Settings(http_port=0, mqtt_port=1883))
    assert environ == {"TRAM_HTTP_PORT": str(chosen.http_port)}
    assert chosen.http_port > 0
    assert chosen.mqtt_port == 1883
    told = system.child_environment({"TRAM_HTTP_PORT_FILE": "x", "PATH": "p"}, environ)
    assert told == {"PATH": "p", "TRAM_HTTP_PORT": str(chosen.http_port), "PYTHONUNBUFFERED": "1"}


def test_the_migrations_of_the_services_are_found_without_importing_them() -> None:
    found = migrate.folders()
    assert all(folder.name == "migrations" and folder.is_dir() for folder in found)
    assert set((ROOT / "services").rglob("migrations")) <= set(found)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m tram.cli doctor --settings | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_guide_has_every_setting_with_its_default() -> None:
    guide = (ROOT / "docs" / "guides" / "running.md").read_text(encoding="utf-8")
    missing = [row for row in doctor.markdown() if row not in guide]
    assert not missing, "docs/guides/running.md: its table is what `tram doctor --markdown` prints"
    assert len(re.findall(r"^\| `TRAM_", guide, re.MULTILINE)) == len(list(described()))
