"""Which passwords are good enough: long, and not one that everybody guesses (NIST SP 800-63B section 3.1.1).

At least twelve characters, any characters, spaces too, up to 256. No rules of composition, no forced changes. Refused
are those that are common, that are a common word dressed up (`M@tkhau12345!`), that repeat or count, and that hold the
person's own name, the place's or the system's. Lengths are counted in characters after NFC, so that a Vietnamese
letter is one, however it was typed.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import pairwise

SHORTEST = 12
LONGEST = 256
CONTEXT = ("tram", "thainguyen", "matkhau", "password", "quantri", "bacsi", "ubnd", "yte", "vietnam")
_LEET = str.maketrans("@4301!$57", "aaeoiisst")

MESSAGES: dict[str, tuple[str, str]] = {
    "too-short": (f"Cần ít nhất {SHORTEST} ký tự: nên là một câu.", f"At least {SHORTEST} letters: best a sentence."),
    "too-long": (f"Nhiều nhất {LONGEST} ký tự.", f"At most {LONGEST} characters."),
    "common": ("Mật khẩu này quá phổ biến.", "This password is too common."),
    "repeats": ("Mật khẩu lặp lại hoặc theo dãy.", "The password repeats or counts."),
    "personal": ("Mật khẩu chứa tên của bạn hoặc của hệ thống.", "The password holds your name or the system's."),
    "control": ("Mật khẩu có ký tự điều khiển.", "The password holds a control character."),
}  # fmt: skip


def normal(password: str) -> str:
    """The one form that is hashed and compared: NFC (section 3.1.1.2 of SP 800-63B asks for a stable normalisation)."""
    return unicodedata.normalize("NFC", password)


def plain(text: str) -> str:
    """Lower case without Vietnamese marks, đ as d: how people vary a word."""
    folded = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(c for c in folded if not unicodedata.combining(c))


@cache
def common() -> frozenset[str]:
    """The common passwords that are shipped (see the head of common-passwords.txt), in plain form."""
    text = files("tram.identity").joinpath("common-passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def fault(password: str, personal: Iterable[str] = ()) -> str | None:
    """Why the password is not good enough, as a key of MESSAGES; None when it is.

    Args:
        password: what was typed.
        personal: sign-in name, full name, e-mail address: it must not be made of them.
    """
    text = normal(password)
    if any(unicodedata.category(c) == "Cc" for c in text):
        return "control"
    if len(text) > LONGEST:
        return "too-long"
    if len(text) < SHORTEST:
        return "too-short"
    bare = plain(text)
    if _repeats(bare):
        return "repeats"
    # Digits and signs at the end are dress; those inside, and a first one, may stand for letters: m@tkhau, @dmin.
    core = re.sub(r"[\W\d_]+$", "", bare)
    if any(_dressed(text) for text in (bare, core.translate(_LEET), re.sub(r"^[\W\d_]+", "", core).translate(_LEET))):
        return "common"
    return "personal" if _made_of(bare, personal) else None


def _repeats(text: str) -> bool:
    """`aaaaaaaaaaaa`, `abcabcabcabc`, `123456789012`: few characters decide it all, or it counts."""
    if any(len(text) % n == 0 and text == text[:n] * (len(text) // n) for n in range(1, len(text) // 2 + 1)):
        return True
    steps = {(ord(b) - ord(a)) % 10 if (a + b).isdigit() else ord(b) - ord(a) for a, b in pairwise(text)}
    return len(set(text)) <= 4 or steps <= {1} or steps in ({-1}, {9})


def _dressed(text: str) -> bool:
    """Whether it is a common password, or one or two of them with digits and signs around and between."""
    listed = common()
    if text in listed or text.replace(" ", "") in listed:
        return True
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    if not core:
        return True  # digits and signs alone: a date or a phone number
    words = [word for word in re.split(r"[\W\d_]+", core) if word]
    if len(words) == 1:
        word = words[0]
        return word in listed or any(word[:i] in listed and word[i:] in listed for i in range(4, len(word) - 3))
    # A sentence of several words is good, even of common ones; two words are not.
    return len(words) == 2 and all(word in listed for word in words)


def _made_of(text: str, personal: Iterable[str]) -> bool:
    squeezed = re.sub(r"[\W_]+", "", text)
    names = {re.sub(r"[\W_]+", "", plain(part)) for word in personal for part in (word, word.split("@")[0])}
    for name in sorted({*names, *CONTEXT}, key=len, reverse=True):
        if len(name) >= 3 and name in squeezed and len(re.sub(r"\d+", "", squeezed.replace(name, ""))) < 6:
            return True
    return False


def new_password() -> str:
    """A random password that can be read out: 24 letters and digits in groups, 119 bits or more."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(6))
