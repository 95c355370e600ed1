"""`python -m services.worker`: the jobs of services.jobs, run by one leader.

Several workers may run; the one whose session holds an advisory lock leads, and does its work in that same session: a
leader that lost its connection has lost its transaction with it, so two never work at once.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from prometheus_client import Counter, Histogram

from services.calculated import Calculation
from services.city.discovery import discover, jobs
from services.jobs import JOBS, Job
from services.led import RETRY, Led
from services.notifications.mqtt import AlarmsToMqtt
from services.notifications.service import Notifications
from services.sta.mqtt import Bridge
from tram.embedded.addresses import DATABASE, MQTT, resolve
from tram.errors import SettingsError, TramError
from tram.runtime.process import Process
from tram.runtime.readiness import Readiness
from tram.settings import Settings, load
from tram.store.database import Connection, available
from tram.store.notify import Listener

log = logging.getLogger(__name__)

LOCK = 2  # 1 is the committed stream's
STEPS = 1000  # most transactions of one run

REMOVED = Counter("tram_worker_removed", "Rows and partitions removed because of a limit", ["job"])
RUNS = Counter("tram_worker_runs", "Runs of a job", ["job", "outcome"])
SECONDS = Histogram("tram_worker_seconds", "Time of a run", ["job"])


class Worker(Led):
    """Runs jobs when they are due, one after another, while it leads.

    Args:
        settings: resolved ones.
        stopping: ends `run`.
        readiness: its condition "database" is kept true.
        jobs: what is done.
    """

    def __init__(
        self, settings: Settings, stopping: threading.Event, readiness: Readiness, jobs: Sequence[Job] = JOBS
    ) -> None:
        super().__init__(settings, stopping, "worker", lock=LOCK, readiness=readiness, autocommit=True)
        self._jobs = jobs
        self._due = {job.name: 0.0 for job in jobs}
        self._removed = {job.name: 0 for job in jobs}
        self._failing: dict[str, str] = {}

    def detail(self) -> Mapping[str, Any]:
        """For the heartbeat: the role, what was removed, and which jobs fail."""
        told: dict[str, Any] = {"role": "leader" if self.leading else "standby"}
        # City services' jobs (their names have a dot) compute; they remove nothing.
        told |= {f"removed_{name.replace('-', '_')}": n for name, n in self._removed.items() if "." not in name}
        if self._failing:
            told["failing"] = dict(self._failing)
        return told

    def serve(self, conn: Connection, listener: Listener) -> None:
        while not self._stopping.is_set():
            now = time.monotonic()
            for job in self._jobs:
                if self._due[job.name] <= now and not self._stopping.is_set():
                    self._do(conn, job)
                    self._due[job.name] = time.monotonic() + job.period
            wait = min(self._due.values(), default=now + RETRY) - time.monotonic()
            # At least this often a lost connection, and with it the lead, is noticed.
            if not self._stopping.wait(min(max(0.0, wait), RETRY)):
                conn.execute("SELECT 1")

    def _do(self, conn: Connection, job: Job) -> None:
        started = time.monotonic()
        try:
            for _ in range(STEPS):
                left = job.timeout - (time.monotonic() - started)
                if left <= 0 or self._stopping.is_set():
                    break
                with available(), conn.transaction():
                    conn.execute("SELECT set_config('statement_timeout', %s, true)", [str(max(1, round(left * 1000)))])
                    removed, more = job.work(conn, self._settings)
                REMOVED.labels(job.name).inc(removed)
                self._removed[job.name] += removed
                if not more:
                    break
            RUNS.labels(job.name, "done").inc()
            self._failing.pop(job.name, None)
        except Exception as error:
            if conn.closed or conn.broken:
                raise
            # One job that fails leaves the others alone; it is tried again at its next time.
            RUNS.labels(job.name, "failed").inc()
            line = str(error).strip().split("\n")[0]
            known = isinstance(error, TramError | psycopg.Error)
            log.warning("job failed", extra={"job": job.name, "reason": line}, exc_info=None if known else error)
            self._failing[job.name] = line
        finally:
            SECONDS.labels(job.name).observe(time.monotonic() - started)


def main() -> int:
    """Runs the worker until SIGTERM or SIGINT; returns the exit code."""
    try:
        settings = resolve(load(os.environ), needs=(DATABASE,))
        with suppress(SettingsError):  # without a broker everything else still works
            settings = resolve(settings, needs=(MQTT,))
        holder: list[Worker] = []
        with Process(
            "worker",
            settings,
            probe=(settings.probe_host, settings.worker_probe_port),
            conditions=("database",),
            detail=lambda: holder[0].detail() if holder else {},
        ) as process:
            every = (*JOBS, *jobs(discover()))
            holder.append(Worker(settings, process.stopping, process.readiness, every))
            bridge = Bridge(settings, process.stopping) if settings.mqtt_url and settings.sta_mqtt != "off" else None
            if bridge:
                bridge.start()
            calculation = Calculation(settings, process.stopping)
            calculation.start()
            notifications = Notifications(settings, process.stopping)
            notifications.start()
            publisher = (
                AlarmsToMqtt(settings, process.stopping) if settings.mqtt_url and settings.mqtt_alarms == "on" else None
            )
            if publisher:
                publisher.start()
            holder[0].run()
            calculation.join()
            notifications.join()
            if publisher:
                publisher.join()
            if bridge:
                bridge.join()
    except SettingsError as error:
        print(f"worker: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
