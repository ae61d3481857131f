"""Who holds a lock: what is written into it, and whether its writer still lives."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache

from .words import StorageLockedException


@dataclass(frozen=True)
class Owner:
    """A process that holds a lock, or wants it."""

    token: str
    """Of this one holding, so that nobody takes another's for his own."""
    host: str
    pid: int
    place: str
    """Where that number means that process; empty where nobody can tell."""
    expires: float | None = None
    """Seconds since 1970; None: never."""

    @classmethod
    def here(cls) -> Owner:
        """This process."""
        return cls(uuid.uuid4().hex, socket.gethostname(), os.getpid(), _place())

    @classmethod
    def parse(cls, data: bytes) -> Owner | None:
        """Who has written this; None where it is not written by us."""
        try:
            found = cls(**json.loads(data))
            found.is_gone()  # compares what it holds
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None
        return found

    def until(self, seconds: float) -> Owner:
        """The same, for so long from now."""
        return replace(self, expires=time.time() + seconds)

    def dump(self) -> bytes:
        """What `parse` reads."""
        return json.dumps(asdict(self)).encode()

    def is_gone(self, soon: float = 0.0) -> bool:
        """Whether its time is over, or it was a process of this machine that is no more.

        Args:
            soon: Seconds in which it counts as over already.
        """
        if self.expires is not None and self.expires < time.time() + soon:
            return True
        return self.place != "" and self.place == _place() and not _lives(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


NOBODY = Owner("", "", 0, "")


def locked(what: str, owner: Owner | None) -> StorageLockedException:
    """The error that says who has it."""
    holder = "somebody" if owner is None else str(owner)
    error = StorageLockedException(f"{what} is held by {holder}")
    error.holder = holder
    if owner is not None and owner.expires is not None:
        error.retry_after = max(0.0, owner.expires - time.time())
    return error


@cache
def _place() -> str:
    """The boot and the PID namespace: two containers may call themselves by one name."""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    return ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
