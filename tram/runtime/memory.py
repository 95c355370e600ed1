"""How a server's memory is kept, for answers of megabytes made anew for every request."""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 64 << 20
"""Bytes that were freed and stay with the process."""
_LARGE = 32 << 20
"""Larger pieces go back at once; glibc takes no more than half an arena (malloc.h, HEAP_MAX_SIZE)."""


def keep_freed() -> None:
    """glibc keeps what was freed for what comes next; without glibc nothing changes.

    Else it gives the memory of every long answer back to the system, and each of its pages is asked for, and zeroed,
    again: a third of the processor time of `$expand` of 500 Things (6.6 MB).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


def look_less_for_cycles() -> None:
    """Answers are thousands of strings and tuples, where the collector has nothing to find; and what was made at the
    start is not looked at again. To be called when the process is set up."""
    gc.set_threshold(50_000, 20, 50)
    gc.collect()
    gc.freeze()
