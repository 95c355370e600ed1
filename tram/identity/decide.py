"""The decision: may this principal do this operation on this target, and why.

Nothing is allowed without a rule. Rules are read from operations.py; each of a principal's grants that has a rule for
the operation is tried, and the first that reaches the target allows it. Every limit of a token must cover it too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tram.identity.operations import OPERATIONS, Operation
from tram.identity.principal import Grant, Kind, Principal
from tram.identity.roles import CARE, GRANTABLE, Role
from tram.identity.scope import ANYWHERE, AreaTree, Reach, Scope, Target

STEP_UP_LASTS = 300.0
"""Seconds that a step-up (password or code asked again) is good for."""

EVERYBODY = Grant(Role.CITIZEN)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer.

    Attributes:
        allowed: whether it may be done.
        why: one line for the audit: the role, its scope and the rule; or what was missing.
        code: `allowed`, `unknown-operation`, `sign-in` (nobody known asked), `no-rule`, `out-of-scope`, `step-up`,
            `expired`.
        principal: who asked.
        operation: what.
        clauses: for an operation without a target (a list): what of it may be seen; see `covers`.
    """

    allowed: bool
    why: str
    code: str
    principal: Principal
    operation: str
    clauses: tuple[tuple[Reach, Grant], ...] = ()

    def covers(self, target: Target) -> bool:
        """For a list: whether this one target belongs in the answer."""
        return self.allowed and any(
            _reaches(reach, grant, self.principal, target)
            and all(limit.lets(grant.role, self.operation, target) for limit in self.principal.limits)
            for reach, grant in self.clauses
        )

    def areas(self, tree: AreaTree) -> frozenset[str] | None:
        """For a list of what lies in areas: the codes that may be seen (for SQL); None: everything.

        What is public, own or assigned is not in it: ask `covers` of those.
        """
        seen: set[str] = set()
        for reach, grant in self.clauses:
            scopes = [limit.scope for limit in self.principal.limits if limit.lets(grant.role, self.operation, None)]
            if len(scopes) < len(self.principal.limits):
                continue
            if reach is Reach.AREA:
                scopes.append(grant.scope)
            elif reach is not Reach.EVERYWHERE:
                continue
            bounded = [scope.areas for scope in scopes if scope.areas is not None]
            if not bounded:
                return None
            seen |= frozenset.intersection(*(tree.below(areas) for areas in bounded))
        return frozenset(seen)

    def reaches(self, reach: Reach) -> bool:
        """For a list: whether one of the clauses is of this reach."""
        return any(r is reach for r, _ in self.clauses)


def decide(principal: Principal, operation: str, target: Target | None = None, *, now: float) -> Decision:
    """May this principal do this?

    Args:
        principal: who asks.
        operation: a name of operations.OPERATIONS.
        target: what it is done on; None: a list, or an operation whose targets are decided one by one. Such a
            decision allows to ask, and its `covers` says which targets may be in the answer.
        now: seconds since 1970.
    """

    def answer(allowed: bool, code: str, why: str, clauses: tuple[tuple[Reach, Grant], ...] = ()) -> Decision:
        return Decision(allowed, why, code, principal, operation, clauses)

    rule = OPERATIONS.get(operation)
    if rule is None:
        return answer(False, "unknown-operation", f"{operation} is no operation")
    clauses = tuple(_clauses(principal, rule, now))
    refusal = "out-of-scope"
    if not clauses:
        refusal = "no-rule" if principal.known else "sign-in"
    reaching = clauses
    if target is not None:
        reaching = tuple((r, g) for r, g in clauses if _reaches(r, g, principal, target))
    reaching = tuple(
        (r, g) for r, g in reaching if all(limit.lets(g.role, operation, target) for limit in principal.limits)
    )
    if not reaching:
        return answer(False, refusal, _refused(principal, rule, refusal, target))
    if rule.step_up and not _fresh(principal, now):
        return answer(False, "step-up", f"{operation} asks for the password or code again")
    reach, grant = reaching[0]
    return answer(True, "allowed", _allowed(grant, reach, target), reaching)


