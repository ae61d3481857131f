"""What a server refused, in the shape of the client's errors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ....._core.errors import MalformedResponse
from . import xml

ERROR_BYTES = 1024 * 1024
"""Bytes of an error's document that are read."""


class TooLong(MalformedResponse):
    """The server's answer is longer than any that means something; once is enough of it."""


class Refused(Exception):
    """The server's answer is an error.

    Args:
        code: Such as ``NoSuchKey``; the status where the server told none.
        message: What it said beside.
        status: Of HTTP.
        headers: Of the answer.
        retries: How often the request had been sent again by then.
    """

    def __init__(
        self, code: str, message: str, status: int, headers: Mapping[str, str], retries: int = 0
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.headers = headers
        self.response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": metadata(status, headers, retries),
        }

    @property
    def region(self) -> str | None:
        """Where the bucket is, if the server told that."""
        return self.headers.get("x-amz-bucket-region")


def metadata(status: int, headers: Mapping[str, str], retries: int) -> dict[str, Any]:
    """What the client tells of every answer."""
    return {"HTTPStatusCode": status, "HTTPHeaders": headers, "RetryAttempts": retries}


def refusal(status: int, headers: Mapping[str, str], content: bytes, retries: int) -> Refused:
    """The error that an answer is.

    Args:
        status: Of HTTP.
        headers: Of the answer.
        content: Its document, if there is one that can be read.
        retries: How often the request had been sent again by then.
    """
    fields: Mapping[str, str] = {}
    if content:
        try:
            document = xml.parse(content)
        except MalformedResponse:  # a proxy's page, or half an error: the status tells enough
            pass
        else:
            fields = document.fields if document.root == "Error" else {}
    return _refused(status, headers, fields, retries)


def late_refusal(headers: Mapping[str, str], document: xml.Document, retries: int) -> Refused:
    """The error in an answer that had begun as a success, before the server knew the outcome.

    Args:
        headers: Of the answer.
        document: The error's.
        retries: How often the request had been sent again by then.
    """
    status = _STATUS.get(document.fields.get("Code", ""), 500)
    return _refused(status, headers, document.fields, retries)


_STATUS = {
    "AccessDenied": 403,
    "ConditionalRequestConflict": 409,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "PreconditionFailed": 412,
}


def _refused(
    status: int, headers: Mapping[str, str], fields: Mapping[str, str], retries: int
) -> Refused:
    code = fields.get("Code") or str(status)
    message = fields.get("Message") or _phrase(status)
    return Refused(code, message, status, headers, retries)


def _phrase(status: int) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait for, by a time or their number; None: it asks for none."""
    told = headers.get("retry-after")
    if not told:
        return None
    try:
        if told.isdecimal():
            return float(told)
        from email.utils import parsedate_to_datetime  # takes a while to import, and is rare

        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
