"""The forwarder's pure parts, against aiortc's own as oracles where there are any, and by properties."""

import itertools
import random

import numpy as np
import pytest
from aiortc.codecs import get_encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, wrap_rtx
from av import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from telehealth.media import rtp
from telehealth.media.budget import MUCH_LOSS, PAUSE_AFTER, RESUME_AT, Link, cap, choose_layer
from telehealth.media.codec import h264_keyframe, starts_keyframe, vp8_keyframe
from telehealth.media.gaps import TRIES, WINDOW, Gaps
from telehealth.media.gop import MOST_SECONDS, Gop
from telehealth.media.losses import REMEMBERED, Losses
from telehealth.media.offers import finish, prepare, usable
from telehealth.media.reception import Reception
from telehealth.media.rewrite import Rewriter
from telehealth.media.sendclock import LineClock, PublisherClock, from_ntp, ntp
from telehealth.media.twcc import Arrivals, read

IDS = {rtp.MID: 4, rtp.ABS_SEND_TIME: 2, rtp.AUDIO_LEVEL: 1, rtp.TRANSPORT_CC: 3, rtp.RID: 10, rtp.REPAIRED_RID: 11}


def ours() -> rtp.Extensions:
    extensions = rtp.Extensions()
    for uri, number in IDS.items():
        extensions.learn(number, uri)
    return extensions


def theirs() -> HeaderExtensionsMap:
    extensions = HeaderExtensionsMap()
    headers = [RTCRtpHeaderExtensionParameters(id=n, uri=uri) for uri, n in IDS.items()]
    extensions.configure(RTCRtpParameters(headerExtensions=headers))
    return extensions


packets = st.builds(
    dict,
    payload_type=st.integers(96, 127), marker=st.integers(0, 1), sequence_number=st.integers(0, 65535),
    timestamp=st.integers(0, 2**32 - 1), ssrc=st.integers(0, 2**32 - 1), payload=st.binary(max_size=60),
)  # fmt: skip


@given(packets, st.sampled_from([None, "0", "cam"]), st.none() | st.integers(0, 127), st.none() | st.integers(0, 65535))
def test_packets_read_as_aiortc_writes_them(
    fields: dict[str, object], mid: str | None, level: int | None, wide: int | None
) -> None:
    packet = RtpPacket(**fields)  # type: ignore[arg-type]
    packet.extensions.mid = mid
    packet.extensions.audio_level = None if level is None else (True, level)
    packet.extensions.transport_sequence_number = wide
    read_back = rtp.parse(packet.serialize(theirs()), ours())
    assert read_back is not None
    assert (read_back.payload_type, read_back.marker, read_back.sequence) == (
        packet.payload_type, packet.marker, packet.sequence_number)  # fmt: skip
    assert (read_back.timestamp, read_back.ssrc, read_back.payload) == (packet.timestamp, packet.ssrc, packet.payload)
    assert (read_back.mid, read_back.level, read_back.wide) == (mid, level, wide)


@given(packets, st.binary(min_size=3, max_size=3), st.none() | st.integers(0, 127))
def test_packets_written_are_read_by_aiortc(fields: dict[str, object], time: bytes, level: int | None) -> None:
    header = rtp.Header("video7", {uri: IDS[uri] for uri in (rtp.MID, rtp.ABS_SEND_TIME, rtp.AUDIO_LEVEL)})
    f = fields
    data = header.build(
        f["payload_type"],
        f["marker"],
        f["sequence_number"],
        f["timestamp"],
        f["ssrc"],
        f["payload"],
        time,
        level,  # type: ignore[arg-type]
    )
    packet = RtpPacket.parse(data, theirs())
    assert {k: getattr(packet, k) for k in fields} == fields
    assert packet.extensions.mid == "video7"
    assert packet.extensions.abs_send_time == int.from_bytes(time, "big")
    assert (packet.extensions.audio_level or (False, None))[1] == level


