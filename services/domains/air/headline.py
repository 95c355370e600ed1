"""The air in one line: the station where the index is worst."""

from datetime import UTC, datetime

from services.auth.guard import Permit
from services.city.headline import Headline, Tone
from services.city.reading import latest, places
from services.domains.air import vn_aqi
from services.domains.air.bands import band
from services.domains.air.derive import CHANNEL
from services.domains.air.open_endpoints import FRESH
from tram.store.database import Connection

LABELS = {"vi": "VN_AQI cao nhất", "en": "Highest VN_AQI"}
TONES: dict[str, Tone] = {"good": "ok", "moderate": "notice", "poor": "warning"}
"""Of bands; worse ones are a danger."""


def headline(conn: Connection, permit: Permit) -> Headline:
    """See services.city.headline."""
    told = latest(conn, CHANNEL, ["vn_aqi"], datetime.now(UTC) - FRESH)
    seen = permit.visible(places(conn, vn_aqi.POLLUTANTS), lambda one: one.name)
    found = [(row.value, row.time, one.name) for one in seen
             if (row := told.get((one.id, "vn_aqi"))) is not None and row.value is not None]  # fmt: skip
    if not found:
        return Headline(LABELS, "1", all=len(seen))
    value, time, name = max(found)
    level = band(value)
    assert level is not None
    tone = TONES.get(level.key, "danger")
    return Headline(LABELS, "1", round(value), tone, level.labels, time, name, len(found), len(seen), "vn_aqi")
