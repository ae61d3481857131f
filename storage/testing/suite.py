"""All checks in one class."""

from __future__ import annotations

from .attributes import AttributeChecks
from .bulk import BulkChecks
from .cancelling import CancelChecks
from .closing import ClosingChecks
from .concurrency import ConcurrencyChecks
from .conditions import ConditionChecks
from .errors import ErrorChecks
from .info import InfoChecks
from .keys import KeyChecks
from .lifetimes import LifetimeChecks
from .listing import ListingChecks
from .memory import MemoryChecks
from .model import ModelChecks
from .races import RaceChecks
from .ranges import RangeChecks
from .reading import ReaderChecks
from .streams import StreamChecks
from .values import ValueChecks
from .verbs import VerbChecks
from .writing import WriterChecks


class StoreConformance(
    VerbChecks,
    ValueChecks,
    StreamChecks,
    InfoChecks,
    KeyChecks,
    ListingChecks,
    RangeChecks,
    ReaderChecks,
    WriterChecks,
    AttributeChecks,
    LifetimeChecks,
    ConditionChecks,
    RaceChecks,
    BulkChecks,
    ErrorChecks,
    ClosingChecks,
    ConcurrencyChecks,
    CancelChecks,
    MemoryChecks,
    ModelChecks,
):
    """Every promise of the contract, as tests.

    A subclass provides `make_store`. It may also provide `reopen`, `missing_store`, `hurried`,
    `litter` and `outside`, and say more about the store in the attributes (`capabilities`,
    `legal_keys`, `secrets`, ...); `Conformance` documents them all.
    """
