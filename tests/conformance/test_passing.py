"""Wrappers that hand on what they are given, put to the kit."""

from __future__ import annotations

from tests.conformance.wrapping import conforming

globals().update(conforming(__name__, "NotifyingStore"))
globals().update(conforming(__name__, "LoggingStore"))
