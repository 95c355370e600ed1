"""Accounts, factors, sessions, tokens in the real database."""

import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import Database
from tram.errors import ConflictError, NotFoundError
from tram.identity import Grant, Kind, Role, Scope, decide, lockout, secrets, totp
from tram.identity.scope import AreaTree, Target
from tram.store import access_tokens, factors, people, sessions
from tram.store.database import Connection
from tram.store.notify import Listener

NOW = 1_800_000_000.0
RING = secrets.Keyring((b"k" * 32,))
OPERATOR = Grant(Role.OPERATOR, Scope(areas=frozenset({"05482"})))
ADMIN = Grant(Role.CITY_ADMIN)


@pytest.fixture
def conn(one_database: Database) -> Connection:
    return one_database.connect()


def account(conn: Connection, login: str = "lan.nt", *given: Grant, must_change: bool = False) -> int:
    id = people.add(conn, login, name="Nguyễn Thị Lan", password="$argon2id$x", must_change=must_change)
    for one in given:
        people.grant(conn, id, one, by="m:test")
    return id


def opened(conn: Connection, id: int, **more: object) -> str:
    values = {"now": NOW, "lifetime": 3600.0, "address": "127.0.0.1", "agent": "Firefox", "complete": True, **more}
    return sessions.open_session(conn, id, **values)  # type: ignore[arg-type]


def found(conn: Connection, secret: str, now: float = NOW, required: bool = False) -> sessions.Session | None:
    return sessions.find(conn, secret, now=now, idle=900.0, factor_required=required)


def test_the_schema_stands_on_both_editions(database: Database) -> None:
    conn = database.connect()
    id = account(conn, "lan.nt", OPERATOR)
    assert people.get(conn, id).login == "lan.nt"
    assert [row.grant for row in people.grants(conn, id)] == [OPERATOR]


def test_sign_in_names_are_one_form_and_unique(conn: Connection) -> None:
    account(conn, " Lan.NT ")
    assert people.by_login(conn, "LAN.nt").login == "lan.nt"
    with pytest.raises(ConflictError):
        account(conn, "lan.nt")
    for wrong in ("", "a", "lăn", "a b", "-x", "x" * 65, "a\0b"):
        with pytest.raises(people.PeopleError):
            account(conn, wrong)
    with pytest.raises(NotFoundError):
        people.by_login(conn, "nobody")


def test_a_care_role_needs_its_facility(conn: Connection) -> None:
    id = account(conn)
    with pytest.raises(people.PeopleError):
        people.grant(conn, id, Grant(Role.DOCTOR), by="m:test")
    with pytest.raises(people.PeopleError):
        people.grant(conn, id, Grant(Role.MACHINE), by="m:test")
    people.grant(conn, id, Grant(Role.DOCTOR, Scope(facilities=frozenset({"BV01"}))), by="m:test")


def test_listing_finds_by_name_and_place(conn: Connection) -> None:
    account(conn, "lan", OPERATOR)
    account(conn, "minh", ADMIN)
    assert [a.login for a in people.listed(conn)] == ["lan", "minh"]
    assert [a.login for a in people.listed(conn, search="mi")] == ["minh"]
    assert [a.login for a in people.listed(conn, search="%")] == []
    assert [a.login for a in people.listed(conn, areas=["05482"])] == ["lan"]
    assert [a.login for a in people.listed(conn, after="lan")] == ["minh"]


def test_claims_set_their_own_grants_and_leave_local_ones(conn: Connection) -> None:
    id = account(conn, "lan", OPERATOR)
    assert people.set_from_claims(conn, id, "https://idp", [ADMIN])
    assert not people.set_from_claims(conn, id, "https://idp", [ADMIN])
    assert {row.grant for row in people.grants(conn, id)} == {OPERATOR, ADMIN}
    assert people.set_from_claims(conn, id, "https://idp", [])
    assert [row.grant for row in people.grants(conn, id)] == [OPERATOR]


def test_a_session_is_found_by_its_secret_only_and_only_while_in_force(conn: Connection) -> None:
    id = account(conn, "lan", OPERATOR)
    secret = opened(conn, id)
    session = found(conn, secret)
    assert session is not None
    assert session.principal.grants == (OPERATOR,)
    assert session.principal.id == f"p:{id}"
    assert found(conn, secret + "x") is None
    assert found(conn, "") is None
    assert found(conn, secret, NOW + 899) is not None
    assert found(conn, secret, NOW + 901) is None, "idle"
    for minute in range(1, 60):
        sessions.touch(conn, session.id, NOW + 60 * minute)
    assert found(conn, secret, NOW + 3599) is not None
    sessions.touch(conn, session.id, NOW + 3599)
    assert found(conn, secret, NOW + 3601) is None, "its absolute end"


def test_the_secret_is_not_in_the_database(conn: Connection) -> None:
    secret = opened(conn, account(conn))
    rows = conn.execute("SELECT s::text FROM session s").fetchall()
    assert secret not in str(rows)


