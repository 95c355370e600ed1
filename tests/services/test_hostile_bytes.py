"""Requests that no client library would send."""

import socket

import pytest

from tests.servers.api import Api


def raw(api: Api, request: bytes) -> bytes:
    """Sends bytes and reads until the server closes."""
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as sock:
        sock.sendall(request)
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
        return received


GOOD = b"Host: 127.0.0.1\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GET /api/things/%ff%fe HTTP/1.1", GOOD, 404),
        (b"GET /api/things?q=%ff%fe HTTP/1.1", GOOD, 200),
        (b"GET /api/things?q=%ed%a0%80 HTTP/1.1", GOOD, 200),
        (b"GET //etc/passwd HTTP/1.1", GOOD, 404),
        (b"BREW /api/things HTTP/1.1", GOOD, 405),
        (b"GET / HTTP/1.1", b"Host: evil.example\r\nConnection: close\r\n", 421),
        (b"GET /api/status HTTP/1.1", b"Host: [::1\r\nConnection: close\r\n", 421),
        (b"GET /problems HTTP/1.1", b"Host: localhost:1\r\nConnection: close\r\n", 200),
        (b"POST /api/pending/x/accept HTTP/1.1", GOOD + b"Origin: https://evil.example\r\nContent-Length: 0\r\n", 403),
        (b"POST /api/pending/x/accept HTTP/1.1", GOOD + b"Origin: null\r\nContent-Length: 0\r\n", 403),
        (b"POST /api/pending/x/accept HTTP/1.1", GOOD + b"Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n", 403),
        (b"POST /api/pending/x/accept HTTP/1.1", GOOD + b"Origin: http://127.0.0.1\r\nContent-Length: 0\r\n", 401),
        (b"POST /api/pending/x/accept HTTP/1.1", GOOD + b"Content-Length: 99999999\r\n", 413),
        (b"POST /api/pending/x/accept HTTP/1.1", GOOD + b"Content-Length: -1\r\n", 400),
    ],
)
def test_odd_requests(one_api: Api, request_line: bytes, headers: bytes, status: int) -> None:
    answer = raw(one_api, request_line + b"\r\n" + headers + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    assert b"Traceback" not in answer


def test_a_head_without_an_end_is_refused(one_api: Api) -> None:
    for head in (b"GET /" + b"a" * 40_000, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 40_000):
        assert raw(one_api, head).startswith(b"HTTP/1.1 400 ")


def test_every_answer_carries_the_security_headers(one_api: Api) -> None:
    for path in ("/", "/api/status", "/api/nothing", "/static/page.css", "/api/things?limit=0"):
        headers = one_api.client.get(path).headers
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert "cache-control" in headers
        assert "server" not in headers
