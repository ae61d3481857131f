"""How a sync is to be done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._core.errors import ConfigError
from ..._core.protocol import AsyncObjectStore, ObjectStore
from .comparing import Comparison, judge
from .safety import HALF, check_max_delete
from .tasks import TRANSFERS

if TYPE_CHECKING:
    from .selection import Selection

BUFFER = 64 * 1024 * 1024


@dataclass(frozen=True)
class SyncOptions:
    """The arguments of a sync; `async_sync_stores` says what each means.

    Raises:
        ConfigError: One of them makes no sense.
    """

    delete: bool = False
    compare: Comparison = "auto"
    dry_run: bool = False
    transfers: int = TRANSFERS
    buffer: int = BUFFER
    bandwidth: float | None = None
    max_delete: int | float | None = HALF
    backup: AsyncObjectStore | ObjectStore | None = None
    """Of either kind, whatever the ends are."""
    selection: Selection | None = None
    journal: str | os.PathLike[str] | None = None
    fail_fast: bool = False

    def __post_init__(self) -> None:
        judge(self.compare)
        check_max_delete(self.max_delete)
        if self.transfers < 1:
            raise ConfigError(f"transfers is at least 1, not {self.transfers!r}")
        if self.buffer < 1:
            raise ConfigError(f"buffer is at least 1 byte, not {self.buffer!r}")
        if self.bandwidth is not None and not self.bandwidth > 0:
            raise ConfigError(f"bandwidth is above 0 bytes per second, not {self.bandwidth!r}")
