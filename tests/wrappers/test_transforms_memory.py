"""The memory of the whole process that streams take; the conformance kit sees Python's alone."""

from __future__ import annotations

import pytest

from benchmarks.streaming import main


@pytest.mark.parametrize("form", ["gzip", "encrypting"])
def test_streams_take_bounded_memory(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A stream, put and read, that is larger than all that the process may take."""
    if form == "encrypting":
        pytest.importorskip("cryptography")
    assert main([form, "--size", "64", "--limit", "56"]) == 0, capsys.readouterr().out
    assert main([form, "--size", "1", "--limit", "1"]) == 1
