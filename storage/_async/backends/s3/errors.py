"""What goes wrong in S3 and in its client, as this package's errors: decided here only."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...._core.errors import (
    AccessDenied,
    ConfigError,
    IntegrityError,
    InvalidKey,
    MalformedResponse,
    NoSpace,
    NotModified,
    NotSupported,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
    from_oserror,
)
from ...._core.text import shorten
from .lane.errors import Refused, retry_after
from .lane.transport import ConnectionLost, SilenceError, TransportError

CONFLICT = "ConditionalRequestConflict"
"""Two conditional writes met, and this one was not even tried."""

_BY_CODE: Mapping[str, type[StoreError]] = {
    "AccessDenied": AccessDenied,
    "AccountProblem": AccessDenied,
    "AllAccessDisabled": AccessDenied,
    "BadDigest": IntegrityError,
    "ExpiredToken": AccessDenied,
    "InternalError": StoreUnavailable,
    "InvalidAccessKeyId": AccessDenied,
    "InvalidBucketName": ConfigError,
    "InvalidDigest": IntegrityError,
    "InvalidSecurity": AccessDenied,
    "InvalidToken": AccessDenied,
    "KeyTooLongError": InvalidKey,
    "NoSuchBucket": StoreNotFound,
    "NoSuchKey": ObjectNotFound,
    "NoSuchUpload": StoreError,
    "QuotaExceeded": NoSpace,
    "RequestTimeTooSkewed": AccessDenied,
    "RequestTimeout": StoreTimeout,
    "ServiceUnavailable": StoreUnavailable,
    "SignatureDoesNotMatch": AccessDenied,
    "SlowDown": StoreUnavailable,
    "XAmzContentChecksumMismatch": IntegrityError,
    "XAmzContentSHA256Mismatch": IntegrityError,
    "XMinioStorageFull": NoSpace,
    CONFLICT: StoreUnavailable,
}
_BY_STATUS: Mapping[int, type[StoreError]] = {
    304: NotModified,
    401: AccessDenied,
    403: AccessDenied,
    404: ObjectNotFound,
    412: PreconditionFailed,
    429: StoreUnavailable,
    501: NotSupported,
    507: NoSpace,
}


# What the server says of these is the same in more words.
_SAID: Mapping[type[StoreError], str] = {
    NotModified: "the object is still the one with this etag",
    ObjectNotFound: "there is no object under this key",
    PreconditionFailed: "the condition does not hold",
}


class Failure(NamedTuple):
    """What a server said when it refused a request."""

    code: str = ""
    status: int = 0
    retries: int = 0
    """How often the client had sent the request again by then."""

    @property
    def bodiless(self) -> bool:
        """Whether the server told no code, as in an answer to HEAD: the client made one up."""
        return self.code == str(self.status)


def failure(error: BaseException) -> Failure:
    """What the server said behind an error that `translate` gave; all empty if it said nothing."""
    response = getattr(error.__cause__, "response", None)
    if not isinstance(response, Mapping):
        return Failure()
    about = response.get("ResponseMetadata", {})
    return Failure(
        str(response.get("Error", {}).get("Code", "")),
        int(about.get("HTTPStatusCode", 0)),
        int(about.get("RetryAttempts", 0)),
    )


def by_code(code: str, status: int, message: str) -> StoreError:
    """The error for a code and an HTTP status (0 where there is none)."""
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if kind is None:
        kind = StoreUnavailable if status >= 500 else StoreError
    if kind in _SAID:
        return kind(_SAID[kind])
    said = shorten(" ".join(message.split()), 200) or "the server gave no reason"
    place = f"{code}, HTTP {status}" if status and code != str(status) else code or f"HTTP {status}"
    return kind(f"{said} ({place})")


def translate(error: Exception) -> StoreError | None:
    """This package's error for one of the client's; None where it is neither S3's nor a network's.

    The caller raises it from the original, which is what `failure` reads.
    """
    if isinstance(error, StoreError):
        return error
    if isinstance(error, Refused):
        return _of_response(error.response)
    if isinstance(error, TransportError):
        return _of_transport(error)
    if "botocore" in sys.modules:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            return _of_response(error.response)
        if isinstance(error, BotoCoreError):
            return _of_client(error)
    if type(error).__name__ == "ResponseParserError":
        return MalformedResponse("the server's answer is not what S3 answers")
    if isinstance(error, RuntimeError) and "redentials" in str(error):
        return AccessDenied(_text(error))  # a refresh gave credentials that had expired
    if isinstance(error, TimeoutError):
        return StoreTimeout("the server did not answer in time")
    if isinstance(error, _aiohttp_errors()):
        return StoreUnavailable(f"the connection broke: {_text(error)}")
    return from_oserror(error) if isinstance(error, OSError) else None


def _of_response(response: Mapping[str, Any]) -> StoreError:
    told, about = response.get("Error", {}), response.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode", 0))
    error = by_code(str(told.get("Code", "")), status, str(told.get("Message", "")))
    if isinstance(error, StoreUnavailable):
        error.retry_after = retry_after(about.get("HTTPHeaders", {}))
    return error


def _of_transport(error: TransportError) -> StoreError:
    """The error for a request of the fast lane that got no whole answer."""
    if isinstance(error, SilenceError) or isinstance(error.__cause__, TimeoutError):
        return StoreTimeout(_text(error))
    if isinstance(error, ConnectionLost):
        return StoreUnavailable(f"the connection broke: {_text(error)}")
    return StoreUnavailable(_text(error))


def _of_client(error: Exception) -> StoreError:
    """The error for one that the client raised without an answer of the server."""
    from botocore import exceptions as theirs

    if isinstance(error, theirs.ReadTimeoutError | theirs.ConnectTimeoutError):
        return StoreTimeout(_text(error))
    if isinstance(error, theirs.ConnectionError | theirs.HTTPClientError):
        return StoreUnavailable(_text(error))
    if isinstance(error, theirs.IncompleteReadError):
        return StoreUnavailable(f"the connection broke: {_text(error)}")
    if isinstance(error, theirs.FlexibleChecksumError | theirs.ChecksumError):
        return IntegrityError("the bytes that came do not have the checksum that was announced")
    if isinstance(
        error,
        theirs.NoCredentialsError
        | theirs.PartialCredentialsError
        | theirs.CredentialRetrievalError
        | theirs.TokenRetrievalError
        | theirs.SSOError,
    ):
        return AccessDenied(_text(error))
    return ConfigError(_text(error))


def _aiohttp_errors() -> tuple[type[BaseException], ...]:
    # Bodies are read from aiohttp itself; where it was never imported nothing of it was raised.
    aiohttp: Any = sys.modules.get("aiohttp")
    return (aiohttp.ClientError,) if aiohttp is not None else ()


def _text(error: Exception) -> str:
    return shorten(" ".join(str(error).split()) or type(error).__name__, 300)
