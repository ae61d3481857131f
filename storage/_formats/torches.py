"""Tensors and modules of PyTorch; read with `weights_only`, which runs no code of the file."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile

from .base import Format
from .packages import is_a, package, reading


class TorchFormat(Format):
    """A tensor, a dict of tensors, or a module, of which the `state_dict` is stored.

    They are read into main memory. `as_` of a module's class calls it without arguments, and loads
    the state into what that gives.
    """

    extensions = (".pt", ".pth")
    priority = 9

    def can_handle_data(self, data: Any) -> bool:
        return is_a(data, "torch.nn", "Module") or _is_state(data)

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        torch = package("torch", "torch")
        state = value.state_dict() if isinstance(value, torch.nn.Module) else value
        # A module without parameters has an empty one.
        if not _is_state(state) and state != {}:
            raise TypeError(
                f"{extension} takes a tensor, a dict of tensors or a module that has nothing else "
                f"in its state, not {type(value).__name__}"
            )
        whole = BytesIO()
        try:
            torch.save(state, whole)
        except Exception as error:
            raise TypeError(f"{type(value).__name__} cannot be written: {error}") from error
        out.write(whole.getbuffer())

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        torch = package("torch", "torch")
        with reading("state of PyTorch"):
            _check(source)
            source.seek(0)
            state = torch.load(source, map_location="cpu", weights_only=True)
        if as_ is None or isinstance(state, as_):
            return state
        if not issubclass(as_, torch.nn.Module):
            raise TypeError(f"this is a {type(state).__name__}, not a {as_.__name__}")
        module = as_()
        with reading(f"state of {as_.__name__}"):
            module.load_state_dict(state)
        return module


def _is_state(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(is_a(one, "torch", "Tensor") for one in value.values())
    return is_a(value, "torch", "Tensor")


def _check(source: BinaryIO) -> None:
    """Refuse what PyTorch has not written for years: other containers, compressed members."""
    with ZipFile(source) as archive:
        if any(info.compress_type != ZIP_STORED for info in archive.infolist()):
            raise ValueError("its members are compressed: perhaps a decompression bomb")
