"""The noise in one line: the point that is most above the limit of its hour, or nearest below it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from services.auth.guard import Permit
from services.city.headline import Headline, Tone
from services.city.reading import latest, places
from services.domains.noise import levels
from services.domains.noise.derive import CHANNEL
from tram.store.database import Connection

LABELS = {"vi": "Leq giờ, so với giới hạn", "en": "Hourly Leq against its limit"}
NEAR = 5.0
"""dB below the limit that are worth a word."""
STATES: dict[Tone, dict[str, str]] = {
    "ok": {"vi": "Trong giới hạn {n} dB", "en": "Within the limit of {n} dB"},
    "notice": {"vi": "Gần giới hạn {n} dB", "en": "Near the limit of {n} dB"},
    "warning": {"vi": "Vượt giới hạn {n} dB", "en": "Above the limit of {n} dB"},
}


def headline(conn: Connection, permit: Permit) -> Headline:
    """See services.city.headline."""
    told = latest(conn, CHANNEL, ["leq_1h"], datetime.now(UTC) - timedelta(hours=3))
    seen = permit.visible(places(conn, ["sound_level"]), lambda one: one.name)
    found = [(row.value, row.time, one.name) for one in seen
             if (row := told.get((one.id, "leq_1h"))) is not None and row.value is not None]  # fmt: skip
    return of(found, len(seen), permit.state.settings.utc_offset)


def of(found: Sequence[tuple[float, datetime, str]], points: int, utc_offset: int) -> Headline:
    """From (Leq, start of the hour, name) rows of some of the points; the limit is that of the local hour."""
    local = timezone(timedelta(hours=utc_offset))
    rows = [(leq - limit, time, name, leq, limit) for leq, time, name in found
            for limit in [levels.limit(time.astimezone(local).hour)]]  # fmt: skip
    if not rows:
        return Headline(LABELS, "dB[SPL]", all=points)
    over, time, name, leq, limit = max(rows)
    tone: Tone = "warning" if over > 0 else "notice" if over > -NEAR else "ok"
    state = {language: text.format(n=f"{limit:.0f}") for language, text in STATES[tone].items()}
    return Headline(LABELS, "dB[SPL]", round(leq, 1), tone, state, time, name, len(rows), points, "leq_1h")
