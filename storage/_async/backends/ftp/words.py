"""What FTP servers answer, in our words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import aioftp

from ...._core.errors import (
    AccessDenied,
    MalformedResponse,
    NoSpace,
    NotSupported,
    StoreError,
    StoreUnavailable,
)
from .._remote.session import Refused

_DENIAL = re.compile(r"permission|privilege|denied|not allowed|forbidden", re.IGNORECASE)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of aioftp, and of what it is made of, into ours."""
    try:
        yield
    except StoreError:  # many of which are OSError, too
        raise
    except aioftp.StatusCodeError as error:
        raise failure(str(error.received_codes[-1]), str(error.info)) from error
    except aioftp.AIOFTPException as error:
        raise MalformedResponse(f"no answer of FTP: {error}") from error
    except OSError as error:
        raise StoreUnavailable(f"the server cannot be reached: {error}") from error
    except (ValueError, IndexError, asyncio.IncompleteReadError) as error:
        raise MalformedResponse(f"no answer of FTP: {error}") from error


def failure(code: str, text: str) -> Exception:
    """What a negative answer means."""
    said = f"{code} {text}"
    if code in ("452", "552"):
        return NoSpace(f"the server has no space left: {said}")
    if code in ("530", "532", "522", "534") or (code == "550" and _DENIAL.search(text)):
        return AccessDenied(f"the server denies it: {said}")
    if code in ("421", "425", "426", "430", "450"):
        return StoreUnavailable(f"the server is not able to: {said}")
    if code in ("500", "502", "504"):
        return NotSupported(f"the server cannot do it: {said}")
    return Refused(f"the server refused: {said}")
