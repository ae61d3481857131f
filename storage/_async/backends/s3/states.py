"""Uploads that outlive the process that began them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from ...._core.errors import ConfigError


@dataclass(frozen=True)
class UploadState:
    """A multipart upload that can be resumed; to be kept anywhere, as JSON for example.

    Args:
        key: The object's key.
        upload_id: What the server calls the upload.
        part_size: Bytes of each part but the last; None: as the parts that are there.
        token: The mark of its object, by which a lost acknowledgement is found out.
        checksum: The checksum of its parts.
    """

    key: str
    upload_id: str
    part_size: int | None = None
    token: str | None = None
    checksum: str | None = None

    def to_json(self) -> str:
        """All of it as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The state that `to_json` wrote.

        Raises:
            ConfigError: The text is something else.
        """
        try:
            known: dict[str, Any] = json.loads(text)
            if type(known["key"]) is type(known["upload_id"]) is str:
                return cls(**known)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError("this is no state of an upload") from error
        raise ConfigError("this is no state of an upload")
