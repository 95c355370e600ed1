"""Which process has which consult: rendezvous hashing over the named processes. Pure.

Every process has the same list and comes to the same answer without asking; taking a process out moves its consults
only. What if two lists differ for a while: the database's room row carries an `epoch`, and the one who lost it gives
the room up.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """This process' name and every process' public WebSocket address by name; alone when `peers` is empty."""

    name: str
    peers: dict[str, str]

    def home(self, consult: str) -> str:
        """The name of the process that has this consult."""
        return max(self.peers, key=lambda peer: _weight(peer, consult), default=self.name)

    def elsewhere(self, consult: str) -> str | None:
        """The address to go to, or None when the consult is ours."""
        home = self.home(consult)
        return None if home == self.name else self.peers[home]


def parse_peers(text: str) -> dict[str, str]:
    """`name=wss://host/consult,…`.

    Raises:
        ValueError: says what is wrong.
    """
    peers: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, url = part.partition("=")
        if not equals or not name or not url.startswith(("ws://", "wss://")):
            raise ValueError(f"a process is written name=wss://host/consult, not {part!r}")
        if name in peers:
            raise ValueError(f"process {name} stands twice")
        peers[name] = url
    return peers


def _weight(peer: str, consult: str) -> bytes:
    return hashlib.blake2b(f"{peer}\0{consult}".encode(), digest_size=8).digest()
