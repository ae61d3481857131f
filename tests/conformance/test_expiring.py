"""Lifetimes by metadata, put to the kit: those that do not end meanwhile change nothing."""

from __future__ import annotations

from tests.conformance.wrapping import conforming

globals().update(conforming(__name__, "TTLStore", lambda kind, child: kind(child, 3600)))
