"""What Prometheus is told of this process' consults: counted where it happens, gathered when asked."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as Base

from telehealth.conductor import Conductor


class Collector(Base):
    """Reads the conductor at each scrape."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    def collect(self) -> Iterator[Metric]:
        """Every metric, without a person or a consult in a label."""
        c = self._conductor
        peers = [p for live in c.consults.values() for group in live.carrying.of.values() for p in group]
        downlinks = [d for p in peers for d in p.downlinks]
        yield GaugeMetricFamily("tram_consults", "Consults live in this process", len(c.consults))
        yield GaugeMetricFamily("tram_consult_sockets", "Signalling sockets", c.sockets)
        yield GaugeMetricFamily("tram_consult_peers", "Peer connections", len(peers))
        yield GaugeMetricFamily(
            "tram_consult_streams", "Streams being forwarded", sum(d.layer is not None for d in downlinks)
        )
        paused = sum(not a.link.video for live in c.consults.values() for a in live.media.attendees.values())
        yield GaugeMetricFamily("tram_consult_audio_only", "Viewers whose link carries no video", paused)
        yield CounterMetricFamily("tram_consult_joins", "Seats taken", c.joins)
        refusals = CounterMetricFamily("tram_consult_refusals", "Messages and joins refused", labels=["code"])
        for code, count in c.refusals.items():
            refusals.add_metric([code], count)
        yield refusals
        gates = [g for live in c.consults.values() for g in live.gates.values()]
        dropped = CounterMetricFamily("tram_consult_vitals_dropped", "Vitals frames dropped", labels=["reason"])
        reasons: dict[str, int] = {}
        for gate in gates:
            for reason, count in gate.dropped.items():
                reasons[reason] = reasons.get(reason, 0) + count
        for reason, count in reasons.items():
            dropped.add_metric([reason], count)
        yield dropped
