"""Stores that keep objects in another form, put to the kit."""

from __future__ import annotations

import base64
from functools import partial
from importlib.util import find_spec
from typing import Any

from storage._core.info import Capability
from tests.conformance.wrapping import conforming

KEY = base64.b64encode(bytes(range(32))).decode()

# The forms differ, the store around them does not: one medium blocking, the other not.
form: Any = partial(conforming, __name__, over=(("memory", True), ("filesystem", False)))
whole: Any = partial(form, lacks=Capability.RANGES)

globals().update(whole("ChecksumStore"))
globals().update(whole("GzipStore", tells_sizes=False))
globals().update(whole("Base64Store", tells_sizes=False))
if any(find_spec(name) for name in ("backports", "compression")):
    globals().update(whole("ZstdStore", tells_sizes=False))
if find_spec("cryptography"):
    globals().update(
        form(
            "EncryptingStore",
            lambda kind, child: kind(child, KEY),
            picklable=False,
            secrets=(KEY,),
        )
    )