@given(st.binary(max_size=120))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    rtp.parse(data, ours())
    rtp.parse(bytes([0x90 | (data[0] & 0x2F if data else 0)]) + data, ours())
    vp8_keyframe(data)
    h264_keyframe(data)


@given(packets)
def test_retransmissions_unwrap(fields: dict[str, object]) -> None:
    original = RtpPacket(**fields)  # type: ignore[arg-type]
    data = wrap_rtx(original, payload_type=120, sequence_number=9, ssrc=77).serialize(theirs())
    wrapped = rtp.parse(data, ours())
    assert wrapped is not None
    back = rtp.unwrap_rtx(wrapped, original.payload_type, original.ssrc)
    assert back is not None
    assert (back.sequence, back.payload, back.timestamp) == (
        original.sequence_number, original.payload, original.timestamp)  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(1, 200)), min_size=1, max_size=6)
)
def test_a_viewer_sees_one_stream_whatever_is_behind_it(sources: list[tuple[int, int, int]]) -> None:
    """Numbers go on by one and times never jump back, over any change of source, with wraps."""
    rewriter, now, out = Rewriter(90_000, 100), 0.0, []
    for first, timestamp, count in sources:
        now += 0.5
        rewriter.switch(first, timestamp, now, same_clock=False)
        assert rewriter.map((first - 1) & 0xFFFF, timestamp, now) is None  # from before the switch
        for n in range(count):
            now += 1 / 30
            mapped = rewriter.map((first + n) & 0xFFFF, (timestamp + 3000 * n) & 0xFFFFFFFF, now)
            assert mapped is not None
            out.append(mapped)
    for (a, at), (b, bt) in itertools.pairwise(out):
        assert (b - a) & 0xFFFF == 1
        assert 0 < (bt - at) & 0xFFFFFFFF < 90_000


def test_a_stream_goes_on_through_many_wraps_and_reordering() -> None:
    rewriter = Rewriter(90_000, 1)
    rewriter.switch(60_000, 0, 0.0, same_clock=False)
    offset = None
    for n in range(100_000):
        mapped = rewriter.map((60_000 + n) & 0xFFFF, n, n / 1000)
        assert mapped is not None
        offset = (mapped[0] - 60_000 - n) & 0xFFFF if offset is None else offset
        assert (mapped[0] - 60_000 - n) & 0xFFFF == offset
        if n > 10:
            late = rewriter.map((60_000 + n - 10) & 0xFFFF, n - 10, n / 1000)
            assert late is not None
            assert (late[0] - 60_000 - n + 10) & 0xFFFF == offset


@settings(max_examples=40)
@given(st.lists(st.booleans(), min_size=50, max_size=300), st.integers(0, 65535))
def test_every_missing_packet_is_asked_for_and_only_those(arrives: list[bool], first: int) -> None:
    gaps, now, asked = Gaps(), 0.0, set()
    arrives[0] = arrives[-1] = True
    for n, here in enumerate(arrives):
        now += 0.001
        if here:
            assert gaps.arrived((first + n) & 0xFFFF, now)
            asked |= set(gaps.due(now, 0.05))
    for _ in range(4):  # at most 64 at once
        asked |= set(gaps.due(now + 1.0, 0.05))
    missing = {(first + n) & 0xFFFF for n, here in enumerate(arrives) if not here}
    assert asked <= missing
    if len(missing) <= 190:
        assert asked == missing
        for number in missing:
            assert gaps.arrived(number, now + 4.0)
            assert not gaps.arrived(number, now + 4.0), "a duplicate counts once"
        assert gaps.missing == 0


def test_what_never_comes_is_given_up_and_a_keyframe_asked() -> None:
    gaps = Gaps()
    gaps.arrived(1, 0.0)
    gaps.arrived(3, 0.0)
    times = sum(gaps.due(n * 0.1, 0.05) == [2] for n in range(100))
    assert times == TRIES
    assert gaps.take_lost()
    assert not gaps.take_lost()
    gaps.arrived(3 + WINDOW + 50, 20.0)
    assert gaps.take_lost()


