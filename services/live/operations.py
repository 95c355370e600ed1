"""The rule that each message of `/live` is under (tram.identity.operations)."""

from collections.abc import Mapping

FOLLOW = "live.subscribe"
MESSAGES: Mapping[str, str] = {"subscribe": FOLLOW, "unsubscribe": FOLLOW, "resync": FOLLOW, "ping": FOLLOW}
"""A client's message -> operation. It is decided when the socket opens, and again whenever the caller has changed."""
