"""Who may do what: principals, roles, scopes, the operations and their rules, and the checks behind sign-in.

Everything here is pure: no network, no database, no clock of its own (`now` is handed in, seconds since 1970).

    principal (who)  +  operation (what)  +  target (on what)   ->   decide   ->   Decision(allowed, why)

`operations.py` is the ONE place where a rule is written. What no rule allows is refused.
"""

from tram.identity.decide import STEP_UP_LASTS, Decision, decide, may_grant
from tram.identity.operations import OPERATIONS, Operation
from tram.identity.principal import ANONYMOUS, Grant, Kind, Limit, Principal, machine
from tram.identity.roles import Role
from tram.identity.scope import ANYWHERE, AreaTree, Reach, Scope, Target

__all__ = [
    "ANONYMOUS",
    "ANYWHERE",
    "OPERATIONS",
    "STEP_UP_LASTS",
    "AreaTree",
    "Decision",
    "Grant",
    "Kind",
    "Limit",
    "Operation",
    "Principal",
    "Reach",
    "Role",
    "Scope",
    "Target",
    "decide",
    "machine",
    "may_grant",
]
