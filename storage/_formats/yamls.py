"""YAML, by the safe loader only."""

from __future__ import annotations

from typing import Any, BinaryIO

from .base import Format
from .packages import package, reading, refuse_type
from .same import check_same

DEPTH = 100
"""How deep values may be nested."""
EXPANDED = 1_000_000
"""How many nodes aliases may stand for, all told."""
WAY_OUT = "convert it (tuples to lists), or write .pkl"


class YamlFormat(Format):
    """One YAML document of plain values, dates and bytes included."""

    extensions = (".yaml", ".yml")
    priority = 7

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, dict | list | str | int | float | type(None))

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        yaml = package("yaml", "yaml")
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        try:
            text = yaml.dump(
                value, Dumper=dumper, sort_keys=False, allow_unicode=True, encoding="utf-8"
            )
            check_same(value, _loaded(text))
        except Exception as error:
            raise TypeError(f"YAML cannot say this: {error}; {WAY_OUT}") from error
        out.write(text)

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        value = _loaded(source.read())
        if as_ is not None and type(value) is not as_:
            raise refuse_type(as_, "this YAML", type(value).__name__)
        return value


def _loaded(data: bytes) -> Any:
    yaml = package("yaml", "yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with reading("YAML"):
        _check(yaml, data, loader)
        return yaml.load(data, Loader=loader)


def _check(yaml: Any, data: bytes, loader: Any) -> None:
    """Refuse what is small here and endless when it is used: aliases of aliases, deep nesting.

    Raises:
        ValueError: It is one of these.
    """
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = [(None, 0)]
    for event in yaml.parse(data, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            # The anchor of a collection counts when it has ended: what holds itself is refused.
            if event.anchor not in sizes:
                raise ValueError(f"the alias {event.anchor} holds itself, or nothing")
            size, anchor = sizes[event.anchor], None
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, 1))
            if len(open_) > DEPTH:
                raise ValueError(f"values are nested more than {DEPTH} deep")
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_.pop()
        elif isinstance(event, yaml.ScalarEvent):
            anchor, size = event.anchor, 1
        else:
            continue
        if anchor is not None:
            sizes[anchor] = size
        above, before = open_[-1]
        open_[-1] = above, before + size
        if before + size > max(EXPANDED, len(data)):
            raise ValueError(f"its aliases stand for more than {EXPANDED:,} values")