def test_a_disabled_account_is_out_at_once(conn: Connection) -> None:
    id = account(conn)
    secret = opened(conn, id)
    _, token = access_tokens.make(conn, "x", ADMIN, account=id, by="p:1", now=NOW, lifetime=60)
    people.set_disabled(conn, id, True)
    assert found(conn, secret) is None
    assert access_tokens.find(conn, token, now=NOW) is None


def test_a_half_session_is_completed_under_a_new_secret_once(conn: Connection) -> None:
    secret = opened(conn, account(conn), complete=False)
    session = found(conn, secret)
    assert session is not None
    assert not session.complete
    assert found(conn, secret, NOW + 301) is None
    new = sessions.complete(conn, session.id, now=NOW, lifetime=3600)
    assert found(conn, secret) is None
    done = found(conn, new)
    assert done is not None
    assert (done.complete, done.second_factor) == (True, True)
    with pytest.raises(NotFoundError):
        sessions.complete(conn, session.id, now=NOW, lifetime=3600)


def test_a_step_up_changes_the_secret(conn: Connection) -> None:
    secret = opened(conn, account(conn))
    session = found(conn, secret)
    assert session is not None
    new = sessions.step_up(conn, session.id, now=NOW + 100)
    assert found(conn, secret) is None
    renewed = found(conn, new)
    assert renewed is not None
    assert renewed.stepped_up == NOW + 100


def test_who_lacks_a_factor_or_a_password_of_their_own_has_no_roles(conn: Connection) -> None:
    admin = opened(conn, account(conn, "admin", ADMIN))
    fresh = opened(conn, account(conn, "fresh", OPERATOR, must_change=True))
    session = found(conn, admin, required=True)
    assert session is not None
    assert (session.restricted, session.principal.grants) == ("must-enrol", ())
    session = found(conn, admin, required=False)
    assert session is not None
    assert session.restricted is None
    session = found(conn, fresh)
    assert session is not None
    assert (session.restricted, session.principal.grants) == ("must-change", ())


def test_signing_out_everywhere(conn: Connection) -> None:
    id, other = account(conn), account(conn, "minh")
    mine, second, theirs = opened(conn, id), opened(conn, id), opened(conn, other)
    session, strange = found(conn, mine), found(conn, theirs)
    assert session is not None
    assert strange is not None
    with pytest.raises(NotFoundError):
        sessions.close_own(conn, id, strange.id)
    assert sessions.close_all(conn, id, keep=session.id) == 1
    assert found(conn, second) is None
    assert found(conn, mine) is not None
    assert found(conn, theirs) is not None


def test_back_channel_sign_out_by_session_and_by_subject(conn: Connection) -> None:
    id = account(conn)
    people.link(conn, id, "https://idp", "s-1")
    a = opened(conn, id, issuer="https://idp", provider_sid="sid-a")
    b = opened(conn, id, issuer="https://idp", provider_sid="sid-b")
    local = opened(conn, id)
    assert sessions.close_provider(conn, "https://idp", sid="sid-a", subject=None) == 1
    assert found(conn, a) is None
    assert sessions.close_provider(conn, "https://other", sid="sid-b", subject="s-1") == 0
    assert sessions.close_provider(conn, "https://idp", sid=None, subject="s-1") == 1
    assert found(conn, b) is None
    assert found(conn, local) is not None


def test_sweeping_deletes_what_is_over_and_bounds_the_rest(conn: Connection) -> None:
    id = account(conn)
    for i in range(sessions.MOST + 5):
        opened(conn, id, now=NOW + i)
    assert sessions.sweep(conn, now=NOW + 60, idle=900) == 5
    assert sessions.sweep(conn, now=NOW + 10_000, idle=900) == sessions.MOST


def test_changes_are_told_to_every_process(one_database: Database) -> None:
    listener = Listener(one_database.settings, [sessions.CHANNEL], "test")
    listener.wait(0)
    conn = one_database.connect(autocommit=True)
    id = account(conn, "lan", OPERATOR)
    secret = opened(conn, id)
    session = found(conn, secret)
    assert session is not None
    token, _ = access_tokens.make(conn, "x", ADMIN, account=None, by="m:x", now=NOW, lifetime=60)

    def told() -> set[str]:
        heard: set[str] = set()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            heard |= {payload for _, payload in listener.wait(0.05)}
            if heard:
                return heard
        return heard

    assert told() == {f"account:{id}"}
    for change in (
        lambda: people.set_password(conn, id, "$argon2id$y"),
        lambda: people.grant(conn, id, ADMIN, by="m:x"),
        lambda: sessions.step_up(conn, session.id, now=NOW),
        lambda: sessions.close_all(conn, id),
    ):
        change()
        assert told() == {f"account:{id}"}
    access_tokens.revoke(conn, token)
    assert told() == {f"token:{token}"}
    listener.close()


