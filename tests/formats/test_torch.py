"""Tensors and modules of PyTorch, where it is installed: it is too large for the extra `test`."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._formats.table import HANDLERS
from tests.formats.forms import again, read, refused, survives, written


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("this ran",)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


def test_tensors_and_states(torch: Any) -> None:
    for value in (
        torch.arange(6.0).reshape(2, 3),
        torch.tensor(True),
        torch.ones(2, dtype=torch.bfloat16),
        torch.zeros(0, 3, dtype=torch.int8),
    ):
        back = again(value, ".pt", torch.Tensor)
        assert back.dtype == value.dtype
        assert torch.equal(back, value)
        assert HANDLERS.for_value(value) is HANDLERS.for_extension(".pth")
    state = {"a": torch.ones(2), "b": torch.zeros(1)}
    back = again(state, ".pth")
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], state[name]) for name in state)


def test_any_tensor(torch: Any) -> None:
    numbers = st.floats(width=32) | st.integers(-1000, 1000).map(float)

    @settings(max_examples=10)
    @given(st.dictionaries(st.text(max_size=4), st.lists(numbers), min_size=1))
    def holds(values: dict[str, list[float]]) -> None:
        state = {name: torch.tensor(row) for name, row in values.items()}
        back = again(state, ".pt")
        assert back.keys() == state.keys()
        assert all(torch.equal(back[name].nan_to_num(), state[name].nan_to_num()) for name in state)

    holds()


def test_modules(torch: Any) -> None:
    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

    value = Model()
    assert list(again(value, ".pt")) == ["layer.weight", "layer.bias"]
    back = again(value, ".pt", Model)
    assert torch.equal(back.layer(torch.ones(2)), value.layer(torch.ones(2)))
    with pytest.raises(ValueError, match="state of Model"):
        read(written({"other": torch.ones(1)}, ".pt"), ".pt", Model)
    with pytest.raises(TypeError, match="not a list"):
        again(value, ".pt", list)


def test_no_code_is_run(torch: Any) -> None:
    out, packed = BytesIO(), BytesIO()
    torch.save({"a": Harmful()}, out)
    good = written(torch.zeros(10_000), ".pt")
    with ZipFile(BytesIO(good)) as source, ZipFile(packed, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    for bad in (out.getvalue(), pickle.dumps(Harmful()), packed.getvalue()):
        with pytest.raises(ValueError, match="no state of PyTorch"):
            read(bad, ".pt")
    refused({"a": torch.ones(1), "b": "text"}, ".pt", "dict of tensors")
    refused(Harmful(), ".pt", "dict of tensors")


def test_damage(torch: Any) -> None:
    survives(written(torch.arange(6.0), ".pt"), ".pt")
