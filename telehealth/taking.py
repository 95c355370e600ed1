"""What each message of a joined participant does, and the right it asks for, looked up at the moment it comes."""

import time

from telehealth.client import Client
from telehealth.live import LiveConsult
from telehealth.messages import (
    Admit,
    Bye,
    Candidate,
    Chat,
    ClientMessage,
    ClosePc,
    End,
    HandOver,
    Leave,
    Media,
    MediaState,
    Offer,
    Ping,
    Pointer,
    Pong,
    Receive,
    Refuse,
    Stats,
)
from telehealth.rights import Action
from telehealth.rooms import RoomError

ACTIONS: dict[type, Action] = {
    Offer: Action.RECEIVE,
    Candidate: Action.RECEIVE,
    Receive: Action.RECEIVE,
    Media: Action.RECEIVE,
    Chat: Action.CHAT,
    Pointer: Action.POINTER,
    Admit: Action.ADMIT,
    Refuse: Action.REFUSE,
    HandOver: Action.HAND_OVER,
    End: Action.END,
    ClosePc: Action.JOIN,
    Leave: Action.JOIN,
    Stats: Action.JOIN,
    Ping: Action.JOIN,
}
"""The right each message asks for. A test walks every message of the protocol: one without an entry is refused."""


def allow(live: LiveConsult, seat: str, message: ClientMessage, about: str) -> None:
    """The rights of this moment.

    Raises:
        RoomError: they do not allow it.
    """
    if not live.may(seat, Action.JOIN):
        raise RoomError("forbidden", "you are no longer part of this consult", final=True)
    action = ACTIONS.get(type(message))
    if action is None or not live.may(seat, action):
        raise RoomError("forbidden", f"you may not send {about} here")


async def take(live: LiveConsult, client: Client, seat: str, message: ClientMessage) -> None:
    """Does what an allowed message asks for.

    Raises:
        RoomError: the room does not take it.
    """
    now = time.time()
    match message:
        case Ping():
            client.tell(Pong(at=message.at, now=now))
        case Offer():
            await live.offer(seat, message)
        case Candidate():
            await live.carrying.candidate(seat, message.pc, message.candidate)
        case ClosePc():
            await live.carrying.close_pc(seat, message.pc)
        case Media():
            state = MediaState(microphone=message.microphone, camera=message.camera, screen=message.screen)
            live.room.media(seat, state, now)
            live.changed()
        case Receive():
            live.media.receive(seat, message)
        case Chat():
            await live.chat(seat, message)
        case Pointer():
            live.pointer(seat, message)
        case Stats():
            live.measuring.told(seat, message)
        case Admit():
            live.room.admit(seat, message.seat, now)
            live.changed()
            admitted = live.clients.get(message.seat)
            if admitted is not None:
                for line in live.room.state.chat[-200:]:
                    admitted.tell(line)
        case Refuse():
            live.room.refuse(seat, message.seat, now)
            await live.vacate(message.seat, Bye(code="refused", message="the doctor did not let you in"))
        case HandOver():
            live.room.hand_over(seat, message.seat, now)
            live.changed()
        case End():
            live.room.end(seat, now)
            await live.end(now, "ended")
        case Leave():
            live.room.leave(seat, now)
            await live.vacate(seat, Bye(code="left", message="you left the consult"))
