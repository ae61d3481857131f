"""What every test has: real servers, the guard of the event loop, settings for hypothesis."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["tests.guard", "tests.services.plugin"]

# No deadline for one example: the machines that run this are slow at times.
settings.register_profile("storage", settings(deadline=None, print_blob=True))
settings.load_profile("storage")
