"""Every error that a store raises.

One root, and each error is also the built-in that a caller would catch::

    StoreError
    ├── ObjectNotFound         KeyError
    ├── ObjectExists           FileExistsError
    ├── PreconditionFailed
    │   ├── NotModified
    │   └── SourceChanged
    ├── InvalidKey             ValueError
    │   └── RefusedKey         KeyError, too
    ├── ConfigError            ValueError
    ├── NotSupported           NotImplementedError
    ├── StoreNotFound          FileNotFoundError
    ├── AccessDenied           PermissionError
    ├── StoreUnavailable       ConnectionError
    ├── StoreTimeout           TimeoutError
    ├── NoSpace                OSError
    ├── IntegrityError
    │   ├── MalformedResponse
    │   └── CorruptStore
    ├── StoreClosed            RuntimeError
    ├── MissingExtra           ImportError
    └── ManyErrors             ExceptionGroup
        ├── BulkError          (by key)
        ├── FanoutError        (by child)
        │   └── QuorumError    IntegrityError
        └── SyncError          (by key)
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from .text import shorten


class StoreError(Exception):
    """The root of all errors of this package.

    Args:
        message: What happened and what to do about it; never a secret.
        operation: The verb that failed, such as ``"get"``.
        store: The store, as its ``repr``.
        key: The key concerned.
    """

    def __init__(
        self,
        message: str = "",
        *,
        operation: str | None = None,
        store: str | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(message)
        self._message = message
        self.operation = operation
        self.store = store
        self.key = key

    def __str__(self) -> str:
        place = " ".join(
            part
            for part in (
                self.operation,
                None if self.key is None else shorten(repr(self.key)),
                None if self.store is None else f"in {self.store}",
            )
            if part
        )
        return f"{place}: {self._message}" if place and self._message else place or self._message

    def __reduce__(self) -> tuple[Any, ...]:
        # OSError and KeyError each pickle in a way of their own; the state is plain, so say it.
        return _rebuild, (type(self), self.__dict__.copy())

    def located(self, *, operation: str, store: str, key: str | None = None) -> StoreError:
        """Fill in whatever part of the place is not known yet, and return the error itself."""
        self.operation = self.operation or operation
        self.store = self.store or store
        self.key = key if self.key is None else self.key
        return self


def _rebuild(kind: type[StoreError], state: dict[str, Any]) -> StoreError:
    error = kind(state["_message"])
    error.__dict__.update(state)
    return error


class ObjectNotFound(StoreError, KeyError):
    """There is no object under this key."""


class ObjectExists(StoreError, FileExistsError):
    """``if_absent`` was asked for, and there is an object under this key."""


class PreconditionFailed(StoreError):
    """``if_match`` was asked for, and the object is another one by now (or is gone)."""


class NotModified(PreconditionFailed):
    """``if_none_match`` was asked for, and the object is still that one."""


class SourceChanged(PreconditionFailed):
    """What was to be copied is another object by now, or is gone; nothing was published."""


class InvalidKey(StoreError, ValueError):
    """No such key can be stored here."""


class RefusedKey(InvalidKey, KeyError):
    """A validator refuses the key, or no route leads anywhere from it."""


class ConfigError(StoreError, ValueError):
    """A URL, an option or an argument makes no sense."""


class NotSupported(StoreError, NotImplementedError):
    """This store cannot do that, and does not pretend to."""


class StoreNotFound(StoreError, FileNotFoundError):
    """The root directory, the file or the bucket itself is missing."""


class AccessDenied(StoreError, PermissionError):
    """The credentials or the permissions do not allow this."""


class StoreUnavailable(StoreError, ConnectionError):
    """The store could not be reached, or could not answer.

    Attributes:
        retry_after: Seconds after which it wants to be asked again; None: it did not say.
    """

    retry_after: float | None = None


class StoreTimeout(StoreError, TimeoutError):
    """The operation's deadline passed."""


class NoSpace(StoreError, OSError):
    """The medium is full, or a quota is reached."""


class IntegrityError(StoreError):
    """Bytes are not the bytes that were stored."""


