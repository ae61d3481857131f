"""Wrappers that change nothing of what a store does, put to the kit."""

from __future__ import annotations

from tests.conformance.wrapping import conforming

globals().update(conforming(__name__, "IdentityStore"))
