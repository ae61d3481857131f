"""How many children have to agree, and on what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Literal, TypeAlias, get_args

from ...._core.errors import ConfigError
from ...._core.info import ObjectInfo
from ...transfer.comparing import STRONG

WritePolicy: TypeAlias = Literal["all", "quorum", "any"]
ReadPolicy: TypeAlias = Literal["first", "fastest", "quorum"]

_DIGEST = re.compile(r"[0-9a-f]{32,}(-\d+)?")


def check_policy(name: str, value: str, allowed: object) -> None:
    """Raise `ConfigError` unless ``value`` is one of the policies."""
    if value not in get_args(allowed):
        raise ConfigError(f"{name} is one of {', '.join(get_args(allowed))}, not {value!r}")


def majority(count: int) -> int:
    """More than half."""
    return count // 2 + 1


def writes_needed(policy: WritePolicy, count: int) -> int:
    """How many of so many children have to take a write."""
    return {"all": count, "quorum": majority(count), "any": 1}[policy]


def told(policy: ReadPolicy, infos: Sequence[ObjectInfo]) -> ObjectInfo:
    """What is said of an object: nothing that another child, asked next time, would deny."""
    if policy == "first":
        return infos[0]
    if policy == "fastest":
        return replace(infos[0], etag=None, modified=None)
    unlike = {
        field.name: None
        for field in fields(ObjectInfo)
        if any(getattr(info, field.name) != getattr(infos[0], field.name) for info in infos)
    }
    return replace(infos[0], **unlike)  # type: ignore[arg-type]  # the key is alike


def same_content(a: ObjectInfo, b: ObjectInfo) -> bool | None:
    """Whether two children hold the same bytes; None where what they tell does not decide it."""
    if a.size is not None and b.size is not None and a.size != b.size:
        return False
    if a.checksum is not None and b.checksum is not None:
        kind, _, digest = a.checksum.partition(":")
        other_kind, _, other = b.checksum.partition(":")
        if kind == other_kind and kind in STRONG:
            return digest == other
    # Marks that are no digests may be equal by chance; digests that differ may be of parts.
    if a.etag is not None and a.etag == b.etag and _DIGEST.fullmatch(a.etag.strip('"')):
        return True
    return None


def alike(a: ObjectInfo, b: ObjectInfo) -> bool:
    """Whether nothing that two children tell speaks against their holding the same bytes."""
    return same_content(a, b) is not False
