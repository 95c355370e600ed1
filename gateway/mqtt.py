"""The MQTT connection: paho with its packet reader replaced, and acknowledgements that only follow a commit.

Connecting, TLS, keep-alive, SUBSCRIBE and every packet but PUBLISH stay paho's. Why the reader does not
(docs/adr/0030): a broker writes packet by packet, so an eager reader pays one system call and one round of its loop
for one to four messages. This one waits COALESCE seconds after each read, finds hundreds, and frames them in one loop.

Acknowledgements (docs/adr/0031): the session is persistent, a message is acknowledged when its batch is committed, in
the order of receipt, joined into one send; those of an older connection are dropped, since the broker sends such
messages again anyway and may have given their identifiers to others.
"""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.enums import MQTTErrorCode as Rc
from paho.mqtt.exception import MalformedPacket

from gateway.buffer import Buffer
from gateway.framing import Chunk, Framer, MalformedPacketError
from tram.errors import SettingsError

log = logging.getLogger(__name__)

COALESCE = 0.03  # seconds: at 5,000 messages a second a read finds 150 of them, at 50,000 fifteen hundred
READ_BYTES = 1 << 18  # a read that fills it is followed by the next at once
PAUSE = 0.25  # seconds between looks at the connection while the buffer is full
KEEP_ALIVE = 30  # seconds
SUBACK_TIMEOUT = 10.0  # seconds
RECONNECT_FIRST, RECONNECT_MOST = 1, 5  # seconds: doubled from first to most, so a restarted broker has us back in 5 s
CONNECT_TIMEOUT = 5.0  # seconds
STOP_TIMEOUT = 5.0  # seconds
REFUSED = "the broker refuses the connection"
PUBREL, PUBCOMP = 0x60, b"\x70\x02"


class Address(NamedTuple):
    """What an mqtt:// or mqtts:// address says."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None


def parse_url(url: str) -> Address:
    """Reads `mqtt[s]://[user:password@]host[:port]`.

    Raises:
        SettingsError: it is none. The message does not repeat it, since it may hold a password.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError
        tls = parts.scheme == "mqtts"
        port = parts.port or (8883 if tls else 1883)
    except ValueError:
        raise SettingsError("TRAM_MQTT_URL cannot be read: it should be like mqtt://user:password@host:1883") from None
    user, password = parts.username, parts.password
    return Address(parts.hostname, port, tls, unquote(user) if user else None, unquote(password) if password else None)


