"""Hours of load with a death now and then: nothing is lost and nothing grows.

`make soak`; TRAM_X_SOAK_MINUTES sets how long.
"""

import itertools
import os
import random
import time
from collections.abc import Iterator

import pytest

from bench.load import Publisher
from tests.databases import Database
from tests.gateway.conftest import Start
from tests.gateway.test_chaos import DEVICES, count
from tests.servers.gateway import wait_until
from tests.servers.mosquitto import Mosquitto

MINUTES = float(os.environ.get("TRAM_X_SOAK_MINUTES", "120"))
RATE = 500
GROWTH = 40 << 20
"""Bytes that a gateway's memory may grow between its first minutes and its last."""


def telemetry(base: int, first: int, n: int) -> Iterator[tuple[bytes, bytes]]:
    """n messages from number `first` on; their times advance as the clock does, from `base` (milliseconds)."""
    for i in range(first, first + n):
        yield (
            b"tram/v1/dev-%d/telemetry" % (i % DEVICES),
            b'{"ts": %d, "pm2_5": %d}' % (base + i * 1000 // RATE, i % 1000),
        )


def rounds(seconds: float) -> Iterator[int]:
    """Numbers of the rounds of ten seconds' messages, until the time is over."""
    end = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())


@pytest.mark.soak
def test_nothing_is_lost_and_nothing_grows(start: Start, broker: Mosquitto, one_database: Database) -> None:
    gateway = start()
    publisher = Publisher(broker.port)
    per_round, sizes, chance = RATE * 10, [], random.Random(1)
    sent, base = 0, time.time_ns() // 1_000_000
    for number in rounds(MINUTES * 60):
        publisher.stream(telemetry(base, sent, per_round), RATE)
        publisher.settle()
        sent += per_round
        sizes.append(gateway.rss())
        if number % 30 == 29 and chance.random() < 0.5:
            gateway.kill()
            gateway.start(ready=False)
            sizes.clear()
        print(f"round {number}: {sent} sent, {sizes[-1] >> 20 if sizes else 0} MB", flush=True)
    wait_until(lambda: count(one_database.url)[0] >= sent, 300, "all is stored")
    assert count(one_database.url) == (sent, sent)
    settled = sizes[6:]
    assert not settled or max(settled[-6:]) - min(settled[:6]) < GROWTH
