"""The fixtures of the tests, for the benchmarks too."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugins here: `pytest_plugins` is for the first conftest only."""
    config.pluginmanager.import_plugin("tests.guard")
    config.pluginmanager.import_plugin("tests.services.plugin")
