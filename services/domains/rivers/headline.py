"""The rivers in one line: the station that stands highest against its own alarm levels."""

from datetime import timedelta

from services.auth.guard import Permit
from services.city.headline import Headline, Tone
from services.domains.rivers import config
from tram.store.database import Connection

LABELS = {"vi": "Mực nước, {station}", "en": "Level at {station}"}
NONE = {"vi": "Mực nước sông", "en": "River levels"}
FRESH = timedelta(hours=1)
NEAR = 0.5
"""Metres below alarm level I that are worth a word."""
ROMAN = ("I", "II", "III")
STATES = {
    "ok": {"vi": "Dưới báo động", "en": "Below alarm level"},
    "notice": {"vi": "Gần báo động I", "en": "Near alarm level I"},
}


def headline(conn: Connection, permit: Permit) -> Headline:
    """See services.city.headline."""
    seen = permit.visible(config.stations(conn), lambda one: one.name)
    levels = config.newest(conn, [one.thing for one in seen], FRESH)
    found = [(sum(levels[one.thing][1] >= at for at in one.levels), levels[one.thing][1] - one.levels[0], one.name, one)
             for one in seen if one.thing in levels]  # fmt: skip
    if not found:
        return Headline(NONE, "m", all=len(seen))
    reached, above, _, one = max(found, key=lambda row: row[:3])
    time, level = levels[one.thing]
    tone: Tone = "danger" if reached >= 2 else "warning" if reached else "notice" if above > -NEAR else "ok"
    state = STATES.get(tone) or {"vi": f"Báo động {ROMAN[reached - 1]}", "en": f"Alarm level {ROMAN[reached - 1]}"}
    labels = {language: text.format(station=one.label or one.name) for language, text in LABELS.items()}
    return Headline(labels, "m", round(level, 2), tone, state, time, one.name, len(found), len(seen),
                    "water_level")  # fmt: skip
