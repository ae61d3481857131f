"""Files opened by one call to the kernel, which itself refuses links anywhere on the way."""

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
_NO_LINKS = 0x04
_CERTAIN = {errno.ENOENT, errno.ENOTDIR}
"""What means the same when the way is gone step by step."""


def open_straight(path: bytes, flags: int) -> int | None:
    """A descriptor of what stands at a path without any link; None: go there step by step.

    Args:
        path: From the root of all, or from the working directory.
        flags: Those of `os.open`.

    Raises:
        OSError: There is no such path.
    """
    opener = _opener()
    return None if opener is None else opener(path, flags)


@cache
def _opener() -> Callable[[bytes, int], int | None] | None:
    if sys.platform != "linux" or os.uname().machine not in _MACHINES or sys.maxsize < 2**32:
        return None
    import ctypes  # takes longer to import than a short command needs for all it does

    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return None
    word, text, address = ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p
    call.argtypes, call.restype = [word, ctypes.c_int, text, address, ctypes.c_size_t], word

    @cache
    def how(flags: int) -> tuple[object, int]:
        """What the kernel is told: flags, permissions, what to refuse."""
        told = (ctypes.c_uint64 * 3)(flags | os.O_CLOEXEC, 0, _NO_LINKS)
        return told, ctypes.addressof(told)

    def opener(path: bytes, flags: int) -> int | None:
        file: int = call(_OPENAT2, _HERE, path, how(flags)[1], 24)
        if file >= 0:
            return file
        code = ctypes.get_errno()
        if code in _CERTAIN:
            raise OSError(code, os.strerror(code), path)
        return None

    return opener
