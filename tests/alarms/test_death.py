"""`python -m services.alarms` killed with SIGKILL, cut off, taken over from: nothing is told twice, nothing is lost."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.alarms.plant import Plant, threshold
from tests.databases import Database
from tests.servers.gateway import ROOT, wait_until
from tram.embedded.ports import free_port
from tram.store.committed import Reader

DEADLINE = 90.0
THINGS = tuple(f"r{n}" for n in range(4))


@contextmanager
def judging(database: Database, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process; killed at the end if it is alive still."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRAM_")}
    environment |= {"PYTHONPATH": str(ROOT), "TRAM_DATABASE_URL": database.url, "TRAM_HOME": str(folder)}
    environment["TRAM_ALARMS_PROBE_PORT"] = str(free_port())
    with (folder / "alarms.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.alarms"], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


class Writing(threading.Thread):
    """Raises and lowers the water of every Thing, over and over."""

    def __init__(self, plant: Plant) -> None:
        super().__init__(daemon=True)
        self.plant, self.ending, self.written = plant, threading.Event(), 0

    def run(self) -> None:
        while not self.ending.is_set():
            value = 6.0 if self.written % 2 == 0 else 4.0
            self.plant.write(*((name, "water_level", value) for name in THINGS))
            self.written += 1
            self.ending.wait(0.02)


@pytest.fixture
def writing(plant: Plant) -> Iterator[Writing]:
    for name in THINGS:
        plant.thing(name, "water_level")
    plant.rule(threshold("level", 5.0, storm={"count": 100_000, "within": "60s"}))
    plant.step()  # the stream's position is made: what comes from now on is judged
    plant.work.close()
    thread = Writing(plant)
    thread.start()
    yield thread
    thread.ending.set()
    thread.join(10)


def test_killed_again_and_again_it_tells_every_change_once(
    database: Database, plant: Plant, writing: Writing, tmp_path: Path
) -> None:
    """Each is killed while the next stands by, one of them after its connection was cut."""
    reading = database.connect(autocommit=True)

    def goes_on(what: str) -> None:
        def count() -> int:
            row = reading.execute("SELECT count(*) FROM alarm_change").fetchone()
            return int(row[0]) if row else 0

        before = count()
        wait_until(lambda: count() >= before + 8, DEADLINE, what)

    with ExitStack() as stack:
        leader = stack.enter_context(judging(database, tmp_path))
        for number in range(3):
            goes_on("it judges")
            if number == 1:
                reading.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tram-alarms'"
                    " AND datname = current_database()"
                )
                goes_on("it goes on, its connection cut")
            standby = stack.enter_context(judging(database, tmp_path))
            leader.send_signal(signal.SIGKILL)
            leader.wait()
            leader = standby
        goes_on("the last one judges")
        writing.ending.set()
        writing.join(10)
        wait_until(lambda: Reader("alarms").lag(reading)[0] == 0, DEADLINE, "all is judged")
        assert leader.poll() is None
    expected = [1 if n % 2 == 0 else 0 for n in range(writing.written)]
    for name in THINGS:
        assert [c.alarm.level for c in plant.changes() if c.alarm.thing == name] == expected, name
    numbers = [c.seq for c in plant.changes()]
    assert numbers == sorted(set(numbers))
