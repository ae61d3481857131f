"""What anybody would write first: one object after the other. The arguments are two URLs."""

from __future__ import annotations

import sys

from storage import open_store


def main(source_url: str, target_url: str) -> None:
    """Copy what the target has not, or has in another length."""
    with open_store(source_url) as source, open_store(target_url) as target:
        target.put("loop", b"")  # a store that nobody wrote cannot be listed
        target.delete("loop")
        there = {info.key: info.size for info in target.list()}
        for info in source.list():
            if there.get(info.key) != info.size:
                with source.open_reader(info.key) as reader:
                    target.put(info.key, reader)


if __name__ == "__main__":
    main(*sys.argv[1:])