def frame(colour: int) -> VideoFrame:
    noise = np.random.default_rng(colour).integers(0, 255, (360, 320), np.uint8)
    made = VideoFrame.from_ndarray(noise, format="yuv420p")
    made.pts, made.time_base = colour * 3000, __import__("fractions").Fraction(1, 90_000)
    return made


@pytest.mark.parametrize("name", ["VP8", "H264"])
def test_keyframes_are_found_where_the_encoder_made_them(name: str) -> None:
    codec = RTCRtpCodecParameters(
        mimeType=f"video/{name}", clockRate=90_000, payloadType=97,
        parameters={"packetization-mode": "1", "profile-level-id": "42e01f"} if name == "H264" else {},
    )  # fmt: skip
    encoder = get_encoder(codec)
    for n in range(6):
        payloads, _ = encoder.encode(frame(n), force_keyframe=n in (0, 4))
        starts = [starts_keyframe(name, p) for p in payloads]
        assert any(starts) == (n in (0, 4)), n
        if name == "VP8":
            assert sum(starts) <= 1


def made(sequence: int, timestamp: int, size: int = 1000) -> rtp.Packet:
    return rtp.Packet(97, 0, sequence & 0xFFFF, timestamp, 1, bytes(size))


def test_a_group_of_pictures_is_kept_in_order_and_bounded() -> None:
    gop = Gop()
    gop.add(made(9, 0), keyframe=False, now=0.0)
    assert gop.since_keyframe(10**6, 0.0) == []
    for n in (10, 11, 13, 12):
        gop.add(made(n, 1), keyframe=n == 10, now=0.1)
    assert [p.sequence for p in gop.since_keyframe(10**6, 0.2)] == [10, 11, 12, 13]
    assert gop.since_keyframe(3_000, 0.2) == []
    assert gop.since_keyframe(10**6, 0.2 + MOST_SECONDS) == []
    for n in range(1000):
        gop.add(made(14 + n, 2 + n), keyframe=False, now=0.3)
    assert gop.overflows == 1
    assert gop.since_keyframe(10**9, 0.3) == []
    gop.add(made(2000, 5000), keyframe=True, now=0.4)
    assert [p.sequence for p in gop.since_keyframe(10**6, 0.4)] == [2000]


@given(st.integers(0, 65535), st.lists(st.none() | st.integers(0, 60_000), min_size=2, max_size=120))
def test_feedback_tells_when_each_packet_arrived(first: int, steps: list[int | None]) -> None:
    arrivals, at, sent = Arrivals(), 5_000_000, {}
    steps[0] = steps[0] or 0
    for n, step in enumerate(steps):
        if step is not None:
            at += step
            sent[(first + n) & 0xFFFF] = at
            arrivals.add((first + n) & 0xFFFF, at)
    data = arrivals.feedback(1, 2)
    assert data is not None
    assert len(data) % 4 == 0
    told = read(data)
    last = max(n for n, step in enumerate(steps) if step is not None)
    assert list(told) == [(first + n) & 0xFFFF for n in range(last + 1)]
    for number, when in told.items():
        if number in sent:
            assert when is not None
            assert abs(when - sent[number]) <= 250
        else:
            assert when is None
    assert arrivals.feedback(1, 2) is None


@given(st.binary(max_size=60))
def test_any_feedback_is_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except ValueError:
        return


def test_reception_counts_as_rfc_3550_says() -> None:
    reception, random_ = Reception(90_000), random.Random(1)
    lost = 0
    for n in range(70_000):
        if random_.random() < 0.1 and 0 < n < 69_999:
            lost += 1
        else:
            reception.add(n & 0xFFFF, n * 3000 & 0xFFFFFFFF, n / 30)
    assert reception.expected == 70_000
    assert reception.lost == lost
    assert reception.extended_highest == 69_999
    assert reception.interval() == (70_000, lost)
    assert reception.interval() == (0, 0)
    assert reception.jitter_ms < 1


