"""Who may do what in a consult. Asked again at every message, so a right taken away ends at once. Pure.

This is the place of the identity service: whatever knows people implements `Rights` and is handed to the conductor.
Until then `RoleRights` decides by role alone.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from telehealth.messages import Role


class Action(StrEnum):
    """What can be allowed; the first six are not messages but what happens in the room."""

    JOIN = "join"
    SEND_AUDIO = "send-audio"
    SEND_VIDEO = "send-video"
    SEND_VITALS = "send-vitals"
    SEE_VITALS = "see-vitals"
    RECEIVE = "receive"
    CHAT = "chat"
    POINTER = "pointer"
    ADMIT = "admit"
    REFUSE = "refuse"
    HAND_OVER = "hand_over"
    END = "end"


@dataclass(frozen=True, slots=True)
class Who:
    """A person in one consult, by her token."""

    consult: str
    person: str
    role: Role


class Rights(Protocol):
    """Answers from memory: it is asked for every message."""

    def may(self, who: Who, action: Action) -> bool:
        """Whether `who` may do that now."""
        ...


_TALKERS = {Action.JOIN, Action.SEND_AUDIO, Action.SEND_VIDEO, Action.RECEIVE, Action.CHAT}
_LEADERS = {Action.ADMIT, Action.REFUSE, Action.HAND_OVER, Action.END}

TABLE: dict[Role, frozenset[Action]] = {
    Role.STATION: frozenset(_TALKERS | {Action.POINTER, Action.SEND_VITALS, Action.SEE_VITALS}),
    Role.DOCTOR: frozenset(_TALKERS | _LEADERS | {Action.POINTER, Action.SEE_VITALS}),
    Role.SPECIALIST: frozenset(_TALKERS | _LEADERS | {Action.POINTER, Action.SEE_VITALS}),
    Role.INTERPRETER: frozenset(_TALKERS),
    Role.OBSERVER: frozenset({Action.JOIN, Action.RECEIVE, Action.SEE_VITALS}),
}
"""By role. Of those who may lead only the lead of the moment does: the room sees to that."""


@dataclass(slots=True)
class RoleRights:
    """The table, less what was revoked."""

    revoked: set[tuple[str, str]] = field(default_factory=set)
    """(consult, person)."""

    def may(self, who: Who, action: Action) -> bool:
        """See Rights."""
        return (who.consult, who.person) not in self.revoked and action in TABLE[who.role]
