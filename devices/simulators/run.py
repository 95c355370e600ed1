"""The running province: the model in real time, over a line to the broker, with its scenarios switched on request."""

import asyncio
import contextlib
import json
import logging
import random
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from devices.simulators.line import QUEUE_LIMIT, Line
from devices.simulators.province import Province
from devices.simulators.scenarios import DURATION, NAMES, Scenario, Scenarios

log = logging.getLogger(__name__)

COMMANDS = "tram/v1/simulator/command/"
RESPONSES = "tram/v1/simulator/response/"
TICK = 0.25
"""Seconds between two ticks at the normal rhythm."""
BURST = 0.05
"""Seconds between two batches at a rate."""
STORM_LINES = 48
"""Connections the Things are spread over while a storm of reconnects lasts."""
STORM_EVERY = 5.0
"""Seconds, about, between two times at which all of them are cut."""
GAP_LIMIT = 60_000
"""Milliseconds: what was missed in a longer pause (a machine that slept) is not made up for."""


@dataclass
class Runner:
    """Publishes the province.

    Attributes:
        rate: messages a second as a load generator; 0 for the normal rhythm.
    """

    province: Province
    url: str
    rate: float = 0.0
    name: str = "tram-simulator"
    lines: list[Line] = field(default_factory=list)
    published: int = 0

    def __post_init__(self) -> None:
        # A random tail: a second simulator at one broker must not throw the first one out (section 3.1.4).
        self._id = f"{self.name}-{random.randrange(1 << 32):08x}"  # noqa: S311 - a name, no secret
        self.line = Line(self.url, self._id, subscription=f"{COMMANDS}+", heard=self._command)
        self._tasks: list[asyncio.Task[None]] = []

    def detail(self) -> dict[str, Any]:
        """What people may like to know of it."""
        lines = [self.line, *self.lines]
        return {
            "things": self.province.things,
            "datastreams": self.province.datastreams,
            "published": self.published,
            "waiting": sum(line.waiting for line in lines),
            "dropped": sum(line.dropped for line in lines),
            "scenarios": [s.name for s in self.province.world.scenarios.running],
        }

    async def run(self, stopping: asyncio.Event, duration: float | None = None) -> None:
        """Publishes until `stopping` is set, or for `duration` seconds; then waits briefly for what is in flight."""
        self._start(self.line)
        for topic, payload in self.province.states():
            self.line.put(topic, payload, retain=True)
        work = asyncio.create_task(self._bursts() if self.rate else self._live())
        storm = asyncio.create_task(self._storm())
        waiter = asyncio.create_task(stopping.wait())
        try:
            done, _ = await asyncio.wait({work, storm, waiter}, timeout=duration, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiter}:
                task.result()  # they end by a fault alone
        finally:
            for task in (work, storm, waiter):
                task.cancel()
            await asyncio.gather(work, storm, waiter, return_exceptions=True)
            for line in [self.line, *self.lines]:
                if line.connected.is_set():
                    await line.drained(2.0)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def once(self, patience: float = 30.0) -> bool:
        """Every Thing's state and one message of each; False when the broker did not take all in time."""
        self._start(self.line)
        for topic, payload in self.province.states():
            self.line.put(topic, payload, retain=True)
        numbers = np.arange(self.province.things)
        self._publish(self.province.burst(numbers, np.full(len(numbers), _now())))
        done = await self.line.drained(patience)
        self._tasks[0].cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return done

    def _start(self, line: Line) -> None:
        self._tasks.append(asyncio.create_task(line.run()))

    def _publish(self, messages: list[tuple[str, bytes]]) -> None:
        lines = self.lines
        for topic, payload in messages:
            line = lines[zlib.crc32(topic.encode()) % len(lines)] if lines else self.line
            line.put(topic, payload)
        self.published += len(messages)

    async def _live(self) -> None:
        first = last = _now()
        while True:
            await asyncio.sleep(TICK)
            now = _now()
            if now - last > GAP_LIMIT or now < last - GAP_LIMIT:
                last = now
            if now > last:
                self._publish(self.province.tick(last, now, first))
                last = now

    async def _bursts(self) -> None:
        """A batch at a time; the broker's pace is kept when it takes less than the rate, so nothing is dropped."""
        things, place, owed = self.province.things, 0, 0.0
        last = time.monotonic()
        last_stamp = _now()
        while True:
            await asyncio.sleep(max(0.0, BURST - (time.monotonic() - last)))
            elapsed, last = time.monotonic() - last, time.monotonic()
            owed = min(owed + self.rate * elapsed, self.rate)
            now = _now()
            room = QUEUE_LIMIT // 2 - max(line.waiting for line in [self.line, *self.lines])
            n = min(int(owed), room)
            if n <= 0 or now <= last_stamp:
                continue
            owed -= n
            numbers = (place + np.arange(n)) % things
            place = (place + n) % things
            # Times of one Thing must differ: a unique key downstream. n messages fill the time since the last batch.
            stamps = last_stamp + 1 + np.arange(n) * (now - last_stamp) // n
            self._publish(self.province.burst(numbers, stamps))
            last_stamp = now

    async def _storm(self) -> None:
        """Ends scenarios that are over. While a storm lasts: many lines, all cut at once again and again."""
        while True:
            await asyncio.sleep(0.2)
            self.province.world.scenarios = self.province.world.scenarios.current(_now())
            blowing = self._strength("storm-of-reconnects") > 0.0
            if blowing and not self.lines:
                self.lines = [Line(self.url, f"{self._id}-{n}", quiet=True) for n in range(STORM_LINES)]
                for line in self.lines:
                    self._start(line)
            elif blowing:
                await asyncio.sleep(STORM_EVERY * random.uniform(0.5, 1.5))  # noqa: S311 - weather, no secret
                for line in self.lines:
                    line.drop()
            elif self.lines:
                lines, self.lines = self.lines, []
                for line in lines:
                    await line.drained(10.0)
                tasks, self._tasks = self._tasks[1:], self._tasks[:1]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _strength(self, name: str) -> float:
        return float(self.province.world.scenarios.strength(name, np.asarray(_now())))

    def switch(self, name: str, action: str = "start", duration: int = DURATION) -> None:
        """Starts or stops a scenario; `duration` in milliseconds. Raises ValueError."""
        world = self.province.world
        if action == "start":
            world.scenarios = world.scenarios.with_(Scenario(name, _now(), duration))
        elif action == "stop" and name == "all":
            world.scenarios = Scenarios()
        elif action == "stop" and name in NAMES:
            world.scenarios = world.scenarios.without(name)
        else:
            raise ValueError(f"start or stop one of {', '.join(NAMES)} (or stop all)")
        log.info("scenario", extra={"scenario": name, "action": action})

    async def _command(self, topic: str, payload: bytes) -> None:
        """`{"scenario": …, "action": "start" | "stop", "duration": seconds}`, answered under the command's id."""
        answer: dict[str, Any] = {"ok": True}
        try:
            asked = json.loads(payload)
            if not isinstance(asked, dict) or not asked.keys() <= {"scenario", "action", "duration"}:
                raise ValueError("scenario, action and duration are what can be said")
            duration = asked.get("duration", DURATION / 1000)
            if isinstance(duration, bool) or not isinstance(duration, (int, float)) or not 0 < duration < 1e7:
                raise ValueError("a duration is a number of seconds")
            self.switch(str(asked.get("scenario")), str(asked.get("action", "start")), int(duration * 1000))
            answer["scenarios"] = [s.name for s in self.province.world.scenarios.running]
        except (ValueError, RecursionError) as error:
            answer = {"ok": False, "error": str(error)[:200]}
        self.line.put(RESPONSES + topic.removeprefix(COMMANDS), json.dumps(answer).encode())


async def ask(url: str, name: str, action: str, duration: float, patience: float = 2.0) -> dict[str, Any] | None:
    """Asks the simulator that runs at a broker; its answer, or None when there is none."""
    token = f"{random.randrange(1 << 64):016x}"  # noqa: S311 - a name, no secret
    answers: list[dict[str, Any]] = []
    got = asyncio.Event()

    async def heard(topic: str, payload: bytes) -> None:
        with contextlib.suppress(ValueError):
            answers.append(dict(json.loads(payload)))
            got.set()

    line = Line(url, f"tram-ask-{token}", subscription=RESPONSES + token, heard=heard, quiet=True)
    task = asyncio.create_task(line.run())
    try:
        async with asyncio.timeout(patience):
            await line.connected.wait()
            text = {"scenario": name, "action": action, "duration": duration}
            line.put(COMMANDS + token, json.dumps(text).encode())
            await got.wait()
    except TimeoutError:
        return None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return answers[0]


def _now() -> int:
    return time.time_ns() // 1_000_000
