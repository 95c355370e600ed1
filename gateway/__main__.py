"""The gateway: MQTT in, committed observations out.

                    connection's thread  |  pipeline's thread
                                         |
    broker --PUBLISH--> mqtt (framing) --|--> buffer --> decode --> normalise --> writer --COPY, committed--> database
       ^                                 |    bounded    formats    unit, time,   one transaction a batch        |
       |                                 |               by topic   quality         |          |                 |
       |                                 |                  |                       v          v                 |
       |                                 |                  +--bad------------> dead letters  pending --accepted-+
       |                                 |                                                    (replayed)         |
       +------------------- PUBACK of the whole batch, in order, after its commit -------------------------------+

Full buffer: the connection is not read, the broker holds the rest. Database away: the batch in hand is tried again with
backoff, nothing is acknowledged, nothing lost. docs/gateway.md has every queue with its limit and policy.

    python -m gateway
"""

import gc
import os
import sys
from collections.abc import Mapping

from devices import formats
from gateway.buffer import Buffer
from gateway.metrics import Metrics
from gateway.mqtt import Subscriber, parse_url
from gateway.patience import PatientDatabase
from gateway.pipeline import Pipeline
from tram.embedded.addresses import resolve
from tram.errors import SettingsError
from tram.runtime import Process
from tram.settings import Settings, load

BROKER, DATABASE = "broker", "database"


def run(settings: Settings) -> int:
    """Runs the gateway until it is told to stop. Returns the exit code.

    Raises:
        SettingsError: a setting does not fit; nothing was started.
    """
    # Rows live in a few long lists of bytes, ints and floats: the collector has nothing to find there, and would walk
    # them all the time at its default thresholds.
    gc.set_threshold(100_000, 20, 50)
    gc.freeze()
    metrics = Metrics()
    buffer = Buffer(settings.buffer_messages, settings.buffer_bytes)
    subscriber: Subscriber | None = None

    def detail() -> Mapping[str, object]:
        return {
            "held": buffer.messages, "generation": subscriber.generation if subscriber else 0,
            "stored": metrics.stored_total, "dead_letters": metrics.dead_letters_total,
        }  # fmt: skip

    probe = (settings.probe_host, settings.gateway_probe_port)
    with Process("gateway", settings, probe=probe, conditions=(BROKER, DATABASE), detail=detail) as process:

        def changed() -> None:
            assert subscriber is not None
            if subscriber.trouble:
                process.readiness.lost(BROKER, subscriber.trouble)
            else:
                process.readiness.met(BROKER)

        subscriber = Subscriber(
            parse_url(settings.mqtt_url), settings.mqtt_client_id, formats.topic_filters(), buffer,
            payload_limit=settings.payload_bytes, ca=settings.mqtt_ca, group=settings.mqtt_share, changed=changed,
        )  # fmt: skip
        database = PatientDatabase(settings, process.readiness, metrics, process.stopping)
        watch(metrics, buffer, subscriber)
        subscriber.start()
        try:
            Pipeline(settings, buffer, subscriber, database, metrics, process.stopping).run()
            failed = not subscriber.alive
        finally:
            subscriber.stop()
            database.close()
        return 1 if failed else 0


def watch(metrics: Metrics, buffer: Buffer, subscriber: Subscriber) -> None:
    """The gauges: how full, which connection."""
    metrics.watch("buffer_messages", "messages held unacknowledged", lambda: buffer.messages)
    metrics.watch("buffer_messages_limit", "most of them", lambda: buffer.limit_messages)
    metrics.watch("buffer_bytes", "bytes held unacknowledged", lambda: buffer.bytes)
    metrics.watch("buffer_bytes_limit", "most of them", lambda: buffer.limit_bytes)
    metrics.watch("buffer_waiting", "messages not drawn into a batch yet", lambda: buffer.waiting)
    metrics.watch("connection_generation", "how often the broker was connected to", lambda: subscriber.generation)
    metrics.watch("connected", "1 while connected and subscribed", lambda: not subscriber.trouble)
    metrics.watch("received_messages", "messages read from the broker", lambda: buffer.put_messages)
    metrics.watch("received_bytes", "bytes read from the broker", lambda: buffer.put_bytes)
    metrics.watch(
        "stale_acknowledgements", "not sent, their connection gone", lambda: subscriber.stale_acknowledgements
    )


def main() -> int:
    """Entry point of `python -m gateway`; returns the exit code."""
    try:
        return run(resolve(load(os.environ)))
    except SettingsError as error:
        print(f"gateway: {error}", file=sys.stderr)  # noqa: T201
        return 2


if __name__ == "__main__":
    sys.exit(main())
