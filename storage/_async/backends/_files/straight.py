"""Calls to the kernel that Python has no function for: shorter ways to a file and to its name."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import cache

_OPENAT2 = 437
"""The number of the call, on the machines below."""
_MACHINES = {"x86_64", "aarch64", "riscv64", "ppc64le", "s390x"}
_HERE = -100
EMPTY_PATH = 0x1000
"""Has `straight_linker` link the file itself."""
_NO_LINKS = 0x04
_CERTAIN = {errno.ENOENT, errno.ENOTDIR}
"""What means the same when the way is gone step by step."""


@cache
def straight_opener() -> Callable[[bytes, int], int | None] | None:
    """What opens a path, of bytes, with flags as `os.open` does; None where nothing can.

    It gives a descriptor of what stands there, or None: go there step by step, since there is a
    link on the way. It raises ``OSError`` where there is no such path.
    """
    if sys.platform != "linux" or os.uname().machine not in _MACHINES or sys.maxsize < 2**32:
        return None
    import ctypes  # takes longer to import than a short command needs for all it does

    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return None
    word, text, address = ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p
    call.argtypes, call.restype = [word, ctypes.c_int, text, address, ctypes.c_size_t], word

    hows: dict[int, tuple[object, int]] = {}

    def how(flags: int) -> tuple[object, int]:
        """What the kernel is told: flags, permissions, what to refuse."""
        told = (ctypes.c_uint64 * 3)(flags | os.O_CLOEXEC, 0, _NO_LINKS)
        return told, ctypes.addressof(told)

    def opener(path: bytes, flags: int) -> int | None:
        try:
            told = hows[flags]
        except KeyError:
            told = hows[flags] = how(flags)
        file: int = call(_OPENAT2, _HERE, path, told[1], 24)
        if file >= 0:
            return file
        code = ctypes.get_errno()
        if code in _CERTAIN:
            raise OSError(code, os.strerror(code), path)
        return None

    return opener


@cache
def straight_linker() -> Callable[[int, bytes, int, bytes, int], int] | None:
    """The system's own ``linkat``, which can give an open file a name; None where it cannot.

    Called with a descriptor, no name, a directory's descriptor, the name, and `EMPTY_PATH`, it
    gives 0 where it did. Where it did not, go through ``/proc``, which takes longer, is allowed to
    everybody, and tells what is wrong.
    """
    if sys.platform != "linux":
        return None
    import ctypes

    try:
        call = ctypes.CDLL(None).linkat
    except (OSError, AttributeError):
        return None
    text, number = ctypes.c_char_p, ctypes.c_int
    call.argtypes, call.restype = [number, text, number, text, number], number
    return call
