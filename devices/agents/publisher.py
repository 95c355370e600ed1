"""The device's side of telemetry: store first, forward when the broker is there, forget when it has acknowledged.

    add -> Store (SQLite, bounded) -> messages of several records, QoS 1, in order, a few in flight -> PUBACK: removed
                  ^------------------ connection lost: again from the oldest not acknowledged ------'

At least once, and harmless more often: a record's `ts` is fixed when it is added and never given twice by one Thing,
and (Datastream, time) is unique downstream. So each reading counts once, in order, whatever is killed in between.
"""

import json
import logging
import math
import random
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from devices.agents.store import Full, Store
from devices.formats.native.topic import level_of
from tram.clock import to_micros
from tram.errors import SettingsError

log = logging.getLogger(__name__)

Value = float | int | bool | str | None
IN_FLIGHT = 16
"""Most messages sent and not acknowledged."""
MESSAGE_ROWS, MESSAGE_BYTES = 100, 16_384
"""Most records and about the most bytes of one message."""
BACKOFF = 0.5, 60.0
"""Seconds: the first and the longest wait before connecting again; each is spread by half both ways."""
CONNECT_TIMEOUT, KEEPALIVE = 10.0, 30


class Publisher:
    """Publishes the readings of one Thing.

    Args:
        thing: its name.
        mqtt_url: `mqtt[s]://[user:password@]host[:port]`.
        store: the SQLite file that holds what the broker does not have yet.
        max_rows, max_bytes, full, fsync: see devices.agents.store.Store.
        ca, certificate, key: files for mqtts://; the system's authorities without `ca`.

    Raises:
        SettingsError: the address is wrong.
        UnavailableError: the store is in use, or cannot be opened.
    """

    def __init__(
        self, thing: str, mqtt_url: str, store: Path, *, max_rows: int = 1_000_000, max_bytes: int = 268_435_456,
        full: Full = "drop-oldest", fsync: bool = True, ca: Path | None = None, certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:  # fmt: skip
        self._address = urlsplit(mqtt_url)
        if self._address.scheme not in ("mqtt", "mqtts") or not self._address.hostname:
            raise SettingsError("an MQTT address is mqtt[s]://[user:password@]host[:port]")
        if not thing or "\0" in thing:
            raise SettingsError("a Thing needs a name")
        self._tls = (ca, certificate, key)
        self._topic = f"tram/v1/{level_of(thing)}"
        self._client_id = f"tram-device-{thing}"
        self._store = Store(store, max_rows=max_rows, max_bytes=max_bytes, full=full, fsync=fsync)
        self._adding = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._connected = False
        self._client: paho.Client | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """Records that the broker has not acknowledged."""
        return self._store.rows

    @property
    def dropped(self) -> int:
        """Records lost to a full store, ever."""
        return self._store.dropped

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._connected

    def add(self, values: Mapping[str, Value], ts: datetime | int | None = None) -> int:
        """Adds one record: values of one moment, by property. Returns its time in epoch milliseconds.

        Args:
            values: None is unknown, and no reading.
            ts: an aware datetime or epoch milliseconds; now when None. A time already given is moved on by a
                millisecond until it is new, when `ts` is None.

        Raises:
            ValueError: no values, a name that is empty or "ts", a number that is NaN or infinite, a naive time.
            TypeError: a time of another kind.
            StoreFull: at a limit, by the policy "refuse".
        """
        return self.add_many([(values, ts)])[0]

    def add_many(self, records: Iterable[tuple[Mapping[str, Value], datetime | int | None]]) -> list[int]:
        """Adds several records at once, in one transaction; see `add`."""
        with self._adding:
            last = self._store.last_ts
            rows: list[tuple[int, str]] = []
            for values, ts in records:
                stamp = max(time.time_ns() // 1_000_000, last + 1) if ts is None else _millis(ts)
                rows.append((stamp, _record(values, stamp)))
                last = max(last, stamp)
            if rows:
                self._store.append(rows)
        self._wake_up()
        return [stamp for stamp, _ in rows]

    def describe(self, **state: Any) -> None:
        """What the Thing says of itself (label, kind, area, location, properties): kept, and published retained."""
        self._store.remember("state", json.dumps(state, ensure_ascii=False, allow_nan=False))
        self._store.remember("state_changed", 1)
        self._wake_up()

    def flush(self, timeout: float) -> bool:
        """Waits until the broker has everything; False when that takes longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.waiting:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def close(self, timeout: float = 5.0) -> None:
        """Stops. What was not acknowledged stays in the store for the next start."""
        self._stopping.set()
        self._wake_up()
        self._thread.join(timeout)
        self._store.close()

    def _wake_up(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        wait = BACKOFF[0]
        while not self._stopping.is_set():
            try:
                self._session()
                reason = "connection lost"
            except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                reason = str(error) or type(error).__name__
            if self._connected:
                wait = BACKOFF[0]
            self._connected = False
            if self._stopping.is_set():
                return
            log.info("broker away, records wait", extra={"reason": reason, "waiting": self.waiting})
            self._stopping.wait(wait * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            wait = min(wait * 2, BACKOFF[1])

    def _session(self) -> None:
        """One connection, from CONNECT until it is lost or the publisher stops. A new client each time: paho would
        send again by itself what was in flight, and out of our order."""
        flying: dict[int, tuple[int, int]] = {}
        client = self._new_client(flying)
        host, tls = self._address.hostname or "", self._address.scheme == "mqtts"
        client.connect(host, self._address.port or (8883 if tls else 1883), KEEPALIVE)
        deadline = time.monotonic() + CONNECT_TIMEOUT
        sent = 0
        try:
            while client.loop(0.02 if flying or self._wake.is_set() else 0.2) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                if self._stopping.is_set():
                    client.disconnect()
                    return
                if not client.is_connected():
                    if time.monotonic() > deadline:
                        raise TimeoutError("the broker does not answer")
                    continue
                if not self._connected:
                    self._connected = True
                    self._store.remember("state_changed", 1)
                self._wake.clear()
                self._send_state(client)
                while len(flying) < IN_FLIGHT:
                    rows = self._store.after(sent, MESSAGE_ROWS, MESSAGE_BYTES)
                    if not rows:
                        break
                    payload = f"[{','.join(row.record for row in rows)}]".encode()
                    told = client.publish(f"{self._topic}/telemetry", payload, qos=1)
                    if told.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                        return
                    sent = rows[-1].id
                    flying[told.mid] = (rows[0].id, sent)
        finally:
            sock = client.socket()
            if sock is not None:
                sock.close()

    def _send_state(self, client: paho.Client) -> None:
        if self._store.fact("state_changed"):
            state = self._store.fact("state")
            if state is not None:
                client.publish(f"{self._topic}/state", str(state).encode(), qos=1, retain=True)
            self._store.remember("state_changed", 0)

    def _new_client(self, flying: dict[int, tuple[int, int]]) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, self._client_id, clean_session=True, reconnect_on_failure=False
        )
        client.connect_timeout = CONNECT_TIMEOUT
        client.max_inflight_messages_set(IN_FLIGHT + 2)
        if self._address.username:
            client.username_pw_set(unquote(self._address.username), unquote(self._address.password or ""))
        if self._address.scheme == "mqtts":
            ca, certificate, key = (str(file) if file else None for file in self._tls)
            client.tls_set(ca, certificate, key, cert_reqs=ssl.CERT_REQUIRED)

        def acknowledged(_client: paho.Client, _data: Any, mid: int, *_: Any) -> None:
            span = flying.pop(mid, None)
            if span is not None:
                self._store.remove(*span)

        client.on_publish = acknowledged
        return client


def _millis(ts: datetime | int) -> int:
    if isinstance(ts, datetime):
        return to_micros(ts) // 1000
    if isinstance(ts, bool) or not isinstance(ts, int):
        raise TypeError(f"a time is an aware datetime or epoch milliseconds, not {ts!r}")
    return ts


def _record(values: Mapping[str, Value], stamp: int) -> str:
    if not values:
        raise ValueError("a record without values")
    for name, value in values.items():
        if not name or name == "ts":
            raise ValueError(f"{name!r} is no name of a property")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name}: {value} is no number; leave out what is unknown, or say None")
    return json.dumps({"ts": stamp, **values}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
