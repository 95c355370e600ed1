"""What a device sends, as it came and as it was read, for who looks after it; and how it does."""

import codecs
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from devices import formats
from services.auth.guard import Permit, allowed
from services.deps import Database, ThingName
from services.errors import ANSWERS, Problem
from tram.clock import from_micros, to_micros
from tram.errors import PayloadError
from tram.readings import Message
from tram.store import health, registry, watching
from tram.store.watching import Watched
from tram.vitals import carries_vitals

router = APIRouter(prefix="/api/things", tags=["things"], responses=ANSWERS)
SHOWN = 4096
"""Bytes of a payload that are shown."""
MOST_READINGS = 200


class ReadingOut(BaseModel):
    """One reading of a message."""

    thing: str
    property: str
    value: Any
    unit: str = Field(description="as sent; empty: none was stated")
    time: AwareDatetime | None = Field(description="its own; null: it states none")


class MessageOut(BaseModel):
    """A message as it came, and what was read in it."""

    received: AwareDatetime
    topic: str
    payload: str = Field(description="the start as text, or as hexadecimal digits where it is none")
    text: bool = Field(description="whether `payload` is text")
    size: int = Field(description="bytes of the whole payload")
    format: str = Field(description="the format that read it; empty: none could")
    readings: list[ReadingOut]
    faults: list[str] = Field(description="what could not be read, and why")


class MessagesOut(BaseModel):
    """The newest messages of a device."""

    until: AwareDatetime | None = Field(description="messages are kept until then; null: nobody asked for it")
    items: list[MessageOut]


class HealthOut(BaseModel):
    """How a device does."""

    seen: AwareDatetime | None
    per_hour: list[int] = Field(description="numbers stored in each of the last 24 whole hours, oldest first")
    usual: float | None = Field(description="median of an hour in the week before; null: younger than a day")
    share: float | None = Field(description="the last whole hour against the usual one; 1 is as usual")
    good: float | None = Field(description="share of the last day's numbers that is plainly good, 0 to 1")
    letters: int = Field(description="dead letters of the last day that name it")


@router.get("/{name:path}/messages", summary="A device's latest messages, raw and decoded")
def list_messages(
    permit: Annotated[Permit, allowed("messages.read")], database: Database, name: ThingName
) -> MessagesOut:
    """Those kept since somebody asked for them, at most 20; of a Thing that waits to be accepted, what waits with it.
    Messages that carry vital signs are never shown."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    items = [shown for message in watching.newest(database, thing.id) if (shown := show(message)) is not None]
    return MessagesOut(until=watching.until(database, thing.id), items=items)


@router.post("/{name:path}/watch", summary="Keep a device's messages for five minutes", status_code=202)
def watch(permit: Annotated[Permit, allowed("messages.watch")], database: Database, name: ThingName) -> MessagesOut:
    """So that one sees what it sends. The newest 20 are kept, for an hour at most. Asking again makes it longer."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    try:
        until = watching.ask(database, thing.id, permit.principal.id)
    except PayloadError as error:
        raise Problem("conflict", str(error)) from None
    return MessagesOut(until=until, items=[])


@router.get("/{name:path}/health", summary="How a device does")
def thing_health(
    permit: Annotated[Permit, allowed("observations.read")], database: Database, name: ThingName
) -> HealthOut:
    """How much it sends against its usual, how much of it is good."""
    thing = registry.get_thing(database, name)
    permit.require(permit.place(thing.name))
    found = health.health(database, thing.id, thing.name, datetime.now(UTC))
    return HealthOut(
        seen=thing.seen, per_hour=found.per_hour, usual=found.usual, share=found.share, good=found.good,
        letters=found.letters,
    )  # fmt: skip


def show(watched: Watched) -> MessageOut | None:
    """A message for a person; None: it carries vital signs, and is nobody's to see."""
    readings: list[ReadingOut] = []
    faults: list[str] = []
    spoken = ""
    if len(watched.payload) < watched.size:
        faults.append(f"cut: {watched.size} bytes, only the first {len(watched.payload)} were kept")
    else:
        message = Message(watched.topic, watched.payload, to_micros(watched.received))
        try:
            # A memory of its own: a format that needs what came before says that it cannot read this.
            spoken, decoded = formats.decode(message, formats.memories())
        except PayloadError as error:
            faults.append(f"{error.code}: {error}")
        except Exception as error:  # a format's fault must not hide the message
            faults.append(f"format-fault: {type(error).__name__}")
        else:
            if carries_vitals(one.property for one in decoded.readings):
                return None
            readings = [
                ReadingOut(
                    thing=one.thing, property=one.property, value=one.value, unit=one.unit,
                    time=None if one.time is None else _moment(one.time),
                )
                for one in decoded.readings[:MOST_READINGS]
            ]  # fmt: skip
            faults += [f"{bad.thing} {bad.property}: {bad.reason}" for bad in decoded.bad[:MOST_READINGS]]
    text, is_text = _text(watched.payload[:SHOWN], watched.size <= SHOWN)
    return MessageOut(
        received=watched.received, topic=watched.topic, payload=text, text=is_text, size=watched.size, format=spoken,
        readings=readings, faults=faults,
    )  # fmt: skip


def _moment(micros: int) -> datetime | None:
    try:
        return from_micros(micros)
    except OverflowError:  # outside the years that are told
        return None


def _text(payload: bytes, whole: bool) -> tuple[str, bool]:
    """As text, where that is what it is; a character cut in two at the end does not count against it."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(payload, final=whole)
    except UnicodeDecodeError:
        return payload.hex(" "), False
    if any(ord(c) < 32 and c not in "\t\r\n" for c in text):
        return payload.hex(" "), False
    return text, True
