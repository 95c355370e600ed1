"""The matrix role x operation x reach as a document: generated from the rules, so that it is never out of date."""

from collections.abc import Iterable, Sequence

from tram.identity.operations import OPERATIONS
from tram.identity.roles import LABELS, Role
from tram.identity.scope import Reach

SIGNS = {
    Reach.EVERYWHERE: "●",
    Reach.AREA: "địa bàn / area",
    Reach.FACILITY: "cơ sở / facility",
    Reach.ASSIGNED: "được phân công / assigned",
    Reach.OWN: "của mình / own",
    Reach.PUBLIC: "công khai / public",
}
HEAD = """# Phân quyền · Authorisation

Generated from `tram/identity/operations.py` and from the code that names its operations; do not edit. Print it anew
with `python -m deploy.authorisation > docs/authorisation.md`; a test compares it.

What no rule allows is refused. ● = everywhere; the other words say how far: inside an area or facility of the role, on
records one is assigned to, on what is one's own, on what was opened to everybody. Everybody is a citizen too, also who
is not signed in (then without what is their own). ⟳ asks for a step-up; ✎ is written to the audit when it was done.

"""


def rules() -> str:
    """The rules: one row an operation, one column a role."""
    roles = list(Role)
    lines = ["## Operations", ""]
    lines.append("| operation | | " + " | ".join(LABELS[role].en for role in roles) + " |")
    lines.append("|---|---|" + "---|" * len(roles))
    for operation in OPERATIONS.values():
        marks = ("⟳" if operation.step_up else "") + ("✎" if operation.audited else "")
        cells = ["<br>".join(SIGNS[reach] for reach in operation.rules.get(role, ())) for role in roles]
        lines.append(f"| `{operation.name}` {marks}<br>{operation.vi} | {operation.en} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def surface(title: str, rows: Iterable[Sequence[str]]) -> str:
    """What names which operation: (what, operation) rows."""
    lines = [f"## {title}", "", "| what | operation |", "|---|---|"]
    lines += [f"| `{what}` | `{operation}` |" for what, operation in rows]
    return "\n".join(lines) + "\n"
