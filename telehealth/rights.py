"""Who may do what in a consult. Asked again at every message, so a right taken away ends at once. Pure.

Two questions, both of which must be answered with yes: may this seat do that (TABLE), and may this person do the
operation behind it here and now (tram.identity.decide)? What the second needs is read when somebody joins and kept true
from then on (telehealth/standing.py).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from telehealth.messages import Role
from tram.identity.decide import decide
from tram.identity.standing import Standing


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

    async def meet(self, token: str) -> None:
        """Before a token is verified: the key it names is in memory, if there is one."""
        ...

    async def learn(self, consult: str) -> None:
        """After a token was verified, before `may` is asked: who belongs to the consult is in memory.

        Raises:
            UnavailableError: the database is away.
        """
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


OPERATIONS: Mapping[Action, str] = {
    action: "consult.lead" if action in _LEADERS else "consult.join" for action in Action
}
"""The operation of tram.identity that stands behind each action."""


@dataclass(slots=True)
class RoleRights:
    """The table alone, less what was revoked: for a trial whose people nobody knows."""

    revoked: set[tuple[str, str]] = field(default_factory=set)
    """(consult, person)."""

    def may(self, who: Who, action: Action) -> bool:
        """See Rights."""
        return (who.consult, who.person) not in self.revoked and action in TABLE[who.role]

    async def meet(self, token: str) -> None:
        """See Rights: the keys are all there."""

    async def learn(self, consult: str) -> None:
        """See Rights: there is nothing to learn."""


@dataclass(slots=True)
class PeopleRights:
    """The table, and `decide` over the people of each consult.

    Args:
        production: refuses whoever the identity service does not know; else (a trial) the table alone decides on them.
        clock: seconds since 1970.
    """

    production: bool
    clock: Callable[[], float] = time.time
    standings: dict[str, Mapping[str, Standing]] = field(default_factory=dict)
    """Consult -> principal id -> who may be in it. A consult that is not there has nobody."""
    asked: dict[str, float] = field(default_factory=dict)
    """Consult -> when it was last asked about."""

    def may(self, who: Who, action: Action) -> bool:
        """See Rights."""
        if action not in TABLE[who.role]:
            return False
        if not who.person.startswith("p:"):  # a demo's person, or a token of somebody else who has the ring's key
            return not self.production
        now = self.clock()
        self.asked[who.consult] = now
        standing = self.standings.get(who.consult, {}).get(who.person)
        if standing is None or standing.seat != who.role.value:
            return False
        if standing.until is not None and now >= standing.until:
            return False
        return decide(standing.principal, OPERATIONS[action], standing.target, now=now).allowed
