"""A room's state on its way to the keeper: coalesced, in order, one write at a time; while it fails, tried again.

changed() -> dirty -> save (the newest state, whatever happened meanwhile) -> stored() returns
"""

import asyncio
import logging
from collections.abc import Callable

import psycopg

from telehealth.keeping import Keeper
from telehealth.rooms import ConsultRoom
from tram.errors import UnavailableError

log = logging.getLogger(__name__)

FIRST_PAUSE, LAST_PAUSE = 0.1, 5.0
"""Seconds between tries while the keeper is away."""


class Saver:
    """Writes one room.

    Args:
        epoch: with which this process took the room over.
        moved: called once when another process has it now; nothing is written any more.
    """

    def __init__(self, room: ConsultRoom, epoch: int, keeper: Keeper, moved: Callable[[], None]) -> None:
        self._room = room
        self.epoch = epoch
        self._keeper = keeper
        self._moved = moved
        self._dirty = asyncio.Event()
        self._saved = asyncio.Condition()
        self._rev = -1
        self._line = 0

    def changed(self) -> None:
        """The room changed."""
        self._dirty.set()

    async def stored(self, seconds: float) -> bool:
        """Waits until the present state is written; False after `seconds`."""
        rev, line = self._room.state.rev, self._room.state.line_number
        self._dirty.set()
        try:
            async with asyncio.timeout(seconds), self._saved:
                await self._saved.wait_for(lambda: self._rev >= rev and self._line >= line)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Writes until it is cancelled or the room has moved."""
        pause = FIRST_PAUSE
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            state = self._room.state
            rev, line = state.rev, state.line_number
            try:
                kept = await self._keeper.save(state.consult, self.epoch, self._room.snapshot(), state.ended)
            except (UnavailableError, psycopg.Error) as error:
                log.warning("the room could not be written", extra={"reason": type(error).__name__})
                self._dirty.set()
                await asyncio.sleep(pause)
                pause = min(LAST_PAUSE, pause * 2)
                continue
            pause = FIRST_PAUSE
            if not kept:
                self._moved()
                return
            async with self._saved:
                self._rev, self._line = rev, line
                self._saved.notify_all()
