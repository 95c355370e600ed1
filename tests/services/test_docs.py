"""Every curl line of docs/api.md, as it stands there, against a real server."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.api import Api

LINES = [
    line.partition("  #")[0]
    for line in (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8").splitlines()
    if line.startswith("curl ")
]


def test_the_examples_of_the_api_page_work(fresh_api: Api) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    assert len(LINES) >= 10
    fresh_api.eventually("/readyz", lambda a: a.status_code == 200)
    auth = f"Authorization: {fresh_api.client.headers['Authorization']}"
    for example in LINES:
        line = example.replace("http://127.0.0.1:8080", fresh_api.url).replace('"$auth"', f"'{auth}'")
        command = shlex.split(line)
        done = subprocess.run([*command, "--fail-with-body", "--max-time", "10"], capture_output=True, text=True)
        assert done.returncode == 0, f"{example}: {done.stdout}{done.stderr}"
        assert done.stdout.startswith(("{", "["))
