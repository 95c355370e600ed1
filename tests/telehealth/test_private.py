"""The contract with aiortc's private names: they stand in one module, and mean what that module takes them for."""

import ast
import asyncio
import inspect
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aioice.ice import StunProtocol
from aiortc import RTCPeerConnection
from aiortc.rtcdtlstransport import RTCDtlsTransport, State

from telehealth.media import private
from telehealth.media.private import MOST_EARLY, ForwardingConnection, Wire

ROOT = Path(__file__).parents[2]
PUBLIC = {"aiortc", "aiortc.contrib.media", "aiortc.mediastreams"}


def test_aiortc_is_the_version_that_was_read() -> None:
    assert version("aiortc") == "1.16.0"


def test_private_modules_are_imported_in_one_place() -> None:
    for file in [*(ROOT / "telehealth").rglob("*.py"), *(ROOT / "devices").rglob("*.py")]:
        if file.name == "private.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.split(".")[0] not in ("aiortc", "aioice", "pylibsrtp") or name in PUBLIC, f"{file}: {name}"


def test_a_transceiver_is_made_where_it_is_overridden() -> None:
    make = RTCPeerConnection._RTCPeerConnection__createTransceiver  # type: ignore[attr-defined]
    assert list(inspect.signature(make).parameters) == ["self", "direction", "kind", "sender_track"]


async def _negotiated() -> tuple[ForwardingConnection, RTCPeerConnection, list[bytes]]:
    client, server, heard = RTCPeerConnection(), ForwardingConnection(), []
    client.addTransceiver("audio", "sendrecv")
    client.createDataChannel("talk")
    await client.setLocalDescription(await client.createOffer())
    lines = await server.take_offer(client.localDescription.sdp)
    assert [(line.kind, line.mid, line.codecs[0].name) for line in lines] == [("audio", "0", "opus")]
    assert lines[0].ssrc != lines[0].rtx_ssrc
    lines[0].transceiver.direction = "sendrecv"
    lines[0].name_stream("pair-0")
    answer = await server.make_answer()
    assert "a=msid:pair-0 " in answer
    transport = server.dtls()
    assert isinstance(transport, RTCDtlsTransport)
    wire = Wire(transport, heard.append, heard.append)
    wire.tap()
    await client.setRemoteDescription(type(client.localDescription)(answer, "answer"))
    async with asyncio.timeout(60):
        while not wire.connected or client.connectionState != "connected":
            await asyncio.sleep(0.01)
    return server, client, heard


def test_packets_go_past_aiortcs_queues_both_ways() -> None:
    async def run() -> None:
        server, client, heard = await _negotiated()
        transport = server.dtls()
        assert transport is not None
        assert transport._state is State.CONNECTED
        theirs = client.getTransceivers()[0].receiver.transport
        # In: what the client's transport sends arrives decrypted, RTP and RTCP alike.
        packet = bytes.fromhex("80600001000000010000000a") + b"payload"
        report = bytes.fromhex("80c900010000000a")
        await theirs._send_rtp(packet)
        await theirs._send_rtp(report)
        async with asyncio.timeout(60):
            while len(heard) < 2:
                await asyncio.sleep(0.01)
        assert heard[:2] == [packet, report]
        # Out: what the wire sends is received by an unchanged aiortc.
        got: list[bytes] = []

        async def rtp(data: bytes, arrival_time_ms: int) -> None:
            got.append(data)

        theirs._handle_rtp_data = rtp  # type: ignore[method-assign]
        wire = Wire(transport, heard.append, heard.append)
        assert wire.send_rtp(packet)
        assert wire.send_rtcp(report)
        async with asyncio.timeout(60):
            while not got:
                await asyncio.sleep(0.01)
        assert got[0] == packet
        assert wire.remote_path in ("host/udp", "prflx/udp")
        # A forged packet is counted and passed to nobody.
        tapped = transport.transport._connection._protocols[0]
        seen = len(heard)
        tapped.datagram_received(b"\x80\x60" + bytes(60), ("192.0.2.1", 5))
        assert len(heard) == seen
        await client.close()
        await server.close()
        assert not wire.send_rtp(packet)

    asyncio.run(run())


