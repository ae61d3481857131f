"""What tests of configuration share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage._config import classes


@pytest.fixture(autouse=True)
def _forget_registered() -> Iterator[None]:
    yield
    classes._registered.clear()
