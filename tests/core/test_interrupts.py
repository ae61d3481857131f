"""Ctrl-C in blocking calls, in processes of their own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Script = Callable[..., list[str]]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX signals")


def test_a_call_is_cancelled_and_clean_before_the_caller_goes_on(script: Script) -> None:
    source = """
    async def work():
        say("ready")
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.1)
            say("clean")
    try:
        run(work())
    except KeyboardInterrupt:
        say("interrupted")
    say(run(asyncio.sleep(0, "alive")))
    """
    assert script(source, interrupt_at="ready") == ["ready", "clean", "interrupted", "alive"]


def test_an_iterator_is_closed_before_the_caller_goes_on(script: Script) -> None:
    source = """
    async def items():
        try:
            yield 1
            yield 2
            say("ready")
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            say("cancelled")
            await asyncio.sleep(0.1)
            raise
        finally:
            await asyncio.sleep(0.1)
            say("clean")
    iterator = iterate(items())
    try:
        for item in iterator:
            pass
    except KeyboardInterrupt:
        say("interrupted", list(iterator))
    iterator.close()
    del iterator
    say(run(asyncio.sleep(0, "alive")))
    """
    assert script(source, interrupt_at="ready") == [
        "ready",
        "cancelled",
        "clean",
        "interrupted []",
        "alive",
    ]


@pytest.mark.parametrize("where", ["__aenter__", "__aexit__"])
def test_a_context_manager_is_left_before_the_caller_goes_on(script: Script, where: str) -> None:
    source = f"""
    class Manager:
        async def work(self, name):
            if name == {where!r}:
                try:
                    say("ready")
                    await asyncio.sleep(30)
                finally:
                    await asyncio.sleep(0.1)
                    say("clean")
        async def __aenter__(self):
            await self.work("__aenter__")
        async def __aexit__(self, *exc_info):
            await self.work("__aexit__")
    try:
        enter(Manager()).exit(None, None, None)
    except KeyboardInterrupt:
        say("interrupted")
    """
    assert script(source, interrupt_at="ready") == ["ready", "clean", "interrupted"]


def test_an_uncaught_interrupt_ends_the_process(script: Script) -> None:
    source = """
    sys.excepthook = lambda kind, *rest: say(kind.__name__)
    async def work():
        say("ready")
        await asyncio.sleep(30)
    run(work())
    """
    assert script(source, interrupt_at="ready", code=-2) == ["ready", "KeyboardInterrupt"]


STORM = """
import random
# Interrupts fall between the making of a coroutine and the call, and into finalizers.
warnings.simplefilter("ignore")
sys.unraisablehook = lambda unraisable: None

begun = cleaned = cut = calls = busy = 0

async def tidy():
    global cut
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        cut += 1

async def work():
    global begun, cleaned
    begun += 1
    try:
        await asyncio.sleep(0.002)
    except asyncio.CancelledError:
        await tidy()
        raise
    finally:
        cleaned += 1

async def items():
    global begun, cleaned
    begun += 1
    try:
        for item in range(10):
            await asyncio.sleep(0)
            yield item
    except (asyncio.CancelledError, GeneratorExit):
        await tidy()
        raise
    finally:
        cleaned += 1

def read():
    with iterate(items()) as iterator:
        return list(iterator)

def neighbour():
    global busy
    while not stop.is_set():
        assert run(asyncio.sleep(0, 5)) == 5
        busy += 1

def storm():
    go.wait()
    while not stop.is_set():
        time.sleep(random.uniform(0.0005, 0.012))
        os.kill(os.getpid(), signal.SIGINT)

stop, go = threading.Event(), threading.Event()
threads = [threading.Thread(target=each) for each in (neighbour, storm)]
for thread in threads: thread.start()
interrupts = 0
until = time.monotonic() + 1.2
while time.monotonic() < until:
    try:
        go.set()
        run(work())
        read()
        calls += 1
    except KeyboardInterrupt:
        interrupts += 1
while True:
    try:
        stop.set()
        for thread in threads: thread.join()
        break
    except KeyboardInterrupt:
        pass
gc.collect()
run(asyncio.sleep(0.1))
async def count(): return len(asyncio.all_tasks()) - 1
say(interrupts > 20, calls > 0, busy > 20, begun - cleaned, cut, run(count()))
"""


def test_a_storm_of_interrupts_leaves_nothing_behind(script: Script) -> None:
    assert script(STORM) == ["True True True 0 0 0"]
