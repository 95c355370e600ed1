"""The noise in one line: the loudest point of the last hour."""

from datetime import UTC, datetime, timedelta

from services.auth.guard import Permit
from services.city.headline import Headline, Tone
from services.city.reading import latest, places
from services.domains.noise.derive import CHANNEL
from tram.store.database import Connection

LABELS = {"vi": "Leq giờ cao nhất", "en": "Highest hourly Leq"}
LIMIT, NEAR = 70.0, 65.0
"""dB of an ordinary area by day (QCVN 26:2010/BTNMT, table 1), and what is near it."""
STATES: dict[Tone, dict[str, str]] = {
    "ok": {"vi": "Trong giới hạn", "en": "Within the limit"},
    "notice": {"vi": "Gần giới hạn 70 dB", "en": "Near the limit of 70 dB"},
    "warning": {"vi": "Vượt giới hạn 70 dB", "en": "Above the limit of 70 dB"},
}


def headline(conn: Connection, permit: Permit) -> Headline:
    """See services.city.headline."""
    told = latest(conn, CHANNEL, ["leq_1h"], datetime.now(UTC) - timedelta(hours=3))
    seen = permit.visible(places(conn, ["sound_level"]), lambda one: one.name)
    found = [(row.value, row.time, one.name) for one in seen
             if (row := told.get((one.id, "leq_1h"))) is not None and row.value is not None]  # fmt: skip
    if not found:
        return Headline(LABELS, "dB[SPL]", all=len(seen))
    value, time, name = max(found)
    tone: Tone = "warning" if value > LIMIT else "notice" if value > NEAR else "ok"
    return Headline(LABELS, "dB[SPL]", round(value, 1), tone, STATES[tone], time, name, len(found), len(seen))
