"""A key-value store of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kv.stores import MADE, SERVED, opened
from tests.services.process import S3Service


@pytest.fixture(params=[*MADE, *SERVED])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, new_bucket: Callable[[S3Service], str]
) -> Iterator[Any]:
    """Each of them; ``store.kind`` does not exist, ask the fixture ``kind``."""
    with opened(request.param, tmp_path / "place", request, new_bucket) as made:
        yield made


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """The name of the store that the test has."""
    return str(request.node.callspec.params["store"])
