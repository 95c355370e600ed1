"""The second wall around patient data: PostgreSQL's row security (migrations/identity/0003_wall.sql, docs/security.md).

    with wall.behind(conn, decision):
        …every query in here sees the records that this person may see, whatever its WHERE says.

Ask `decide` first, as for everything: the wall is there for the day somebody forgets.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.pq import TransactionStatus

from tram.identity.decide import Decision
from tram.identity.scope import Reach
from tram.store.database import Connection, available


def facilities(decision: Decision) -> list[str]:
    """The facilities whose records the decision reaches as a whole. An unbounded facility grant reaches none: the wall
    asks for names."""
    limits = decision.principal.limits
    found: set[str] = set()
    for reach, grant in decision.clauses:
        if reach is Reach.FACILITY and grant.scope.facilities is not None:
            named = grant.scope.facilities
            for limit in limits:
                if limit.scope.facilities is not None:
                    named &= limit.scope.facilities
            found |= named
    return sorted(found)


@contextmanager
def behind(conn: Connection, decision: Decision) -> Iterator[Connection]:
    """For the block: the queries run as `tram_clinical`, seeing what the decision's principal may see.

    It opens a transaction (or a savepoint in one) and leaves the wall with it. A refused decision sees nothing.
    """
    who = decision.principal.id if decision.allowed and decision.principal.known else ""
    with available(), conn.transaction():
        conn.execute("SELECT clinical.enter(%s, %s)", (who, facilities(decision) if who else []))
        conn.execute("SET LOCAL ROLE tram_clinical")
        try:
            yield conn
        finally:
            # SET LOCAL lasts to the end of the whole transaction, not of the savepoint; after an error the savepoint's
            # rollback undoes it, and no command is taken until then.
            if conn.info.transaction_status is not TransactionStatus.INERROR:
                conn.execute("RESET ROLE")
                conn.execute("SELECT clinical.enter('', '{}')")
