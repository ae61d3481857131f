"""What the kernel still holds of what was sent."""

from __future__ import annotations

import asyncio
import sys

try:
    import fcntl
    import termios
except ImportError:  # Windows
    pass


def unacknowledged(transport: asyncio.WriteTransport) -> int:
    """Bytes that the other side has not got yet; 0 where nobody knows.

    A kernel keeps megabytes, and asks for more only when a good part of them is gone: over a slow
    line that takes minutes in which nothing else tells that the server still listens.
    """
    sock = transport.get_extra_info("socket")
    if sys.platform != "linux" or sock is None:
        return 0
    try:
        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)
