"""The protocol's sans-IO half: whatever bytes come, a message or a refusal; order, limits, versions."""

import json
import math
import typing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telehealth import messages as m
from telehealth.signalling import VERSIONS, Limits, Refused, Session, Stage
from telehealth.taking import ACTIONS

CLIENT = typing.get_args(m.ClientMessage)
SERVER = typing.get_args(m.ServerMessage)


def joined(limits: Limits | None = None) -> Session:
    session = Session(0.0, limits or Limits())
    session.receive(json.dumps({"type": "hello", "versions": [1], "token": "t"}), 0.0)
    session.joined()
    return session


def offer(pc: int, sdp: str = "v=0\r\n") -> str:
    return json.dumps({"type": "offer", "pc": pc, "sdp": sdp, "lines": []})


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=10,
)
tags = st.sampled_from([c.__struct_config__.tag for c in CLIENT])
nearly = st.builds(
    lambda tag, rest: json.dumps({**rest, "type": tag}),
    tags,
    st.dictionaries(
        st.sampled_from(["pc", "sdp", "lines", "seat", "text", "id", "x", "y", "candidate", "versions", "at", "video"]),
        json_values,
        max_size=6,
    ),
)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=200) | st.text(max_size=200) | nearly | json_values.map(json.dumps), max_size=12))
def test_any_frames_give_messages_or_refusals(frames: list[bytes | str]) -> None:
    session = Session(0.0)
    for n, frame in enumerate(frames):
        try:
            message = session.receive(frame, n * 0.1)
        except Refused as refused:
            answer = refused.answer()
            assert m.decode_server(m.encode(answer)) == answer
            if refused.fatal:
                return
        else:
            assert isinstance(message, CLIENT)
            if session.stage is Stage.HELLO:
                session.joined()


def test_deeply_nested_and_huge_frames_are_refused() -> None:
    with pytest.raises(Refused, match="not a message"):
        joined().receive("[" * 100_000, 1.0)
    with pytest.raises(Refused) as refused:
        joined().receive(b" " * (Limits().frame_bytes + 1), 1.0)
    assert refused.value.fatal
    assert refused.value.code == "too-large"


def test_hello_comes_first_and_once() -> None:
    with pytest.raises(Refused) as refused:
        Session(0.0).receive('{"type":"ping","at":1}', 0.0)
    assert refused.value.fatal
    with pytest.raises(Refused, match="said already"):
        joined().receive(json.dumps({"type": "hello", "versions": [1], "token": "t"}), 0.0)


@given(st.lists(st.integers(-5, 50), min_size=1, max_size=16))
def test_the_best_common_version_is_taken(offered: list[int]) -> None:
    session = Session(0.0)
    hello = json.dumps({"type": "hello", "versions": offered, "token": "t"})
    common = [v for v in VERSIONS if v in offered]
    if common:
        session.receive(hello, 0.0)
        assert session.version == common[0]
    else:
        with pytest.raises(Refused) as refused:
            session.receive(hello, 0.0)
        assert (refused.value.code, refused.value.fatal) == ("version", True)


@pytest.mark.parametrize("extra", [{}, {"token": "a", "resume": "b"}])
def test_hello_has_one_word_only(extra: dict[str, str]) -> None:
    with pytest.raises(Refused, match="either token or resume"):
        Session(0.0).receive(json.dumps({"type": "hello", "versions": [1], **extra}), 0.0)


def test_messages_are_rated() -> None:
    session = joined()
    ping = '{"type":"ping","at":0}'
    for _ in range(Limits().burst - 1):  # the hello was one
        session.receive(ping, 0.0)
    with pytest.raises(Refused) as refused:
        session.receive(ping, 0.0)
    assert (refused.value.code, refused.value.fatal) == ("rate", True)
    steady = joined()
    for n in range(2_000):
        steady.receive(ping, n / (Limits().messages * 0.99))


def test_offers_are_bounded_and_their_numbers_grow() -> None:
    session = joined()
    session.receive(offer(5), 0.0)
    with pytest.raises(Refused, match="must grow"):
        session.receive(offer(5), 0.0)
    with pytest.raises(Refused, match="media lines"):
        session.receive(offer(6, "v=0" + "\nm=audio" * 40), 0.0)
    with pytest.raises(Refused) as refused:
        session.receive(offer(6, "a" * (Limits().sdp_bytes + 1)), 0.0)
    assert (refused.value.code, refused.value.fatal) == ("too-large", False)
    flood = joined(Limits(strikes=100))
    for n in range(Limits().offers):
        flood.receive(offer(n + 1), 1.0)
    with pytest.raises(Refused, match="too many offers"):
        flood.receive(offer(100), 2.0)
    flood.receive(offer(101), 62.0)


def test_candidates_are_bounded_per_offer() -> None:
    session = joined()
    candidate = json.dumps({"type": "candidate", "pc": 1, "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host"})
    with pytest.raises(Refused, match="before its offer"):
        session.receive(candidate, 0.0)
    session.receive(offer(1), 0.0)
    for n in range(Limits().candidates):
        session.receive(candidate, n * 1.0)
    with pytest.raises(Refused, match="candidates"):
        session.receive(candidate, 100.0)


def test_strikes_end_the_socket() -> None:
    session = joined()
    for n in range(Limits().strikes):
        with pytest.raises(Refused) as refused:
            session.receive("{}", n * 1.0)
        assert not refused.value.fatal
    with pytest.raises(Refused) as refused:
        session.receive("{}", 100.0)
    assert refused.value.fatal


def test_silence_is_noticed() -> None:
    limits = Limits()
    quiet = Session(10.0)
    assert not quiet.overdue(10.0 + limits.hello_seconds - 0.1)
    assert quiet.overdue(10.0 + limits.hello_seconds)
    session = joined()
    session.receive('{"type":"ping","at":0}', 7.0)
    assert not session.overdue(7.0 + limits.idle_seconds - 0.1)
    assert session.overdue(7.0 + limits.idle_seconds)


def test_every_message_has_a_right_and_a_text() -> None:
    """A message nobody thought about would be allowed to nobody, and a code that is not in the text helps nobody."""
    assert set(ACTIONS) == set(CLIENT) - {m.Hello}
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "consult-protocol.md").read_text(encoding="utf-8")
    for kind in (*CLIENT, *SERVER):
        assert f"`{kind.__struct_config__.tag}" in text or f" {kind.__struct_config__.tag} " in text, kind


@given(st.floats(0, 1), st.floats(0, 1))
def test_messages_come_back_as_they_went(x: float, y: float) -> None:
    pointer = m.Pointer(seat="s1", x=x, y=y)
    assert m.decode_client(m.encode(pointer)) == pointer
    for broken in (math.nan, 1.5, -0.1):
        text = json.dumps({"type": "pointer", "seat": "s1", "x": broken, "y": 0.5})
        with pytest.raises(msgspec.DecodeError):
            m.decode_client(text)
