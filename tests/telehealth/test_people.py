"""A consult's people as the identity service knows them: tokens, rights at every message, emergencies, quality."""

import base64
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Iterator
from typing import Any, get_args

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from telehealth import messages
from telehealth.messages import Role as Seat
from telehealth.operations import MESSAGES
from telehealth.rights import OPERATIONS, TABLE, Action, PeopleRights, Who
from telehealth.standing import Standings
from telehealth.taking import ACTIONS
from tests.databases import Server
from tests.people import autocommit
from tests.telehealth.house import HOSPITAL, OTHER_HOSPITAL, OTHER_STATION, STATION, House, house
from tests.telehealth.people import RawSocket
from tests.waiting import until
from tram.embedded.secret import keyring
from tram.errors import UnavailableError
from tram.identity import Grant, Kind, Principal, Role, Scope, Target, tokens
from tram.identity.standing import Standing
from tram.settings import Settings
from tram.store import audit, events, keys, people

NOW = 1_800_000_000.0
LONG = "ngừng tim tại trạm, bác sĩ trực không gọi được"


@pytest.fixture(scope="module")
def home(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(server, tmp_path_factory.mktemp("house")) as made:
        yield made


def code_of(answer: httpx.Response) -> str:
    return str(answer.json().get("type", "")).rpartition("/")[2]


# --- the rule of each message, from memory ---


def standing(role: Role, seat: Seat, *, assigned: bool = True, **more: Any) -> Standing:
    who = Principal(Kind.PERSON, "p:1", "x", (Grant(role, Scope(facilities=frozenset({HOSPITAL}))),))
    target = Target(facility=HOSPITAL, assigned=frozenset({"p:1"} if assigned else ()))
    return Standing(who, seat.value, more.get("until"), target)


def asked(made: Standing | None, seat: Seat, action: Action, person: str = "p:1", *, production: bool = True) -> bool:
    rights = PeopleRights(production, clock=lambda: NOW)
    if made is not None:
        rights.standings["c"] = {"p:1": made}
    return rights.may(Who("c", person, seat), action)


SENT = [m for m in get_args(messages.ClientMessage) if m is not messages.Hello]


@pytest.mark.parametrize("message", SENT, ids=lambda m: m.__struct_config__.tag)
def test_every_message_is_allowed_to_who_may_and_refused_to_who_may_not(message: type) -> None:
    action = ACTIONS[message]
    tag = str(message.__struct_config__.tag)  # type: ignore[attr-defined]
    assert OPERATIONS[action] == MESSAGES[tag], "the document says another rule than is asked"
    assert asked(standing(Role.DOCTOR, Seat.DOCTOR), Seat.DOCTOR, action)
    refused = [
        (None, Seat.DOCTOR),
        (standing(Role.DOCTOR, Seat.DOCTOR, assigned=False), Seat.DOCTOR),
        (standing(Role.OPERATOR, Seat.DOCTOR), Seat.DOCTOR),
        (standing(Role.HOSPITAL_ADMIN, Seat.DOCTOR), Seat.DOCTOR),
        (standing(Role.DOCTOR, Seat.OBSERVER), Seat.DOCTOR),
        (standing(Role.DOCTOR, Seat.DOCTOR, until=NOW), Seat.DOCTOR),
    ]
    for made, seat in refused:
        assert not asked(made, seat, action), made
    assert not asked(standing(Role.DOCTOR, Seat.DOCTOR), Seat.DOCTOR, action, "p:2"), "somebody else"
    # A nurse does all but lead.
    leads = OPERATIONS[action] == "consult.lead"
    assert asked(standing(Role.STATION_STAFF, Seat.STATION), Seat.STATION, action) is not leads


def test_leading_needs_the_doctors_role_whatever_the_seat_says() -> None:
    for action in Action:
        assert not asked(standing(Role.STATION_STAFF, Seat.DOCTOR), Seat.DOCTOR, action) or (
            OPERATIONS[action] == "consult.join"
        )


def test_whom_nobody_knows_is_a_trials_only() -> None:
    for seat, actions in TABLE.items():
        for action in Action:
            assert asked(None, seat, action, "demo-doctor", production=False) is (action in actions)
            assert not asked(None, seat, action, "demo-doctor")


def test_a_grant_that_ran_out_ends_it() -> None:
    made = standing(Role.DOCTOR, Seat.DOCTOR)
    late = Principal(Kind.PERSON, "p:1", "x", (Grant(Role.DOCTOR, Scope(), NOW),))
    assert not asked(Standing(late, "doctor", None, made.target), Seat.DOCTOR, Action.CHAT)


def test_keys_that_could_not_be_read_are_read_again_for_the_token_that_needs_them() -> None:
    """A reading that began after the token came, and failed, is no reading."""
    key = tokens.new_key("k", now=NOW, signs=60, overlap=60)

    class Away(Standings):
        away = True

        def _asked(self, question: Any) -> Any:
            if self.away:
                raise UnavailableError("the database is away")
            return [key]

    standings = Away(Settings())
    came = time.monotonic()
    with pytest.raises(UnavailableError):
        standings._read_keys()
    standings.away = False
    standings._read_keys(came)
    assert standings.keys() == (key,)
    standings.away = True
    standings._read_keys(came)  # what is known is not asked for again


# --- both planes ---


def test_from_the_request_to_the_room(home: House) -> None:
    with home.client("nurse") as nurse, home.client("doctor") as doctor, home.client("doctor2") as stranger:
        wanted = {"station": STATION, "hospital": HOSPITAL}
        assert nurse.post("/api/consults", json={**wanted, "station": OTHER_STATION}).status_code == 403
        consult = nurse.post("/api/consults", json=wanted).json()["id"]
        assert consult in {c["id"] for c in doctor.get("/api/consults").json()["items"]}
        assert consult not in {c["id"] for c in stranger.get("/api/consults").json()["items"]}
        assert doctor.post(f"/api/consults/{consult}/token").status_code == 403, "not assigned yet"
        assert stranger.post(f"/api/consults/{consult}/accept").status_code == 403
        assert doctor.post(f"/api/consults/{consult}/accept").status_code == 200
        assert stranger.post(f"/api/consults/{consult}/token").status_code == 403
    for who in ("admin", "operator", "nurse2", None):
        with home.client(who) as client:
            assert client.post(f"/api/consults/{consult}/token").status_code in (401, 403)
    leads, waits = home.joins("doctor", consult), home.joins("nurse", consult)
    room = waits.hears("room")
    assert [p["role"] for p in room["people"]] == ["doctor", "station"]
    waits.say({"type": "admit", "seat": "s2"})
    assert waits.hears("problem")["code"] == "forbidden"
    leads.say({"type": "admit", "seat": "s2"})

    def admitted() -> bool:
        station = next(p for p in waits.hears("room")["people"] if p["role"] == "station")
        return bool(station["presence"] == "present")

    until(admitted, "the nurse is let in")
    # Closed: nobody gets a token, whoever is in is out.
    with home.client("admin2") as other, home.client("doctor") as doctor:
        assert other.delete(f"/api/consults/{consult}").status_code == 403
        assert doctor.delete(f"/api/consults/{consult}").status_code == 204
        assert doctor.post(f"/api/consults/{consult}/token").status_code == 409
    assert leads.hears("bye")["code"] == "forbidden"
    assert waits.hears("bye")["code"] == "forbidden"


def test_who_loses_the_role_or_the_assignment_is_out(home: House) -> None:
    consult = home.consult(("doctor", "doctor"), ("doctor2", "specialist"))
    first, second = home.joins("doctor", consult), home.joins("doctor2", consult)
    with home.client("admin2") as stranger:
        assert stranger.delete(f"/api/consults/{consult}/people/{home.ids['doctor2']}").status_code == 403
    with home.client("admin") as admin:
        assert admin.delete(f"/api/consults/{consult}/people/{home.ids['doctor2']}").status_code == 204
    assert second.hears("bye")["code"] == "forbidden"
    with autocommit(home.settings) as conn:
        granted = people.grants(conn, home.ids["doctor"])[0]
        people.take(conn, granted.id)
        assert first.hears("bye")["code"] == "forbidden"
        people.grant(conn, home.ids["doctor"], granted.grant, by="m:test")
    again = home.joins("doctor", consult)
    again.close()


def test_a_seat_is_a_persons(home: House) -> None:
    consult = home.consult(("doctor", "doctor"))
    headers = {"Authorization": f"Bearer {home.program('doctor')}"}
    answer = httpx.post(f"{home.api.url}/api/consults/{consult}/token", headers=headers)
    assert answer.status_code == 403


def test_an_emergency_lets_in_for_a_while_and_is_told(home: House) -> None:
    consult = home.consult(("doctor", "doctor"))
    path = f"/api/consults/{consult}/break-glass"
    with home.client("nurse2") as nurse:
        assert code_of(nurse.post(path, json={"reason": LONG})) == "forbidden"
    with home.client("doctor2", stepped_up=False) as doctor:
        assert code_of(doctor.post(path, json={"reason": LONG})) == "step-up"
    with home.client("doctor2") as doctor:
        assert doctor.post(path, json={"reason": "vì"}).status_code == 422
        opened = doctor.post(path, json={"reason": LONG})
        assert opened.status_code == 200, opened.text
        record = opened.json()["record"]
        assert doctor.post(f"/api/records/{record}/break-glass", json={"reason": LONG}).status_code == 200
        nothing = f"/api/records/{uuid.UUID(int=4)}/break-glass"
        assert doctor.post(nothing, json={"reason": LONG}).status_code == 404
    with autocommit(home.settings) as conn:
        rows = audit.search(conn, audit.Search(operation="record.break-glass", actor="doctor2.t"))
        assert {row.entry.outcome for row in rows} >= {"allowed"}
        assert any(LONG in json.dumps(row.entry.detail, ensure_ascii=False) for row in rows)
        told = events.newest(conn, code="break-glass.opened", subject=f"p:{home.ids['doctor2']}")
        assert told[0].severity == "alert"
        held = conn.execute(
            "SELECT reason, until - opened FROM clinical.break_glass WHERE principal = %s",
            (f"p:{home.ids['doctor2']}",),
        ).fetchall()
        assert [(r, d.total_seconds()) for r, d in held] == [(LONG, 3600.0)] * 2
    observer = home.joins("doctor2", consult)
    assert observer.hears("room")["people"][0]["role"] == "observer"
    observer.say({"type": "chat", "id": "1", "text": "tôi xem"})
    assert observer.hears("problem")["code"] == "forbidden", "an observer looks on"
    with autocommit(home.settings) as conn:
        conn.execute(
            "UPDATE consult_person SET until = now() + interval '0.3 s' WHERE consult = %s AND account = %s",
            (consult, home.ids["doctor2"]),
        )
    assert observer.hears("bye")["code"] == "forbidden", "the hour is over"


def test_quality_is_for_those_whose_it_is(home: House) -> None:
    consult = home.consult(("doctor", "doctor"))
    with autocommit(home.settings) as conn:
        for facility in (STATION, HOSPITAL, OTHER_HOSPITAL):
            conn.execute(
                "INSERT INTO call_quality (at, consult, seat, role, facility, level, reason, layer, video, path) "
                "VALUES (now(), %s, 's1', 'doctor', %s, 'good', '', '', '', '')",
                (consult, facility),
            )

    def sees(client: httpx.Client, **headers: str) -> set[str] | int:
        found = client.get(f"{home.telehealth.http}/consult/api/quality/stations", headers=headers)
        records = client.get(f"{home.telehealth.http}/consult/api/quality/consults/{consult}", headers=headers)
        assert found.status_code == records.status_code
        if found.status_code != 200:
            return found.status_code
        assert {row["facility"] for row in records.json()} == {row["facility"] for row in found.json()}
        return {row["facility"] for row in found.json()}

    everything = {STATION, HOSPITAL, OTHER_HOSPITAL}
    for who, seen in (
        (None, 401), ("operator", 403), ("nurse", {STATION}), ("nurse2", set()), ("doctor", {HOSPITAL}),
        ("admin2", {OTHER_HOSPITAL}), ("city", everything),
    ):  # fmt: skip
        with home.client(who) as client:
            assert sees(client) == seen, who
    with httpx.Client() as program:
        assert sees(program, Authorization=f"Bearer {home.program('admin')}") == {HOSPITAL}
        assert sees(program, Authorization=f"Bearer {home.program('operator')}") == 403
        assert sees(program, Authorization="Bearer tram_pat_nonsense") == 401
    with home.client("city") as client:
        assert sees(client, Authorization="Bearer nonsense") == 401, "a wrong token is refused, whatever cookie came"
    with autocommit(home.settings) as conn:
        until(
            lambda: events.newest(conn, code="access.refused", subject=f"p:{home.ids['operator']}"),
            "it is recorded",
            10,
        )


# --- tokens that open nothing ---


class Forger:
    """Who holds everything but the right."""

    def __init__(self, home: House) -> None:
        self.consult = home.consult(("doctor", "doctor"))
        self.good = home.token("doctor", self.consult)
        with autocommit(home.settings) as conn:
            self.key = tokens.signer(keys.load(conn, keyring(home.settings), time.time()), time.time())
        self.person = f"p:{home.ids['doctor']}"

    def signed(self, *, typ: str = tokens.JOIN, audience: str = tokens.CONSULT, issuer: str = tokens.ISSUER,
               lifetime: float = 60.0, at: float = 0.0, **more: Any) -> str:  # fmt: skip
        """Signed by the true key, saying something untrue."""
        claims = {"consult": self.consult, "seat": "doctor", "name": "X", "facility": HOSPITAL, **more}
        return tokens.sign(
            self.key, typ=typ, issuer=issuer, audience=audience, subject=str(claims.pop("sub", self.person)),
            id=secrets.token_urlsafe(16), now=time.time() + at, lifetime=lifetime, more=claims,
        )  # fmt: skip

    def forged(self, alg: object, signature: bytes = b"", **header: Any) -> str:
        """With a header of the forger's own."""
        payload = self.good.split(".")[1]
        head = {"alg": alg, "kid": self.key.kid, "typ": tokens.JOIN, **header}
        return f"{_b64(json.dumps(head).encode())}.{payload}.{_b64(signature)}"

    def confused(self) -> str:
        """An HMAC whose secret is the public key (RFC 8725 section 2.1)."""
        head = self.forged("HS256").rsplit(".", 1)[0]
        return f"{head}.{_b64(hmac.digest(self.key.key.as_pem(private=False), head.encode(), 'sha256'))}"

    def of_another_key(self) -> str:
        return jws.serialize_compact(
            {"alg": "Ed25519", "kid": self.key.kid, "typ": tokens.JOIN},
            base64.urlsafe_b64decode(self.good.split(".")[1] + "=="), OKPKey.generate_key("Ed25519"),
            algorithms=["Ed25519"],
        )  # fmt: skip


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture(scope="module")
def forger(home: House) -> Forger:
    return Forger(home)


WRONG: dict[str, Any] = {
    "none": lambda f: f.forged("none"),
    "None": lambda f: f.forged("None"),
    "no signature": lambda f: f.forged("Ed25519"),
    "key confusion": lambda f: f.confused(),
    "another key": lambda f: f.of_another_key(),
    "its own key in the header": lambda f: f.forged(
        "Ed25519", b"x" * 64, jwk={"kty": "OKP", "crv": "Ed25519", "x": "AA"}
    ),
    "unknown key": lambda f: f.forged("Ed25519", b"x" * 64, kid="nobody"),
    "other audience": lambda f: f.signed(audience="live"),
    "other issuer": lambda f: f.signed(issuer="evil"),
    "other sort": lambda f: f.signed(typ="at+jwt"),
    "expired": lambda f: f.signed(at=-120.0),
    "not yet": lambda f: f.signed(at=120.0),
    "lives too long": lambda f: f.signed(lifetime=3600.0),
    "no seat of the house": lambda f: f.signed(seat="king"),
    "no consult": lambda f: f.signed(consult=None),
    "no person": lambda f: f.signed(sub="t:1"),
    "cut": lambda f: f.good[:-2],
    "a session's cookie": lambda f: secrets.token_urlsafe(32),
    "nothing": lambda f: "",
    "long": lambda f: "a" * 5000,
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_token_opens_nothing(home: House, forger: Forger, case: str) -> None:
    raw = RawSocket(home.telehealth.ws)
    answer = raw.hello(token=WRONG[case](forger))
    raw.close()
    assert (answer["type"], answer.get("retry", False)) == ("bye", False)
    assert answer["code"] in ("token", "malformed")


@pytest.mark.parametrize(
    "claims",
    [{"sub": "p:999999"}, {"seat": "specialist"}, {"consult": "no-such-consult"}],
    ids=["person", "seat", "consult"],
)
def test_a_true_token_of_somebody_elses_place_opens_nothing(
    home: House, forger: Forger, claims: dict[str, Any]
) -> None:
    """Also what our own key signed is held against who belongs to the consult."""
    raw = RawSocket(home.telehealth.ws)
    assert raw.hello(token=forger.signed(**claims))["code"] == "forbidden"
    raw.close()


def test_a_token_works_once_and_in_its_own_place(home: House, forger: Forger) -> None:
    other = home.consult(("doctor", "doctor"))
    first = RawSocket(home.telehealth.ws)
    word = home.token("doctor", other)
    assert first.hello(resume=word)["code"] == "token", "it is no resume token"
    joined = RawSocket(home.telehealth.ws)
    assert joined.hello(token=word)["type"] == "welcome"
    again = RawSocket(home.telehealth.ws)
    assert again.hello(token=word)["code"] == "token-used"
    for bearer in (word, home.token("doctor", other)):
        answer = httpx.get(f"{home.api.url}/api/account", headers={"Authorization": f"Bearer {bearer}"})
        assert answer.status_code == 401, "it opens nothing at the API"
        answer = httpx.get(
            f"{home.telehealth.http}/consult/api/quality/stations", headers={"Authorization": f"Bearer {bearer}"}
        )
        assert answer.status_code == 401
    joined.close()


def test_a_new_key_signs_at_once_and_a_leaked_one_opens_nothing(home: House) -> None:
    consult = home.consult(("doctor", "doctor"))
    before = home.token("doctor", consult)
    with autocommit(home.settings) as conn:
        assert keys.stop(conn, time.time()) >= 1
    after = home.token("doctor", consult)
    raw = RawSocket(home.telehealth.ws)

    def refused() -> bool:
        probe = RawSocket(home.telehealth.ws)
        answer = probe.hello(token=before)
        probe.close()
        return bool(answer["type"] == "bye" and answer["code"] == "token")

    until(refused, "the leaked key is forgotten")
    assert raw.hello(token=after)["type"] == "welcome"
    raw.close()


def test_a_link_check_takes_the_same_token(home: House) -> None:
    consult = home.consult(("doctor", "doctor"))
    word = home.token("doctor", consult)
    url = f"{home.telehealth.http}/consult/api/link/down?bytes=10"
    assert httpx.get(url, headers={"Authorization": f"Bearer {word}"}).status_code == 200
    assert httpx.get(url, headers={"Authorization": f"Bearer {word[:-3]}"}).status_code == 401
    assert httpx.get(url).status_code == 401
