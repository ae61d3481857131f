"""What is read is what was written, over stores of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from storage._formats.table import HANDLERS
from storage.typed import AutoStore, S3Options
from tests.services.process import S3Service
from tests.typed.rows import ROWS, plain

values = plain | some.binary(max_size=100)
SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
names = some.text(
    some.characters(codec="utf-8", exclude_characters="\0/\\:?"), min_size=1, max_size=20
)


Opened = Callable[[str], AutoStore]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, request: Any) -> Iterator[Opened]:
    """One store of each kind for all examples."""
    root = tmp_path_factory.mktemp("typed")
    urls = {"memory": "memory://", "sqlite": f"sqlite://{root}/s.sqlite"}
    urls |= {"zip": f"zip://{root}/z.zip", "hashdir": f"hashdir://{root}/h?durable=false"}
    made: dict[str, AutoStore] = {}
    with ExitStack() as stack:

        def bucket() -> AutoStore:
            service: S3Service = request.getfixturevalue("seaweedfs")
            name = request.getfixturevalue("shared_bucket")(service)
            options = S3Options(
                aws_access_key_id=service.access_key,
                aws_secret_access_key=service.secret_key,
                region_name=service.region,
                endpoint_url=service.endpoint_url,
            )
            return AutoStore(f"s3://{name}/{uuid4().hex}/", options=options, allow_pickle=True)

        def get(kind: str) -> AutoStore:
            if kind not in made:
                store = bucket() if kind == "s3" else AutoStore(urls[kind], allow_pickle=True)
                made[kind] = stack.enter_context(store)
            return made[kind]

        yield get


def same(store: AutoStore, key: str, value: Any) -> None:
    """A value makes the round trip, under its own key and under the one it was given."""
    found = store.write(key, value)
    for each in (key, found):
        read = store.read(each)
        assert read == value
        assert type(read) is type(value)
    assert found in set(store.keys())
    store.delete(found)
    assert store.find_file_fuzzy(key) is None


@pytest.mark.parametrize("kind", ["memory", "sqlite", "zip", "hashdir"])
def test_any_key(kind: str, opened: Opened) -> None:
    @settings(max_examples=15, database=None, suppress_health_check=SLOW)
    @given(name=names, value=values)
    def check(name: str, value: Any) -> None:
        same(opened(kind), f"a/key-{name}", value)

    check()


def test_each_handler_has_its_row() -> None:
    assert {handler.extensions[0] for handler in HANDLERS} == ROWS.keys()


@pytest.mark.parametrize("extension", ROWS)
@pytest.mark.parametrize("kind", ["memory", "sqlite", "zip", "s3"])
def test_each_handler(kind: str, extension: str, opened: Opened) -> None:
    row, store, key = ROWS[extension](), opened(kind), f"rows/a{extension}"

    @settings(max_examples=4, database=None, suppress_health_check=SLOW, deadline=None)
    @given(value=row.values)
    def check(value: Any) -> None:
        assert store.write(key, value) == key
        assert row.same(value, store.read(key, as_=row.as_))

    check()


def test_buckets_without_extensions(opened: Opened) -> None:
    @settings(max_examples=8, database=None, suppress_health_check=SLOW, deadline=None)
    @given(value=values)
    def check(value: Any) -> None:
        same(opened("s3"), "a/key", value)

    check()
