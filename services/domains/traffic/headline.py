"""The traffic in one line: how much of the free speed is lost, and the incidents that stand."""

from datetime import UTC, datetime, timedelta

from services.auth.guard import Permit
from services.city.headline import Headline, Tone
from services.city.reading import latest, places
from services.domains.traffic.derive import MEASURED
from services.domains.traffic.network import CHANNEL
from tram.store.database import Connection

LABELS = {"vi": "Mức ùn tắc, trung bình", "en": "Congestion, mean"}
FRESH = timedelta(minutes=30)
CONFIRMED = 2
"""Of `incident_california`: it holds."""
DENSE, JAMMED = 25.0, 50.0
"""Per cent of the free speed that are lost."""
STATES: dict[Tone, dict[str, str]] = {
    "ok": {"vi": "Thông thoáng", "en": "Free"},
    "notice": {"vi": "Đông", "en": "Dense"},
    "warning": {"vi": "Ùn tắc", "en": "Jammed"},
}


def headline(conn: Connection, permit: Permit) -> Headline:
    """See services.city.headline."""
    properties = ["congestion_index", "incident_california"]
    told = latest(conn, CHANNEL, properties, datetime.now(UTC) - FRESH)
    seen = permit.visible(places(conn, MEASURED), lambda one: one.name)
    rows = [row for one in seen if (row := told.get((one.id, "congestion_index"))) and row.value is not None]
    incidents = [one.name for one in seen
                 if (row := told.get((one.id, "incident_california"))) and row.value == CONFIRMED]  # fmt: skip
    if not rows:
        return Headline(LABELS, "%", all=len(seen))
    mean = sum(row.value or 0.0 for row in rows) / len(rows)
    tone: Tone = "warning" if incidents or mean >= JAMMED else "notice" if mean >= DENSE else "ok"
    state = STATES[tone]
    if incidents:
        n = len(incidents)
        state = {"vi": f"{n} sự cố", "en": f"{n} incident{'s' if n > 1 else ''}"}
    time = max(row.time for row in rows)
    name = incidents[0] if incidents else ""
    return Headline(LABELS, "%", round(mean, 1), tone, state, time, name, len(rows), len(seen))
