"""The audit rows of commands about data: who typed it at the server, what it was done to, and what came of it."""

import time
from collections.abc import Mapping

from tram.commands._identity import NotAllowedError, whoever
from tram.identity import decide
from tram.store import audit
from tram.store.database import Connection


def note(conn: Connection, operation: str, target: str, detail: Mapping[str, str | int | None]) -> None:
    """Writes the row, and commits it with what was done in the same transaction.

    Args:
        target: the command and what it was given, without secrets: `export all.csv`.
        detail: texts and whole numbers.

    Raises:
        NotAllowedError: no rule lets whoever typed this do it.
    """
    actor, now = whoever(), time.time()
    decision = decide(actor, operation, None, now=now)
    if not decision.allowed:
        raise NotAllowedError(decision.why)
    told = {name: value for name, value in detail.items() if value is not None}
    audit.write(
        conn, actor, operation, at=int(now * 1e6), target=target, why=decision.why, origin="cli", detail=told
    )  # fmt: skip
    conn.commit()
