"""What the live hub counts."""

from prometheus_client import Counter, Gauge

VIEWERS = Gauge("tram_live_viewers", "Sockets of the live hub")
CHANNELS = Gauge("tram_live_channels", "Distinct views that are followed")
FRAMES = Counter("tram_live_frames", "Frames of events written to sockets")
SNAPSHOTS = Counter("tram_live_snapshots", "Snapshots sent, by reason", ["reason"])
CLOSED = Counter("tram_live_closed", "Sockets closed by the hub, by code", ["code"])
POSITION = Gauge("tram_live_position", "Seq of the committed stream that the hub has told")