def test_lips_and_voice_keep_their_distance_through_the_forwarder() -> None:
    publisher, ours_, behind = PublisherClock(), 1_800_000_000.0, -3600.0
    sound, picture = LineClock(48_000, publisher), LineClock(90_000, publisher)
    # One moment of the publisher's: sound tick 480_000 and picture tick 9_000.
    sound.report(ntp(ours_ + behind), 480_000, ours_ + 0.04)
    picture.report(ntp(ours_ + behind + 1.0), 99_000, ours_ + 1.12)
    at = ours_ + 5.0
    s, p = sound.at(at), picture.at(at)
    assert s is not None
    assert p is not None
    assert (s - 480_000) / 48_000 == pytest.approx((p - 9_000) / 90_000, abs=0.001)
    assert from_ntp(ntp(at)) == pytest.approx(at, abs=1e-6)


def feed(link: Link, seconds: float, start: float, **inputs: float) -> float:
    now = start
    while now < start + seconds:
        now += 0.25
        link.update(
            now, inputs.get("estimate"), inputs.get("loss", 0.0), inputs["sent"], 40_000, inputs.get("trip"),
            inputs.get("latest"),
        )  # fmt: skip
    return now


def test_a_narrow_link_keeps_its_sound_and_gets_its_picture_back_by_itself() -> None:
    link = Link()
    now = feed(link, 5, 0.0, estimate=1_500_000, sent=900_000, trip=0.03)
    assert link.video
    assert link.limit > 900_000
    now = feed(link, 5, now, estimate=180_000, sent=170_000, trip=0.2)
    assert link.video, "180 kbit/s carry a small picture"
    assert 60_000 < link.limit < 150_000
    now = feed(link, PAUSE_AFTER + 2, now, estimate=70_000, sent=110_000, trip=0.6)
    assert not link.video
    now = feed(link, 20, now, estimate=70_000, sent=40_000, trip=0.03)
    assert link.video, "it tries again"
    assert link.limit >= RESUME_AT


def test_tries_that_fail_become_rarer() -> None:
    link, now, pauses = Link(), 0.0, []
    for _ in range(4):
        while link.video:
            now = feed(link, 0.25, now, estimate=50_000, sent=120_000, trip=0.8, loss=0.2)
        paused = now
        while not link.video:
            now = feed(link, 0.25, now, estimate=50_000, sent=40_000, trip=0.03)
        pauses.append(now - paused)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 3 * pauses[0]


def test_random_loss_alone_does_not_stop_the_picture() -> None:
    link = Link()
    feed(link, 30, 0.0, estimate=2_000_000, sent=1_000_000, loss=0.1, trip=0.05)
    assert link.video
    assert link.limit > 1_000_000


def lossy(losses: Losses, seconds: int, packets: int, share: float, chance: random.Random, start: int) -> list[float]:
    """What is believed after each of as many reports, one a second, of packets that are lost by chance."""
    believed = []
    for second in range(1, seconds + 1):
        lost = sum(chance.random() < share for _ in range(packets))
        losses.report(int(lost * 256 / packets) / 256, (start + second * packets) & 0xFFFFFFFF)
        believed.append(losses.average)
    return believed


@pytest.mark.parametrize("packets", [15, 30, 60, 120])
def test_one_packet_in_twenty_never_looks_like_a_full_link(packets: int) -> None:
    losses, chance = Losses(), random.Random(packets)
    believed = lossy(losses, 2_000, packets, 0.05, chance, 2**32 - 1_000)  # their numbers wrap on the way
    assert max(believed) < MUCH_LOSS
    assert sum(believed[100:]) / 1_900 == pytest.approx(0.05, abs=0.01)
    # A third of the packets lost: noticed in two reports or three, however few packets they are.
    losses.report(0.33, losses_end := (2**32 - 1_000 + 2_000 * packets + packets) & 0xFFFFFFFF)
    assert losses.latest == 0.33
    seen = lossy(losses, 4, packets, 0.33, chance, losses_end)
    assert seen[-1 if packets < 30 else 2] > MUCH_LOSS


