"""Takes sockets to their consults: hello, rights at every message, the way back, the way to another process.

socket -> Session (order, limits) -> token -> placement -> LiveConsult.<message>
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from telehealth.client import Client, Socket
from telehealth.keeping import Keeper
from telehealth.live import EMPTY_SECONDS, LiveConsult
from telehealth.messages import (
    Beacon,
    Bye,
    Hello,
    IceServer,
    Problem,
    Redirect,
    Welcome,
)
from telehealth.placement import Placement
from telehealth.rights import Action, Rights, Who
from telehealth.rooms import SEAT_SECONDS, ConsultRoom, Entered, RoomError
from telehealth.signalling import Limits, Refused, Session
from telehealth.taking import allow, take
from telehealth.tokens import RESUME_SECONDS, Grant, Keyring, Taken, TokenError
from tram.errors import UnavailableError

log = logging.getLogger(__name__)

STATS_SECONDS = 5.0
MOST_UNJOINED = 200
"""Sockets that have not said who they are; more are turned away at the door."""
MOST_OF_ONE_ADDRESS = 64
"""Sockets from one address (a hospital may stand behind one)."""


@dataclass(slots=True)
class Conductor:
    """All consults of this process.

    Args:
        ice: makes the ICE servers of one person.
        beacon: where a page may ask whether its link is back.
        production: refuses demo tokens.
    """

    keyring: Keyring
    rights: Rights
    keeper: Keeper
    placement: Placement
    ice: Callable[[str], list[IceServer]]
    production: bool
    beacon: Callable[[], Beacon | None] = lambda: None
    most_sockets: int = 2_000
    limits: Limits = field(default_factory=Limits)
    consults: dict[str, LiveConsult] = field(default_factory=dict)
    sockets: int = 0
    joins: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    draining: bool = False
    _unjoined: int = 0
    _addresses: dict[str, int] = field(default_factory=dict)
    _opening: dict[str, asyncio.Lock] = field(default_factory=dict)
    _joined_clients: set[Client] = field(default_factory=set)

    # --- the door ---

    def admits_socket(self, address: str) -> bool:
        """Whether one more socket may open now; asked before the handshake."""
        return (
            not self.draining
            and self.sockets < self.most_sockets
            and self._unjoined < MOST_UNJOINED
            and self._addresses.get(address, 0) < MOST_OF_ONE_ADDRESS
        )

    async def serve(self, socket: Socket, address: str, reached: str = "") -> None:
        """One socket from its opening to its end.

        Args:
            address: where it comes from.
            reached: this server's address that it came to.
        """
        session = Session(time.monotonic(), self.limits)
        client = Client(socket, session, reached)
        self.sockets += 1
        self._unjoined += 1
        self._addresses[address] = self._addresses.get(address, 0) + 1
        live: LiveConsult | None = None
        joined = False
        try:
            live = await self._join(client)
            if live is None:
                return
            joined = True
            self._unjoined -= 1
            self._joined_clients.add(client)
            await self._follow(live, client)
        finally:
            self._joined_clients.discard(client)
            self.sockets -= 1
            self._unjoined -= 0 if joined else 1
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            session.close()
            if live is not None:
                live.detach(client.seat, client, time.time())
            await client.finish()

    async def _frame(self, client: Client) -> str | bytes | None:
        """The next frame; None when the socket is gone or silent."""
        wait = max(0.05, client.session.deadline - time.monotonic())
        try:
            async with asyncio.timeout(wait):
                return await client.socket.receive()
        except TimeoutError:
            if not client.ending:
                joined = client.seat != ""
                client.end(Bye(code="silent", message="nothing was heard in time", retry=joined))
            return None

    async def _join(self, client: Client) -> LiveConsult | None:
        data = await self._frame(client)
        if data is None:
            return None
        try:
            hello = client.session.receive(data, time.monotonic())
            assert isinstance(hello, Hello)
            return await self._hello(client, hello)
        except Refused as refused:
            self._count(refused.code)
            client.end(Bye(code=refused.code, message=str(refused)))
        except (TokenError, RoomError) as error:
            self._count(error.code)
            retry = error.code == "unavailable"
            client.end(Bye(code=error.code, message=str(error), retry=retry, after=2.0 if retry else 0.0))
        except UnavailableError as error:
            self._count("unavailable")
            log.warning("a join found no database", extra={"reason": str(error)})
            client.end(Bye(code="unavailable", message="come back in a moment", retry=True, after=2.0))
        return None

    async def _hello(self, client: Client, hello: Hello) -> LiveConsult | None:
        now = time.time()
        if hello.token is not None:
            await self.rights.meet(hello.token)
            grant = self.keyring.verify(hello.token, "join", now, production=self.production)
        else:
            grant = self.keyring.verify(hello.resume or "", "resume", now, production=self.production)
        elsewhere = self.placement.elsewhere(grant.consult)
        if elsewhere is not None:
            client.tell(Redirect(url=elsewhere))
            client.end(Bye(code="moved", message="this consult lives at another process", retry=True))
            return None
        await self.rights.learn(grant.consult)
        if not self.rights.may(Who(grant.consult, grant.person, grant.role), Action.JOIN):
            raise RoomError("forbidden", "you are not part of this consult", final=True)
        live = await self._consult(grant.consult)
        if hello.token is not None:
            if live.room.state.ended is not None:
                raise RoomError("ended", "this consult has ended", final=True)
            taken = await self.keeper.use_token(grant.jti, grant.expires, now, hello.nonce)
            if taken is Taken.USED or (taken is Taken.AGAIN and not live.room.unheard(grant)):
                raise TokenError("this token was used before: ask for a new one", code="token-used")
            entered = live.room.enter(grant, now)
            if taken is Taken.AGAIN:  # it never knew that it was in
                entered = Entered(entered.seat, resumed=False)
        else:
            entered = live.room.resume(grant, now)
        previous = live.attach(entered.seat.id, client)
        if previous is not None:
            previous.end(Bye(code="replaced", message="this seat was taken over by another window or device"))
        live.changed()
        await live.saver.stored(SEAT_SECONDS / 60)
        client.session.joined()
        self._welcome(live, client, entered, grant, now)
        self.joins += 1
        return live

    def _welcome(self, live: LiveConsult, client: Client, entered: Entered, grant: Grant, now: float) -> None:
        seat = entered.seat
        who = live.who(seat)
        resume = Grant(
            kind="resume", consult=live.name, role=seat.role, person=seat.person, name=seat.name,
            facility=seat.facility, issued=now, expires=now + RESUME_SECONDS, jti=secrets.token_hex(8),
            demo=grant.demo, seat=seat.id, generation=seat.generation,
        )  # fmt: skip
        lim = self.limits
        client.tell(
            Welcome(
                version=client.session.version,
                seat=seat.id,
                role=seat.role,
                resume=self.keyring.sign(resume),
                resumed=entered.resumed,
                rights=[action.value for action in Action if self.rights.may(who, action)],
                ice=self.ice(seat.person),
                limits={
                    "ping_seconds": lim.ping_seconds,
                    "idle_seconds": lim.idle_seconds,
                    "sdp_bytes": lim.sdp_bytes,
                    "offers": lim.offers,
                    "offers_window": lim.offers_window,
                    "candidates": lim.candidates,
                    "messages": lim.messages,
                    "chat_chars": lim.chat_chars,
                    "seat_seconds": SEAT_SECONDS,
                    "stats_seconds": STATS_SECONDS,
                },
                now=now,
                pc=live.standing(seat.id),
                away_seconds=entered.away,
                beacon=self.beacon(),
                life=live.saver.epoch,
            )
        )
        client.tell(live.room.view(seat.id))
        if seat.admitted:
            for line in live.room.state.chat[-200:]:
                client.tell(line)

    async def _consult(self, consult: str) -> LiveConsult:
        """The consult, taken over from the database when it is not here yet."""
        lock = self._opening.setdefault(consult, asyncio.Lock())
        async with lock:
            live = self.consults.get(consult)
            if live is None:
                epoch, state = await self.keeper.claim(consult, self.placement.name)
                now = time.time()
                room = ConsultRoom.open(consult, now) if state is None else ConsultRoom.restore(state, now)
                live = LiveConsult(room, epoch, self.keeper, self.rights, self._moved)
                self.consults[consult] = live
        self._opening.pop(consult, None)
        return live

    # --- messages ---

    async def _follow(self, live: LiveConsult, client: Client) -> None:
        seat = client.seat
        confirmed = False
        while not client.ending:
            data = await self._frame(client)
            if data is None or client.ending:
                return
            about = ""
            try:
                message = client.session.receive(data, time.monotonic())
                about = str(message.__struct_config__.tag)
                if not confirmed:
                    confirmed = True
                    if seat in live.room.state.seats:
                        live.room.confirm(seat)
                allow(live, seat, message, about)
                await take(live, client, seat, message)
                if live.room.state.ended is not None:
                    live.spawn(self._put_away(live))
            except Refused as refused:
                self._count(refused.code)
                answer = refused.answer()
                if isinstance(answer, Bye):
                    client.end(answer)
                else:
                    client.tell(answer)
            except RoomError as error:
                self._count(error.code)
                if error.final:
                    client.end(Bye(code=error.code, message=str(error)))
                else:
                    client.tell(Problem(code=error.code, message=str(error), about=about))

    # --- housekeeping ---

    async def housekeeping(self) -> None:
        """Puts empty consults away and sweeps what is over, until cancelled."""
        swept = 0.0
        while True:
            await asyncio.sleep(5.0)
            now = time.monotonic()
            for live in list(self.consults.values()):
                if live.empty_since is not None and now - live.empty_since > EMPTY_SECONDS:
                    await self._put_away(live)
            if now - swept > 600.0:
                swept = now
                try:
                    await self.keeper.sweep()
                except UnavailableError as error:
                    log.warning("nothing was swept", extra={"reason": str(error)})

    async def _put_away(self, live: LiveConsult) -> None:
        if self.consults.get(live.name) is live:
            del self.consults[live.name]
        await live.close(None)

    def _moved(self, live: LiveConsult) -> None:
        """Another process has taken this consult over: whoever is here goes there."""
        log.info("a consult moved to another process", extra={"consult": live.name})
        if self.consults.get(live.name) is live:
            del self.consults[live.name]
        bye = Bye(code="moved", message="this consult moved to another process", retry=True)
        asyncio.get_running_loop().create_task(live.close(bye))

    async def drain(self) -> None:
        """A planned stop: everybody is asked to come back, everything is written."""
        self.draining = True
        bye = Bye(code="draining", message="this process stops: come back", retry=True, after=0.5)
        await asyncio.gather(*(live.close(bye) for live in self.consults.values()))
        self.consults.clear()

    def _count(self, code: str) -> None:
        self.refusals[code] = self.refusals.get(code, 0) + 1
