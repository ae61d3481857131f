"""Errors are what a caller would catch, say where they come from, and travel between processes."""

from __future__ import annotations

import errno
import inspect
import pickle
from collections.abc import Sequence
from typing import Any

import pytest

from storage._core import errors
from storage._core.errors import (
    AccessDenied,
    BulkError,
    FanoutError,
    ManyErrors,
    NoSpace,
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    translate_oserror,
)

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, StoreError) and not issubclass(kind, ManyErrors)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_keeps_its_place_through_a_pickle(kind: type[StoreError]) -> None:
    error = kind("what happened", operation="get", store="Store()", key="k" * 300)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.operation, copy.store, copy.key) == ("get", "Store()", "k" * 300)
    assert "what happened" in str(error)
    assert "get" in str(error)
    assert len(str(error)) < 250


def test_the_innermost_place_stays() -> None:
    error = StoreError("x", operation="get", key="inner")
    error.located(operation="copy", store="Outer()", key="outer")
    assert (error.operation, error.key, error.store) == ("get", "inner", "Outer()")


def test_a_group_within_a_group_is_split_under_its_name() -> None:
    gone, denied, twice = ObjectNotFound("gone"), AccessDenied("no"), StoreUnavailable("down")
    inner = BulkError("2 keys failed", {"a": gone, "b": denied})
    errors = {"first": inner, "second": twice, "third": twice}
    outer: Any = FanoutError("3 children failed", errors)
    outer.located(operation="put_many", store="Store()")
    found, rest = outer.split(KeyError)
    assert isinstance(found, FanoutError)
    assert isinstance(rest, FanoutError)
    assert (found.operation, rest.store) == ("put_many", "Store()")
    assert list(found.errors) == ["first"]
    assert list(rest.errors) == ["first", "second", "third"]
    for part, key, error in ((found, "a", gone), (rest, "b", denied)):
        within = part.errors["first"]
        assert isinstance(within, BulkError)
        assert within.errors == {key: error}
    assert outer.derive([denied, ValueError("else")]).errors.keys() == {"first", "error 1"}


def test_many_errors_are_a_group() -> None:
    bulk = BulkError("2 keys failed", {"a": ObjectNotFound("gone"), "b": AccessDenied("no")})
    caught: list[Sequence[Exception]] = []
    try:
        raise bulk
    except* KeyError as group:
        caught.append(group.exceptions)
    except* PermissionError as group:
        caught.append(group.exceptions)
    assert [[type(error) for error in group] for group in caught] == [
        [ObjectNotFound],
        [AccessDenied],
    ]
    copy = pickle.loads(pickle.dumps(bulk))
    assert str(copy) == str(bulk)
    assert list(copy.errors) == ["a", "b"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, NoSpace),
        (errno.EDQUOT, NoSpace),
        (errno.EACCES, AccessDenied),
        (errno.EROFS, AccessDenied),
        (errno.EIO, StoreUnavailable),
    ],
)
def test_what_the_system_says_is_translated(number: int, kind: type[StoreError]) -> None:
    with pytest.raises(kind) as caught, translate_oserror("put", "Store()", "key"):
        raise OSError(number, "said")
    assert caught.value.key == "key"
    assert isinstance(caught.value.__cause__, OSError)
