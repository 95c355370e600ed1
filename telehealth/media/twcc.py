"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01). Pure.

The sender's browser numbers its packets across all lines; told when each arrived, it estimates the path itself, and
better than from REMB alone: under random loss ten times the rate.
"""

import struct

STEP = 250
"""Microseconds of one delta."""
REFERENCE = 64_000
"""Microseconds of one unit of reference time."""
MOST = 1_000
"""Packets of one feedback; more are reported as the newest ones only."""


class Arrivals:
    """Arrival times of one transport's packets since the last feedback."""

    __slots__ = ("_at", "_count", "_last", "_next")

    def __init__(self) -> None:
        self._at: dict[int, int] = {}  # number, without wrap -> µs
        self._last: int | None = None
        self._next: int | None = None
        self._count = 0

    def add(self, number: int, micros: int) -> None:
        """A packet with transport-wide number `number` (16 bits) arrived at `micros` of a monotonic clock."""
        if self._last is None:
            self._last = long = number
        else:
            step = (number - self._last) & 0xFFFF
            long = self._last + (step - 0x10000 if step >= 0x8000 else step)
            self._last = max(self._last, long)
        self._at.setdefault(long, micros)
        if len(self._at) > 4 * MOST:
            del self._at[next(iter(self._at))]

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> bytes | None:
        """One RTCP packet for everything since the last, or None when nothing came."""
        if not self._at:
            return None
        newest = max(self._at)
        oldest = min(self._at)
        first = oldest if self._next is None or self._next > newest else min(oldest, self._next)
        first = max(first, newest - MOST + 1)
        base = min(at for number, at in self._at.items() if number >= first) // REFERENCE
        previous = base * REFERENCE
        symbols: list[int] = []
        deltas = bytearray()
        for number in range(first, newest + 1):
            at = self._at.get(number)
            if at is None:
                symbols.append(0)
                continue
            delta = round((at - previous) / STEP)
            previous += delta * STEP
            if 0 <= delta <= 255:
                symbols.append(1)
                deltas.append(delta)
            else:
                symbols.append(2)
                deltas += struct.pack("!h", max(-32768, min(32767, delta)))
        self._at.clear()
        self._next = newest + 1
        body = struct.pack("!HHLL", first & 0xFFFF, len(symbols), (base & 0xFFFFFF) << 8 | self._count & 0xFF, 0)[:8]
        self._count += 1
        body += _chunks(symbols) + bytes(deltas)
        padding = -len(body) % 4
        head = 0x8F
        if padding:
            body += bytes(padding - 1) + bytes([padding])
            head |= 0x20
        return struct.pack("!BBHLL", head, 205, 2 + len(body) // 4, sender_ssrc, media_ssrc) + body


def _chunks(symbols: list[int]) -> bytes:
    """Run-length chunks for runs of 7 and more, else vectors of seven two-bit symbols."""
    out = bytearray()
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at] and run < 0x1FFF:
            run += 1
        if run >= 7:
            out += struct.pack("!H", symbols[at] << 13 | run)
            at += run
        else:
            word = 0xC000
            for n, symbol in enumerate(symbols[at : at + 7]):
                word |= symbol << (12 - 2 * n)
            out += struct.pack("!H", word)
            at += 7
    return bytes(out)


def read(data: bytes) -> dict[int, int | None]:
    """A feedback packet back to arrival times: number -> µs (mod 2**24 * 64 ms), None for those not received.

    Raises:
        ValueError: not such a packet.
    """
    try:
        head, kind, words, _, _, first, count, packed = struct.unpack_from("!BBHLLHHL", data)
        if head & 0x1F != 15 or kind != 205 or len(data) != 4 * (words + 1):
            raise ValueError("not a transport-wide feedback")
        symbols: list[int] = []
        at = 20
        while len(symbols) < count:
            (word,) = struct.unpack_from("!H", data, at)
            at += 2
            if not word & 0x8000:
                symbols += [word >> 13 & 3] * (word & 0x1FFF)
            elif word & 0x4000:
                symbols += [word >> (12 - 2 * n) & 3 for n in range(7)]
            else:
                symbols += [word >> (13 - n) & 1 for n in range(14)]
        time = (packed >> 8) * REFERENCE
        arrived: dict[int, int | None] = {}
        for n, symbol in enumerate(symbols[:count]):
            number = (first + n) & 0xFFFF
            if symbol == 0:
                arrived[number] = None
                continue
            (delta,) = struct.unpack_from("!B" if symbol == 1 else "!h", data, at)
            at += symbol
            time += delta * STEP
            arrived[number] = time
    except struct.error as error:
        raise ValueError(str(error)) from None
    return arrived