def test_a_client_that_sends_from_another_address_is_answered_there() -> None:
    """As after a change of its network or of its translated port; but not one that only passes packets on."""

    async def run() -> None:
        server, client, heard = await _negotiated()
        transport, theirs = server.dtls(), client.getTransceivers()[0].receiver.transport
        assert transport is not None
        wire = Wire(transport, heard.append, heard.append)
        wire.tap()
        sealed = [theirs._tx_srtp.protect(bytes.fromhex(f"8060{n:04x}000000010000000a") + b"x") for n in range(3)]
        home: Any = theirs.transport._connection._nominated[1]
        to, nominated = home.remote_addr, transport.transport._connection._nominated
        loop, came = asyncio.get_running_loop(), list[bytes]()

        class Elsewhere(StunProtocol):
            def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
                assert isinstance(data, bytes)
                came.append(data)
                super().datagram_received(data, addr)

        host = home.protocol.transport.get_extra_info("sockname")[0]
        away, there = await loop.create_datagram_endpoint(
            lambda: Elsewhere(theirs.transport._connection), local_addr=(host, 0)
        )
        there.local_candidate = home.local_candidate
        mute, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(host, 0))
        home.protocol.transport.sendto(sealed[0], to)
        mute.sendto(sealed[1], to)
        async with asyncio.timeout(60):
            while len(heard) < 2:
                await asyncio.sleep(0.01)
            assert wire.moves == 1
            away.sendto(sealed[2], to)
            while nominated[1].remote_addr != away.get_extra_info("sockname")[:2]:
                await asyncio.sleep(0.01)
            assert wire.moves == 2
            came.clear()
            assert wire.send_rtp(bytes.fromhex("80600001000000010000000a") + b"payload")
            while not any(127 < data[0] < 192 for data in came):
                await asyncio.sleep(0.01)
        away.close()
        mute.close()
        await client.close()
        await server.close()

    asyncio.run(run())


def test_what_comes_before_the_keys_is_kept_with_its_time() -> None:
    async def run() -> None:
        server, client, _ = await _negotiated()
        transport: Any = server.dtls()
        theirs: Any = client.getTransceivers()[0].receiver.transport
        taken: list[tuple[bytes, int]] = []
        wire = Wire(transport, lambda data: taken.append((data, wire.arrived())), lambda data: None)
        wire.tap()
        packets = [bytes.fromhex(f"8060{n:04x}000000010000000a") + b"payload" for n in range(MOST_EARLY + 3)]
        sealed = [theirs._tx_srtp.protect(packet) for packet in packets]
        keys, transport._rx_srtp = transport._rx_srtp, None
        protocol = transport.transport._connection._protocols[0]
        before = time.time_ns() // 1000
        for data in sealed[:-1]:
            protocol.datagram_received(data, ("127.0.0.1", 5))
        assert taken == []
        transport._rx_srtp = keys
        between = time.time_ns() // 1000
        protocol.datagram_received(sealed[-1], ("127.0.0.1", 5))
        # In their order, a bounded number of them, and the newest last.
        assert [data for data, _ in taken] == [*packets[:MOST_EARLY], packets[-1]]
        assert all(before - 2_000_000 <= at <= between for _, at in taken[:-1])
        await client.close()
        await server.close()

    asyncio.run(run())


def test_a_packets_time_is_the_kernels() -> None:
    """A loop that was busy for a while reads late what had come in time."""

    async def run() -> None:
        server, client, _ = await _negotiated()
        transport: Any = server.dtls()
        theirs: Any = client.getTransceivers()[0].receiver.transport
        times: list[tuple[int, int]] = []
        wire = Wire(transport, lambda data: times.append((wire.arrived(), time.time_ns() // 1000)), lambda data: None)
        wire.tap()
        packet = bytes.fromhex("80600001000000010000000a") + b"payload"
        await theirs._send_rtp(packet)  # the first switches the stamps on
        await until_async(lambda: len(times) == 1)
        sent = time.time_ns() // 1000
        await theirs._send_rtp(packet[:3] + b"\x02" + packet[4:])
        time.sleep(0.3)  # the loop is busy
        await until_async(lambda: len(times) == 2)
        arrived, read = times[1]
        assert read - sent >= 300_000
        assert sys.platform != "linux" or -1000 <= arrived - sent < read - sent - 100_000
        await client.close()
        await server.close()

    asyncio.run(run())


async def until_async(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def test_offers_that_break_aiortc_are_value_errors() -> None:
    async def run() -> None:
        for sdp in ("", "v=0\r\n", "v=0\r\nm=audio x\r\n", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 300\r\n",
                    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=fmtp:97 x\r\n",
                    "v=0\r\na=fingerprint:sha-256\r\n", "v=0\r\nm=audio 9 X/Y 0\r\na=candidate:1\r\n"):  # fmt: skip
            connection = ForwardingConnection()
            try:
                await connection.take_offer(sdp)
                await connection.make_answer()
            except ValueError:
                pass
            finally:
                await connection.close()

    asyncio.run(run())
    assert private.__all__
