"""Dead letters on their way out: one stable code and one line of reason each."""

from tram.store.deadletters import DeadLetter

MOST_DETAIL = 500  # characters


def letter(reason: str, detail: str, topic: str, payload: bytes, received: int) -> DeadLetter:
    """A dead letter. `reason` is a stable code; `detail` is made one line of at most MOST_DETAIL characters."""
    return DeadLetter(topic, reason, " ".join(detail.split())[:MOST_DETAIL], payload, received)
