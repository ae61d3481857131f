"""What users register for URLs of a scheme of their own: a place for files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from .._async.typed.wanted import FileMetadata
from .options import StorageConfig


class StorageBackend(ABC):
    """A place for files: what users register for a scheme of their own.

    Args:
        uri: Of the store, as the user wrote it.
        config: The user's options, or the defaults.
    """

    _directory: TemporaryDirectory[str] | None = None

    def __init__(self, uri: str, config: StorageConfig) -> None:
        self.uri = uri
        self.config = config

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether there is such a file."""

    @abstractmethod
    def download(self, remote_path: str, local_path: Path) -> None:
        """Bring a file here. Raises `StorageFileNotFoundError` where there is none."""

    @abstractmethod
    def upload(self, local_path: Path, remote_path: str) -> None:
        """Bring a file there."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Remove a file."""

    @abstractmethod
    def list_files(self, pattern: str = "*", recursive: bool = True) -> Iterator[str]:
        """The paths of all files; no other arguments are passed than the defaults."""

    @abstractmethod
    def get_metadata(self, path: str) -> FileMetadata:
        """What is known of a file."""

    # What a backend may do better.

    def download_with_cache(self, remote_path: str, local_path: Path) -> Path:
        """Bring a file here; the store above it keeps what it has read. Gives the local path."""
        self.download(remote_path, local_path)
        return local_path

    def mkdir(self, path: str, parents: bool = True, exist_ok: bool = True) -> None:
        """Make a directory; here, files need none."""

    def copy(self, src_path: str, dst_path: str) -> None:
        """Give a file another name as well."""
        with TemporaryDirectory(prefix="storage-") as directory:
            local = Path(directory, "object")
            self.download(src_path, local)
            self.upload(local, dst_path)

    def move(self, src_path: str, dst_path: str) -> None:
        """Give a file another name."""
        if src_path != dst_path:
            self.copy(src_path, dst_path)
            self.delete(src_path)

    def get_size(self, path: str) -> int | None:
        """Bytes in a file; None where nobody knows."""
        return self.get_metadata(path).size

    def is_directory(self, path: str) -> bool:
        """Whether there are files below a path."""
        return next(self._below(path), None) is not None

    def is_dataset(self, path: str) -> bool:
        """Whether there are several files below a path."""
        return len(list(islice(self._below(path), 2))) > 1

    def download_dataset(self, remote_path: str, local_path: Path) -> None:
        """Bring all files below a path into a directory.

        Raises:
            ValueError: A file's name leads out of it.
        """
        for path in self._below(remote_path):
            target = local_path / path[len(remote_path.rstrip("/")) + 1 :]
            if not target.resolve().is_relative_to(local_path.resolve()):
                raise ValueError(f"{path!r} leads out of the directory")
            target.parent.mkdir(parents=True, exist_ok=True)
            self.download(path, target)

    def get_temp_dir(self) -> Path:
        """A directory for files of its own, until `cleanup`."""
        if self._directory is None:
            self._directory = TemporaryDirectory(prefix="storage-")
        return Path(self._directory.name)

    def cleanup(self) -> None:
        """Let go of what it holds; a backend with an end of its own calls this one, too."""
        directory, self._directory = self._directory, None
        if directory is not None:
            directory.cleanup()

    def _below(self, path: str) -> Iterator[str]:
        prefix = path.rstrip("/") + "/"
        return (found for found in self.list_files() if found.startswith(prefix))
