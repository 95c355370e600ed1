"""Principals: who asks. A person, a program with a token, a device, the server itself, or nobody known."""

from dataclasses import dataclass, replace
from enum import StrEnum

from tram.identity.roles import Role
from tram.identity.scope import ANYWHERE, Scope, Target


class Kind(StrEnum):
    ANONYMOUS = "anonymous"
    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a kind of principal, not a secret
    DEVICE = "device"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, where it holds, and until when.

    Attributes:
        role: what one may act as.
        scope: where.
        expires: seconds since 1970 from which it is void; None: never.
    """

    role: Role
    scope: Scope = ANYWHERE
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """What a token is narrowed to. Every limit of a principal must cover what is asked; None: no limit of that sort."""

    roles: frozenset[Role] | None = None
    operations: frozenset[str] | None = None
    scope: Scope = ANYWHERE

    def lets(self, role: Role, operation: str, target: Target | None) -> bool:
        return (
            (self.roles is None or role in self.roles)
            and (self.operations is None or operation in self.operations)
            and (target is None or self.scope.covers(target))
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and on what grounds.

    Attributes:
        kind: what sort of principal.
        id: stable and unique within its kind's namespace: a person's `p:12`, a token's `t:3`, a device's `d:air-07`.
        name: sign-in name or label, for people to read.
        grants: roles with their scopes. That everybody is a citizen need not be granted.
        limits: what a token was narrowed to.
        stepped_up: when the person last proved who they are beyond the session; seconds since 1970; None: never.
        second_factor: whether this session was opened with a second factor.
    """

    kind: Kind
    id: str
    name: str = ""
    grants: tuple[Grant, ...] = ()
    limits: tuple[Limit, ...] = ()
    stepped_up: float | None = None
    second_factor: bool = False

    def narrowed(self, limit: Limit) -> "Principal":
        """The same principal under one more limit: never able to do more."""
        return replace(self, limits=(*self.limits, limit))

    def holds(self, *roles: Role) -> bool:
        """Whether one of the roles is granted somewhere (expiry and limits aside: for display only)."""
        return any(grant.role in roles for grant in self.grants)

    @property
    def known(self) -> bool:
        return self.kind is not Kind.ANONYMOUS


ANONYMOUS = Principal(Kind.ANONYMOUS, "anonymous", "anonymous")


def machine(name: str) -> Principal:
    """The server's own: a `tram` command run by the system's owner, or a plane. `name` is what the audit writes."""
    return Principal(Kind.MACHINE, f"m:{name}", name, (Grant(Role.MACHINE),))
