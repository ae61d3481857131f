"""How the generated files look: imports, folders, names, comments."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tests.generator.samples import Sample

Translate = Callable[[str], str]


def test_a_module_without_anything_public_gives_no_file(sample: Sample) -> None:
    sample.add("helpers.py", "async def helper() -> None: ...\nclass _AsyncHidden: ...")
    sample.add("deep/thing.py", "class AsyncThing: ...")
    sample.add("empty/other.py", "VALUE = 3")
    assert list(sample.texts()) == ["__init__.py", "deep/__init__.py", "deep/thing.py"]


def test_every_file_names_its_source_and_the_command(sample: Sample) -> None:
    sample.add("deep/thing.py", "class AsyncThing: ...")
    for path, text in sample.texts().items():
        first, second, *_ = text.splitlines()
        assert first == f"# Generated from storage/_async/{path}: do not edit, but run"
        assert second == "# `python -m storage._tools.generate`."


def test_imports_reach_over_folders(sample: Sample) -> None:
    sample.add("base.py", "class AsyncBase:\n    async def get(self) -> None: ...")
    sample.add(
        "one/thing.py",
        """
        from __future__ import annotations
        import datetime
        import collections.abc as cabc
        from typing import TYPE_CHECKING, Any
        from ..base import AsyncBase
        from ..two.other import AsyncOther as Renamed, Limit
        if TYPE_CHECKING:
            from decimal import Decimal
            from ..._core.errors import StoreError
        UNUSED = Any
        class AsyncThing(AsyncBase):
            async def get(
                self, when: datetime.date, pairs: cabc.Sequence[Decimal], limit: Limit = Limit(3)
            ) -> StoreError: ...
            def other(self) -> AsyncBase: ...
        """,
    )
    sample.add("two/other.py", "class AsyncOther: ...\nclass Limit(int): ...")
    text = sample.texts()["one/thing.py"]
    imports = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert sorted(imports) == [
        "from ..._async.one.thing import AsyncThing",
        "from ..._async.two.other import Limit",
        "from ..._core.errors import StoreError",
        "from ..base import Base",
        "from __future__ import annotations",
        "from decimal import Decimal",
        "from typing import TYPE_CHECKING, ClassVar",
        "import collections.abc as cabc",
        "import datetime",
    ]
    assert "if TYPE_CHECKING:\n    from decimal import Decimal\n" in text
    assert "limit: Limit = Limit(3)" in text
    assert "class Thing(Base):" in text


def test_all_says_what_is_public(translated: Translate) -> None:
    text = translated(
        """
        from collections.abc import AsyncIterator
        __all__ = ["AsyncThing", "verify", "SHARED", "Value", "plain"]
        SHARED = 3
        class AsyncThing: ...
        class AsyncHidden: ...
        class Value: ...
        async def verify(number: int) -> int: ...
        async def async_hidden() -> None: ...
        def plain(value: int) -> int: ...
        """
    )
    assert "class Thing(Twin):" in text
    assert "from .._async.thing import verify as _async_verify" in text
    assert "def verify(number: int) -> int:\n    return run(_async_verify(number))" in text
    for word in ("Hidden", "hidden", "SHARED", "plain", "Value"):
        assert word not in text


def test_words_for_linters_are_kept(translated: Translate) -> None:
    text = translated(
        """
        class AsyncThing:
            async def list(self) -> int:  # type: ignore[override]
                ...
            async def get(  # noqa: A002 - as elsewhere
                self, id: int, *, first_of_many: str = "", second_of_many: str = "", third: str = ""
            ) -> int:  # just words
                ...
        """
    )
    assert "def list(self) -> int:  # type: ignore[override]\n" in text
    assert "def get(  # noqa: A002 - as elsewhere\n" in text
    assert "just words" not in text


def test_batches_fit_what_is_in_them(translated: Translate) -> None:
    text = translated(
        """
        from collections.abc import AsyncIterator
        class AsyncThing:
            def pieces(self) -> AsyncIterator[bytes]: ...
            def objects(self) -> AsyncIterator[tuple[str, bytes]]: ...
            def keys(self) -> AsyncIterator[str]: ...
        """
    )
    assert "self._async.pieces(), max_batch=2)" in text
    assert "self._async.objects(), max_batch=32)" in text
    assert "self._async.keys())" in text


def test_generic_classes_keep_their_parameters(translated: Translate) -> None:
    text = translated(
        """
        from typing import Generic, TypeVar
        T = TypeVar("T")
        class AsyncBox(Generic[T]):
            async def get(self) -> T: ...
        class AsyncIntBox(AsyncBox[int]): ...
        """
    )
    assert "class Box(Twin, Generic[T]):" in text
    assert "_async: AsyncBox[T]" in text
    assert "class IntBox(Box[int]):" in text
    assert "from .._async.thing import AsyncBox, AsyncIntBox, T" in text


def test_an_abstract_class_says_so(translated: Translate) -> None:
    text = translated(
        """
        from abc import ABC, abstractmethod
        class AsyncShape(ABC):
            @abstractmethod
            async def _draw(self) -> None: ...
        class AsyncCircle(AsyncShape):
            async def _draw(self) -> None: ...
        """
    )
    assert "= AsyncShape  # type: ignore[type-abstract]\n" in text
    assert "= AsyncCircle\n" in text
    assert "class Shape(Twin):" in text
