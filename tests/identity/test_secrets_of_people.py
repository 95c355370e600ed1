"""Passwords, one-time codes, recovery codes, lockout: examples from the standards, and properties."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import Type
from hypothesis import given
from hypothesis import strategies as st

from tests.people import COST
from tram.identity import hashing, lockout, passwords, totp

# RFC 6238 appendix B: (time, SHA-1, SHA-256, SHA-512), eight digits.
VECTORS = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
SEED = b"12345678901234567890"
SEEDS = {"sha1": SEED, "sha256": (SEED * 2)[:32], "sha512": (SEED * 4)[:64]}


@pytest.mark.parametrize(("moment", "sha1", "sha256", "sha512"), VECTORS)
def test_rfc_6238_vectors(moment: int, sha1: str, sha256: str, sha512: str) -> None:
    wanted = {"sha1": sha1, "sha256": sha256, "sha512": sha512}
    made = {d: totp.code_at(SEEDS[d], moment // 30, digits=8, digest=d) for d in wanted}
    assert made == wanted


@given(st.binary(min_size=20, max_size=20), st.integers(200, 10_000_000_000), st.integers(-3, 3))
def test_a_code_is_good_one_step_around_and_once(secret: bytes, now: int, off: int) -> None:
    step = now // 30 + off
    code = totp.code_at(secret, step)
    found = totp.verify(secret, code, now=float(now))
    if abs(off) <= 1:
        assert found is not None
        assert totp.verify(secret, code, now=float(now), used=found) in {None, *range(found + 1, found + 3)}
        again = totp.verify(secret, code, now=float(now), used=step + 2)
        assert again is None
    elif found is not None:  # another step happens to have the same six digits
        assert totp.code_at(secret, found) == code


@given(st.text(max_size=12))
def test_anything_typed_as_a_code_is_answered(text: str) -> None:
    found = totp.verify(SEED, text, now=59.0)
    assert found is None or totp.code_at(SEED, found) == text.replace(" ", "")


def test_the_uri_holds_the_secret_and_the_issuer() -> None:
    uri = totp.provisioning_uri(SEED, account="lan.nt", issuer="Trạm Thái Nguyên")
    query = parse_qs(urlsplit(uri).query)
    assert base64.b32decode(query["secret"][0]) == SEED
    assert query["issuer"] == ["Trạm Thái Nguyên"]
    assert totp.spoken(SEED).replace(" ", "") == query["secret"][0]


def test_recovery_codes_are_many_different_and_forgiving() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(len(totp.normal_code(code)) == 10 for code in codes)
    assert totp.normal_code(" o1lI-ab cd ") == "0111ABCD"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("ngắn quá", "too-short"),
        ("matkhau123456", "common"),
        ("M@tkhau12345!", "common"),
        ("Mật khẩu 2026!", "common"),
        ("password1234", "common"),
        ("P@ssw0rd!2026", "common"),
        ("dragon-monkey-77", "common"),
        ("09-12-1975 0912345678", "common"),
        ("aaaaaaaaaaaaaaa", "repeats"),
        ("abcabcabcabcabc", "repeats"),
        ("123456789012345", "repeats"),
        ("abcdefghijklmno", "repeats"),
        ("987654321098765", "repeats"),
        ("tram-yte-tram-26", "personal"),
        ("nguyenthilan85", "personal"),
        ("x" * 257, "too-long"),
        ("sông Cầu\x00chảy", "control"),
    ],
)
def test_bad_passwords_are_refused(password: str, why: str) -> None:
    assert passwords.fault(password, ["lan.nt", "Nguyễn Thị Lan"]) == why
    assert all(passwords.MESSAGES[why])


@pytest.mark.parametrize(
    "password",
    [
        "Sông Cầu chảy qua cầu Gia Bảy",
        "mưa to quá hôm nay nghỉ",
        "correct horse battery staple",
        "kV7!pq_mZr4#",
        "đồi chè xanh buổi sớm",
    ],
)
def test_good_passwords_pass(password: str) -> None:
    assert passwords.fault(password, ["lan.nt", "Nguyễn Thị Lan"]) is None


@given(st.text(max_size=300), st.lists(st.text(max_size=30), max_size=3))
def test_any_password_is_judged(password: str, personal: list[str]) -> None:
    why = passwords.fault(password, personal)
    assert why is None or why in passwords.MESSAGES
    if why is None:
        assert passwords.SHORTEST <= len(passwords.normal(password)) <= passwords.LONGEST


def test_made_passwords_are_good_and_differ() -> None:
    made = {passwords.new_password() for _ in range(20)}
    assert len(made) == 20
    assert all(passwords.fault(p) is None for p in made)


def test_the_shipped_list_says_where_it_is_from() -> None:
    assert {"password", "qwerty", "matkhau"} <= passwords.common()
    assert len(passwords.common()) > 9000


@given(st.integers(0, 100), st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_wait_is_bounded_and_ends(count: int, last: float, now: float) -> None:
    policy = lockout.ACCOUNT
    failures = lockout.Failures(count, last)
    wait = policy.wait(failures, now)
    assert 0 <= wait <= policy.longest
    assert policy.wait(failures, max(now, last) + policy.longest) == 0 or now < last


def test_the_wait_doubles_and_is_forgotten() -> None:
    policy, failures, now = lockout.ACCOUNT, lockout.Failures(), 1000.0
    waits = []
    for _ in range(12):
        failures = policy.failed(failures, now)
        waits.append(policy.wait(failures, now))
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert policy.wait(failures, now + 3601) == 0
    assert policy.failed(failures, now + 3601).count == 1
    assert policy.left(lockout.Failures(3, now), now) == 2


def test_a_password_costs_what_owasp_asks_for() -> None:
    """46 MiB, one pass, one lane (OWASP's cheat sheet); the tests themselves use less (tests/people.py)."""
    assert (COST.memory_cost, COST.time_cost, COST.parallelism, COST.type) == (47_104, 1, 1, Type.ID)
    stored = COST.hash("sông Cầu")
    assert hashing.fits("sông Cầu", stored), "whatever the cost was"
    assert hashing.outdated(stored)
    assert not hashing.outdated(hashing.hashed("sông Cầu"))
