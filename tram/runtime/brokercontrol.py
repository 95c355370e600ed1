"""Keeps the rules of a running mosquitto as they should be, over the control topic of its dynamic-security plugin.

The store is the one truth: on every connection what the broker has is read whole and compared, after that only changes
are sent. The plugin closes the connection of a user it loses.
"""

import json
import queue
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tram.errors import UnavailableError
from tram.identity import brokerrules
from tram.identity.brokerrules import CONTROL, RESPONSE, TOPIC, Rules

ANSWER = 10.0
"""Seconds the broker may take to answer; then it counts as away."""
PAGE = 200
"""Roles or users listed, and commands sent, in one message."""
STEP = 400
"""Commands of one `apply`: the plugin writes its file after each, so many at once would hold the broker up."""
AGAIN = 600.0
"""Seconds after which what the broker has is read whole again, in case somebody changed it by hand."""


class Control:
    """A connection to the broker's control topic. For one thread; `close` ends it."""

    def __init__(self, socket: Path, password: str) -> None:
        self._socket, self._password = socket, password
        self._client: paho.Client | None = None
        self._heard: queue.Queue[bytes] = queue.Queue(64)
        self._roles: dict[str, frozenset[brokerrules.Rule]] = {}
        self._clients: dict[str, tuple[str, ...]] = {}
        self._read_at = 0.0

    def apply(self, wanted: Rules) -> bool:
        """Makes the rules what is wanted, STEP commands at a time; returns whether there is more to do.

        Raises:
            UnavailableError: the broker is away, or did not do as it was told. Call again.
        """
        try:
            if self._client is None or not self._client.is_connected() or time.monotonic() - self._read_at > AGAIN:
                self._open()
                self._read()
            commands = brokerrules.changes(wanted, self._roles, self._clients)
            for start in range(0, min(len(commands), STEP), PAGE):
                self._send(commands[start : start + PAGE])
            if commands:
                self._read()
                return len(commands) > STEP
        except (OSError, ValueError, KeyError) as error:
            self.close()
            raise UnavailableError(f"the broker's rules were not set: {type(error).__name__} {error}"[:200]) from None
        except UnavailableError:
            self.close()
            raise
        return False

    def close(self) -> None:
        """Hangs up."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _open(self) -> None:
        self.close()
        client = paho.Client(CallbackAPIVersion.VERSION2, transport="unix", reconnect_on_failure=False)
        client.username_pw_set(CONTROL, self._password)
        ready: queue.Queue[str] = queue.Queue()

        def connected(client: paho.Client, _user: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                ready.put(str(reason))
            else:
                client.subscribe(RESPONSE, 1)

        def subscribed(_client: paho.Client, _user: Any, _id: int, reasons: list[Any], _properties: Any) -> None:
            ready.put(str(reasons[0]) if reasons[0].is_failure else "")

        client.on_connect = connected
        client.on_subscribe = subscribed
        client.on_message = lambda _client, _user, message: self._take(bytes(message.payload))
        client.connect(str(self._socket), 1, keepalive=30)
        client.loop_start()
        self._client = client
        try:
            refused = ready.get(timeout=ANSWER)
        except queue.Empty:
            raise UnavailableError("the broker does not answer") from None
        if refused:
            raise UnavailableError(f"the broker does not let us control it: {refused}")
        self._send([brokerrules.defaults()])

    def _take(self, payload: bytes) -> None:
        try:
            self._heard.put_nowait(payload)
        except queue.Full:
            self.close()

    def _read(self) -> None:
        """What the broker has."""
        self._roles = brokerrules.roles_of(self._listed("listRoles", "roles"))
        self._clients = brokerrules.clients_of(self._listed("listClients", "clients"))
        self._read_at = time.monotonic()

    def _listed(self, command: str, of: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            asked = {"command": command, "verbose": True, "count": PAGE, "offset": len(found)}
            data = self._send([asked])[0]["data"]
            found += data[of]
            if not data[of] or len(found) >= data["totalCount"]:
                return found

    def _send(self, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers, one a command."""
        assert self._client is not None
        while not self._heard.empty():
            self._heard.get_nowait()
        self._client.publish(TOPIC, json.dumps({"commands": commands}), qos=1)
        try:
            answers: list[dict[str, Any]] = json.loads(self._heard.get(timeout=ANSWER))["responses"]
        except queue.Empty:
            raise UnavailableError("the broker does not answer") from None
        for answer in answers:
            if "error" in answer:
                raise UnavailableError(f"the broker refuses {answer.get('command')}: {answer['error']}")
        if len(answers) != len(commands):
            raise UnavailableError("the broker answered something else")
        return answers
