"""What the clients do, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

SMALL = 4 * KIB
LARGE = 256 * MIB
LISTED = 20_000
READ = 2_000
"""Objects that are read, each 4 KiB."""


@dataclass(frozen=True)
class Task:
    """One thing that all clients do.

    Args:
        name: What a worker knows it by.
        verb: What is done: get, head, put, delete, download, upload, list or get_many.
        count: Operations of one turn.
        in_flight: How many of them at once.
        unit: What the figures count: requests, keys or bytes.
    """

    name: str
    verb: str
    count: int
    in_flight: int
    unit: str = "requests"


SMALL_TASKS = tuple(
    Task(f"{verb.upper()} of 4 KiB, {in_flight} in flight", verb, count, in_flight)
    for verb in ("get", "put", "head", "delete")
    for in_flight, count in ((1, 300), (32, READ), (128, READ))
)
LARGE_TASKS = (
    Task("256 MiB down", "download", LARGE, 1, "bytes"),
    Task("256 MiB up", "upload", LARGE, 1, "bytes"),
)
OTHER_TASKS = (
    Task(f"list of {LISTED:,} keys", "list", LISTED, 1, "keys"),
    Task(f"{READ:,} keys of 4 KiB, blocking", "get_many", READ, 32),
)
TASKS = {task.name: task for task in (*SMALL_TASKS, *LARGE_TASKS, *OTHER_TASKS)}


def read_key(number: int) -> str:
    """An object that is only read."""
    return f"read/{number % READ:05}"


def listed_key(number: int) -> str:
    """An object that is only listed."""
    return f"listed/{number:05}"
