"""Numbered, forward-only migrations: `NNNN_name.sql`, each in one transaction, once, whoever starts first."""

from collections.abc import Sequence
from pathlib import Path

from tram.errors import TramError
from tram.store.database import Connection


class MigrationError(TramError):
    """A migration was edited after it was applied, is missing, is misnamed, or failed. One line says which."""

    code = "migration"


def migrate(conn: Connection, folders: Sequence[Path] = (), *, chunk: float = 86_400.0) -> list[str]:
    """Applies what is not applied yet: the store's own folder first, then `folders`; returns their names, in order.

    A folder's name in the `migration` table is `store` for the store's own, else the name of the folder that holds
    `migrations` (services/domains/air/migrations -> air). Commits by itself, one transaction a migration, so hand it a
    connection without a transaction under way. Processes that start at once wait for each other.

    Args:
        chunk: settings.observation_chunk: seconds of one chunk of the hypertables.

    Raises:
        MigrationError: see there. What was applied before it stays.
    """
    raise NotImplementedError
