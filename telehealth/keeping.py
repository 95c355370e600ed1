"""Where rooms and used tokens are kept, so that a consult survives its process: PostgreSQL, or memory for a trial.

Every failure that waiting may cure is an UnavailableError; who asks decides whether to wait or to say so.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from telehealth.tokens import AGAIN_SECONDS, Taken, Used, digest
from tram.store.database import AsyncConnection, available
from tram.store.sqlfile import load_path

MIGRATIONS = Path(__file__).with_name("migrations")
_sql = load_path(Path(__file__).with_name("queries.sql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """One seat's link over five seconds: the columns of call_quality. Unix seconds, shares, ms, kbit/s."""

    at: float
    consult: str
    seat: str
    role: str
    facility: str
    level: str
    reason: str
    loss_up: float | None = None
    loss_down: float | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    kbps_up: float | None = None
    kbps_down: float | None = None
    freezes: int | None = None
    freeze_ms: float | None = None
    height: int | None = None
    layer: str = ""
    video: str = ""
    path: str = ""


class Keeper(Protocol):
    """What a conductor needs kept."""

    async def claim(self, consult: str, owner: str) -> tuple[int, bytes | None]:
        """Takes a room over: the epoch to write with, and the state it had (None: a new room)."""
        ...

    async def save(self, consult: str, epoch: int, state: bytes, ended: float | None) -> bool:
        """Writes a room's state; False when another process has it now."""
        ...

    async def use_token(self, jti: str, expires: float, now: float, nonce: str | None = None) -> Taken:
        """Marks a join token as used; `nonce` is the word of the client that brought it."""
        ...

    async def record(self, rows: list[QualityRow]) -> None:
        """Stores call quality."""
        ...

    async def sweep(self) -> None:
        """Forgets what is over."""
        ...


@dataclass(slots=True)
class MemoryKeeper:
    """For a trial on one laptop and for tests: all is gone with the process. Production refuses it."""

    rooms: dict[str, tuple[int, bytes | None]] = field(default_factory=dict)
    used: Used = field(default_factory=Used)
    rows: list[QualityRow] = field(default_factory=list)
    most_rows: int = 10_000

    async def claim(self, consult: str, owner: str) -> tuple[int, bytes | None]:
        """See Keeper."""
        epoch, state = self.rooms.get(consult, (0, None))
        self.rooms[consult] = (epoch + 1, state)
        return epoch + 1, state

    async def save(self, consult: str, epoch: int, state: bytes, ended: float | None) -> bool:
        """See Keeper."""
        current, _ = self.rooms.get(consult, (0, None))
        if current != epoch:
            return False
        self.rooms[consult] = (epoch, state)
        return True

    async def use_token(self, jti: str, expires: float, now: float, nonce: str | None = None) -> Taken:
        """See Keeper."""
        return self.used.take(jti, expires, now, nonce)

    async def record(self, rows: list[QualityRow]) -> None:
        """See Keeper; the oldest go first."""
        self.rows += rows
        del self.rows[: -self.most_rows]

    async def sweep(self) -> None:
        """Nothing grows without bound here but rooms, which last as long as the trial."""


@dataclass(slots=True)
class PostgresKeeper:
    """In the database."""

    pool: AsyncConnectionPool[AsyncConnection]
    quality_days: int = 400

    async def claim(self, consult: str, owner: str) -> tuple[int, bytes | None]:
        """See Keeper."""
        row = await self._one("claim", {"consult": consult, "owner": owner})
        assert row is not None
        return int(row[0]), None if row[1] is None else bytes(row[1])

    async def save(self, consult: str, epoch: int, state: bytes, ended: float | None) -> bool:
        """See Keeper."""
        arguments = {"consult": consult, "epoch": epoch, "state": state, "ended": ended}
        return await self._one("save", arguments) is not None

    async def use_token(self, jti: str, expires: float, now: float, nonce: str | None = None) -> Taken:
        """See Keeper."""
        values = {"jti": jti, "expires": expires, "nonce": digest(nonce), "again": AGAIN_SECONDS}
        row = await self._one("use_token", values)
        if row is None:
            return Taken.USED
        return Taken.FIRST if row[0] else Taken.AGAIN

    async def record(self, rows: list[QualityRow]) -> None:
        """See Keeper."""
        with available():
            async with self.pool.connection() as conn, conn.cursor() as cursor:
                await cursor.executemany(_sql["record"], [asdict(row) for row in rows])

    async def sweep(self) -> None:
        """See Keeper."""
        with available():
            async with self.pool.connection() as conn:
                await conn.execute(_sql["sweep_tokens"])
                await conn.execute(_sql["sweep_rooms"])
                await conn.execute(_sql["sweep_quality"], {"days": self.quality_days})

    async def ping(self) -> None:
        """Whether the database is there, with our tables.

        Raises:
            UnavailableError: it is away. psycopg.errors.UndefinedTable: it was not migrated.
        """
        await self._one("ping", {})

    async def stations(self, hours: int, most: int) -> list[dict[str, Any]]:
        """Facilities by their links, the worst first."""
        return await self._rows("stations", {"hours": hours, "most": most})

    async def consult(self, consult: str, most: int) -> list[dict[str, Any]]:
        """The records of one consult, newest first."""
        return await self._rows("consult", {"consult": consult, "most": most})

    async def _one(self, name: str, arguments: dict[str, Any]) -> tuple[Any, ...] | None:
        with available():
            async with self.pool.connection() as conn:
                return await (await conn.execute(_sql[name], arguments)).fetchone()

    async def _rows(self, name: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        with available():
            async with self.pool.connection() as conn, conn.cursor(row_factory=dict_row) as cursor:
                return await (await cursor.execute(_sql[name], arguments)).fetchall()
