"""What has no blocking form is an error that says where and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage._tools.source import GenerateError
from tests.generator.samples import Sample

Translate = Callable[[str], str]


def method(signature: str, *before: str) -> str:
    """A class with a method on line 6."""
    lines = [*("# " for _ in range(3 - len(before))), *before]
    return "\n".join([*lines, "class AsyncThing:", f"    {signature}: ..."])


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("async def get(self, key) -> bytes", "annotate key"),
        ("async def get(self, key: str)", "annotate what it returns"),
        ("async def get(self, reader: AsyncReader) -> None", "hand a blocking file on"),
        ("async def get(self) -> Awaitable[int]", r"no blocking form is known of Awaitable\[int\]"),
        ("async def get(self, lock: asyncio.Lock) -> None", "no blocking form is known of asyncio"),
        ("async def get(self) -> list[AsyncThing]", "no blocking form is known of list"),
        ("async def get(self) -> AsyncObjectStore", "name the class"),
        ("async def get(self, store: AsyncObjectStore | str) -> None", "cannot be told apart"),
        ("async def get(self, *, pairs: list[tuple[AsyncThing, int]]) -> None", "tuple"),
        ("async def get(self, **readers: AsyncReader) -> None", "hand a blocking file on"),
        ("async def get(self, *sources: AsyncIterator[int]) -> None", "only stores"),
        ("def __init__(self, key)", "annotate key"),
        ("async def get(self, run: int) -> None", "run means something else"),
    ],
)
def test_a_signature_that_cannot_cross(translated: Translate, signature: str, reason: str) -> None:
    with pytest.raises(GenerateError, match=rf"storage/_async/thing.py:6: .*{reason}"):
        translated(method(signature))


def test_an_unknown_decorator(translated: Translate) -> None:
    source = """
        class AsyncThing:
            @cached
            async def get(self) -> int: ...
    """
    with pytest.raises(GenerateError, match=r"thing.py:5: the decorator @cached is unknown"):
        translated(source)


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        ("limit = 3", 3, "give limit a type, or make it private"),
        ("class Inner: ...", 3, "Inner within a class"),
        ("if True:\n        limit: int", 3, "a statement within a class"),
        ("def __init__(self) -> None:\n        self.root = open('x')", 4, "give self.root a type"),
    ],
)
def test_a_member_of_unknown_type(translated: Translate, body: str, line: int, reason: str) -> None:
    with pytest.raises(GenerateError, match=f"thing.py:{line}: {reason}"):
        translated(f"class AsyncThing:\n    {body}\n")


def test_classes_that_are_made_by_something_else(translated: Translate) -> None:
    with pytest.raises(GenerateError, match=r"thing.py:3: a base of unknown meaning: dict"):
        translated("\nclass AsyncThing(dict): ...")
    with pytest.raises(GenerateError, match="with decorators: write it out"):
        translated("@dataclass\nclass AsyncThing: ...")


def test_an_error_in_a_mixin_names_the_mixins_file(sample: Sample) -> None:
    sample.add("mixin.py", "class Mixin:\n    async def get(self, key) -> int: ...")
    sample.add("thing.py", "from .mixin import Mixin\nclass AsyncThing(Mixin): ...")
    with pytest.raises(GenerateError, match=r"mixin.py:2: annotate key"):
        sample.texts()


def test_two_things_of_one_blocking_name(sample: Sample) -> None:
    sample.add("one.py", "class AsyncThing: ...")
    sample.add("two.py", "class AsyncThing: ...")
    with pytest.raises(GenerateError, match=r"two.py:1: AsyncThing has .* _sync/one.py"):
        sample.texts()


def test_a_name_that_comes_from_nowhere(translated: Translate) -> None:
    with pytest.raises(GenerateError, match="no import is known of Nowhere"):
        translated(method("async def get(self) -> Nowhere"))


def test_a_package_without_an_async_layer(sample: Sample) -> None:
    (sample.root / "_async").rmdir()
    with pytest.raises(GenerateError, match="holds no folder _async"):
        sample.texts()