class MalformedResponse(IntegrityError):
    """A server's answer cannot be what it claims to be."""


class CorruptStore(IntegrityError):
    """The medium holds something that this store did not write, or lost a part of it."""


class StoreClosed(StoreError, RuntimeError):
    """The store was closed."""


class MissingExtra(StoreError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def named(cls, package: str, extra: str) -> MissingExtra:
        """The error that names the extra which installs ``package``."""
        return cls(f"{package} is not installed. Install it with: pip install 'storage[{extra}]'")


class ManyErrors(StoreError, ExceptionGroup[Exception]):
    """Several errors at once, each under a name; also an ``ExceptionGroup``, for ``except*``.

    Args:
        message: A summary.
        errors: At least one error, by name.
    """

    errors: dict[str, Exception]

    def __new__(cls, message: str, errors: Mapping[str, Exception]) -> Self:
        return super().__new__(cls, message, list(errors.values()))

    def __init__(self, message: str, errors: Mapping[str, Exception]) -> None:
        super().__init__(message)
        self.errors = dict(errors)

    def __str__(self) -> str:
        shown = [f"{shorten(repr(name))}: {error}" for name, error in self.errors.items()]
        more = f"; and {len(shown) - 3} more" if len(shown) > 3 else ""
        return f"{super().__str__()} ({'; '.join(shown[:3])}{more})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_many, (type(self), self.__dict__.copy())

    def derive(self, excs: Sequence[Exception]) -> Self:  # type: ignore[override]
        """The same for some of the errors, as ``except*`` and ``split`` need it."""
        # A group among the errors may come as a new group, of a part of its own errors.
        names: dict[int, list[str]] = {}
        for name, error in self.errors.items():
            for leaf in _leaves(error):
                names.setdefault(id(leaf), []).append(name)
        errors: dict[str, Exception] = {}
        for number, error in enumerate(excs):
            known = [name for leaf in _leaves(error) for name in names.get(id(leaf), ())]
            name = next((name for name in known if name not in errors), f"error {number}")
            errors[name] = error
        part = type(self)(self._message, errors)
        part.located(operation=self.operation or "", store=self.store or "", key=self.key)
        return part


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for part in error.exceptions:
        yield from _leaves(part)


def _rebuild_many(kind: type[ManyErrors], state: dict[str, Any]) -> ManyErrors:
    error = kind(state["_message"], state["errors"])
    error.__dict__.update(state)
    return error


class BulkError(ManyErrors):
    """Some keys of a bulk operation failed (``errors``, by key); all others were done."""


class FanoutError(ManyErrors):
    """Some children of a fan-out failed (``errors``, by child); the others did their part."""


class QuorumError(FanoutError, IntegrityError):
    """No majority of a fan-out's children agrees on what an object is (``errors``, by child)."""


class SyncError(ManyErrors):
    """Some objects could not be brought over (``errors``, by key); ``report`` tells the rest."""

    report: Any = None


_BY_ERRNO: dict[int, type[StoreError]] = {
    errno.EACCES: AccessDenied,
    errno.EPERM: AccessDenied,
    errno.EROFS: AccessDenied,
    errno.ELOOP: AccessDenied,
    errno.ENOSPC: NoSpace,
    errno.EDQUOT: NoSpace,
    errno.EFBIG: NoSpace,
    errno.ENAMETOOLONG: InvalidKey,
}


def from_oserror(error: OSError) -> StoreError:
    """The store's error that says what ``error`` of the operating system means.

    A missing file is not decided here: only the caller knows whether an object or a store is
    missing.
    """
    kind = _BY_ERRNO.get(error.errno or 0, StoreUnavailable)
    return kind(error.strerror or str(error))


@contextmanager
def translate_oserror(operation: str, store: object, key: str | None = None) -> Iterator[None]:
    """Turn an ``OSError`` of the block into the store's own error; pass on all others."""
    try:
        yield
    except StoreError as error:
        error.located(operation=operation, store=repr(store), key=key)
        raise
    except OSError as error:
        raise from_oserror(error).located(
            operation=operation, store=repr(store), key=key
        ) from error
