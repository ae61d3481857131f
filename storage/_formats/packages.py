"""Optional packages: values are recognised without them, and they are imported where needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .._core.codecs.coding import DecodeError
from .._core.errors import MissingExtra, StoreError


def is_a(value: object, module: str, *names: str) -> bool:
    """Whether a value is of a package's classes. If it is, somebody has imported the package."""
    loaded = sys.modules.get(module)
    kinds = [getattr(loaded, name, None) for name in names]
    return isinstance(value, tuple(kind for kind in kinds if isinstance(kind, type)))


def package(name: str, extra: str) -> Any:
    """A module of an optional package.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra.named(name.partition(".")[0], extra) from error


def installed(name: str) -> bool:
    """Whether there is a package, which may not have been imported yet."""
    return sys.modules.get(name) is not None or find_spec(name) is not None


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever goes wrong in the block is the fault of the bytes: parsers raise anything.

    Raises:
        DecodeError: The bytes are not of the form; a ``ValueError``.
    """
    try:
        yield
    except StoreError:
        raise
    except BaseException as error:
        # A panic of Rust is no Exception. A MemoryError is one: damaged lengths ask for anything.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        told = str(error) or type(error).__name__
        raise DecodeError(f"the content is no {what}: {told}") from error


def check_type(as_: Any, what: str, *kinds: Any) -> Any:
    """The type to read something as: the first one for None.

    Raises:
        TypeError: It is none of these.
    """
    if as_ is None:
        return kinds[0]
    if as_ in kinds:
        return as_
    raise refuse_type(as_, what, " or ".join(kind.__name__ for kind in kinds))


def refuse_type(as_: Any, what: str, known: str) -> TypeError:
    """The error for a type that a form is not read as."""
    name = getattr(as_, "__qualname__", as_)
    return TypeError(f"{what} is not read as {name}, but as {known}")
