"""Answers connectivity checks (RFC 8445) of pages whose link is away, so that they learn at once that it is back.

A page has no other quick way: a browser keeps its sockets and requests that were begun into a dead link, and their
packets are sent again ever more seldom, while connectivity checks go out twenty times a second. Nothing but checks is
answered here; whoever is answered opens a new socket (docs/consult-protocol.md, section 4; docs/adr/0066).
"""

import asyncio
import logging
import secrets
import struct
from typing import cast

from telehealth.media.private import get_host_addresses, stun
from telehealth.messages import Beacon

log = logging.getLogger(__name__)

PRIORITY = 2_130_706_431
"""Of a host candidate (RFC 8445 section 5.1.2.1)."""


class _Answers(asyncio.DatagramProtocol):
    """One address' socket."""

    def __init__(self, password: str) -> None:
        self._key = password.encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        reply = answer(data, address, self._key)
        if reply is not None:
            self._transport.sendto(reply, address)


def answer(data: bytes, address: tuple[str, int], key: bytes) -> bytes | None:
    """The answer to a check from `address`; None for whatever is not a check of somebody who has the key."""
    try:
        request = stun.parse_message(data)
        genuine = request.check_message_integrity(key)
    except (ValueError, IndexError, struct.error):
        return None
    check = (request.message_method, request.message_class) == (stun.Method.BINDING, stun.Class.REQUEST)
    if not genuine or not check:
        return None
    response = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.RESPONSE,
        transaction_id=request.transaction_id,
        attributes={"XOR-MAPPED-ADDRESS": address[:2]},
    )
    response.add_message_integrity(key)
    return bytes(response)


class BeaconServer:
    """All addresses of this machine but loopback, as peer connections have them. `start`, then `told`, then `stop`."""

    def __init__(self) -> None:
        self._fragment, self._password = secrets.token_hex(4), secrets.token_hex(16)
        self._transports: list[asyncio.DatagramTransport] = []

    async def start(self) -> None:
        """Begins to answer; an address that cannot be had is left out."""
        loop = asyncio.get_running_loop()
        for address in get_host_addresses(use_ipv4=True, use_ipv6=True):
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Answers(self._password), local_addr=(address, 0)
                )
            except OSError as error:
                log.info("no beacon on one address", extra={"reason": error.strerror})
                continue
            self._transports.append(transport)

    def told(self) -> Beacon | None:
        """What a page needs to ask it."""
        if not self._transports:
            return None
        candidates = []
        for n, transport in enumerate(self._transports, 1):
            host, port = transport.get_extra_info("sockname")[:2]
            candidates.append(f"candidate:{n} 1 udp {PRIORITY - n} {host} {port} typ host")
        return Beacon(fragment=self._fragment, password=self._password, candidates=candidates)

    def stop(self) -> None:
        """Answers no more."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()