def test_a_report_counts_by_its_packets() -> None:
    losses = Losses()
    losses.report(0.5, 40_000)
    first = losses.average
    assert 0.0 < first < MUCH_LOSS, "of how many packets the first one tells nobody knows"
    losses.report(0.5, 40_000)
    assert losses.average == first, "of none"
    losses.report(0.0, 40_000 + REMEMBERED)
    assert losses.average == pytest.approx(first / 2)
    losses.report(1.0, 7)
    assert losses.average < 0.2, "numbers that jump are another stream's"


def test_a_clean_report_ends_a_full_link() -> None:
    link = Link()
    now = feed(link, 5, 0.0, estimate=100_000, sent=150_000, loss=0.25, trip=0.05)
    full = link.limit
    now = feed(link, 5, now, estimate=600_000, sent=100_000, loss=0.2, latest=0.2, trip=0.05)
    assert link.limit == full
    feed(link, 5, now, estimate=600_000, sent=100_000, loss=0.2, latest=0.0, trip=0.05)
    assert link.limit > full


def test_the_weakest_viewer_bounds_a_sender_without_layers() -> None:
    assert cap([], 2e6, 1e5) == 1e5
    assert cap([(4e6, 1), (6e5, 2)], 2e6, 1e5) == 3e5
    assert choose_layer([100_000, 400_000, 1_200_000], [True, True, True], 500_000) == 1
    assert choose_layer([100_000, 400_000, 1_200_000], [True, False, False], 5_000_000) == 0
    assert choose_layer([0, 400_000, 0], [True, True, True], 100_000) == 1
    assert choose_layer([0, 0], [True, True], 1e9) is None


def test_candidates_are_taken_out_and_names_that_cannot_be_reached_dropped() -> None:
    sdp = (
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host\r\n"
        "a=candidate:2 1 udp 2130706431 0fd5-a.local 5000 typ host\r\n"
        "a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active\r\n"
        "a=candidate:4 1 udp 1 127.0.0.1 5000 typ host\r\na=end-of-candidates\r\n"
        "a=rid:l send\r\na=rid:h send\r\na=simulcast:send l;~h\r\n"
    )
    prepared = prepare(sdp)
    assert prepared.candidates == ["candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host"]
    assert "candidate" not in prepared.sdp
    assert prepared.rids == {"0": ["l", "h"]}
    answer = finish(
        "v=0\r\nm=video 9 X 96\r\na=mid:0\r\na=candidate:1\r\nm=audio 9 X 1\r\na=candidate:1\r\n", prepared.rids
    )
    assert "a=simulcast:recv l;h" in answer
    assert answer.count("a=candidate") == 1


def test_the_address_that_the_socket_reached_is_tried_first() -> None:
    hosts = ["10.0.0.1", "192.0.2.7", "2001:db8::7"]
    lines = "".join(f"a=candidate:1 1 udp 2130706431 {host} 5000 typ host\r\n" for host in hosts)
    answer = finish(f"v=0\r\nm=audio 9 X 1\r\na=mid:0\r\n{lines}", {}, "192.0.2.7")
    words = [line.split() for line in answer.split("\r\n") if line.startswith("a=candidate")]
    assert [(word[4], int(word[3])) for word in words] == [
        (host, 2130706431 - 256 * (host != "192.0.2.7")) for host in hosts
    ]


@given(st.text(max_size=80))
def test_any_candidate_is_judged(text: str) -> None:
    usable(text)
    usable("candidate:1 1 udp 1 " + text)
    prepare("v=0\r\n" + text)
