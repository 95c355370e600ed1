"""What every process has around its work: logging, signals, probes, readiness, heartbeat."""

from tram.runtime.heartbeat import Heartbeat
from tram.runtime.logs import hide_secrets, setup_logging
from tram.runtime.probe import ProbeServer
from tram.runtime.process import Process
from tram.runtime.readiness import Readiness

__all__ = ["Heartbeat", "ProbeServer", "Process", "Readiness", "hide_secrets", "setup_logging"]
