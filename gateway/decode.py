"""Chunks of messages to rows by column. It never raises: what cannot be read becomes a dead letter with its reason.

What makes it fast: a topic is routed once and its route kept; a format that can reads plain payloads by column; and a
payload's shape (the names a device says, the same every time) is looked up as a whole.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass

from devices import formats
from gateway.deadletter import letter
from gateway.directory import Directory
from gateway.framing import Chunk
from gateway.rows import Rows
from tram.errors import PayloadError
from tram.readings import Columns, Decoded, Format, Message, Shape
from tram.sensing import Micros

MOST_ROUTES = 100_000  # topics remembered; topics are the senders' to choose, so beyond it all are forgotten
BAD_TOPIC = "�"

PlainReader = Callable[[bytes], Columns | tuple[()] | None]


def nothing_plain(payload: bytes) -> None:
    """The plain reader of topics that have none."""


def in_turn(readers: list[PlainReader]) -> PlainReader:
    """The readers of formats that share a topic as one: the first that does not leave the payload to the next."""
    if not readers:
        return nothing_plain
    if len(readers) == 1:
        return readers[0]
    first, others = readers[0], in_turn(readers[1:])

    def read(payload: bytes) -> Columns | tuple[()] | None:
        columns = first(payload)
        return others(payload) if columns == () else columns

    return read


@dataclass(slots=True)
class Route:
    """What is known of a topic: its formats in the order they are asked, and what reads its plain payloads."""

    topic: str
    candidates: tuple[Format, ...]
    plain: PlainReader


class Decoder:
    """Reads messages by the formats that speak their topics.

    Args:
        payload_bytes, payload_readings: settings of these names; larger payloads are dead-lettered whole.
    """

    def __init__(self, directory: Directory, *, payload_bytes: int, payload_readings: int) -> None:
        self._directory = directory
        self._bytes, self._readings = payload_bytes, payload_readings
        self._memories = formats.memories()
        self._routes: dict[bytes, Route] = {}
        self._shapes: dict[Shape, array[int]] = {}

    def start_over(self) -> None:
        """Forgets shapes and routes: the directory's slots are others now."""
        self._shapes.clear()
        self._routes.clear()

    def decode(self, chunk: Chunk, rows: Rows) -> None:
        """Adds a chunk's messages to the rows, and to the letters those that say nothing readable."""
        rows.chunks.append(chunk)
        payloads = chunk.payloads
        if (
            chunk.retained
            or chunk.oversized
            or (chunk.size > self._bytes and max(map(len, payloads), default=0) > self._bytes)
        ):
            self._one_by_one(chunk, rows)
            return
        routes, shapes, most = self._routes, self._shapes, 8 * self._readings
        slots, numbers, counts, times = rows.slots, rows.numbers, rows.counts, rows.times
        received = chunk.received - len(counts)
        for topic, payload in zip(chunk.topics, chunk.payloads, strict=True):
            route = routes.get(topic)
            if route is None:
                route = self._route(topic)
            columns = route.plain(payload)
            if columns and len(columns[1]) <= most:
                shape, packed, stated = columns
                known = shapes.get(shape)
                if known is None:
                    known = self._slots(shape)
                slots += known
                numbers += packed
                counts.append(len(known))
                times.append(stated)
            else:
                self._decode(route, payload, received + len(counts), rows)

    def _one_by_one(self, chunk: Chunk, rows: Rows) -> None:
        for index, (topic, payload) in enumerate(zip(chunk.topics, chunk.payloads, strict=True)):
            route = self._routes.get(topic) or self._route(topic)
            received = chunk.received + index
            size = chunk.oversized.get(index, len(payload))
            if size > self._bytes:
                detail = f"{size} bytes, more than the {self._bytes} of TRAM_PAYLOAD_BYTES"
                rows.letters.append(letter("too-large", detail, route.topic, payload, received))
                rows.counts.append(0)
                rows.times.append(None)
            else:
                # A retained message is an old value sent because we subscribed. One that states its own time is stored
                # (again, to no effect); nobody knows the time of one that does not.
                self._decode(route, payload, received, rows, timeless=index not in chunk.retained)

    def _decode(self, route: Route, payload: bytes, received: int, rows: Rows, *, timeless: bool = True) -> None:
        message = Message(route.topic, payload, received)
        times: list[Micros | None] = []
        try:
            if route.topic == BAD_TOPIC:
                raise PayloadError("the topic is not UTF-8, or holds a NUL", code="topic")
            _, decoded = formats.decode(message, self._memories, route.candidates)
            if len(decoded.readings) > self._readings:
                detail = f"{len(decoded.readings)} readings, more than the {self._readings} of TRAM_PAYLOAD_READINGS"
                raise PayloadError(detail, code="too-many")
            self._keep(decoded, rows, times, timeless)
            for bad in decoded.bad:
                code, _, detail = bad.reason.partition(": ")
                detail = f"{bad.thing} {bad.property}: {detail}"
                rows.letters.append(letter(code, detail, route.topic, payload, received))
        except PayloadError as error:
            rows.letters.append(letter(error.code, str(error), route.topic, payload, received))
        except Exception as error:  # a format's fault must not stop the others' data
            detail = f"{type(error).__name__} in the format: {error}"
            rows.letters.append(letter("format-fault", detail, route.topic, payload, received))
        rows.counts.append(len(times))
        rows.times.append(times)

    def _keep(self, decoded: Decoded, rows: Rows, times: list[Micros | None], timeless: bool) -> None:
        known, slot = self._directory.slots, self._directory.slot
        for thing, name, value, unit, time in decoded.readings:
            if time is None and not timeless:
                rows.retained += 1
                continue
            found = known.get((thing, name, unit))
            rows.add(slot(thing, name, unit) if found is None else found, value)
            times.append(time)
        rows.things += decoded.things

    def _route(self, topic: bytes) -> Route:
        if len(self._routes) >= MOST_ROUTES:
            self._routes.clear()
        try:
            text = topic.decode()
            route = Route(BAD_TOPIC, (), nothing_plain) if "\0" in text else self._speakers(text)
        except UnicodeDecodeError:
            route = Route(BAD_TOPIC, (), nothing_plain)
        self._routes[topic] = route
        return route

    @staticmethod
    def _speakers(topic: str) -> Route:
        candidates = formats.speakers(topic)
        plain: list[PlainReader] = []
        for candidate in candidates:  # one without a plain form ends the list: those after it are not ours to ask first
            reader = getattr(candidate, "reader", None)
            read = reader(topic) if reader is not None else None
            if read is None:
                break
            plain.append(read)
        return Route(topic, candidates, in_turn(plain))

    def _slots(self, shape: Shape) -> "array[int]":
        if len(self._shapes) >= MOST_ROUTES:
            self._shapes.clear()
        slot = self._directory.slot
        keys = zip(shape.properties, shape.units, strict=True)
        slots = self._shapes[shape] = array("q", [slot(shape.thing, name, unit) for name, unit in keys])
        return slots
