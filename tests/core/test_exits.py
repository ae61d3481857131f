"""The interpreter's exit with the background loop at work, in processes of their own."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

Script = Callable[..., list[str]]

LOOP_AT_WORK = """
async def work(name):
    try:
        await asyncio.sleep(30)
    finally:
        await asyncio.sleep(0.02)
        say("clean", name)
async def start(name):
    global task
    task = asyncio.create_task(work(name))
    await asyncio.sleep(0)
class Store:
    async def aclose(self):
        await asyncio.sleep(0.01)
        say("closed")
"""


def test_what_is_open_is_closed(script: Script) -> None:
    source = """
    async def items():
        try:
            yield 1
            yield 2
            yield 3
        finally:
            await asyncio.sleep(0)
            say("clean iterator")
    class Manager:
        async def __aenter__(self): return 1
        async def __aexit__(self, kind, exc, tb):
            await asyncio.sleep(0)
            say("clean manager", kind.__name__)
    async def begin(generator): await anext(generator)
    generator = items()
    run(start("task"))
    run(begin(generator))
    iterator = iterate(items())
    next(iterator)
    entered = enter(Manager())
    store = Store()
    at_exit(store)
    say("end")
    """
    lines = script(LOOP_AT_WORK, source)
    assert lines[:2] == ["end", "closed"]
    assert sorted(lines[2:]) == [
        "clean iterator",
        "clean iterator",
        "clean manager CancelledError",
        "clean task",
    ]


def test_handlers_that_run_before_and_after_can_call(script: Script) -> None:
    source = """
    warnings.simplefilter("ignore", ResourceWarning)  # asyncio's, for a late generator
    def last_of_all():
        say("after", run(asyncio.sleep(0, 5)))
        say("after", list(iterate(numbers())))
    async def numbers():
        for each in range(3):
            yield each
    store = Store()
    at_exit(store)
    atexit.register(lambda: say("before", run(asyncio.sleep(0, 5))))
    run(start("task"))
    """
    lines = ["before 5", "closed", "clean task", "after 5", "after [0, 1, 2]"]
    assert script(LOOP_AT_WORK, source) == lines


def test_a_daemon_thread_in_a_call(script: Script) -> None:
    source = """
    def calls():
        try:
            run(work("call"))
        finally:
            say("thread ends")
    def last_of_all():
        thread.join()
    thread = threading.Thread(target=calls, daemon=True)
    thread.start()
    run(asyncio.sleep(0.05))
    """
    assert script(LOOP_AT_WORK, source) == ["clean call", "thread ends"]


def test_daemon_threads_that_never_stop_calling(script: Script) -> None:
    source = """
    async def numbers():
        for each in range(300):
            await asyncio.sleep(0)
            yield each
    def calls():
        while True:
            run(asyncio.sleep(0.0001))
            list(iterate(numbers()))
    for _ in range(4):
        threading.Thread(target=calls, daemon=True).start()
    time.sleep(0.1)
    """
    assert script(source) == []


def test_a_thread_that_outlives_the_main_one(script: Script) -> None:
    source = """
    def calls():
        threading.main_thread().join()
        time.sleep(0.1)
        say(run(asyncio.sleep(0, 5)))
    run(start("task"))
    threading.Thread(target=calls).start()
    """
    assert script(LOOP_AT_WORK, source) == ["5", "clean task"]


def test_a_first_call_in_the_exit_works_or_says_why_not(script: Script) -> None:
    source = """
    def last():
        try:
            say(run(asyncio.sleep(0, 5)))
        except RuntimeError:  # no new threads at that time, from Python 3.12 on
            say(5)
    atexit.register(last)
    """
    assert script(source) == ["5"]


@pytest.mark.parametrize(
    "hang",
    [
        "await asyncio.Event().wait()",
        "time.sleep(60)",
        "await stubborn()",
    ],
)
def test_what_does_not_end_is_left(script: Script, hang: str) -> None:
    source = f"""
    import storage._core.loopthread
    storage._core.loopthread.GRACE = 0.3
    async def stubborn():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass
    class Hangs:
        async def aclose(self):
            {hang}
    run(start("task"))
    store = Hangs()
    at_exit(store)
    """
    began = time.monotonic()
    script(LOOP_AT_WORK, source)
    assert time.monotonic() - began < 5


def test_a_store_that_fails_to_close_says_nothing(script: Script) -> None:
    source = """
    class Fails:
        async def aclose(self):
            await asyncio.to_thread(int)  # there are no threads any more
        def __repr__(self): return "secret"
    class Exits:
        async def aclose(self): raise SystemExit(5)
    run(asyncio.sleep(0))
    stores = [Fails(), Exits(), Store()]
    for each in stores:
        at_exit(each)
    """
    assert script(LOOP_AT_WORK, source) == ["closed"]


def test_without_a_loop_there_is_nothing_to_do(script: Script) -> None:
    assert script(LOOP_AT_WORK, "store = Store(); at_exit(store)") == []


def test_a_loop_of_the_users_choice(script: Script) -> None:
    source = """
    class Loop(asyncio.SelectorEventLoop):
        pass
    set_loop_factory(Loop)
    async def kind():
        return type(asyncio.get_running_loop()).__name__
    say(run(kind()))
    """
    assert script(source) == ["Loop"]


def test_uvloop_serves_as_well(script: Script) -> None:
    pytest.importorskip("uvloop")
    source = """
    import uvloop
    set_loop_factory(uvloop.new_event_loop)
    async def numbers():
        for each in range(100):
            yield each
    say(sum(iterate(numbers())))
    pid = os.fork()
    if pid == 0:
        signal.alarm(5)
        say(run(asyncio.sleep(0, "child")))
        sys.exit()
    assert os.waitpid(pid, 0)[1] == 0
    run(start("task"))
    """
    assert script(LOOP_AT_WORK, source) == ["4950", "child", "clean task"]
