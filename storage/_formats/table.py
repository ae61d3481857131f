"""The handlers that every typed store begins with."""

from __future__ import annotations

from .arrays import NpyFormat, NpzFormat, SparseFormat
from .frames.formats import CsvFormat, ParquetFormat
from .images import ImageFormat
from .jsons import JsonFormat, JsonLinesFormat, RecordFormat
from .plain import BytesFormat, PickleFormat, TextFormat
from .records import ATTRS, DATACLASS, PYDANTIC, STRUCT
from .registry import Handlers
from .torches import TorchFormat
from .yamls import YamlFormat

HANDLERS = Handlers(
    (
        PickleFormat(),
        BytesFormat(),
        JsonLinesFormat(),
        TextFormat(),
        YamlFormat(),
        JsonFormat(),
        CsvFormat(),
        ParquetFormat(),
        NpyFormat(),
        NpzFormat(),
        SparseFormat(),
        TorchFormat(),
        ImageFormat(),
        RecordFormat(ATTRS, 11),
        RecordFormat(STRUCT, 11),
        RecordFormat(DATACLASS, 11),
        RecordFormat(PYDANTIC, 12),
    )
)
"""To be copied, and not to be changed: all stores share it."""


def handlers(*, allow_pickle: bool = False) -> Handlers:
    """A fresh set of all handlers.

    Args:
        allow_pickle: Whether anything may be pickled, and pickles be read, which runs their code.
    """
    new = HANDLERS.copy()
    if allow_pickle:
        new.unregister(PickleFormat)
        new.register(PickleFormat(allow_pickle=True))
    return new