class Subscriber(paho.Client):
    """A persistent session that fills a Buffer. `start` it; `acknowledge` what is committed; `stop` it.

    Attributes:
        generation: which connection this is, counted from 1; a Chunk carries the one it came by.
        trouble: why nothing can come in just now, in one line; "" when connected and subscribed.
    """

    def __init__(
        self, address: Address, client_id: str, filters: Sequence[str], buffer: Buffer, *,
        payload_limit: int, ca: str = "", group: str = "", changed: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """
        Args:
            filters: MQTT topic filters, subscribed to at QoS 1.
            payload_limit: payloads longer than this are cut while they are read (they cannot be decoded anyway).
            ca: file of the certificate authority for TLS; the system's when empty.
            group: share the subscriptions with the other clients of this group ($share), where the broker can.
            changed: called from the connection's thread after `trouble` changed.
        """
        super().__init__(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=paho.MQTTv311, manual_ack=True
        )
        self.generation = 0
        self.trouble = "not connected to the broker yet"
        self.stale_acknowledgements = 0
        self._address = address
        self._filters = [f"$share/{group}/{f}" if group else f for f in filters]
        self._buffer = buffer
        self._payload_limit = payload_limit
        self._changed = changed
        self._framer = Framer(payload_limit)
        self._fault = Rc.MQTT_ERR_SUCCESS  # of a packet handled while framing
        self._last_received = 0
        self._cause = ""  # why the last attempt to connect failed
        self._suback_due: float | None = None
        # Held while the generation moves and while acknowledgements are queued, so none is queued for a connection that
        # is gone: reconnect() empties paho's queue after the generation has moved.
        self._generation_lock = threading.Lock()
        self.suppress_exceptions = True
        self.on_connect = self._connected
        self.on_connect_fail = self._connect_failed
        self.on_disconnect = self._disconnected
        self.on_subscribe = self._subscribed
        self.on_socket_open = self._opened
        self.connect_timeout = CONNECT_TIMEOUT
        self.reconnect_delay_set(RECONNECT_FIRST, RECONNECT_MOST)
        if address.username is not None:
            self.username_pw_set(address.username, address.password)
        if address.tls:
            try:
                self.tls_set_context(ssl.create_default_context(cafile=ca or None))
            except OSError as error:
                raise SettingsError(f"TRAM_MQTT_CA: {ca} cannot be used: {error}") from None

    # ---- for the pipeline's thread

    def start(self) -> None:
        """Connects and reads in a thread of its own; goes on trying while the broker is away."""
        self.connect_async(self._address.host, self._address.port, KEEP_ALIVE)
        self.loop_start()

    def stop(self) -> None:
        """Sends what acknowledgements are queued, disconnects, keeps the session; gives up after STOP_TIMEOUT."""
        self.disconnect()
        self._buffer.wake()
        stopper = threading.Thread(target=self.loop_stop, name="mqtt-stop", daemon=True)
        stopper.start()
        stopper.join(STOP_TIMEOUT)

    @property
    def alive(self) -> bool:
        """Whether the connection's thread runs. It ends by `stop` alone; otherwise the process should end too."""
        return self._thread is not None and self._thread.is_alive()

    def acknowledge(self, chunks: Sequence[Chunk]) -> None:
        """Acknowledges committed messages in order. Those of an older connection come again, and are not."""
        with self._generation_lock:
            fresh = [chunk for chunk in chunks if chunk.generation == self.generation]
            joined = b"".join([chunk.acknowledgements() for chunk in fresh])
            if joined:
                self._packet_queue(paho.PUBACK, joined, 0, 1)
        self.stale_acknowledgements += sum(len(chunk) for chunk in chunks) - sum(len(chunk) for chunk in fresh)

    # ---- the connection's thread: what is replaced of paho

    def reconnect(self) -> Rc:
        """A new connection: a new generation, and nothing left of the bytes of the old one."""
        with self._generation_lock:
            self.generation += 1
        self._framer = Framer(self._payload_limit)
        self._suback_due = None
        try:
            return super().reconnect()
        except OSError as error:  # of the socket or of TLS: a certificate that is not trusted, say
            self._cause = str(error)
            raise

    def loop_read(self, max_packets: int = 1) -> Rc:
        """One read of all that is there, framed at once, then a pause in which more gathers."""
        if self._sock is None:
            return Rc.MQTT_ERR_NO_CONN
        if not self._buffer.wait_for_room(PAUSE):
            # Nothing is read, so no answer to a ping can be seen: hold the connection for alive until there is room.
            self._heard()
            self._ping_t = 0.0
            return Rc.MQTT_ERR_SUCCESS
        try:
            data = self._read()
        except BlockingIOError:
            return Rc.MQTT_ERR_SUCCESS
        except OSError:
            return self._loop_rc_handle(Rc.MQTT_ERR_CONN_LOST)
        if not data:
            return self._loop_rc_handle(Rc.MQTT_ERR_CONN_LOST)
        self._heard()
        generation, framer = self.generation, self._framer
        try:
            framer.feed(data, self._other)
        except (MalformedPacketError, MalformedPacket) as error:
            log.error("the broker sent what is not MQTT 3.1.1, closing the connection: %s", error)  # noqa: TRY400
            return self._loop_rc_handle(Rc.MQTT_ERR_PROTOCOL)
        fault, self._fault = self._fault, Rc.MQTT_ERR_SUCCESS
        if fault:
            return self._loop_rc_handle(fault)
        if framer.chunk.topics and generation == self.generation:
            chunk = framer.take()
            chunk.generation = generation
            # A microsecond apart and never going back, so that two messages without a time of their own do not become
            # one Observation, whatever the wall clock does.
            chunk.received = max(time.time_ns() // 1000, self._last_received + 1)
            self._last_received = chunk.received + len(chunk)
            self._buffer.put(chunk)
            if len(data) < READ_BYTES:
                time.sleep(COALESCE)
        return Rc.MQTT_ERR_SUCCESS

    def loop_misc(self) -> Rc:
        """Keep-alive, and an end to waiting for a SUBACK that does not come."""
        if self._suback_due is not None and time.monotonic() > self._suback_due:
            log.error("the broker did not answer SUBSCRIBE within %g s, connecting again", SUBACK_TIMEOUT)
            return self._loop_rc_handle(Rc.MQTT_ERR_CONN_LOST)
        return super().loop_misc()

    def _read(self) -> bytes:
        data = self._sock_recv(READ_BYTES)
        if not self._ssl or not data:
            return data
        parts, size = [data], len(data)  # TLS gives one record (16 KiB) at a time
        try:
            while size < READ_BYTES and (data := self._sock_recv(READ_BYTES - size)):
                parts.append(data)
                size += len(data)
        except BlockingIOError:
            pass
        return b"".join(parts)

    def _heard(self) -> None:
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()

    def _other(self, head: int, body: bytes) -> None:
        """Every packet but PUBLISH. A QoS 2 message was stored before its PUBREC, so a PUBREL is only answered."""
        if head & 0xF0 == PUBREL:
            if len(body) != 2:
                raise MalformedPacketError("a PUBREL of another length than 2")
            self._packet_queue(0x70, PUBCOMP + body, 0, 2)
            return
        self._in_packet = {
            "command": head, "have_remaining": 1, "remaining_count": [], "remaining_mult": 1,
            "remaining_length": len(body), "packet": bytearray(body), "to_process": 0, "pos": 0,
        }  # fmt: skip
        fault = self._packet_handle()
        if fault and not self._fault:
            self._fault = fault

    # ---- the connection's thread: what paho tells

    def _opened(self, client: paho.Client, userdata: Any, sock: Any) -> None:
        # Acknowledgements are small and rare: waiting to fill a segment with them would only delay the broker's window.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _connected(self, client: paho.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._say(f"{REFUSED}: {reason}")
            return
        log.info("connected to the broker (connection %d, session %s)", self.generation,
                 "resumed" if flags.session_present else "new")  # fmt: skip
        self._say("subscribing")
        self._suback_due = time.monotonic() + SUBACK_TIMEOUT
        self.subscribe([(name, 1) for name in self._filters])

    def _subscribed(self, client: paho.Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._suback_due = None
        refused = [name for name, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        weak = [n for n, r in zip(self._filters, reasons, strict=False) if not r.is_failure and r.value < 1]
        if weak:
            log.warning("the broker grants QoS 0 only, messages may be lost: %s", ", ".join(weak))
        self._say(f"the broker refuses the subscription to {', '.join(refused)}" if refused else "")

    def _disconnected(self, client: paho.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if not self.trouble.startswith(REFUSED):  # the reason of what follows from it
            self._say(f"the connection to the broker ended: {reason}")

    def _connect_failed(self, client: paho.Client, userdata: Any) -> None:
        self._say(f"the broker cannot be reached at {self._address.host}:{self._address.port}: {self._cause}")

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            (log.warning if trouble and trouble != "subscribing" else log.info)("%s", trouble or "subscribed")
            self.trouble = trouble
            self._changed()
