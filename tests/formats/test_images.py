"""Images of Pillow."""

from __future__ import annotations

import random
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._formats.table import HANDLERS
from tests.formats.forms import again, read, refused, survives, written

MODES = {".bmp": {"1", "L", "RGB"}, ".webp": {"RGB", "RGBA"}}


@pytest.fixture(scope="module")
def pillow() -> Any:
    return pytest.importorskip("PIL.Image")


def image(pillow: Any, mode: str, size: tuple[int, int], seed: int = 1) -> Any:
    length = len(pillow.new(mode, size).tobytes())
    return pillow.frombytes(mode, size, random.Random(seed).randbytes(length))


def test_images(pillow: Any) -> None:
    @settings(max_examples=20)
    @given(
        st.sampled_from(["1", "L", "LA", "RGB", "RGBA", "I;16"]),
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        st.sampled_from([".png", ".tiff", ".bmp", ".webp"]),
        st.integers(0, 99),
    )
    def holds(mode: str, size: tuple[int, int], extension: str, seed: int) -> None:
        value = image(pillow, mode, size, seed)
        # PNG has all of these modes, other forms have less.
        if mode not in MODES.get(extension, {mode}):
            refused(value, extension, "convert")
            return
        back = again(value, extension)
        assert type(back) is pillow.Image
        assert (back.mode, back.size, back.tobytes()) == (mode, size, value.tobytes())
        assert extension != ".png" or back == value

    holds()


def test_palettes(pillow: Any) -> None:
    value = image(pillow, "L", (16, 16)).point(lambda level: level % 16).convert("P")
    value.putpalette([level for colour in range(16) for level in (colour * 16, 0, 255 - colour)])
    for extension in (".png", ".gif", ".tif", ".bmp"):
        back = again(value, extension)
        assert back.convert("RGB").tobytes() == value.convert("RGB").tobytes()
    assert again(value, ".png").mode == "P"


def test_jpeg_keeps_size_and_mode(pillow: Any) -> None:
    value = pillow.new("RGB", (40, 30), (200, 10, 10))
    value.getexif()[0x0112] = 6  # lies on its side
    back = again(value, ".JPG")
    assert (back.size, back.mode) == (value.size, value.mode)
    assert back.getexif()[0x0112] == 6
    assert all(abs(a - b) < 8 for a, b in zip(back.getpixel((5, 5)), (200, 10, 10), strict=True))


def test_what_images_would_lose(pillow: Any) -> None:
    refused(image(pillow, "RGBA", (4, 4)), ".jpg", "convert")
    refused(image(pillow, "F", (4, 4)), ".gif", "convert")
    refused(image(pillow, "CMYK", (4, 4)), ".png", "convert")
    refused(image(pillow, "RGB", (40, 40)), ".gif", "convert")
    refused(b"bytes", ".png", "image of Pillow")
    assert HANDLERS.for_value(image(pillow, "L", (1, 1))) is HANDLERS.for_extension("a.png")


def test_several_frames(pillow: Any) -> None:
    frames = [pillow.new("L", (4, 4), level) for level in (0, 100, 200)]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    back = read(out.getvalue(), ".gif")
    back.seek(2)
    assert back.convert("L").getpixel((0, 0)) == 200
    refused(back, ".gif", "several frames")


def test_bombs_are_errors(pillow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(pillow.new("1", (100, 100)), ".png")
    monkeypatch.setattr(pillow, "MAX_IMAGE_PIXELS", 9_999)
    with pytest.raises(ValueError, match="decompression bomb"):
        read(data, ".png")
    monkeypatch.setattr(pillow, "MAX_IMAGE_PIXELS", None)
    assert read(data, ".png").size == (100, 100)


def test_only_the_form_of_the_extension_is_read(pillow: Any) -> None:
    data = written(image(pillow, "RGB", (4, 4)), ".bmp")
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    for bad in (data, postscript):
        with pytest.raises(ValueError, match=r"no image \(PNG\)"):
            read(bad, ".png")
    with pytest.raises(TypeError, match=r"PIL\.Image"):
        read(data, ".bmp", dict)


def test_damage(pillow: Any) -> None:
    for extension in (".png", ".jpg", ".bmp", ".gif", ".webp"):
        value = image(pillow, "L" if extension == ".gif" else "RGB", (8, 8))
        survives(written(value, extension), extension)
