"""Files copied by the kernel."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .opened import OpenFile
    from .pending import Pending

_COPY_BYTES = 64 * 1024 * 1024
"""Bytes that the kernel is asked to copy by."""
_NO_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}


def copy_by_kernel(file: OpenFile, pending: Pending, start: int, end: int) -> int:
    """Copy without the bytes' passing through this process; where the next byte is.

    Args:
        file: What is copied.
        pending: What it is appended to.
        start: The first byte.
        end: The byte after the last one.
    """
    for copy in _KERNEL:
        try:
            while start < end:
                count = copy(file.fileno(), pending.file, min(end - start, _COPY_BYTES), start)
                if not count:
                    break
                start += count
        except OSError as error:
            if error.errno not in _NO_COPY:
                raise
    return start


def _send_file(source: int, target: int, count: int, start: int) -> int:
    return os.sendfile(target, source, start, count)


# The first shares the data or copies them on the server, where the file system can; the other
# works between any two.
_KERNEL: tuple[Callable[[int, int, int, int], int], ...] = ()
if hasattr(os, "copy_file_range"):
    _KERNEL = (os.copy_file_range, _send_file)
