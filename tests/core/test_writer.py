"""Objects as blocking files to write, and files that nobody closed."""

from __future__ import annotations

import gc
import io
import warnings
from collections.abc import Callable

import pytest

from storage.object import (
    DictStore,
    ObjectExists,
    ObjectNotFound,
    Reader,
    StoreError,
    Writer,
)
from tests.core.stores import LoopPieces, Pieces
from tests.core.waiting import wait_until

TEXT = b"first\nsecond\n\nlast, without an end"


@pytest.fixture(params=[Pieces, LoopPieces])
def store(request: pytest.FixtureRequest) -> Pieces:
    made: Pieces = request.param()
    made.put("text", TEXT)
    made._async.events.clear()
    return made


def test_a_writer_publishes_at_the_end_of_its_block(store: Pieces) -> None:
    with store.open_writer("new") as file:
        assert isinstance(file, io.RawIOBase)
        assert (file.readable(), file.writable(), file.seekable()) == (False, True, False)
        assert file.write(b"one") == 3
        assert file.write(memoryview(b"two")) == 3
        assert file.tell() == 6
        assert not store.exists("new")
        with pytest.raises(ValueError, match="published"):
            file.info  # noqa: B018
        with pytest.raises(TypeError):
            file.write("text")  # type: ignore[arg-type]
    assert file.closed
    assert store.get("new") == b"onetwo"
    assert file.info == store.head("new")


def test_close_publishes_where_there_is_no_block(store: Pieces) -> None:
    file = store.open_writer("new")
    file.write(b"data")
    file.close()
    file.close()
    file.abort()
    assert store.get("new") == b"data"
    with pytest.raises(ValueError, match="closed"):
        file.write(b"more")
    store.open_writer("empty").close()
    assert store.get("empty") == b""


def test_a_block_that_raises_publishes_nothing(store: Pieces) -> None:
    with pytest.raises(ZeroDivisionError), store.open_writer("text") as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert file.closed
    assert store.get("text") == TEXT
    assert store._async.events == ["create", "undo ZeroDivisionError"]


def test_abort_publishes_nothing(store: Pieces) -> None:
    file = store.open_writer("text")
    file.write(b"half")
    file.abort()
    file.abort()
    file.close()
    with store.open_writer("text") as file:
        file.abort()
    assert store.get("text") == TEXT
    assert store._async.events == ["create", "undo Aborted"] * 2


def test_a_failed_write_publishes_nothing(store: Pieces) -> None:
    file = store.open_writer("text")
    with pytest.raises(OSError, match="no space"):
        file.write(b"fail")
    with pytest.raises(StoreError, match="nothing was published"):
        file.close()
    file.close()
    assert store.get("text") == TEXT


def test_a_block_that_swallows_a_failed_write_publishes_nothing(store: Pieces) -> None:
    nothing = pytest.raises(StoreError, match="nothing was published")
    with nothing, store.open_writer("text") as file:
        with pytest.raises(OSError, match="no space"):
            file.write(b"fail")
        file.write(b"more")
    assert store.get("text") == TEXT


def test_a_condition_that_fails_is_raised_at_the_end(store: Pieces) -> None:
    with pytest.raises(ObjectExists), store.open_writer("text", if_absent=True) as file:
        file.write(b"other")
    assert store.get("text") == TEXT


def test_a_writer_copies_what_is_written(store: Pieces) -> None:
    buffer = bytearray(b"abc")
    with store.open_writer("new") as file:
        file.write(buffer)
        buffer[:] = b"xyz"
        assert store._async.written == [b"abc"]
    assert store.get("new") == b"abc"


def buffered(raw: Writer) -> io.BufferedWriter:
    return io.BufferedWriter(raw)


def as_text(raw: Writer) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(raw), write_through=True)


@pytest.mark.parametrize("wrap", [buffered, as_text])
def test_a_wrapper_that_closes_leaves_the_decision_to_the_block(
    store: Pieces, wrap: Callable[[Writer], io.TextIOWrapper]
) -> None:
    with store.open_writer("new") as raw, wrap(raw) as file:
        file.write("text" if wrap is as_text else b"text")  # type: ignore[arg-type]
    assert store.get("new") == b"text"
    with pytest.raises(ZeroDivisionError), store.open_writer("other") as raw, wrap(raw) as file:
        file.write("text" if wrap is as_text else b"text")  # type: ignore[arg-type]
        raise ZeroDivisionError
    assert not store.exists("other")


# -- files that nobody closed ---------------------------------------------------------------


def test_an_unclosed_reader_warns_and_lets_go(store: Pieces) -> None:
    file = store.open_reader("text")
    file.read(1)
    with pytest.warns(ResourceWarning, match="unclosed <Reader"):
        del file  # and nothing else has it
    wait_until(lambda: store._async.events == ["open", "close"])


@pytest.mark.parametrize("wrap", [lambda raw: raw, buffered, as_text])
def test_an_unclosed_writer_warns_and_publishes_nothing(
    store: Pieces, wrap: Callable[[Writer], io.TextIOWrapper]
) -> None:
    file = wrap(store.open_writer("text"))
    file.write("half" if wrap is as_text else b"half")  # type: ignore[arg-type]
    with pytest.warns(ResourceWarning, match="unclosed"):
        del file  # and nothing else has it
    wait_until(lambda: store._async.events == ["create", "undo CancelledError"])
    assert store.get("text") == TEXT


def test_a_writer_in_a_cycle_publishes_nothing(store: Pieces) -> None:
    cycle: list[object] = [io.BufferedWriter(store.open_writer("text"))]
    cycle.append(cycle)
    del cycle
    with pytest.warns(ResourceWarning, match="unclosed"):
        gc.collect()
    wait_until(lambda: store._async.events == ["create", "undo CancelledError"])
    assert store.get("text") == TEXT


def test_closed_files_are_collected_silently(store: Pieces) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with store.open_reader("text"), store.open_writer("new"):
            pass
        with pytest.raises(ObjectNotFound):
            store.open_reader("nothing")
        gc.collect()


def test_a_file_names_itself() -> None:
    store = DictStore({"key": b""})
    with store.open_reader("key") as reader, store.open_writer("other") as writer:
        assert isinstance(reader, Reader)
        assert "key" in repr(reader)
        assert "other" in repr(writer)
