"""What the verbs ask of their arguments before a hook sees them."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.errors import ConfigError
from .._core.info import (
    READ_ALL,
    WRITE_OVER,
    ByteRange,
    Capability,
    ReadOptions,
    WriteOptions,
)
from .hooks import AsyncStoreHooks


class AsyncStoreChecks(AsyncStoreHooks):
    """Checks of a read's and of a write's arguments."""

    def _check_reading(self, operation: str, key: str, options: ReadOptions) -> None:
        self._check(operation, key)
        if options.conditional:
            self._require(operation, key, Capability.READ_CONDITIONS, "conditional reads")

    def _reading(
        self,
        operation: str,
        key: str,
        part: ByteRange | None,
        if_match: str | None,
        if_none_match: str | None,
    ) -> ReadOptions:
        """Check a read's arguments."""
        self._check(operation, key)
        if if_match is None and if_none_match is None:
            return READ_ALL if part is None else ReadOptions(part)
        self._require(operation, key, Capability.READ_CONDITIONS, "conditional reads")
        return ReadOptions(part, if_match, if_none_match)

    def _writing(
        self,
        operation: str,
        key: str,
        if_absent: bool,
        if_match: str | None,
        content_type: str | None,
        metadata: Mapping[str, str] | None,
    ) -> WriteOptions:
        """Check a write's arguments."""
        self._check(operation, key)
        if not if_absent and if_match is None and content_type is None and not metadata:
            return WRITE_OVER
        if if_absent and if_match is not None:
            raise ConfigError("if_absent and if_match exclude each other")
        options = WriteOptions(if_absent, if_match, content_type, metadata)
        self._require_writing(operation, key, options)
        return options

    def _check_writing(self, operation: str, key: str, options: WriteOptions) -> None:
        self._check(operation, key)
        if options is not WRITE_OVER:
            self._require_writing(operation, key, options)

    def _require_writing(self, operation: str, key: str, options: WriteOptions) -> None:
        if options.if_absent:
            self._require(operation, key, Capability.IF_ABSENT, "put(if_absent=True)")
        if options.if_match is not None:
            self._require(operation, key, Capability.IF_MATCH, "put(if_match=)")
        if options.attributed:
            self._require(operation, key, Capability.ATTRIBUTES, "content types and metadata")
