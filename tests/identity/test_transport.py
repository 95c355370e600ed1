"""Both planes as processes that other machines reach: their own TLS, or a stated proxy, or they do not start."""

import asyncio
import contextlib
import json
import os
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from telehealth.keeping import MIGRATIONS
from tests import secrecy
from tests.databases import Database, Server
from tests.people import PASSWORD, account, autocommit, scoped
from tests.servers.api import serve
from tests.servers.certificates import certificate
from tests.waiting import until
from tram.embedded.ports import free_port
from tram.errors import SettingsError
from tram.runtime.listening import listen
from tram.settings import Settings
from tram.store import events
from tram.store.migrate import migrate

ROOT = Path(__file__).parents[2]
EVERYWHERE = "0.0.0.0"
PLANES = {"services": "HTTP", "telehealth": "TELEHEALTH"}


def environment(folder: Path, **settings: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRAM_")}
    made = {f"TRAM_{name}": value for name, value in settings.items()}
    secrecy.environment(made)
    return {**own, "PYTHONPATH": str(ROOT), "TRAM_HOME": str(folder), **made}


@contextlib.contextmanager
def plane(module: str, folder: Path, **settings: str) -> Iterator[int]:
    """`python -m module` on a free port; the port."""
    port = free_port()
    env = environment(folder, **{f"{PLANES[module]}_PORT": str(port)}, **settings)
    with (folder / f"{module}.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=env, stdout=log, stderr=log)

    def answers() -> bool:
        assert process.poll() is None, (folder / f"{module}.log").read_text()[-2000:]
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"https://127.0.0.1:{port}/readyz", verify=False, timeout=60)
            return True
        return False

    try:
        until(answers, f"{module} answers", 60)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)


@dataclass
class Reachable:
    """Both planes over TLS on every address."""

    database: Database
    trusted: ssl.SSLContext
    api: str
    consult: str

    def client(self, **more: object) -> httpx.Client:
        return httpx.Client(base_url=f"https://localhost:{self.api}", verify=self.trusted, timeout=60, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def reachable(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reachable]:
    folder = tmp_path_factory.mktemp("tls")
    cert = certificate(folder)
    with server.database("plain" if server.missing("timescaledb") else "timescaledb") as database:
        with database.connect() as conn:
            migrate(conn, [MIGRATIONS])
        with autocommit(database.settings) as conn:
            account(conn, "city.t", scoped("city-admin"))
        tls = {
            "DATABASE_URL": database.url, "HTTP_TLS_CERT": str(cert), "HTTP_TLS_KEY": str(folder / "key.pem"),
            "HTTP_NAMES": "tram.example", "HTTP_HOST": EVERYWHERE, "TELEHEALTH_HOST": EVERYWHERE,
        }  # fmt: skip
        with plane("services", folder, **tls) as api, plane("telehealth", folder, **tls) as consult:
            yield Reachable(database, ssl.create_default_context(cafile=str(cert)), str(api), str(consult))


def test_over_our_own_tls_the_cookie_is_this_hosts_alone(reachable: Reachable) -> None:
    with reachable.client() as client:
        answer = client.post("/api/session", json={"login": "city.t", "password": PASSWORD})
        assert answer.json() == {"next": "done"}
        cookie = answer.headers["set-cookie"]
        parts = set(cookie.split("; "))
        assert cookie.startswith("__Host-tram_session=")
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= parts
        assert not any(part.startswith("Domain") for part in parts), "RFC 6265bis: __Host- has none"
        assert client.get("/api/account").status_code == 200
        value = client.cookies["__Host-tram_session"]
        quality = f"https://localhost:{reachable.consult}/consult/api/quality/stations"
        assert client.get(quality).status_code == 200, "who signed in at the one is signed in at the other"
    with reachable.client(cookies={"tram_session": value}) as client:
        assert client.get("/api/account").status_code == 401, "a plain cookie may be a sister site's"
        assert client.get(quality).status_code == 401


def test_browsers_are_told_to_come_over_tls_only(reachable: Reachable) -> None:
    for port in (reachable.api, reachable.consult):
        for path in ("/healthz", "/no/such/page"):
            answer = httpx.get(f"https://localhost:{port}{path}", verify=reachable.trusted)
            assert "max-age=31536000" in answer.headers["strict-transport-security"]
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://127.0.0.1:{port}/healthz")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(reachable.trusted.get_ca_certs(binary_form=True)[0]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://localhost:{port}/healthz", verify=old)


def test_the_consults_socket_speaks_tls_and_knows_its_pages(reachable: Reachable) -> None:
    address = f"wss://localhost:{reachable.consult}/consult"

    # One thread reads and writes: the library's threaded client hung here once, its reader waiting within TLS for good.
    async def first_answer(to: str, **options: Any) -> str:
        async with asyncio.timeout(60), connect(to, **options) as socket:
            await socket.send(json.dumps({"type": "hello", "versions": [1], "token": "nothing"}))
            return str(json.loads(await socket.recv())["code"])

    def asked(to: str = address, **options: Any) -> str:
        return asyncio.run(first_answer(to, open_timeout=60, **options))

    for origin in (None, f"https://localhost:{reachable.consult}"):
        assert asked(ssl=reachable.trusted, origin=origin) == "token"
    for origin in ("https://evil.example", "https://localhost", "null"):
        with pytest.raises(InvalidStatus) as refused:
            asked(ssl=reachable.trusted, origin=origin)
        assert refused.value.response.status_code == 403
    with pytest.raises(ssl.SSLCertVerificationError):
        asked()
    with pytest.raises(Exception, match=r"(?i)closed|reset|did not receive|EOF"):
        asked(f"ws://127.0.0.1:{reachable.consult}/consult")


def test_with_tls_of_ones_own_nobody_is_a_proxy(reachable: Reachable) -> None:
    """What a peer says of others is not believed, and it answers to its own names only."""
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "Forwarded": "for=203.0.113.9"}
    with reachable.client(headers=lies) as client:
        answer = client.post("/api/session", json={"login": "liar.t", "password": "wrong-wrong-wrong"})
        assert answer.status_code == 401
        assert client.get("/healthz", headers={"Host": "tram.example"}).status_code == 200
        assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 421
        assert client.delete("/api/session", headers={"Origin": "https://evil.example"}).status_code == 403
    with autocommit(reachable.database.settings) as conn:
        found = until(lambda: events.newest(conn, code="sign-in.failed", subject="liar.t"), "the event")
        assert found[0].origin == "127.0.0.1"


