"""Which handler is taken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage._formats.base import DataHandler
from storage._formats.plain import BytesFormat, PickleFormat, TextFormat
from storage._formats.registry import Handlers
from storage._formats.table import HANDLERS, handlers


class Upper(DataHandler):
    """Somebody's handler."""

    def __init__(self, *extensions: str, priority: int = 0) -> None:
        self.extensions = extensions
        self.priority = priority

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, str)

    def read_from_file(self, file_path: Path, file_extension: str) -> Any:
        return file_path.read_text().upper()

    def write_to_file(self, data: Any, file_path: Path, file_extension: str) -> None:
        file_path.write_text(data)


def names(*keys: str) -> list[str]:
    return [type(HANDLERS.for_extension(key)).__name__ for key in keys]


def test_the_longest_known_suffix_decides() -> None:
    assert HANDLERS.extension_of("a/b.PyDantic.JSON") == ".pydantic.json"
    assert HANDLERS.extension_of("b.other.json") == ".json"
    assert HANDLERS.extension_of("x.sparse.npz") == ".sparse.npz"
    assert [HANDLERS.extension_of(key) for key in ("v1.2", "a.json/b", "a.", "", "json")] == [
        ""
    ] * 5
    assert HANDLERS.for_extension("v1.2") is None
    assert names("a.json", "a.d/B.TXT", "a.jsonl", "x.sparse.npz", "x.npz", ".parquet") == [
        "JsonFormat",
        "TextFormat",
        "JsonLinesFormat",
        "SparseFormat",
        "NpzFormat",
        "ParquetFormat",
    ]


def test_values_without_an_extension() -> None:
    def first(value: Any) -> str:
        found = HANDLERS.for_value(value)
        assert found is not None
        return found.extensions[0]

    plain: list[Any] = ["text", {}, [{}], None, 1.5]
    assert [first(value) for value in plain] == [".json"] * 5
    assert first(b"bytes") == ".bin"
    assert HANDLERS.for_value(object()) is None
    assert isinstance(HANDLERS.for_value("text", ".TXT"), TextFormat)
    assert HANDLERS.for_value(b"bytes", ".txt") is None


def test_pickle_only_where_it_is_allowed() -> None:
    assert isinstance(handlers(allow_pickle=True).for_value({1}), PickleFormat)
    assert handlers().for_value({1}) is None
    assert HANDLERS.for_value({1}) is None


def test_among_equals_the_last_one_wins() -> None:
    first, second, urgent = Upper(".up"), Upper(".up"), Upper(".up", priority=1)
    mine = Handlers([first, second])
    assert mine.for_extension("a.up") is second
    mine.register(first)
    assert mine.for_extension("a.up") is first
    assert list(mine) == [first, second]
    mine.register(urgent)
    mine.register(second)
    assert mine.for_value("text") is urgent
    assert mine.unregister(urgent)
    assert not mine.unregister(urgent)
    assert mine.for_extension("A.UP") is second
    assert mine.unregister(Upper)
    assert mine.for_extension("a.up") is None


def test_keys_of_any_suffix_are_not_remembered_for_ever() -> None:
    mine = Handlers([Upper(".up")])
    assert [mine.extension_of(f"v.{number}") for number in range(5000)] == [""] * 5000
    assert len(mine._known) <= 1024
    assert mine.extension_of("a.up") == ".up"


def test_copies_are_changed_apart() -> None:
    mine = HANDLERS.copy()
    mine.register(Upper(".txt", priority=99))
    assert isinstance(mine.for_extension("a.txt"), Upper)
    assert isinstance(HANDLERS.for_extension("a.txt"), TextFormat)


def test_classes_are_no_handlers() -> None:
    with pytest.raises(TypeError, match="instance of DataHandler"):
        Handlers([BytesFormat])  # type: ignore[list-item]


@pytest.mark.parametrize("extensions", [(".Log",), ("log",), ()])
def test_extensions_that_nobody_would_find(extensions: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="extensions"):
        Handlers([Upper(*extensions)])


def test_recognising_imports_nothing() -> None:
    code = """if True:
        import json, sys
        from storage._formats.table import HANDLERS
        for value in (1, "", b"", {}, [], None, object(), int, sys):
            HANDLERS.for_value(value)
        print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    large = {"PIL", "msgspec", "numpy", "orjson", "pandas", "polars", "pyarrow", "pydantic"}
    assert large.isdisjoint(json.loads(done.stdout))


def test_formats_read_and_write_files(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.touch()
    TextFormat().write_to_file("line\r\n", path, ".txt")
    assert TextFormat().read_from_file(path, ".txt") == "line\r\n"
