"""Reads mosquitto's log for what it refused: connections, publishes, and subscriptions to what is not one's own. Pure.

mosquitto 2.0 writes (log_type notice, subscribe, and debug for publishes and subscriptions):

    New client connected from 127.0.0.1:59904 as c1 (p2, c1, k60, u'air-1').
    Denied PUBLISH from c2 (d0, q1, r0, m1, 'tram/v1/air-2/telemetry', ... (1 bytes))
    Received SUBSCRIBE from c3
        # (QoS 1)
    New connection from 127.0.0.1:59940 on port 1883.  /  Client <unknown> disconnected, not authorised.

It has no line for a subscription that it refused: what was asked for is held against what the user may read. Lines of
log_type subscribe (`c3 1 #`) tell what was granted: there a broker with other rules than ours is found out.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from tram.identity.broker import thing_of

CLIENTS = 100_000
"""Clients remembered; then those that connected longest ago are forgotten, and their refusals have no name."""

_STAMP = re.compile(r"^\S+: ")
_CONNECTED = re.compile(r"^New client connected from (\S+?)(?::\d+)? as (.+) \(p\d, c\d, k\d+(?:, u'(.*)')?\)\.$")
_DENIED = re.compile(r"^Denied PUBLISH from (.+) \(d\d, q\d, r\d, m\d+, '(.*)', \.\.\. \(\d+ bytes\)\)$")
_CONNECTION = re.compile(r"^New connection from (\S+?)(?::\d+)? on port \d+\.$")
_UNKNOWN = re.compile(r"^Client (.+) disconnected, not authorised\.$")
_SUBSCRIBE = re.compile(r"^Received SUBSCRIBE from (.+)$")
_WANTED = re.compile(r"^\t(\S.*) \(QoS [012]\)$")
_SUBSCRIBED = re.compile(r"^(.+) [012] (\S.*)$")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the broker refused, or granted though it is not ours to grant.

    Attributes:
        code: of the catalogue of security events.
        user: MQTT user name, "" where it is not known.
        topic: what was published to or asked for.
        origin: address.
    """

    code: str
    user: str
    topic: str
    origin: str

    @property
    def subject(self) -> str:
        return f"d:{thing_of(self.user)}" if self.user else ""


class BrokerLog:
    """Fed line by line. `may_read(user, filter)` says whether a subscription is the user's own."""

    def __init__(self, may_read: Callable[[str, str], bool]) -> None:
        self._may_read = may_read
        self._clients: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._last_address = ""
        self._asking = ""

    def feed(self, line: str) -> Refusal | None:
        """What this line tells; None: nothing was refused."""
        text = _STAMP.sub("", line.rstrip("\r\n"), count=1)
        if match := _CONNECTION.match(text):
            self._last_address = match[1]
        elif match := _CONNECTED.match(text):
            self._clients[match[2]] = (match[3] or "", match[1])
            self._clients.move_to_end(match[2])
            if len(self._clients) > CLIENTS:
                self._clients.popitem(last=False)
        elif match := _DENIED.match(text):
            user, origin = self._clients.get(match[1], ("", ""))
            return Refusal("device.topic-refused", user, match[2], origin)
        elif match := _UNKNOWN.match(text):
            user, origin = self._clients.get(match[1], ("", self._last_address))
            return Refusal("device.refused", user, "", origin)
        elif match := _SUBSCRIBE.match(text):
            self._asking = match[1]
        elif match := _WANTED.match(text):
            return self._foreign(self._asking, match[1])
        elif (match := _SUBSCRIBED.match(text)) and match[1] in self._clients:
            return self._foreign(match[1], match[2])
        return None

    def _foreign(self, client: str, topic: str) -> Refusal | None:
        user, origin = self._clients.get(client, ("", ""))
        if user and not self._may_read(user, topic):
            return Refusal("device.topic-refused", user, topic, origin)
        return None


def covers(held: str, wanted: str) -> bool:
    """Whether the filter `held` covers all that the filter `wanted` can match (MQTT 3.1.1 section 4.7)."""
    own, asked = held.split("/"), wanted.split("/")
    for i, level in enumerate(own):
        if level == "#":
            return True
        if i >= len(asked) or asked[i] == "#" or (level != "+" and level != asked[i]):
            return False
    return len(asked) == len(own)
