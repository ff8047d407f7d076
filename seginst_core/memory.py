"""What the C library does with memory that is given back to it."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""``M_TRIM_THRESHOLD`` and ``M_MMAP_THRESHOLD`` of glibc's <malloc.h>."""
_MAPPED_FROM = 1 << 30
_KEPT = 512 << 20


def keep_freed_memory() -> bool:
    """Have this process keep up to 512 MB that it frees; return whether it does (glibc alone).

    A network's layers allocate the same tens of megabytes over and over. By itself glibc hands
    those back to the system each time, which then clears them page by page for the next layer: a
    tenth to a fifth of the time of a prediction (docs/decisions/0007-prediction-on-a-cpu.md).
    """
    return set_malloc(mapped_from=_MAPPED_FROM, kept=_KEPT)


def give_back_freed_memory() -> bool:
    """Hand what this process keeps of freed memory to the system; return whether it can (glibc)."""
    if platform.libc_ver()[0] != "glibc":
        return False
    ctypes.CDLL(None).malloc_trim(0)
    return True


def set_malloc(mapped_from: int, kept: int) -> bool:
    """Set from which size memory is mapped on its own and how much stays when freed, in bytes."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # All, whatever becomes of the first.
    done = [mallopt(_MMAP_THRESHOLD, mapped_from), mallopt(_TRIM_THRESHOLD, kept)]
    return all(done)
