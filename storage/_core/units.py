"""Sizes and times as people write them on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from .errors import ConfigError

_SIZE = r"(\d+(?:\.\d*)?|\.\d+)\s*(?:([kmgtp])(i?b)?|b)?"
_DURATION = r"(\d+(?:\.\d*)?)(ms|[smhdwMy])"
_SECONDS = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "M": 30 * 86_400,
    "y": 365 * 86_400,
}


def parse_size(text: str) -> int:
    """A number of bytes.

    Args:
        text: A number with a unit or none: ``10k`` and ``10KiB`` are 10,240, as users of rsync
            and rclone expect, ``10kB`` is 10,000, and ``10`` is ten bytes (which rclone would take
            for KiB). Small and capital letters mean the same.

    Raises:
        ConfigError: It is something else.
    """
    match = re.fullmatch(_SIZE, text.strip(), re.IGNORECASE | re.ASCII)
    if match is None:
        raise ConfigError(f"a size is a number with k, M, G, T or P, such as 1.5MiB, not {text!r}")
    number, letter, kind = match.groups()
    unit = 1000 if kind and kind.lower() == "b" else 1024
    power = "kmgtp".index(letter.lower()) + 1 if letter else 0
    return int(float(number) * unit**power)


def parse_moment(text: str, now: datetime | None = None) -> datetime:
    """A moment in the past.

    Args:
        text: How long ago (``90s``, ``1h30m``, ``2d``, ``1w``, ``6M``, ``1y``), or a date with or
            without a time, in ISO 8601; local where it names no time zone.
        now: What durations are counted from; the present by default.

    Returns:
        The moment, with a time zone.

    Raises:
        ConfigError: It is something else.
    """
    text = text.strip()
    if re.fullmatch(f"(?:{_DURATION})+", text, re.ASCII):
        parts = re.findall(_DURATION, text, re.ASCII)
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        try:
            return (now or datetime.now().astimezone()) - timedelta(seconds=seconds)
        except OverflowError:
            raise ConfigError(f"{text} ago is before all time") from None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"a time is a date (2024-12-31, 2024-12-31T18:30) or how long ago (2d, 1h30m), "
            f"not {text!r}"
        ) from None
