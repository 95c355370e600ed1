"""A flood as a CAP 1.2 message: a draft for a person to check, and the replay's as an exercise. Never `Actual`.

What is really published goes out with the alarms, by the rules of docs/guides (the CAP feed).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domains.rivers.hydro import ROMAN
from tram.cap.document import Alert, Area, Category, Certainty, Info, MsgType, Severity, Status, Urgency, write

LASTS = timedelta(hours=6)
SEVERITIES = (Severity.MINOR, Severity.MODERATE, Severity.SEVERE, Severity.EXTREME)
INSTRUCTION = {
    "vi-VN": "Theo dõi thông báo của chính quyền; người dân vùng trũng ven sông chuẩn bị sơ tán, không qua ngầm tràn.",
    "en-US": "Follow what the authorities say; low-lying homes along the river prepare to leave; do not cross fords.",
}


@dataclass(frozen=True, slots=True)
class State:
    """What is said. `reached` 1 to 3: now, or forecast where `expected`; `place`: longitude, latitude, km."""

    station: str
    river: str
    reached: int
    level: float
    alarm: float
    at: datetime
    expected: bool
    place: tuple[float, float, float] | None


def message(state: State, *, sender: str, identifier: str, sent: datetime, status: Status) -> bytes:
    """The document, UTF-8, in both languages. Raises CapError."""
    return write(
        Alert(identifier=identifier, sender=sender, sent=sent, status=status, kind=MsgType.ALERT, infos=_infos(state))
    )


def _infos(state: State) -> Sequence[Info]:
    name, where = ROMAN[state.reached - 1], f"{state.station} ({state.river})"
    words = {
        "vi-VN": (
            "Lũ",
            f"{'Dự báo lũ vượt' if state.expected else 'Lũ đã vượt'} báo động {name} tại {where}",
            f"Mực nước {state.level:.2f} m; báo động {name}: {state.alarm:.2f} m.",
        ),
        "en-US": (
            "Flood",
            f"Alarm level {name} {'forecast' if state.expected else 'passed'} at {where}",
            f"Water level {state.level:.2f} m; alarm level {name}: {state.alarm:.2f} m.",
        ),
    }
    return [
        Info(
            language=language, category=Category.MET, event=event, headline=headline, description=description,
            instruction=INSTRUCTION[language],
            urgency=Urgency.EXPECTED if state.expected else Urgency.IMMEDIATE,
            severity=SEVERITIES[state.reached],
            certainty=Certainty.POSSIBLE if state.expected else Certainty.OBSERVED,
            onset=state.at, expires=state.at + LASTS,
            parameters=(("level_m", f"{state.level:.2f}"), ("alarm_level", name)),
            areas=(Area(f"{state.station}, {state.river}", circle=state.place),),
        )
        for language, (event, headline, description) in words.items()
    ]  # fmt: skip
