"""Becomes another program: `python -I -S launch.py '{"argv": […], …}'`. Stands alone, on the standard library.

Between fork and exec a multithreaded parent may run almost nothing safely, so the steps that only the child can take
(its own session, another user, capabilities, the death signal) are taken here, in a small process that then execs.

The JSON object:
    argv: the program and its arguments; argv[0] is a path.
    parent: process id that must still be the parent once the death signal is set.
    death_signal: signal the kernel sends when the parent's starting thread ends (PR_SET_PDEATHSIG).
    uid, gid: optional; the user to become (supplementary groups are dropped).
    capabilities: optional; numbers of capabilities(7) kept across the change of user and the exec (ambient).
"""

import contextlib
import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 4
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h: two 32-bit words a set


def command(argv: list[str], parent: int, death_signal: int, **more: object) -> list[str]:
    """The command line that becomes `argv` by way of this script; `more` as described above."""
    spec = {"argv": argv, "parent": parent, "death_signal": death_signal, **more}
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), json.dumps(spec)]  # noqa: PTH100 - no pathlib here


_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(a) for a in (*arguments, *([0] * (4 - len(arguments))))]
    if _libc.prctl(option, *padded) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _keep(capabilities: list[int]) -> None:
    """Makes exactly these the process's capabilities, inheritable and ambient, so that they live through exec."""
    mask = sum(1 << c for c in capabilities)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(low, low, low, high, high, high)  # effective, permitted, inheritable; twice
    if _libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    for capability in capabilities:
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def become(uid: int, gid: int, capabilities: list[int]) -> None:
    """Drops to a user, keeping only the named capabilities."""
    if capabilities:
        # access(2) asks as if an ordinary user had no capabilities, unless they are exempt from being dropped with root
        # (capabilities(7)); PostgreSQL looks for its own programs with it. Needs CAP_SETPCAP, and matters only where
        # the programs themselves are in a closed folder.
        with contextlib.suppress(OSError):
            _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capabilities:
        _keep(capabilities)


def main() -> None:
    spec = json.loads(sys.argv[1])
    os.setsid()  # signals of the terminal go to the supervisor alone; it tells its children in its own order
    if "uid" in spec:
        become(spec["uid"], spec["gid"], spec.get("capabilities", []))
    # After the change of user: the kernel clears the death signal at every change of credentials.
    _prctl(PR_SET_PDEATHSIG, spec["death_signal"])
    if os.getppid() != spec["parent"]:
        sys.exit(0)  # the parent died before the death signal was set
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    argv = spec["argv"]
    try:
        os.execv(argv[0], argv)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
