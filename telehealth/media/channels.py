"""The data channels of one peer connection: `talk` (reliable) and `vitals` (the newest or nothing)."""

from collections.abc import Callable

from aiortc import RTCDataChannel

TALK_BUFFER = 262_144
VITALS_BUFFER = 16_384
"""Bytes that may wait in a data channel: talk beyond it closes the connection (it cannot keep up), vitals are
dropped."""


class Channels:
    """Those the client opened; others are closed again.

    Args:
        talk, vitals: called with what arrives; must not raise.
        stuck: called when the client does not read `talk`.
    """

    def __init__(
        self, *, talk: Callable[[str], None], vitals: Callable[[bytes], None], stuck: Callable[[], None]
    ) -> None:
        self._talk, self._vitals, self._stuck = talk, vitals, stuck
        self._open: dict[str, RTCDataChannel] = {}
        self._closed = False
        self.vitals_dropped = 0

    def take(self, channel: RTCDataChannel) -> None:
        """A channel was opened by the client."""
        if channel.label not in ("talk", "vitals") or channel.label in self._open:
            channel.close()
            return
        self._open[channel.label] = channel

        def arrived(data: str | bytes) -> None:
            if self._closed:
                return
            if channel.label == "talk":
                if isinstance(data, str):
                    self._talk(data)
            else:
                self._vitals(data.encode() if isinstance(data, str) else data)

        channel.on("message", arrived)

    def send_talk(self, data: str) -> bool:
        """On the reliable channel; False when it is not open."""
        channel = self._usable("talk")
        if channel is None:
            return False
        if channel.bufferedAmount > TALK_BUFFER:
            self._stuck()
            return False
        channel.send(data)
        return True

    def send_vitals(self, data: str) -> bool:
        """On the unordered channel; dropped (counted) when the link does not keep up."""
        channel = self._usable("vitals")
        if channel is None:
            return False
        if channel.bufferedAmount > VITALS_BUFFER:
            self.vitals_dropped += 1
            return False
        channel.send(data)
        return True

    def close(self) -> None:
        """Sends and takes nothing any more."""
        self._closed = True

    def _usable(self, label: str) -> RTCDataChannel | None:
        channel = self._open.get(label)
        return None if channel is None or channel.readyState != "open" or self._closed else channel
