"""Settings: every wrong value is one line that names it."""

from pathlib import Path

import pytest

from tram.errors import SettingsError
from tram.settings import Settings, described, load


def test_defaults_need_nothing(tmp_path: Path) -> None:
    assert load({}, tmp_path) == Settings()


def test_environment_wins_over_the_file_and_says_where_from(tmp_path: Path) -> None:
    (tmp_path / "tram.toml").write_text('http_port = 9000\nprovisioning = "pending"\n')
    settings = load({"TRAM_HTTP_PORT": "9001"}, tmp_path)
    assert (settings.http_port, settings.provisioning) == (9001, "pending")
    assert settings.origin == {"provisioning": str(tmp_path / "tram.toml"), "http_port": "TRAM_HTTP_PORT"}


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("postgresql://example\n")
    assert load({"TRAM_DATABASE_URL_FILE": str(tmp_path / "secret")}, tmp_path).database_url == "postgresql://example"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TRAM_HTTP_PORT": "http"}, "TRAM_HTTP_PORT: http_port must be of type int, not 'http'"),
        ({"TRAM_HTTP_PORT": "70000"}, "http_port must be at most 65535"),
        ({"TRAM_PROVISIONING": "maybe"}, "must be one of open, pending, closed"),
        ({"TRAM_BATCH_WAIT": "nan"}, "batch_wait must be a number"),
        ({"TRAM_HTPT_PORT": "1"}, "TRAM_HTPT_PORT is no setting"),
        ({"TRAM_MQTT_URL_FILE": "/nowhere/at/all"}, "TRAM_MQTT_URL_FILE: /nowhere/at/all cannot be read"),
        ({"TRAM_MQTT_URL": "a", "TRAM_MQTT_URL_FILE": "b"}, "are both set"),
        ({"TRAM_CONFIG": "/nowhere.toml"}, "there is no file"),
    ],
)
def test_wrong_settings_name_themselves(environ: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^[^\n]*$") as raised:
        load(environ, tmp_path)
    assert said in str(raised.value)


def test_a_file_with_a_stranger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tram.toml").write_text("htpt_port = 1\n")
    with pytest.raises(SettingsError, match="htpt_port is no setting"):
        load({}, tmp_path)


def test_every_setting_says_what_it_is() -> None:
    assert all(meta["help"] for _, _, _, meta in described())