def test_a_token_has_its_owners_rights_of_now_narrowed(conn: Connection) -> None:
    id = account(conn, "lan", Grant(Role.OPERATOR, Scope(areas=frozenset({"19"}))))
    narrow = Grant(Role.OPERATOR, Scope(areas=frozenset({"05482"})))
    _, secret = access_tokens.make(conn, "grafana", narrow, account=id, by=f"p:{id}", now=NOW, lifetime=60)
    tree = AreaTree({"19": None, "05482": "19", "05485": "19"})

    def may(area: str) -> bool:
        hit = access_tokens.find(conn, secret, now=NOW)
        assert hit is not None
        assert hit[0].kind is Kind.TOKEN
        return decide(hit[0], "observations.read", Target(path=tree.path(area)), now=NOW).allowed

    assert may("05482")
    assert not may("05485")
    people.take(conn, people.grants(conn, id)[0].id)
    assert not may("05482"), "what the person lost, the token lost"
    assert access_tokens.find(conn, secret, now=NOW + 61) is None
    access_tokens.revoke(conn, access_tokens.listed(conn, id)[0].id, account=id)
    assert access_tokens.find(conn, secret, now=NOW) is None


def test_a_servers_token_has_its_own_rights(conn: Connection) -> None:
    id, secret = access_tokens.make(conn, "kpi", OPERATOR, account=None, by="m:root", now=NOW, lifetime=60)
    hit = access_tokens.find(conn, secret, now=NOW)
    assert hit is not None
    assert (hit[0].id, hit[0].grants[0].role, hit[0].limits) == (f"t:{id}", Role.OPERATOR, ())
    with pytest.raises(access_tokens.TokenLimitError):
        access_tokens.make(conn, "x", Grant(Role.DOCTOR), account=None, by="m:root", now=NOW, lifetime=60)
    with pytest.raises(access_tokens.TokenLimitError):
        access_tokens.make(conn, "x", OPERATOR, account=None, by="m:root", now=NOW, lifetime=1e9)
    with pytest.raises(NotFoundError):
        access_tokens.revoke(conn, id, account=12345)


def test_an_account_has_so_many_tokens(conn: Connection) -> None:
    id = account(conn)
    for i in range(access_tokens.MOST):
        access_tokens.make(conn, f"t{i}", OPERATOR, account=id, by="p:1", now=time.time(), lifetime=60)
    with pytest.raises(access_tokens.TokenLimitError):
        access_tokens.make(conn, "one more", OPERATOR, account=id, by="p:1", now=time.time(), lifetime=60)


def test_enrolling_and_using_a_second_factor(conn: Connection) -> None:
    id = account(conn)
    with pytest.raises(ConflictError):
        factors.enrol(conn, id, RING, "123456", NOW)
    secret = factors.propose(conn, id, RING)
    step = int(NOW) // 30
    wrong = str((int(totp.code_at(secret, step)) + 1) % 1_000_000).zfill(6)
    if totp.verify(secret, wrong, now=NOW) is None:
        assert factors.enrol(conn, id, RING, wrong, NOW) is None
    codes = factors.enrol(conn, id, RING, totp.code_at(secret, step), NOW)
    assert codes is not None
    assert len(codes) == 10
    assert not factors.check(conn, id, RING, totp.code_at(secret, step), NOW), "the enrolment used this code up"
    later = NOW + 30
    assert factors.check(conn, id, RING, totp.code_at(secret, step + 1), later)
    assert not factors.check(conn, id, RING, totp.code_at(secret, step + 1), later)
    assert factors.check_recovery(conn, id, RING, codes[3].lower())
    assert not factors.check_recovery(conn, id, RING, codes[3])
    assert factors.recovery_left(conn, id) == 9
    assert not factors.check_recovery(conn, account(conn, "minh"), RING, codes[4]), "another's code"
    factors.remove(conn, id)
    assert not factors.check(conn, id, RING, totp.code_at(secret, step + 3), NOW + 90)
    assert not factors.check_recovery(conn, id, RING, codes[5])


def test_two_requests_cannot_use_one_code(one_database: Database) -> None:
    conn = one_database.connect(autocommit=True)
    id = account(conn)
    secret = factors.propose(conn, id, RING)
    factors.enrol(conn, id, RING, totp.code_at(secret, int(NOW) // 30), NOW)
    code, results = totp.code_at(secret, int(NOW) // 30 + 1), []
    conns = [one_database.connect() for _ in range(4)]
    barrier = threading.Barrier(4)

    def attempt(c: Connection) -> None:
        barrier.wait(60)
        with c.transaction():
            results.append(factors.check(c, id, RING, code, NOW + 30))

    threads = [threading.Thread(target=attempt, args=(c,)) for c in conns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == [False, False, False, True]


def test_tries_are_counted_per_subject_and_forgiven(conn: Connection) -> None:
    subjects = {"login:lan": lockout.ACCOUNT, "address:::1": lockout.ADDRESS}
    for _ in range(4):
        assert factors.failed(conn, subjects, NOW)[1] == 0
    assert factors.failed(conn, subjects, NOW) == (0, 30.0)
    assert factors.wait(conn, subjects, NOW + 10) == 20
    assert factors.wait(conn, {"login:minh": lockout.ACCOUNT}, NOW) == 0
    factors.forgive(conn, ["login:lan"])
    assert factors.wait(conn, subjects, NOW) == 0
    factors.forget_tries(conn)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_any_cookie_is_looked_up_without_error(conn: Connection, secret: str) -> None:
    assert found(conn, secret) is None
    assert access_tokens.find(conn, secret, now=NOW) is None
