"""The conformance kit: what every store promises, as tests that any store can be put to.

A store of your own passes it like this, in a file that pytest collects::

    from storage.testing import StoreConformance

    class TestMyStore(StoreConformance):
        async def make_store(self):
            return MyStore(self.tmp_path / "objects")

``make_store`` gives a fresh, empty store each time; it may be async or blocking, and may have no
more than the five verbs. What the store declares in ``capabilities`` is tested as promised; what
it does not declare must raise `NotSupported` and change nothing. `StoreConformance` tells what
else a subclass may provide, to be tested further.

Needs pytest, pytest-asyncio and hypothesis: ``pip install 'storage[test]'``.
"""

from __future__ import annotations

from importlib.util import find_spec
from pkgutil import iter_modules

from .._core.errors import MissingExtra

for _package in ("pytest", "pytest_asyncio", "hypothesis"):
    if find_spec(_package) is None:
        raise MissingExtra.named(_package, "test")

import pytest  # noqa: E402

# The checks are plain asserts: let pytest show their values as it does in tests.
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for _, name, _ in iter_modules(__path__)))

from .asasync import AsAsync  # noqa: E402
from .harness import interrupt_everywhere  # noqa: E402
from .model import check_model  # noqa: E402
from .suite import StoreConformance  # noqa: E402

__all__ = ["AsAsync", "StoreConformance", "check_model", "interrupt_everywhere"]
