"""Times in the three forms that HTTP knows, of which one is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_FORMS = (
    re.compile(rf"{_DAY}, (?P<day>\d\d) (?P<month>\w{{3}}) (?P<year>\d{{4}}) {_TIME} GMT"),
    re.compile(rf"[MTWFS]\w+day, (?P<day>\d\d)-(?P<month>\w{{3}})-(?P<year>\d\d) {_TIME} GMT"),
    re.compile(rf"{_DAY} (?P<month>\w{{3}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})"),
)


def written(moment: datetime) -> str:
    """A time as a header has it: whole seconds, and none in the future."""
    return format_datetime(min(seconds(moment), seconds(datetime.now(UTC))), usegmt=True)


def seconds(moment: datetime) -> datetime:
    """A time without the part that no header can tell."""
    return moment.astimezone(UTC).replace(microsecond=0)


def parsed(text: str | None) -> datetime | None:
    """The time of a header; None where it is not one."""
    for form in _FORMS:
        match = form.fullmatch(text or "")
        if match:
            try:
                return _made(match)
            except ValueError:
                return None
    return None


def _made(match: re.Match[str]) -> datetime:
    year = int(match["year"])
    if len(match["year"]) == 2:
        # What would be more than 50 years ahead is of the century before.
        now = datetime.now(UTC).year
        year += now - now % 100
        year -= 100 if year > now + 50 else 0
    hour, minute, second = (int(match[part]) for part in ("hour", "minute", "second"))
    month = _MONTHS.index(match["month"]) + 1
    return datetime(year, month, int(match["day"]), hour, minute, second, tzinfo=UTC)
