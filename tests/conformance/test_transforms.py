"""Stores that keep objects in another form, put to the kit."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

from storage._core.info import Capability
from tests.conformance.wrapping import conforming

# The forms differ, the store around them does not: one medium blocking, the other not.
KEY = base64.b64encode(bytes(range(32))).decode()

OVER = (("memory", True), ("filesystem", False))
recoding: Any = partial(conforming, __name__, over=OVER, lacks=Capability.RANGES, tells_sizes=False)

globals().update(recoding("GzipStore"))
globals().update(recoding("ZstdStore"))
globals().update(recoding("Base64Store"))
globals().update(conforming(__name__, "ChecksumStore", over=OVER, lacks=Capability.RANGES))
globals().update(
    conforming(
        __name__,
        "EncryptingStore",
        lambda kind, child: kind(child, KEY),
        over=OVER,
        picklable=False,
        secrets=(KEY,),
    )
)
