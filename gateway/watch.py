"""Messages of Things that somebody looks at right now, put aside as they came, after their batch was stored.

While nobody looks it costs one small query a second. Messages that carry vital signs are never put aside.
"""

import logging
from collections import defaultdict, deque

import numpy as np
import psycopg

from gateway.directory import Directory
from gateway.normalise import Work
from gateway.patience import PatientDatabase
from tram.errors import TramError
from tram.readings import Message
from tram.store import watching
from tram.vitals import carries_vitals

log = logging.getLogger(__name__)


class Watcher:
    """Knows which Things are looked at, and keeps their messages. Best effort: it never holds up what is stored."""

    def __init__(self, database: PatientDatabase, directory: Directory) -> None:
        self._database, self._directory = database, directory
        self._things: dict[str, int] = {}

    def look(self) -> None:
        """Asks which Things are looked at. Raises UnavailableError, psycopg.Error."""
        self._things = self._database.attempt(watching.watched)

    def keep(self, work: Work) -> None:
        """Puts aside what a batch has of them."""
        if not self._things:
            return
        found = self._found(work)
        if not found:
            return
        try:
            self._database.attempt(lambda conn: watching.keep(conn, found))
        except (psycopg.Error, TramError) as error:
            log.warning("messages that somebody looks at are not kept: %s", error)

    def _found(self, work: Work) -> list[tuple[int, Message]]:
        rows, newest = work.rows, dict[str, deque[Message]]()
        if len(rows):
            slots, sources = np.ndarray(len(rows), np.int64, rows.slots), rows.sources()
            for name in self._things:
                mine = self._directory.slots_of(name)
                if not mine or carries_vitals(self._directory.keys[slot].property for slot in mine):
                    continue
                messages = np.unique(sources[np.isin(slots, mine)])[-watching.KEPT :]
                newest[name] = deque((rows.message(int(i)) for i in messages), watching.KEPT)
        # What could not be read has no slots: it is told by the name in its topic.
        unread: defaultdict[str, deque[Message]] = defaultdict(lambda: deque(maxlen=watching.KEPT))
        for letter in work.letters:
            for name in self._things.keys() & set(letter.topic.split("/")):
                unread[name].append(Message(letter.topic, letter.payload, letter.received))
        for name, letters in unread.items():
            if carries_vitals(self._directory.keys[slot].property for slot in self._directory.slots_of(name)):
                continue
            known = newest.setdefault(name, deque(maxlen=watching.KEPT))
            have = {message.received for message in known}
            known.extend(message for message in letters if message.received not in have)
        found = [(self._things[name], message) for name, messages in newest.items() for message in messages]
        return sorted(found, key=lambda one: one[1].received)
