"""Records of typed fields: models of Pydantic, dataclasses, structs of msgspec, attrs classes.

Pydantic reads and writes its own models, msgspec all others. They are written as JSON, and read as
plain values where nobody says as what.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .._core.errors import MissingExtra
from .packages import package, reading

PYDANTIC, DATACLASS, ATTRS, STRUCT = "pydantic", "dataclass", "attrs", "struct"


def kind_of(kind: Any) -> str | None:
    """What sort of record a class makes; None if it makes none."""
    if hasattr(kind, "model_validate_json") and hasattr(kind, "__pydantic_validator__"):
        return PYDANTIC
    if hasattr(kind, "__struct_fields__"):
        return STRUCT
    if dataclasses.is_dataclass(kind):
        return DATACLASS
    return ATTRS if hasattr(kind, "__attrs_attrs__") else None


def encoded(value: Any) -> bytes:
    """A record as JSON.

    Raises:
        TypeError: It would not be read back equal.
        MissingExtra: It takes msgspec, which is not installed.
    """
    kind = type(value)
    try:
        data = _encoded(value)
        same = decoded(data, kind) == value
    except MissingExtra:
        raise
    except Exception as error:
        raise TypeError(f"{kind.__name__} cannot be written as JSON: {error}") from error
    if not same:
        raise TypeError(
            f"{kind.__name__} would not read back equal from JSON: a field is not of its declared "
            "type, left out, or NaN"
        )
    return data


def _encoded(value: Any) -> bytes:
    if kind_of(type(value)) == PYDANTIC:
        text: str = value.model_dump_json(by_alias=True, round_trip=True)
        return text.encode()
    data: bytes = package("msgspec.json", "msgspec").encode(value)
    return data


def decoded(data: bytes, as_: Any) -> Any:
    """JSON as a type: a record, or whatever msgspec knows (``list[Model]``, a TypedDict).

    Raises:
        DecodeError: It is no JSON, or does not fit the type.
        TypeError: The type is none that JSON is read as.
        MissingExtra: It takes msgspec, which is not installed.
    """
    if kind_of(as_) == PYDANTIC:
        with reading(as_.__name__):
            return as_.model_validate_json(data)
    msgspec = package("msgspec", "msgspec")
    try:
        decoder = msgspec.json.Decoder(as_)
    except Exception as error:
        raise TypeError(f"JSON is not read as {as_!r}: {error}") from error
    with reading(getattr(as_, "__name__", str(as_))):
        return decoder.decode(data)
