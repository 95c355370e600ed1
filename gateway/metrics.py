"""What the gateway counts, for Prometheus. Counted a batch at a time, never a message at a time."""

from collections import Counter as TallyOf
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from gateway.normalise import Work
from tram.store.observations import Written

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
_ROWS = (1, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)


class Metrics:
    """The gateway's metrics; docs/gateway.md says what each means."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        def counter(name: str, help: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"tram_gateway_{name}", help, labels, registry=registry)

        self.decoded = counter("decoded_readings", "readings had from messages")
        self.stored = counter("stored_rows", "rows that were new in the store")
        self.duplicates = counter("duplicate_rows", "rows that the store had already")
        self.dead_letters = counter("dead_letters", "dead letters written", ("reason",))
        self.held = counter("held_messages", "messages put aside for Things that wait to be accepted")
        self.dropped = counter("dropped", "what was let go by a written policy", ("what",))
        self.replayed = counter("replayed_messages", "messages of accepted Things that were replayed")
        self.redecoded = counter("redecoded_letters", "dead letters that were read once more", ("outcome",))
        self.acknowledged = counter("acknowledged_messages", "messages settled: committed, then acknowledged")
        self.retries = counter("store_retries", "batches tried again because the database was away")
        self.isolated = counter("isolated_rows", "rows that the database refused and that were set apart")
        self.batch_rows = Histogram("tram_gateway_batch_rows", "rows of a batch", buckets=_ROWS, registry=registry)
        self.stage = Histogram(
            "tram_gateway_stage_seconds", "time of a batch in a stage", ("stage",), buckets=_SECONDS, registry=registry
        )
        self.commit_lag = Histogram(
            "tram_gateway_commit_lag_seconds", "from receipt of a batch's oldest message to its commit",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.age = Histogram(
            "tram_gateway_publish_lag_seconds", "from the newest time that a batch's rows state to its commit",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._registry = registry
        self.stored_total = self.dead_letters_total = 0  # the same, for the process table

    def count_work(self, work: Work | None, written: Written) -> None:
        """Counts what a committed transaction stored."""
        if work is None:
            return
        self.decoded.inc(len(work.rows))
        self.stored.inc(written.inserted)
        self.stored_total += written.inserted
        self.dead_letters_total += len(work.letters)
        self.duplicates.inc(written.duplicates)
        self.batch_rows.observe(len(work.batch))
        if work.held:
            self.held.inc(len(work.held))
        if work.rows.retained:
            self.dropped.labels("retained").inc(work.rows.retained)
        for reason, n in TallyOf(letter.reason for letter in work.letters).items():
            self.dead_letters.labels(reason).inc(n)

    def watch(self, name: str, help: str, value: Callable[[], float]) -> None:
        """A gauge that asks `value` whenever it is read."""
        Gauge(f"tram_gateway_{name}", help, registry=self._registry).set_function(value)