@pytest.mark.parametrize(
    ("proxy", "origin", "secure"),
    [("127.0.0.1", "203.0.113.9", True), ("10.9.9.9", "127.0.0.1", False), ("", "127.0.0.1", False)],
    ids=["the stated proxy", "another proxy is stated", "no proxy is stated"],
)
def test_only_the_stated_proxy_is_believed(
    one_database: Database, tmp_path: Path, proxy: str, origin: str, secure: bool
) -> None:
    settings = replace(one_database.settings, home=tmp_path, http_proxy=proxy)
    with autocommit(settings) as conn:
        account(conn, "lan.t")
    said = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https"}
    with serve(settings, admin=False) as api, httpx.Client(base_url=api.url, headers=said) as client:
        answer = client.post("/api/session", json={"login": "lan.t", "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-") is secure
        assert ("strict-transport-security" in answer.headers) is bool(proxy)
    with autocommit(settings) as conn:
        assert events.newest(conn, code="sign-in.succeeded")[0].origin == origin, "the last that is no proxy of ours"


WRONG = {
    "nothing": ({}, "TRAM_HTTP_PROXY, set TRAM_HTTP_TLS_CERT"),
    "no key": ({"http_tls_cert": "cert.pem"}, "belong together"),
    "no certificate": ({"http_tls_key": "key.pem"}, "belong together"),
    "swapped": ({"http_tls_cert": "key.pem", "http_tls_key": "cert.pem"}, "cannot be used"),
    "no such file": ({"http_tls_cert": "nowhere.pem", "http_tls_key": "key.pem"}, "cannot be used"),
    "no network": ({"http_proxy": "the-proxy"}, "TRAM_HTTP_PROXY"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("prefix", PLANES.values())
def test_off_loopback_without_tls_or_a_proxy_there_is_no_socket(prefix: str, case: str, tmp_path: Path) -> None:
    certificate(tmp_path)
    changes, said = WRONG[case]
    files = {name: str(tmp_path / value) if value.endswith(".pem") else value for name, value in changes.items()}
    with pytest.raises(SettingsError, match=said):
        listen(replace(Settings(), **files), EVERYWHERE, 0, f"TRAM_{prefix}")  # type: ignore[arg-type]


@pytest.mark.parametrize("good", [{"http_proxy": "10.0.0.7"}, {"http_tls_cert": "cert.pem", "http_tls_key": "key.pem"}])
def test_with_either_there_is(good: dict[str, str], tmp_path: Path) -> None:
    certificate(tmp_path)
    files = {name: str(tmp_path / value) if value.endswith(".pem") else value for name, value in good.items()}
    listen(replace(Settings(), **files), EVERYWHERE, 0, "TRAM_HTTP").close()  # type: ignore[arg-type]


@pytest.mark.parametrize("module", PLANES)
def test_such_a_process_does_not_start_and_says_why(module: str, tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL="postgresql://127.0.0.1:1/x", **{f"{PLANES[module]}_HOST": EVERYWHERE})
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=env
    )
    assert done.returncode == 2, done.stderr
    assert "TRAM_HTTP_PROXY, set TRAM_HTTP_TLS_CERT" in done.stderr
    assert done.stderr.count("\n") == 1, "one line"
