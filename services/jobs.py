"""What the worker does, job by job: each a period, a timeout, and a function that works in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tram.settings import Settings
from tram.store import committed, deadletters, processes
from tram.store.database import Connection


class Outcome(NamedTuple):
    """What one transaction of a job did: how much it removed, and whether there is more to do at once."""

    removed: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        name: in metrics and logs.
        period: seconds from the end of one run to the next.
        timeout: seconds one run may take, all its transactions together; its statements are cancelled at that.
        work: does one bounded step and never commits: the worker does.
    """

    name: str
    period: float
    timeout: float
    work: Callable[[Connection, Settings], Outcome]


STEP = 10_000
PROCESS_KEPT = 3600.0


def trim_committed(conn: Connection, settings: Settings) -> Outcome:
    """Frees partitions of the committed stream that are older than it is kept."""
    return Outcome(committed.trim(conn, settings.committed_keep))


def trim_dead_letters(conn: Connection, settings: Settings) -> Outcome:
    """Deletes the oldest dead letters beyond their limit."""
    removed = deadletters.trim(conn, settings.dead_letters, STEP)
    return Outcome(removed, more=removed >= STEP)


def forget_processes(conn: Connection, settings: Settings) -> Outcome:
    """Deletes rows of processes that were not heard of for an hour."""
    return Outcome(processes.forget(conn, PROCESS_KEPT))


JOBS = (
    Job("committed", 5.0, 30.0, trim_committed),
    Job("dead-letters", 10.0, 30.0, trim_dead_letters),
    Job("processes", 60.0, 10.0, forget_processes),
)
"""Waiting messages need no job: tram.store.pending.hold keeps them within their limit as it stores them."""
