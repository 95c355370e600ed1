"""Connections: one way to open them, with every timeout set, and one error when the database is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from tram.errors import SettingsError, TramError, UnavailableError
from tram.settings import Settings

Connection = psycopg.Connection[TupleRow]
Cursor = psycopg.Cursor[TupleRow]
AsyncConnection = psycopg.AsyncConnection[TupleRow]

# An idle transaction holds locks and the vacuum horizon; a process that forgot one loses it after so many timeouts.
_IDLE_FACTOR = 6
# Seconds after which a pool gives up a failing attempt to connect. The next caller starts a fresh one at once; a longer
# time would let the attempt's growing pauses outlast the outage by minutes.
_RECONNECT = 2.0


def _arguments(settings: Settings, name: str) -> dict[str, Any]:
    if not settings.database_url:
        raise SettingsError("no database: start `make up` or set TRAM_DATABASE_URL")
    try:
        conninfo_to_dict(settings.database_url)
    except psycopg.ProgrammingError:  # its message may hold the password
        raise SettingsError("TRAM_DATABASE_URL cannot be read: it should be like postgresql://host/name") from None
    milliseconds = max(1, round(settings.database_timeout * 1000))
    return {
        "conninfo": settings.database_url,
        "application_name": f"tram-{name}"[:63],
        "connect_timeout": max(2, round(settings.database_timeout)),  # libpq: whole seconds, at least 2
        "options": (
            f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} "
            f"-c idle_in_transaction_session_timeout={milliseconds * _IDLE_FACTOR} -c timezone=UTC"
        ),
        # A peer that vanished without a word (power, cable) is noticed by the kernel, not after hours.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": milliseconds,
    }


def connect(settings: Settings, name: str = "tram", *, autocommit: bool = False) -> Connection:
    """One connection, with statement, lock and connect timeouts of `settings.database_timeout` seconds.

    Args:
        name: what `pg_stat_activity.application_name` shows after `tram-`.

    Raises:
        SettingsError: no database is named, or its address cannot be read.
        UnavailableError: the database does not answer or does not let us in.
    """
    arguments = _arguments(settings, name)
    with available():
        return psycopg.Connection.connect(**arguments, autocommit=autocommit)


def open_pool(settings: Settings, name: str = "tram", *, min_size: int = 1) -> ConnectionPool[Connection]:
    """A pool of at most `settings.database_pool` connections, opened in the background: the database may be away.

    Use it as a context manager, or close it. `pool.connection()` commits on success and rolls back on an error; wrap it
    in `available()` to have a pool that finds nothing within the timeout said as an UnavailableError. At most four
    waiters a connection queue up; more are refused at once.
    """
    arguments = _arguments(settings, name)
    return ConnectionPool(
        arguments.pop("conninfo"),
        connection_class=psycopg.Connection[TupleRow],
        kwargs=arguments,
        min_size=min(min_size, settings.database_pool),
        max_size=settings.database_pool,
        timeout=settings.database_timeout,
        max_waiting=4 * settings.database_pool,
        reconnect_timeout=_RECONNECT,
        name=name,
        open=True,
    )


def open_async_pool(
    settings: Settings, name: str = "tram", *, min_size: int = 1
) -> AsyncConnectionPool[AsyncConnection]:
    """The same pool for an event loop. It is not open yet: `async with pool:` (or `await pool.open()`) opens it."""
    arguments = _arguments(settings, name)
    return AsyncConnectionPool(
        arguments.pop("conninfo"),
        connection_class=psycopg.AsyncConnection[TupleRow],
        kwargs=arguments,
        min_size=min(min_size, settings.database_pool),
        max_size=settings.database_pool,
        timeout=settings.database_timeout,
        max_waiting=4 * settings.database_pool,
        reconnect_timeout=_RECONNECT,
        name=name,
        open=False,
    )


@contextmanager
def available() -> Iterator[None]:
    """Says errors that waiting may cure as UnavailableError; all others pass.

    Those are: no connection (away, starting, shutting down, too many), a connection lost, a timeout, a deadlock or
    serialisation failure, a full disk, a read-only standby, a pool that is exhausted or closed.
    """
    try:
        yield
    except TramError:
        raise
    except (PoolTimeout, PoolClosed, TooManyRequests) as error:
        raise UnavailableError(f"no database connection is free: {_one_line(error)}") from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise UnavailableError(f"the database is read-only: {_one_line(error)}") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise UnavailableError(f"the database is not available: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
