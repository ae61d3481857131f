"""JSON by a fast package where there is one, with the results of the standard library.

What the fast package refuses is decided by the standard one, and what it wrote is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from .packages import installed, package, reading
from .same import check_same

BOM = b"\xef\xbb\xbf"
WAY_OUT = (
    "convert it (tuples to lists, keys and dates to str, NaN to None), "
    "or write .yaml, .pkl, or records as .jsonl"
)
# orjson makes floats of the integers that take more than 64 bits.
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@cache
def _fast() -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]] | None:
    """The fast way to encode and decode, if there is one."""
    if installed("msgspec"):
        found = package("msgspec.json", "msgspec")
        return found.encode, found.decode
    if installed("orjson"):
        orjson = package("orjson", "orjson")
        return orjson.dumps, _guarded(orjson.loads)
    return None


def _guarded(loads: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def decode(data: bytes) -> Any:
        if _LONG_NUMBER.search(data):
            raise ValueError("perhaps an integer of more than 64 bits")
        return loads(data)

    return decode


def decoded(data: bytes) -> Any:
    """The value of a JSON text, which may begin with a byte order mark.

    Raises:
        DecodeError: It is no JSON; NaN and Infinity are none.
    """
    data = data.removeprefix(BOM)
    fast = _fast()
    if fast:
        try:
            return fast[1](data)
        except Exception:  # noqa: S110 - the standard library decides
            pass
    with reading("JSON"):
        return json.loads(data.decode(), parse_constant=_refuse_constant)


def encoded(value: Any) -> bytes:
    """The JSON text of a value.

    Raises:
        TypeError: It would not be read back as it is.
    """
    fast = _fast()
    if fast:
        try:
            data = fast[0](value)
            if fast[1](data) == value:
                return data
        except Exception:  # noqa: S110
            pass
    return _encoded_slowly(value)


def _encoded_slowly(value: Any) -> bytes:
    try:
        data = _encode(value).encode()
        check_same(value, decoded(data))
    except (ValueError, TypeError, RecursionError) as error:
        raise TypeError(f"JSON cannot say this: {error}; {WAY_OUT}") from error
    return data


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
