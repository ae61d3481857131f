"""Forms of values: `DataHandler` takes files and may be anybody's, `Format` takes streams."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .._core.errors import NotSupported


class DataHandler(ABC):
    """A form of values that reads and writes files: what users add to a typed store.

    Of the handlers that know an extension, or accept a value, the one of the highest priority is
    taken; among equals, the one that was registered last.
    """

    extensions: Sequence[str] = ()
    """The suffixes that it knows, with their dot and in lower case; new objects get the first."""
    priority: int = 0

    def can_handle_extension(self, extension: str) -> bool:
        """Whether it reads and writes objects of this extension (with its dot, in any case)."""
        return extension.lower() in self.extensions

    @abstractmethod
    def can_handle_data(self, data: Any) -> bool:
        """Whether it can write this value. No package is imported to answer that."""

    @abstractmethod
    def read_from_file(self, file_path: Path, file_extension: str) -> Any:
        """The value in a file."""

    @abstractmethod
    def write_to_file(self, data: Any, file_path: Path, file_extension: str) -> None:
        """Write the value into a file, which exists and is empty."""

    # A handler that makes one value of many files overrides these; of others, the values of the
    # files are joined.

    def can_handle_dataset(self, path: Path) -> bool:
        """Whether it reads the data set whose files lie below a directory; here: any of them."""
        return any(
            self.can_handle_extension(suffix)
            for file in path.rglob("*")
            for suffix in file.suffixes[-1:]
        )

    def read_dataset(self, dataset_path: Path, file_pattern: str = "*") -> Any:
        """The value of the files below a directory, which are gone afterwards.

        Args:
            dataset_path: The directory.
            file_pattern: Which files; always all of them.
        """
        raise NotSupported(f"{type(self).__name__} reads no data sets")

    def write_dataset(self, data: Any, dataset_path: Path) -> None:
        """Write a value as files into a directory, which exists and is empty."""
        raise NotSupported(f"{type(self).__name__} writes no data sets")


class Format(DataHandler):
    """A handler that needs no file: it writes to a stream, and reads from a seekable one."""

    @abstractmethod
    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        """Write the value to a stream, which may be one that cannot seek.

        Raises:
            TypeError: The value is none of this form, or would not be read back as it is.
            MissingExtra: A package that it takes is not installed.
        """

    @abstractmethod
    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        """The value in a stream, which can seek and is at its beginning.

        What is given back does not need the stream any longer.

        Args:
            as_: The type to give it back as; None for the form's own.

        Raises:
            ValueError: The bytes are none of this form.
            TypeError: `as_` is none of the form's types.
            MissingExtra: A package that it takes is not installed.
        """

    def pieces(
        self, source: BinaryIO, extension: str, as_: type[Any] | None = None
    ) -> Iterator[Any]:
        """The value piece by piece (rows, batches of rows) in bounded memory; here, it is one."""
        yield self.load(source, extension, as_)

    def dump_pieces(self, values: Iterable[Any], out: BinaryIO, extension: str) -> None:
        """Write what `pieces` gives, in bounded memory.

        Raises:
            NotSupported: The form has no pieces.
        """
        raise NotSupported(f"{type(self).__name__} cannot be written piece by piece")

    def read_from_file(self, file_path: Path, file_extension: str) -> Any:
        """The value in a file."""
        with file_path.open("rb") as source:
            return self.load(source, file_extension)

    def write_to_file(self, data: Any, file_path: Path, file_extension: str) -> None:
        """Write the value into a file."""
        with file_path.open("wb") as out:
            self.dump(data, out, file_extension)
