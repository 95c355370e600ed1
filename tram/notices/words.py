"""The words of a notification, vi or en. What it says comes from the alarm alone: no patient is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from tram.alarms.model import PRIORITY_LABELS, AlarmChange, Kind

LINES = 30
"""Most alarms that a digest names; of the others it says how many."""
_KINDS = {
    Kind.RAISED: ("Cảnh báo mới", "New alarm"),
    Kind.UPGRADED: ("Tăng mức", "Raised a level"),
    Kind.ESCALATED: ("Chuyển cấp", "Escalated"),
    Kind.RETURNED: ("Đã hết", "Over"),
    Kind.ASSIGNED: ("Giao cho bạn", "Assigned to you"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `subject` is one line; `text` may have many; `tag` names what a newer message replaces."""

    subject: str
    text: str
    url: str
    tag: str


def _one(change: AlarmChange, n: int, offset: int) -> str:
    alarm = change.alarm
    what = (alarm.vi, alarm.en)[n] or alarm.rule
    label = alarm.label or alarm.thing
    at = change.time.astimezone(timezone(timedelta(hours=offset)))
    place = f"{label}: " if label and label not in what else ""
    return f"[{PRIORITY_LABELS[alarm.priority][n]}] {place}{what} ({at:%H:%M %d/%m/%Y})"


def alarm(change: AlarmChange, language: str, url: str, offset: int) -> Message:
    """A message of one change. `url`: the site's base, may be empty; `offset`: hours ahead of UTC."""
    n = 1 if language == "en" else 0
    kind = _KINDS.get(change.kind, _KINDS[Kind.RAISED])[n]
    line = _line(_one(change, n, offset))
    link = f"{url}/alarms/{change.alarm.id}" if url else ""
    told = [line]
    if change.comment:
        told.append(("Ghi chú: ", "Comment: ")[n] + change.comment)
    if link:
        told.append(link)
    return Message(f"{kind}: {line}"[:200], "\n\n".join(told), link, f"alarm-{change.alarm.id}")


def digest(changes: Sequence[AlarmChange], language: str, url: str, offset: int) -> Message:
    """One message of many changes: what is most urgent first, of each alarm the last word."""
    n = 1 if language == "en" else 0
    last = {change.alarm.id: change for change in changes}
    ordered = sorted(last.values(), key=lambda c: (-c.alarm.priority, c.time))
    lines = [f"• {_KINDS.get(c.kind, _KINDS[Kind.RAISED])[n]}: {_line(_one(c, n, offset))}" for c in ordered[:LINES]]
    if len(ordered) > LINES:
        lines.append((f"… và {len(ordered) - LINES} cảnh báo khác", f"… and {len(ordered) - LINES} more")[n])
    subject = (f"{len(ordered)} cảnh báo", f"{len(ordered)} alarms")[n]
    link = f"{url}/alarms" if url else ""
    return Message(f"{subject}: {_line(_one(ordered[0], n, offset))}"[:200], "\n".join([*lines, link]), link, "digest")


def test(language: str, url: str, now: datetime, offset: int) -> Message:
    """What somebody sends themselves to see whether it comes."""
    at = now.astimezone(timezone(timedelta(hours=offset)))
    if language == "en":
        return Message("Trạm: test message", f"This channel works. Sent at {at:%H:%M:%S %d/%m/%Y}.", url, "test")
    return Message("Trạm: tin nhắn thử", f"Kênh này hoạt động. Gửi lúc {at:%H:%M:%S %d/%m/%Y}.", url, "test")


def code(text: str, language: str) -> Message:
    """The code that proves that somebody reads an address."""
    if language == "en":
        body = (
            f"The code {text} confirms that alarms may be sent to this address. If you did not ask for it, do nothing."
        )
        return Message("Trạm: your code", body, "", "code")
    body = f"Mã {text} xác nhận rằng cảnh báo được gửi tới địa chỉ này. Nếu không phải bạn yêu cầu, hãy bỏ qua thư này."
    return Message("Trạm: mã xác nhận", body, "", "code")


def _line(text: str) -> str:
    """On one line: a subject with a line break in it would add a header."""
    return " ".join(text.split())
