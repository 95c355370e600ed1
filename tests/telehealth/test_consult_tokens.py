"""Join tokens: what opens a door and everything that does not."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telehealth.media.turn import SECONDS, credential, ice_servers
from telehealth.messages import Role
from telehealth.tokens import AGAIN_SECONDS, JOIN_SECONDS, Grant, Key, Keyring, Taken, TokenError, Used, parse_keys

NOW = 1_800_000_000.0
RING = Keyring((Key("b", b"2" * 32), Key("a", b"1" * 32)))


def grant(**changes: object) -> Grant:
    fields: dict[str, object] = {
        "kind": "join", "consult": "c1", "role": Role.STATION, "person": "p1", "name": "Mai", "facility": "Phú Bình",
        "issued": NOW, "expires": NOW + 300, "jti": "0123456789",
    }  # fmt: skip
    return Grant(**{**fields, **changes})  # type: ignore[arg-type]


def verify(token: str, now: float = NOW, *, ring: Keyring = RING, kind: str = "join", production: bool = True) -> Grant:
    return ring.verify(token, kind, now, production=production)  # type: ignore[arg-type]


def test_a_token_says_what_it_was_made_for() -> None:
    assert verify(RING.sign(grant())) == grant()


@given(st.data())
def test_one_changed_character_is_noticed(data: st.DataObject) -> None:
    token = RING.sign(grant())
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != token[at]))
    with pytest.raises(TokenError):
        verify(token[:at] + other + token[at + 1 :])


@given(st.text(max_size=3000))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(TokenError):
        verify(text)


@pytest.mark.parametrize(
    ("changes", "now", "kind", "production"),
    [
        ({}, NOW + 300, "join", True),
        ({}, NOW, "resume", True),
        ({"kind": "resume"}, NOW, "join", True),
        ({"demo": True}, NOW, "join", True),
        ({"expires": NOW + JOIN_SECONDS + 1}, NOW, "join", True),
        ({"issued": NOW + 60, "expires": NOW + 300}, NOW, "join", True),
    ],
    ids=["expired", "join for resume", "resume for join", "demo in production", "lives too long", "from the future"],
)
def test_what_is_genuine_may_still_be_refused(
    changes: dict[str, object], now: float, kind: str, production: bool
) -> None:
    with pytest.raises(TokenError):
        verify(RING.sign(grant(**changes)), now, kind=kind, production=production)


def test_demo_tokens_open_a_demo() -> None:
    assert verify(RING.sign(grant(demo=True)), production=False).demo


def test_keys_change_with_overlap() -> None:
    old = Keyring((Key("a", b"1" * 32),))
    new = Keyring((Key("c", b"3" * 32), Key("b", b"2" * 32)))
    assert verify(old.sign(grant())) == grant()  # the ring knows the old key still
    assert verify(RING.sign(grant()), ring=new) == grant()
    with pytest.raises(TokenError):
        verify(old.sign(grant()), ring=new)
    impostor = Keyring((Key("b", b"x" * 32),))
    with pytest.raises(TokenError):
        verify(impostor.sign(grant()))


def test_keys_are_read_and_faults_named_without_the_secret() -> None:
    secret = base64.b64encode(b"k" * 32).decode()
    assert parse_keys(f"n1:{secret}, n0:{secret}").keys[0].id == "n1"
    for wrong in (
        "",
        "n1",
        f"n-1:{secret}",
        "n1:***",
        "n1:" + base64.b64encode(b"short").decode(),
        f"a:{secret},a:{secret}",
    ):
        with pytest.raises(ValueError) as error:
            parse_keys(wrong)
        assert secret not in str(error.value)
    assert secret not in repr(parse_keys(f"n1:{secret}"))


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 20)), max_size=60))
def test_a_token_works_once_while_it_lives(uses: list[tuple[str, int]]) -> None:
    used, live, now = Used(capacity=100), {}, 0.0
    for jti, life in uses:
        now += 1
        first = used.take(jti, now + life, now) is Taken.FIRST
        assert first == (live.get(jti, 0.0) <= now)
        if first:
            live[jti] = now + life


def test_a_full_memory_refuses_instead_of_forgetting() -> None:
    used = Used(capacity=3)
    for n in range(3):
        assert used.take(f"t{n}", 100.0, 0.0, "word") is Taken.FIRST
    with pytest.raises(TokenError) as error:
        used.take("t3", 100.0, 1.0)
    assert error.value.code == "unavailable"
    assert used.take("t1", 100.0, 2.0, "other") is Taken.USED
    assert used.take("t1", 100.0, AGAIN_SECONDS - 1, "word") is Taken.AGAIN
    assert used.take("t1", 100.0, AGAIN_SECONDS, "word") is Taken.USED
    assert used.take("t3", 200.0, 101.0) is Taken.FIRST


def test_turn_credentials_are_what_coturn_checks() -> None:
    user, word = credential("shared", "person", NOW)
    assert int(user.split(":")[0]) == NOW + SECONDS
    assert "person" not in user
    assert base64.b64decode(word) == hmac.new(b"shared", user.encode(), hashlib.sha1).digest()
    assert credential("shared", "other", NOW)[0] != user
    servers = ice_servers(["stun:h:3478", "turn:h:3478?transport=tcp"], "shared", "person", NOW)
    assert [(s.urls, bool(s.credential)) for s in servers] == [
        (["stun:h:3478"], False),
        (["turn:h:3478?transport=tcp"], True),
    ]
    assert ice_servers([], "", "person", NOW) == []
