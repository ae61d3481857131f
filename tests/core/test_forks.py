"""Forking with the background loop at work, in processes of their own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Script = Callable[..., list[str]]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FORK = """
import ssl
def make_contexts():
    # Without certificates, which neither end asks for.
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    for each in (server, client):
        each.maximum_version = ssl.TLSVersion.TLSv1_2
        each.set_ciphers("aNULL:@SECLEVEL=0")
    return server, client
def fork(child):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        signal.alarm(5)
        child()
        sys.exit()
    return pid
def join(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
async def numbers():
    for each in range(5):
        await asyncio.sleep(0)
        yield each
"""


def test_the_child_gets_a_loop_of_its_own(script: Script) -> None:
    source = """
    local = LoopLocal(os.getpid)
    async def get(): return local.get()
    assert run(get()) == os.getpid()
    def child():
        assert not on_runner_loop()
        assert run(get()) == os.getpid()
        assert list(iterate(numbers())) == [0, 1, 2, 3, 4]
        say("child")
        def grandchild():
            assert run(get()) == os.getpid()
            say("grandchild")
        assert join(fork(grandchild)) == 0
    assert join(fork(child)) == 0
    assert run(get()) == os.getpid()
    say("parent")
    """
    assert script(FORK, source) == ["child", "grandchild", "parent"]


def test_forks_in_the_middle_of_traffic(script: Script) -> None:
    source = """
    stop = threading.Event()
    async def work(): return await asyncio.to_thread(os.getpid)
    def traffic():
        while not stop.is_set():
            assert run(work()) == os.getpid()
            assert len(list(iterate(numbers()))) == 5
    threads = [threading.Thread(target=traffic) for _ in range(4)]
    for thread in threads: thread.start()
    def child():
        assert run(work()) == os.getpid()
        assert len(list(iterate(numbers()))) == 5
    codes = []
    for _ in range(10):
        time.sleep(0.01)
        codes.append(join(fork(child)))
    stop.set()
    for thread in threads: thread.join()
    say(codes == [0] * 10)
    """
    assert script(FORK, source, seconds=25) == ["True"]


def test_a_fork_on_the_loops_own_thread(script: Script) -> None:
    source = """
    async def forks():
        def child():
            assert not on_runner_loop()
            assert run(asyncio.sleep(0, 5)) == 5
            say("child")
            sys.stdout.flush()
            os._exit(0)  # the child's only thread is not its main one
        return fork(child)
    assert join(run(forks())) == 0
    assert run(asyncio.sleep(0, 5)) == 5
    """
    assert script(FORK, source) == ["child"]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("deed", ["nothing", "collect", "close"])
def test_the_parents_connections_survive_the_child(script: Script, deed: str, tls: bool) -> None:
    source = f"""
    tls, deed = {tls}, {deed!r}
    async def echo(reader, writer):
        while line := await reader.readline():
            writer.write(line)
        writer.close()
    async def connect():
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=contexts[0])
        port = server.sockets[0].getsockname()[1]
        return server, await asyncio.open_connection("127.0.0.1", port, ssl=contexts[1])
    async def ask(reader, writer):
        writer.write(b"hello\\n")
        return await asyncio.wait_for(reader.readline(), 3)
    contexts = make_contexts() if tls else (None, None)
    server, connection = run(connect())
    say(run(ask(*connection)))
    def child():
        global connection, server
        warnings.simplefilter("ignore", ResourceWarning)  # it is what is tried here
        assert run(asyncio.sleep(0, 5)) == 5
        if deed == "close":
            connection[1].close()
        if deed != "nothing":
            del connection, server
        gc.collect()
        run(asyncio.sleep(0.01))
    say(join(fork(child)))
    say(run(ask(*connection)))
    async def end():
        connection[1].close()
        await connection[1].wait_closed()
        server.close()
        await asyncio.sleep(0.05)
    run(end())
    """
    assert script(FORK, source) == ["b'hello\\n'", "0", "b'hello\\n'"]


def test_the_child_collects_nothing_of_the_loops(script: Script) -> None:
    source = """
    class Protocol(asyncio.Protocol):
        def __del__(self): print("collected in", os.getpid() - parent)
    async def connect():
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        await asyncio.get_running_loop().create_connection(Protocol, sock=ours)
        return theirs
    async def wait(future):
        await future
    async def start():
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(wait(future))
        await asyncio.sleep(0)
        return future
    import socket
    parent = os.getpid()
    theirs = run(connect())
    future = run(start())
    time.sleep(0.05)  # the loop is idle, and holds on to nothing that it just ran
    def child():
        global future, theirs
        del future
        theirs.close()
        gc.collect()
        run(asyncio.sleep(0))
    assert join(fork(child)) == 0
    theirs.close()
    run(asyncio.sleep(0.05))
    future.get_loop().call_soon_threadsafe(future.cancel)
    """
    assert script(FORK, source) == ["collected in 0"]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs Linux")
def test_the_child_keeps_no_connection_open(script: Script) -> None:
    source = """
    def descriptors():
        kinds = []
        for each in os.listdir("/proc/self/fd"):
            try:
                kinds.append(os.readlink("/proc/self/fd/" + each).partition("[")[0])
            except OSError:
                pass  # the listing's own
        return kinds.count("socket:"), kinds.count("anon_inode:")
    async def connect():
        server = await asyncio.start_server(lambda *pair: pairs.append(pair), "127.0.0.1", 0)
        return server, await asyncio.open_connection(*server.sockets[0].getsockname())
    pairs = []
    everything = run(connect())
    say(*descriptors())
    def child():
        say(*descriptors())
        os._exit(0)
    assert join(fork(child)) == 0
    os._exit(0)
    """
    # In the parent: two ends of a connection, the server, and the loop's own pair and epoll set.
    assert script(FORK, source) == ["5 1", "1 0"]


def test_an_iterator_stays_with_the_parent(script: Script) -> None:
    source = """
    async def items():
        try:
            for each in range(5):
                yield each
        finally:
            say("closed in", "parent" if os.getpid() == parent else "child")
    parent = os.getpid()
    iterator = iterate(items(), max_batch=1)
    next(iterator)
    def child():
        global iterator
        try:
            next(iterator)
        except RuntimeError as error:
            say(error)
        del iterator
        gc.collect()
        run(asyncio.sleep(0))
    assert join(fork(child)) == 0
    say(list(iterator))
    """
    assert script(FORK, source) == [
        "this was started before the fork and belongs to the parent process",
        "closed in parent",
        "[1, 2, 3, 4]",
    ]


def test_a_worker_process(script: Script) -> None:
    source = """
    import multiprocessing
    def child():
        assert run(asyncio.sleep(0, 5)) == 5
    run(asyncio.sleep(0))
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(10)
    say(process.exitcode)
    """
    assert script(source) == ["0"]
