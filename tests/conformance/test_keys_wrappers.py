"""Stores that give their child other keys, put to the kit."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from storage.object import Capability
from storage.utils import KeyTransformer, PrefixKeyTransformer, UrlEncodingKeyTransformer
from tests.conformance.wrapping import OVER, conforming

ORDERED = Capability.ORDERED
MEMORY, FILES = ((each,) for each in OVER)
"""What shares its code with `PrefixStore` need not be tried over both."""


class Backwards(KeyTransformer):
    """A user's own, which knows nothing of prefixes."""

    def transform_key(self, key: str) -> str:
        return key[::-1]

    def reverse_transform_key(self, key: str) -> str:
        return key[::-1]


ROUTES = [("^[a-m]", PrefixKeyTransformer("early:")), ("", UrlEncodingKeyTransformer())]


def routed(kind: type[Any], child: Any) -> Any:
    """Two places in one store; the keys of the kit go to both."""
    return kind([("a", child), ("", child)])


keyed: Any = partial(conforming, own_keys=True)

globals().update(
    keyed(__name__, "PrefixStore", lambda kind, child: kind(child, "tenant/")),
    **keyed(__name__, "HashPrefixStore", lacks=ORDERED, over=FILES),
    **keyed(__name__, "UrlEncodingStore", lacks=ORDERED, over=MEMORY),
    **keyed(
        __name__,
        "KeyTransformingStore",
        lambda kind, child: kind(child, Backwards()),
        lacks=ORDERED,
        over=MEMORY,
    ),
    **keyed(
        __name__,
        "RegexValidatingStore",
        lambda kind, child: kind(child, re.compile("", re.DOTALL)),
        over=MEMORY,
    ),
    **keyed(
        __name__,
        "RegexRoutingStore",
        lambda kind, child: kind(child, ROUTES),
        lacks=ORDERED,
        over=FILES,
    ),
    **keyed(__name__, "RoutingStore", routed, over=MEMORY),
)
