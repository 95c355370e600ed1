"""The vitals channel and the simulated patient: what passes the gate, and what a patient looks like."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.simulators.patient import RATE, SCENARIOS, Patient, open_source
from telehealth.placement import Placement, parse_peers
from telehealth.quality import Measured, grade
from telehealth.vitals import RANGES, Gate, Numbers, Wave, decode_out

UNIX = 1_800_000_000.0


def numbers(n: int = 1, **changes: object) -> bytes:
    frame = {
        "type": "numbers",
        "subject": "s",
        "device": "d",
        "n": n,
        "at": int(UNIX * 1e6),
        "values": {"heart_rate": 80},
    }
    return json.dumps(frame | changes).encode()


def test_a_good_frame_passes_with_the_servers_time() -> None:
    out = Gate().take(numbers(), 0.0, UNIX)
    assert out is not None
    assert isinstance(out.frame, Numbers)
    assert out.received == int(UNIX * 1e6)
    assert not out.skewed


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (numbers(values={"heart_rate": float("nan")}), "malformed"),
        (numbers(values={"heart_rate": 1e9}), "out-of-range"),
        (numbers(values={"heart_rate": -1}), "out-of-range"),
        (numbers(values={"glucose": 5}), "unknown-value"),
        (numbers(values={}), "malformed"),
        (numbers(subject="x" * 100), "malformed"),
        (b"{" * 10_000, "too-large"),
        (b"\xff", "malformed"),
        (json.dumps({"type": "wave", "subject": "s", "device": "d", "n": 1, "at": 1, "lead": "II", "rate": 250,
                     "samples": [200_000]}).encode(), "malformed"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_dropped_and_counted(frame: bytes, reason: str) -> None:
    gate = Gate()
    assert gate.take(frame, 0.0, UNIX) is None
    assert gate.dropped == {reason: 1}


def test_repeated_frames_and_floods_are_dropped_and_skew_is_marked() -> None:
    gate = Gate()
    assert gate.take(numbers(5), 0.0, UNIX) is not None
    assert gate.take(numbers(5), 0.1, UNIX) is None
    assert gate.take(numbers(4), 0.1, UNIX) is None
    assert gate.dropped == {"repeated": 2}
    late = gate.take(numbers(6, at=int((UNIX - 3600) * 1e6)), 0.2, UNIX)
    assert late is not None
    assert late.skewed
    for n in range(200):
        gate.take(numbers(10 + n), 0.3, UNIX)
    assert gate.dropped["rate"] > 100


@given(st.binary(max_size=300))
def test_any_frame_passes_or_is_dropped(data: bytes) -> None:
    Gate().take(data, 0.0, UNIX)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_patient_is_the_same_for_the_same_seed_and_fits_the_channel(scenario: str) -> None:
    one, same, other = Patient(scenario, 7), Patient(scenario, 7), Patient(scenario, 8)
    first = one.ecg(RATE)
    assert first == same.ecg(RATE)
    assert first != other.ecg(RATE)
    gate, source = Gate(), open_source(f"{scenario},7")
    for n in range(60):
        frame = {"type": "wave", "subject": source.subject, "device": source.device, "n": n, "at": int(UNIX * 1e6),
                 "lead": source.lead, "rate": source.rate, "samples": source.ecg(50)}  # fmt: skip
        out = gate.take(json.dumps(frame).encode(), n * 0.2, UNIX)
        assert out is not None
        assert isinstance(out.frame, Wave)
        assert gate.take(numbers(n, device="m", values=source.numbers()), n * 0.2, UNIX) is not None
    for name, value in one.numbers().items():
        low, high, _ = RANGES[name]
        assert low <= value <= high


def beats(patient: Patient, seconds: int) -> np.ndarray:
    """Times of the R waves."""
    ecg = np.array(patient.ecg(seconds * RATE)) / 1000
    peaks = [i for i in range(1, len(ecg) - 1) if ecg[i] > 0.7 and ecg[i] >= ecg[i - 1] and ecg[i] > ecg[i + 1]]
    kept = [peaks[0]]
    for p in peaks[1:]:
        if p - kept[-1] > 0.2 * RATE:
            kept.append(p)
    return np.array(kept) / RATE


def test_the_hearts_rate_is_that_of_its_ecg() -> None:
    patient = Patient("stable", 3)
    found = beats(patient, 60)
    assert 60 / np.diff(found).mean() == pytest.approx(patient.numbers()["heart_rate"], rel=0.08)


def test_fibrillation_is_irregular_and_the_others_are_not() -> None:
    spread = {
        name: np.diff(beats(Patient(name, 3), 60)).std() / np.diff(beats(Patient(name, 3), 60)).mean()
        for name in SCENARIOS
    }
    assert spread["arrhythmia"] > 0.12
    assert max(spread[name] for name in SCENARIOS if name != "arrhythmia") < 0.08


def test_sepsis_worsens() -> None:
    patient = Patient("sepsis", 1)
    before = patient.numbers()
    patient.ecg(RATE * 600)
    after = patient.numbers()
    assert after["heart_rate"] > before["heart_rate"] + 5
    assert after["systolic"] < before["systolic"]
    assert "systolic" in after
    assert "systolic" not in patient.numbers(), "a cuff measures now and then"


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=2, max_size=6, unique=True), st.text(max_size=10))
def test_a_consult_has_one_home_and_few_move_when_a_process_goes(names: list[str], consult: str) -> None:
    peers = {name: f"ws://{name}/consult" for name in names}
    homes = {Placement(name, peers).home(consult) for name in names}
    assert len(homes) == 1
    home = homes.pop()
    assert Placement(home, peers).elsewhere(consult) is None
    without = {n: u for n, u in peers.items() if n != next(n for n in names if n != home)}
    assert Placement(home, without).home(consult) == home


def test_peers_are_read() -> None:
    assert parse_peers("a=ws://h/consult, b=wss://i/consult") == {"a": "ws://h/consult", "b": "wss://i/consult"}
    for wrong in ("a", "a=http://x", "a=ws://x,a=ws://y"):
        with pytest.raises(ValueError):
            parse_peers(wrong)


def test_links_are_graded_by_what_weighs_most() -> None:
    assert grade(Measured(loss_up=0.0, rtt_ms=40)) == ("good", "")
    assert grade(Measured(loss_down=0.05)) == ("fair", "loss")
    assert grade(Measured(loss_down=0.05, rtt_ms=900)) == ("poor", "delay")
    assert grade(Measured(paused_by_link=True)) == ("poor", "rate")
    assert grade(Measured(silent=True)) == ("lost", "away")
    assert (
        decode_out(
            b'{"type":"vitals","seat":"s1","received":1,"frame":{"type":"numbers","subject":"s","device":"d","n":1,"at":1,"values":{"heart_rate":1}}}'
        ).seat
        == "s1"
    )
