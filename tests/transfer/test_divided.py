"""Listings that are read in several parts at once are what they are when read in one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer import divided, listing
from storage._async.transfer.divided import Divided
from storage._async.transfer.journal import Journal
from storage._async.transfer.journalfile import JournalFile
from storage._async.transfer.listing import DisorderError, Listing
from storage._async.transfer.steps import Remembered
from storage._core.errors import StoreUnavailable
from storage._core.info import ObjectInfo
from storage.testing.harness import interrupt_everywhere, nothing_forgotten

KEYS = st.sets(st.text("ab/", min_size=1, max_size=4), max_size=40)


Order = Callable[[str], Any]
ORDERS: dict[str, Order] = {
    "of the keys": str,
    "of directories": lambda key: key.split("/"),
    "of some letters": lambda key: (key.replace("a", "~"), key),
    "of any letters": lambda key: (key.lower(), key),
    "of UTF-16": lambda key: key.encode("utf-16-be"),
    "backwards": lambda key: [-ord(letter) for letter in key],
    "by length": lambda key: (len(key), key),
}


class Server:
    """Lists keys in pages, as servers do that know what comes after what; and notes what it did.

    Args:
        keys: What it has.
        size: Keys of a page.
        order: What its order is, in which it lists and begins.
        deaf: Whether it takes no notice of where to begin.
    """

    def __init__(
        self, keys: Iterable[str], size: int = 3, order: Order = str, *, deaf: bool = False
    ) -> None:
        self.keys, self.size, self.order, self.deaf = sorted(keys, key=order), size, order, deaf
        self.open = self.most = 0
        self.asked: list[tuple[str, str | None]] = []

    async def span(self, after: str, until: str | None) -> AsyncGenerator[list[ObjectInfo], None]:
        """What comes after a key; the page that goes beyond another is the last."""
        self.asked.append((after, until))
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            found = [
                key
                for key in self.keys
                if self.deaf or not after or self.order(key) > self.order(after)
            ]
            for start in range(0, len(found), self.size):
                await asyncio.sleep(0)
                page = found[start : start + self.size]
                yield [ObjectInfo(key) for key in page]
                if until is not None and page[-1] >= until:
                    return
        finally:
            self.open -= 1

    async def listed(self, known: Sequence[str] | None, prefix: str = "", late: int = 0) -> Any:
        """All keys, read in parts; what is known of them is known after so many pages."""
        pages = Divided(self.span("", None), self.span, prefix).pages(
            lambda: None if known is None or len(found) < late else pivots_of(known)
        )
        found: list[list[str]] = []
        async for page in pages:
            assert page
            found.append([info.key for info in page])
        assert self.open == 0
        return [key for page in found for key in page]


def pivots_of(known: Sequence[str]) -> divided.Pivots:
    """As a journal tells them."""

    async def pivots(after: str, step: int, count: int) -> list[str]:
        return [key for key in known if key > after][step - 1 :: step][:count]

    return pivots


@pytest.fixture(autouse=True)
def _small_parts() -> Iterator[None]:
    with sizes(2, 3):
        yield


def sizes(part: int, parts: int) -> ExitStack:
    """Small parts, and pages of any size, while a block runs."""
    stack = ExitStack()
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    patch.setattr(divided, "PART", part)
    patch.setattr(divided, "PARTS", parts)
    patch.setattr(listing, "FIRST_PAGE", 1)
    patch.setattr(listing, "PAGE", 1)
    return stack


@given(
    there=KEYS,
    known=KEYS,
    size=st.integers(1, 5),
    part=st.integers(1, 4),
    parts=st.integers(1, 4),
    late=st.integers(0, 3),
)
def test_the_parts_are_the_whole(
    there: set[str], known: set[str], size: int, part: int, parts: int, late: int
) -> None:
    """Whatever has come or gone since."""
    with sizes(part, parts):
        server = Server(there, size)
        assert asyncio.run(server.listed(sorted(known), late=late)) == sorted(there)
        assert server.most <= parts + 1


@given(
    there=st.sets(st.text("ab/A-\uffff\U00010000", min_size=1, max_size=4), max_size=40),
    gone=st.integers(1, 5),
    size=st.integers(1, 5),
    part=st.integers(1, 4),
    order=st.sampled_from(sorted(ORDERS)),
    deaf=st.booleans(),
)
@example({"-b", "b", "b-/", "b/-"}, 2, 1, 1, "of directories", False)
@example({"-", "/b", "a"}, 1, 1, 1, "by length", False)
@example({"-", "/bb", "a", "b"}, 1, 1, 1, "of some letters", False)
@example({"A", "A-/", "a", "b", "/aA", "A//", "a/", "aba"}, 2, 1, 1, "by length", True)
def test_a_server_that_does_not_list_in_order(
    there: set[str], gone: int, size: int, part: int, order: str, deaf: bool
) -> None:
    """It is found out, or makes no difference: no key is missed."""
    with sizes(part, 3):
        target = Listing(Lister(Server(there, size, ORDERS[order], deaf=deaf)), "the target")
        target.pivots = pivots_of(sorted(there)[::gone])
        try:
            found = asyncio.run(asyncio.wait_for(all_of(target), 10))
        except DisorderError:
            assert target.disordered
            found = asyncio.run(all_of(target))
        assert found == sorted(there)


async def test_what_comes_and_goes_meanwhile() -> None:
    """Where a part does not begin as the one before it says, there is another way."""

    class Moving(Server):
        async def span(
            self, after: str, until: str | None
        ) -> AsyncGenerator[list[ObjectInfo], None]:
            if until is not None and len(self.asked) == 3:
                self.keys = sorted({*self.keys, f"{after}+", f"{until}+"} - {"15", "16"})
            async for page in super().span(after, until):
                yield page

    keys = [f"{number:02}" for number in range(40)]
    server = Moving(keys)
    found = await server.listed(keys)
    assert found == sorted(set(found))
    assert set(found) >= set(keys) - {"15", "16"}
    assert any(until is None for _, until in server.asked[1:-1])


async def test_several_at_a_time() -> None:
    keys = [f"{number:02}" for number in range(40)]
    server = Server(keys)
    assert await server.listed(keys) == keys
    assert server.most == 4  # the one that was there before, and three parts
    assert server.asked[:4] == [("", None), ("04", "06"), ("06", "08"), ("08", "10")]
    ends = [until for _, until in server.asked[1:]]
    assert [after for after, _ in server.asked[2:]] == ends[:-1]
    assert ends[-1] is None


async def test_nothing_is_known() -> None:
    keys = [f"{number:02}" for number in range(40)]
    for known in (None, [], ["00"], keys[:3], ["other"]):
        server = Server(keys)
        assert await server.listed(known) == keys
        assert server.asked == [("", None)]


async def test_a_prefix() -> None:
    """Parts do not go beyond it: what comes after it is another matter."""
    keys = [f"a/{number}" for number in range(9)]
    server = Server(keys)
    assert await server.listed([*keys, *(f"b/{number}" for number in range(9))], "a/") == keys
    assert all(until is None or until.startswith("a/") for _, until in server.asked)


class Lister(AsyncDictStore):
    """A store that is listed by a server."""

    _lists_spans = True

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server

    def _info_pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
        return self.server.span("", None)

    def _span_pages(
        self, prefix: str, after: str, until: str | None
    ) -> AsyncGenerator[list[ObjectInfo], None]:
        return self.server.span(after, until)

    def _list(self, prefix: str, start_after: str) -> Any:
        raise AssertionError("it is listed in pages")


async def all_of(target: Listing) -> list[str]:
    return [info.key async for page in target.pages() for info in page]


@pytest.mark.parametrize("swapped", range(22))
async def test_disorder_is_seen(swapped: int) -> None:
    """Anywhere: then all of it is read anew, and sorted, and not divided any more."""
    keys = sorted_keys = [f"{number:02}" for number in range(24)]
    keys = [*keys[:swapped], keys[swapped + 1], keys[swapped], *keys[swapped + 2 :]]
    server = Server(keys, 4, keys.index)
    target = Listing(Lister(server), "the target")
    target.pivots = pivots_of(sorted_keys)
    try:
        found = await all_of(target)
    except DisorderError:
        assert target.disordered
        server.asked.clear()
        found = await all_of(target)
        assert server.asked == [("", None)]
    assert found == sorted_keys
    assert server.open == 0


async def test_an_error_of_a_part() -> None:
    class Failing(Server):
        async def span(
            self, after: str, until: str | None
        ) -> AsyncGenerator[list[ObjectInfo], None]:
            async for page in super().span(after, until):
                if page[-1].key >= "20":
                    raise StoreUnavailable("the server is gone")
                yield page

    server = Failing([f"{number:02}" for number in range(40)])
    target = Listing(Lister(server), "the target")
    target.pivots = pivots_of(server.keys)
    found: list[str] = []
    with pytest.raises(StoreUnavailable, match="gone"):
        async for page in target.pages():
            found += [info.key for info in page]
    assert found == server.keys[: len(found)]
    assert found[-1] < "20"
    await asyncio.sleep(0)
    assert server.open == 0


async def test_interrupted_everywhere() -> None:
    keys = [f"{number:02}" for number in range(30)]
    servers: list[Server] = []

    async def work() -> None:
        servers.append(Server(keys))
        target = Listing(Lister(servers[-1]), "the target")
        target.pivots = pivots_of(keys)
        assert await all_of(target) == keys

    async def check() -> None:
        await asyncio.sleep(0)
        assert servers[-1].open == 0

    with nothing_forgotten():
        await interrupt_everywhere(work, check=check)


def test_what_a_journal_knows(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = JournalFile(path, "here", "there")
    assert journal.pivots("", 10, 5) == []
    journal.remember([Remembered(f"{number:03}", "1", "2") for number in range(100)])
    assert journal.pivots("", 10, 5) == ["009", "019", "029", "039", "049"]
    assert journal.pivots("049", 10, 50) == ["059", "069", "079", "089", "099"]
    assert journal.pivots("095", 1, 9) == ["096", "097", "098", "099"]
    assert journal.pivots("095", 5, 9) == []
    journal.close()
    other = JournalFile(path, "other", "pair")
    assert other.pivots("", 10, 5) == []
    other.close()


def test_a_journal_that_breaks(tmp_path: Path) -> None:
    """Then it tells of no keys, and the listing is read in one from there on."""
    path = tmp_path / "journal"
    file = JournalFile(path, "here", "there")
    file.remember([Remembered(key, "1", "2") for key in ("a", "B", "c", "D")])
    file.close()
    with closing(sqlite3.connect(path)) as database:  # such as by another program
        database.execute("ALTER TABLE objects RENAME TO old")
        database.execute(
            "CREATE TABLE objects (pair, key TEXT COLLATE NOCASE, here, there, digest)"
        )
        database.execute("INSERT INTO objects SELECT * FROM old")
        database.commit()
    journal = Journal(JournalFile(path, "here", "there"))
    keys = [f"{number:02}" for number in range(30)]
    target = Listing(Lister(Server(keys)), "the target")
    target.pivots = journal.pivots

    async def listed() -> list[str]:
        assert await journal.pivots("", 1, 9) == []
        found = await all_of(target)
        await journal.aclose()
        return found

    assert asyncio.run(listed()) == keys
    assert "not in order" in journal.warnings[0]
