"""Passwords at rest: argon2id (RFC 9106), in the PHC string form, with the parameters of OWASP's cheat sheet.

46 MiB, one pass, one lane: about 40 ms of one core. Whoever calls bounds how many run at once: each holds its memory.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from tram.identity.passwords import normal

_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1, hash_len=32, salt_len=16)
_NOBODY = _HASHER.hash("nobody's")


def hashed(password: str) -> str:
    """What is stored of a password."""
    return _HASHER.hash(normal(password))


def fits(password: str, stored: str | None) -> bool:
    """Whether it is the password. None stored (no such account, or none set): False, in the same time."""
    try:
        _HASHER.verify(stored or _NOBODY, normal(password))
    except (VerifyMismatchError, VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return stored is not None


def outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)
