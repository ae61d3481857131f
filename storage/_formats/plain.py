"""Bytes, text and pickles."""

from __future__ import annotations

import codecs
import pickle
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from .._core.errors import ConfigError
from .base import Format
from .packages import check_type, reading

LINE = 1024 * 1024
"""Bytes after which a line comes in parts."""


class BytesFormat(Format):
    """Bytes as they are; its pieces are chunks."""

    extensions = (".bin", ".dat")
    priority = 3

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, bytes | bytearray | memoryview)

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.can_handle_data(value):
            raise TypeError(f"bytes are expected, not {type(value).__name__}")
        out.write(value)

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        kind = check_type(as_, "this", bytes, bytearray)
        return kind(source.read())

    def pieces(
        self, source: BinaryIO, extension: str, as_: type[Any] | None = None
    ) -> Iterator[bytes]:
        while chunk := source.read(LINE):
            yield chunk

    def dump_pieces(self, values: Iterable[Any], out: BinaryIO, extension: str) -> None:
        for value in values:
            self.dump(value, out, extension)


class TextFormat(Format):
    """Text in UTF-8, its line ends as they are; its pieces are lines, those over a MiB in parts."""

    extensions = (".txt", ".html", ".htm", ".md")
    priority = 7

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, str)

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.can_handle_data(value):
            raise TypeError(f"text is a str, not {type(value).__name__}; encode other things first")
        try:
            content = value.encode()
        except UnicodeEncodeError as error:
            raise TypeError(
                f"half of a surrogate pair is no text: {error}; write bytes as .bin"
            ) from error
        out.write(content)

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> str:
        check_type(as_, "text", str)
        with reading("text in UTF-8"):
            return source.read().decode()

    def pieces(
        self, source: BinaryIO, extension: str, as_: type[Any] | None = None
    ) -> Iterator[str]:
        check_type(as_, "text", str)
        decoder = codecs.getincrementaldecoder("utf-8")()
        with reading("text in UTF-8"):
            while line := source.readline(LINE):
                yield decoder.decode(line)
            decoder.decode(b"", final=True)

    def dump_pieces(self, values: Iterable[Any], out: BinaryIO, extension: str) -> None:
        for value in values:
            self.dump(value, out, extension)


class PickleFormat(Format):
    """Anything that can be pickled, where that is allowed: a pickle runs code when it is read."""

    extensions = (".pkl", ".pickle")
    priority = 1

    def __init__(self, *, allow_pickle: bool = False) -> None:
        self.allow_pickle = allow_pickle

    def can_handle_data(self, data: Any) -> bool:
        return self.allow_pickle

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.allow_pickle:
            raise TypeError("nothing is pickled without allow_pickle=True; take another extension")
        try:
            content = pickle.dumps(value, protocol=5)
        except Exception as error:
            raise TypeError(f"{type(value).__name__} cannot be pickled: {error}") from error
        out.write(content)

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        if not self.allow_pickle:
            raise ConfigError(
                "a pickle runs code when it is read: only where you trust who wrote it, "
                "allow_pickle=True reads it"
            )
        with reading("pickle"):
            value = pickle.load(source)  # noqa: S301
        if as_ is not None and not isinstance(value, as_):
            raise TypeError(f"this pickle is a {type(value).__name__}, not a {as_.__name__}")
        return value
