"""Second factors of an account (one-time codes, recovery codes) and the count of failed tries. Nothing here commits."""

from collections.abc import Mapping, Sequence

from tram.errors import ConflictError
from tram.identity import totp
from tram.identity.lockout import Failures, Policy
from tram.identity.secrets import Keyring
from tram.store import sqlfile
from tram.store.database import Connection, available

TRIES_KEPT = 100_000


def propose(conn: Connection, account: int, ring: Keyring) -> bytes:
    """A new secret to show; it counts once `enrol` has seen a code of it."""
    secret = totp.new_secret()
    sealed = ring.seal(secret, _purpose(account))
    with available():
        conn.execute(sqlfile.load("people")["totp_propose"], {"id": account, "sealed": sealed})
    return secret


def enrol(conn: Connection, account: int, ring: Keyring, code: str, now: float) -> list[str] | None:
    """Makes the proposed secret the second factor; returns fresh recovery codes, shown once. None: the code is wrong.

    Raises:
        ConflictError: nothing was proposed.
    """
    _, pending, _ = _row(conn, account)
    if pending is None:
        raise ConflictError("start the enrolment again: there is no secret waiting for its first code")
    step = totp.verify(ring.open(pending, _purpose(account)), code, now=now)
    if step is None:
        return None
    with available():
        conn.execute(sqlfile.load("people")["totp_enrol"], {"id": account, "step": step})
    return new_recovery_codes(conn, account, ring)


def new_recovery_codes(conn: Connection, account: int, ring: Keyring) -> list[str]:
    """Ten fresh ones; the old ones are void."""
    codes = totp.new_recovery_codes()
    with available():
        conn.execute(sqlfile.load("people")["recovery_clear"], {"account": account})
        marks = [{"account": account, "mark": ring.mark(totp.normal_code(c), f"recovery:{account}")} for c in codes]
        conn.cursor().executemany(sqlfile.load("people")["recovery_add"], marks)
    return codes


def check(conn: Connection, account: int, ring: Keyring, code: str, now: float) -> bool:
    """Whether the one-time code is good; it is used up. Of two requests with one code the row's lock lets one win."""
    sealed, _, used = _row(conn, account)
    if sealed is None:
        return False
    step = totp.verify(ring.open(sealed, _purpose(account)), code, now=now, used=used)
    if step is None:
        return False
    with available():
        conn.execute(sqlfile.load("people")["totp_used"], {"id": account, "step": step})
    return True


def check_recovery(conn: Connection, account: int, ring: Keyring, code: str) -> bool:
    """Whether it is one of the recovery codes that are left; it is used up."""
    marks = ring.marks(totp.normal_code(code), f"recovery:{account}")
    with available():
        row = conn.execute(sqlfile.load("people")["recovery_use"], {"account": account, "marks": marks}).fetchone()
    return row is not None


def recovery_left(conn: Connection, account: int) -> int:
    """How many recovery codes are left."""
    with available():
        row = conn.execute(sqlfile.load("people")["recovery_left"], {"account": account}).fetchone()
    return int(row[0]) if row else 0


def remove(conn: Connection, account: int) -> None:
    """Takes the second factor and its recovery codes away."""
    with available():
        conn.execute(sqlfile.load("people")["totp_remove"], {"id": account})
        conn.execute(sqlfile.load("people")["recovery_clear"], {"account": account})


def wait(conn: Connection, subjects: Mapping[str, Policy], now: float) -> float:
    """Seconds until the next try may be made on all of the subjects; 0: now."""
    found = _tries(conn, list(subjects))
    return max((policy.wait(found[name], now) for name, policy in subjects.items()), default=0.0)


def failed(conn: Connection, subjects: Mapping[str, Policy], now: float) -> tuple[int, float]:
    """Counts one more failure on each; returns (tries left before a wait, seconds to wait), the worst of them."""
    found = _tries(conn, list(subjects))
    left, pause = 1_000_000, 0.0
    for name, policy in sorted(subjects.items()):  # in one order, so that two requests do not lock each other out
        after = policy.failed(found[name], now)
        with available():
            values = {"subject": name, "n": after.count, "last": after.last}
            conn.execute(sqlfile.load("people")["tried"], values)
        left, pause = min(left, policy.left(after, now)), max(pause, policy.wait(after, now))
    return left, pause


def forgive(conn: Connection, subjects: Sequence[str]) -> None:
    """Forgets the failures: the right secret was given."""
    with available():
        conn.execute(sqlfile.load("people")["forgive"], {"subjects": list(subjects)})


def forget_tries(conn: Connection) -> int:
    """Drops what no policy looks at any more; returns how many."""
    with available():
        return conn.execute(sqlfile.load("people")["forget_tries"], {"keep": TRIES_KEPT}).rowcount


def _tries(conn: Connection, subjects: Sequence[str]) -> dict[str, Failures]:
    found = dict.fromkeys(subjects, Failures())
    with available():
        rows = conn.execute(sqlfile.load("people")["tries"], {"subjects": list(subjects)})
        found.update({name: Failures(n, last) for name, n, last in rows})
    return found


def _row(conn: Connection, account: int) -> tuple[bytes | None, bytes | None, int]:
    with available():
        row = conn.execute(sqlfile.load("people")["totp"], {"id": account}).fetchone()
    if row is None:
        return None, None, -1
    return row[0] and bytes(row[0]), row[1] and bytes(row[1]), int(row[2])


def _purpose(account: int) -> str:
    return f"totp:{account}"
