"""Stores made of a text."""

from __future__ import annotations

from typing import Any

import pytest

from storage.config_builder import ConfigError, StoreFactory
from storage.object import StoreError


def built(text: str, name: str | None = None) -> Any:
    return StoreFactory(text).build(name)


def refused(text: str, name: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        built(text, name)
    assert isinstance(caught.value, StoreError)
    return str(caught.value)
