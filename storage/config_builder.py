"""Stores described in a file: which classes, with which arguments, made of which others."""

from ._config.classes import register_store
from ._config.factory import StoreFactory
from ._config.schema import schema
from ._core.errors import ConfigError

__all__ = ["ConfigError", "StoreFactory", "register_store", "schema"]
