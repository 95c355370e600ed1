"""The relay's configuration, at a running coturn: our credentials open it, and it relays to no private address."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aioice.stun as stun
import pytest

from telehealth.media.turn import SECONDS, credential
from tests.telehealth.netns import Link
from tests.telehealth.scene import CannotError, received, weak_scene
from tests.waiting import until

CONF = Path(__file__).parents[2] / "deploy" / "coturn" / "turnserver.conf"
SECRET, REALM = "test-secret-of-the-relay", "tram.example"


@contextmanager
def coturn(folder: Path, address: str, *options: str) -> Iterator[int]:
    """A coturn with our configuration on a free port of an address, started as it says."""
    if shutil.which("turnserver") is None:
        pytest.skip("NO COTURN: install it (Debian: coturn) to test the relay's configuration")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        port = int(probe.getsockname()[1])
    conf = folder / "turnserver.conf"
    ports = ("listening-port", "tls-listening-port")
    conf.write_text("\n".join(line for line in CONF.read_text().splitlines() if not line.startswith(ports)))
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        ["turnserver", "-c", str(conf), f"--listening-port={port}", f"--listening-ip={address}",
         f"--relay-ip={address}", f"--static-auth-secret={SECRET}", f"--realm={REALM}", "--no-tls", "--no-dtls",
         "--log-file=stdout",
         f"--userdb={folder / 'db'}", f"--pidfile={folder / 'pid'}", *options],
        stdout=log, stderr=log,
    )  # fmt: skip
    try:
        until(lambda: asyncio.run(answers(address, port)), "coturn answers")
        yield port
    finally:
        process.terminate()
        process.wait(60)
        log.close()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One on loopback."""
    with coturn(tmp_path_factory.mktemp("turn"), "127.0.0.1") as port:
        yield port


class Speaker(asyncio.DatagramProtocol):
    """STUN requests and their answers."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[stun.Message] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: object) -> None:
        self.heard.put_nowait(stun.parse_message(data))

    async def ask(self, method: stun.Method, key: bytes = b"", **attributes: object) -> stun.Message:
        message = stun.Message(message_method=method, message_class=stun.Class.REQUEST)
        message.attributes.update({k.replace("_", "-"): v for k, v in attributes.items()})
        if key:
            message.add_message_integrity(key)
        self.transport.sendto(bytes(message))  # type: ignore[attr-defined]
        return await asyncio.wait_for(self.heard.get(), 60)


async def speak(port: int, address: str = "127.0.0.1") -> Speaker:
    loop = asyncio.get_running_loop()
    _, speaker = await loop.create_datagram_endpoint(Speaker, remote_addr=(address, port))
    return speaker


async def answers(address: str, port: int) -> bool:
    try:
        speaker = await speak(port, address)
        return bool(await asyncio.wait_for(speaker.ask(stun.Method.BINDING), 3))
    except (TimeoutError, OSError):
        return False


async def allocate(
    port: int, user: str, word: str, address: str = "127.0.0.1"
) -> tuple[stun.Message, Speaker, dict[str, object], bytes]:
    """An allocation by long-term credentials (RFC 5766 section 6)."""
    speaker = await speak(port, address)
    first = await speaker.ask(stun.Method.ALLOCATE, REQUESTED_TRANSPORT=0x11000000)
    assert first.attributes["ERROR-CODE"][0] == 401
    import hashlib

    key = hashlib.md5(f"{user}:{REALM}:{word}".encode()).digest()
    who = {"USERNAME": user, "REALM": REALM, "NONCE": first.attributes["NONCE"]}
    answer = await speaker.ask(stun.Method.ALLOCATE, key, REQUESTED_TRANSPORT=0x11000000, **who)
    return answer, speaker, who, key


def test_our_credentials_open_the_relay_and_it_reaches_no_private_address(relay: int) -> None:
    async def run() -> None:
        user, word = credential(SECRET, "person", time.time())
        answer, speaker, who, key = await allocate(relay, user, word)
        assert answer.message_class is stun.Class.RESPONSE, answer
        for address in ("127.0.0.1", "10.1.2.3", "172.20.1.1", "192.168.1.1", "169.254.1.1", "100.64.1.1", "0.0.0.0"):
            refused = await speaker.ask(stun.Method.CREATE_PERMISSION, key, XOR_PEER_ADDRESS=(address, 9), **who)
            assert refused.message_class is stun.Class.ERROR, address
            assert refused.attributes["ERROR-CODE"][0] == 403, address
        allowed = await speaker.ask(stun.Method.CREATE_PERMISSION, key, XOR_PEER_ADDRESS=("8.8.4.4", 9), **who)
        assert allowed.message_class is stun.Class.RESPONSE

    asyncio.run(run())


def test_old_and_forged_credentials_do_not(relay: int) -> None:
    async def run() -> None:
        old = credential(SECRET, "person", time.time() - SECONDS - 60)
        forged = credential("another secret", "person", time.time())
        user, word = credential(SECRET, "person", time.time())
        longer = (f"{int(user.split(':')[0]) + 86_400}:x", word)
        for one in (old, forged, longer):
            answer, *_ = await allocate(relay, *one)
            assert answer.message_class is stun.Class.ERROR
            assert answer.attributes["ERROR-CODE"][0] in (401, 438)

    asyncio.run(run())


@pytest.mark.browser
def test_a_whole_call_by_the_relay_alone(tmp_path: Path) -> None:
    """The station's network lets nothing through but the relay; that reaches the server and no other private one."""
    with ExitStack() as stack:
        ports: list[tuple[str, int]] = []

        def prepare(link: Link) -> dict[str, str]:
            (tmp_path / "turn").mkdir()
            port = stack.enter_context(coturn(tmp_path / "turn", link.here, f"--allowed-peer-ip={link.here}"))
            ports.append((link.here, port))
            return {"TRAM_TELEHEALTH_ICE": f"turn:{link.here}:{port}", "TRAM_TELEHEALTH_TURN_SECRET": SECRET}

        try:
            scene = stack.enter_context(weak_scene(tmp_path, prepare))
        except CannotError as error:
            pytest.skip(str(error))
        scene.join(station={"relay": True})
        address, port = ports[0]
        pair = until(lambda: scene.station.evaluate("() => call.stats()")["pair"], "a path")
        assert (pair["local"], pair["remote"]) == ("relay", address)
        for page in (scene.doctor, scene.station):
            before, heard = received(page, "video")["frames"], received(page, "audio")["packets"]
            until(lambda: received(page, "video")["frames"] > before + 30, "pictures go on", 60)  # noqa: B023
            until(lambda: received(page, "audio")["packets"] > heard + 50, "sound goes on", 60)  # noqa: B023
        # What the browser was given: an hour's credential that names nobody.
        given = next(s for s in scene.station.evaluate("() => call.ice") if s["urls"][0].startswith("turn:"))
        ends, label = given["username"].split(":")
        assert 0 < int(ends) - time.time() <= SECONDS
        assert len(label) == 16

        async def others() -> None:
            answer, speaker, who, key = await allocate(port, given["username"], given["credential"], address)
            assert answer.message_class is stun.Class.RESPONSE
            for private in ("127.0.0.1", scene.link.there, "192.168.1.1", "172.20.1.1"):
                refused = await speaker.ask(stun.Method.CREATE_PERMISSION, key, XOR_PEER_ADDRESS=(private, 9), **who)
                assert refused.message_class is stun.Class.ERROR, private
                assert refused.attributes["ERROR-CODE"][0] == 403

        with ThreadPoolExecutor(1) as aside:  # Playwright has this thread's loop
            aside.submit(asyncio.run, others()).result(60)