def _clauses(principal: Principal, rule: Operation, now: float) -> Iterator[tuple[Reach, Grant]]:
    """The grants that have a rule for the operation, with the reach of each."""
    for grant in principal.grants:
        if grant.expires is not None and grant.expires <= now:
            continue
        for reach in rule.rules.get(grant.role, ()):
            yield reach, grant
    # Everybody is a citizen, also a person of another role and a program; a device is not.
    if principal.kind is not Kind.DEVICE:
        for reach in rule.rules.get(Role.CITIZEN, ()):
            if reach is not Reach.OWN or principal.known:
                yield reach, EVERYBODY


def _reaches(reach: Reach, grant: Grant, principal: Principal, target: Target) -> bool:
    if reach is Reach.EVERYWHERE:
        return True
    if reach is Reach.AREA:
        return grant.scope.covers_area(target.path)
    if reach is Reach.FACILITY:
        # A record without a facility belongs to nobody's: only an unbounded scope covers it.
        return grant.scope.covers_facility(target.facility)
    if reach is Reach.ASSIGNED:
        return principal.known and principal.id in target.assigned
    if reach is Reach.OWN:
        return principal.known and target.owner == principal.id
    return target.public


def _fresh(principal: Principal, now: float) -> bool:
    # The server's own commands are typed by somebody who holds its keys; programs cannot type a password.
    if principal.kind is Kind.MACHINE:
        return True
    return principal.stepped_up is not None and 0 <= now - principal.stepped_up <= STEP_UP_LASTS


def _allowed(grant: Grant, reach: Reach, target: Target | None) -> str:
    where = {
        Reach.AREA: f" of area {_named(grant.scope.areas)}",
        Reach.FACILITY: f" of facility {_named(grant.scope.facilities)}",
        Reach.ASSIGNED: " assigned to it",
        Reach.OWN: ", its own",
        Reach.PUBLIC: ", public",
        Reach.EVERYWHERE: "",
    }[reach]
    return f"{grant.role}{where}" + ("" if target is not None else "; each one decided")


def _named(codes: frozenset[str] | None) -> str:
    if codes is None:
        return "*"
    shown = sorted(codes)
    return ",".join(shown[:4]) + (f"+{len(shown) - 4}" if len(shown) > 4 else "")


def _refused(principal: Principal, rule: Operation, code: str, target: Target | None) -> str:
    if code == "sign-in":
        return f"{rule.name} is for those who signed in"
    roles = ", ".join(sorted({grant.role.value for grant in principal.grants})) or Role.CITIZEN.value
    if code == "no-rule":
        return f"no rule lets {roles} do {rule.name}"
    place = "this" if target is None or not target.name else target.name
    return f"{rule.name} on {place} is outside what {roles} may reach"


GIVES: dict[Role, frozenset[Role]] = {
    Role.MACHINE: GRANTABLE,
    Role.CITY_ADMIN: GRANTABLE,
    Role.HOSPITAL_ADMIN: frozenset({Role.STATION_STAFF, Role.DOCTOR}),
}
"""Who may give which roles; where: only inside their own scope."""


def may_grant(principal: Principal, role: Role, scope: Scope, tree: AreaTree, *, now: float) -> bool:
    """Whether the principal may give (or take) this role in this scope: nobody gives more than they hold."""
    if role not in GRANTABLE:
        return False
    for grant in principal.grants:
        if (grant.expires is not None and grant.expires <= now) or role not in GIVES.get(grant.role, frozenset()):
            continue
        held = [grant.scope, *(limit.scope for limit in principal.limits)]
        let = all(limit.lets(grant.role, "roles.grant", None) for limit in principal.limits)
        if let and all(_contains(one, scope, role, tree) for one in held):
            return True
    return False


def _contains(held: Scope, wanted: Scope, role: Role, tree: AreaTree) -> bool:
    """Whether all of `wanted` lies inside `held`. A care role's place is a facility, a city role's an area."""
    if held == ANYWHERE:
        return True
    if held.areas is not None and role not in CARE:
        if wanted.areas is None or not all(held.covers_area(tree.path(area)) for area in wanted.areas):
            return False
    elif held.areas is not None and held.facilities is None:
        return False  # an area's admin gives no care role: facilities are not in the tree of areas
    if held.facilities is not None:
        if role not in CARE or wanted.facilities is None:
            return False
        return wanted.facilities <= held.facilities
    return True
