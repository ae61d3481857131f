"""The background event loop: one daemon thread per process, its start, forks and end."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import selectors
import stat
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

from .handover import BlockingCallError, Signal
from .looplocal import inherited

__all__ = ["LoopThread", "at_exit", "for_caller", "on_runner_loop", "set_loop_factory"]

#: asyncio's own executor has cpus + 4 threads, which is too few for files on a small machine.
WORKERS: Final = 32
#: How long the interpreter's exit waits for stores and tasks to clean up, in seconds.
GRACE: float = 5.0

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
_log = logging.getLogger("storage")


class Closeable(Protocol):
    """What can be closed at the interpreter's exit."""

    def aclose(self) -> Coroutine[Any, Any, None]: ...


class _Selector(selectors.DefaultSelector):
    """A selector that a forked child can close without making inherited transports fail."""

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return what is registered: nothing once closed, where the library's gives None."""
        registered: Mapping[Any, selectors.SelectorKey] | None = super().get_map()
        return {} if registered is None else registered


class LoopThread:
    """An event loop that runs on a daemon thread from its making to the end of the process."""

    def __init__(self, factory: LoopFactory | None) -> None:
        self.selector = None if factory or sys.platform == "win32" else _Selector()
        self.loop = factory() if factory else _new_loop(self.selector)
        self.loop.set_default_executor(ThreadPoolExecutor(WORKERS, "storage"))
        self.call_soon = self.loop.call_soon_threadsafe
        self.is_current = True  #: False in a forked child
        self.exiting = False
        #: Tasks that nobody waits for: the loop itself refers to tasks only weakly.
        self._held: set[asyncio.Task[Any]] = set()
        thread = threading.Thread(target=self._main, name="storage-loop", daemon=True)
        try:
            thread.start()
        except BaseException:  # late in the interpreter's exit there are no new threads
            self.loop.close()
            raise
        self.ident = thread.ident

    def _main(self) -> None:
        # The frame of a daemon thread is never unwound: what it refers to is never collected,
        # neither at the interpreter's exit nor in a forked child.
        never_collected = inherited
        while not self.loop.is_closed():
            try:
                self.loop.run_forever()
            except BaseException as error:  # a SystemExit in somebody's task or callback
                message = "the background event loop goes on after"
                self.loop.call_exception_handler({"message": message, "exception": error})
        del never_collected

    if sys.version_info >= (3, 12):

        def spawn(self, coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            """Run the coroutine's first step at once, the rest as a task. Loop thread only."""
            return asyncio.Task(coro, loop=self.loop, eager_start=True)

    else:

        def spawn(self, coro: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            """Run the coroutine as a task. Loop thread only."""
            return asyncio.Task(coro, loop=self.loop)

    def hold(self, task: asyncio.Task[Any]) -> None:
        """Keep the task alive until it is done. Loop thread only."""
        if not task.done():
            self._held.add(task)
            task.add_done_callback(self._held.discard)

    def inherit(self) -> None:
        """Leave the parent's loop alone for ever; called in a forked child.

        Its connections are shared: one that is closed or collected here would make the parent's
        epoll set deaf to it, or send a farewell over TLS. So nothing is collected, and the
        child's copies of the descriptors, which are its own to close, lead nowhere.
        """
        self.is_current = False
        inherited.append(self)
        self.loop.set_exception_handler(lambda loop, context: None)
        if self.loop.get_debug():
            self.loop.set_debug(False)  # it would complain that a stranger's thread looks in
        if self.selector is not None:
            registered = list(self.selector.get_map().values())
            inherited.append(registered)
            with contextlib.suppress(OSError):  # a kqueue does not survive a fork at all
                self.selector.close()
            _cut_off(key.fd for key in registered)


def _cut_off(descriptors: Iterable[int]) -> None:
    """Let those of the descriptors that are sockets lead to the null device instead."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in descriptors:
        with contextlib.suppress(OSError):  # closed already
            if stat.S_ISSOCK(os.fstat(each).st_mode):
                os.dup2(nowhere, each, inheritable=False)
    os.close(nowhere)


def _new_loop(selector: selectors.BaseSelector | None) -> asyncio.AbstractEventLoop:
    if selector is None:
        return asyncio.new_event_loop()
    return asyncio.SelectorEventLoop(selector)


_lock = threading.Lock()
_current: LoopThread | None = None
_factory: LoopFactory | None = None
_closers: Final[weakref.WeakValueDictionary[int, Closeable]] = weakref.WeakValueDictionary()


def for_caller(what: object) -> LoopThread:
    """Return this process's background loop, started now, for a caller who will wait for it.

    Raises BlockingCallError on the loop's own thread, for `what` could never end there, and
    RuntimeError where the interpreter is too far in its exit to start a thread.
    """
    thread = _current or _start()
    if thread.ident == threading.get_ident():
        name = getattr(what, "__qualname__", type(what).__qualname__)
        raise BlockingCallError(
            f"{name} was called through a blocking class on the background event loop's own "
            "thread, which would wait for itself for ever. Await the async class there "
            "(AsyncX instead of X), or move the blocking call to a thread (asyncio.to_thread)."
        )
    return thread


def _start() -> LoopThread:
    global _current
    with _lock:
        if _current is None:
            _current = LoopThread(_factory)
        return _current


def on_runner_loop() -> bool:
    """Return whether the calling code runs on the background loop's own thread."""
    return _current is not None and _current.ident == threading.get_ident()


def set_loop_factory(factory: LoopFactory | None) -> None:
    """Choose the background loop's kind, `uvloop.new_event_loop` for example; None: asyncio's.

    Raises RuntimeError if the loop runs already.
    """
    global _factory
    with _lock:
        if _current is not None:
            raise RuntimeError("the background event loop runs already: set its factory earlier")
        _factory = factory


def at_exit(closeable: Closeable) -> None:
    """Await `closeable.aclose()` on the background loop when the interpreter exits.

    Held weakly. Errors are logged for debugging only, and an `aclose` that needs a worker
    thread fails then, as threads have ended by that time: `with` and `close()` stay the contract.
    """
    _closers[id(closeable)] = closeable


def _at_exit() -> None:
    """Close the stores, then end the tasks; the loop runs on, for handlers that come later."""
    thread = _current
    if thread is None:
        return
    thread.exiting = True
    ended = Signal()
    thread.call_soon(lambda: thread.hold(thread.spawn(_wind_up(ended, thread))))
    with contextlib.suppress(KeyboardInterrupt):
        ended.wait_at_most(GRACE + 0.5)


async def _wind_up(ended: Signal, thread: LoopThread) -> None:
    now = thread.loop.time()
    try:
        # The closers may use half the time, so that what hangs in them can still be cancelled.
        closers = [asyncio.create_task(_close(each)) for each in _closers.values()]
        await _settle(closers, now + GRACE / 2)
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                thread.hold(task)  # what is destroyed while it is pending makes a noise
                task.cancel()
            if not await _settle(tasks, now + GRACE):
                break
        async with asyncio.timeout_at(now + GRACE):
            await thread.loop.shutdown_asyncgens()
    except TimeoutError:
        _log.debug("the background event loop did not end in time")
    finally:
        ended.set()


async def _close(closeable: Closeable) -> None:
    try:
        await closeable.aclose()
    except BaseException:
        _log.debug("%r did not close at exit", closeable, exc_info=True)


async def _settle(tasks: Iterable[asyncio.Task[Any]], until: float) -> bool:
    """Wait for the tasks, but not beyond `until`, and return whether that did."""
    if not tasks:
        return True
    left = until - asyncio.get_running_loop().time()
    done, pending = await asyncio.wait(tasks, timeout=max(0, left))
    for task in done:
        _ = task.cancelled() or task.exception()  # nobody is left to hear of it
    return not pending and left > 0


def _after_fork_in_child() -> None:
    global _current, _lock
    _lock = threading.Lock()  # another thread of the parent may have held it
    if _current is not None:
        _current.inherit()
        _current = None


# Not threading's own hook: that one runs before other threads are joined, which may still call.
atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
