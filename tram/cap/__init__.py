"""CAP 1.2 alerts (OASIS Common Alerting Protocol, 1 July 2010) and their Atom feed. Pure. docs/cap.md."""

from tram.cap.document import (
    Alert,
    Area,
    CapError,
    Category,
    Certainty,
    Info,
    MsgType,
    Severity,
    Status,
    Urgency,
    write,
)
from tram.cap.feed import Entry, feed

__all__ = [
    "Alert", "Area", "CapError", "Category", "Certainty", "Entry", "Info", "MsgType", "Severity", "Status", "Urgency",
    "feed", "write",
]  # fmt: skip
