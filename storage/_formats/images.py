"""Images of Pillow."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

from .._core.codecs.coding import DecompressionLimit
from .base import Format
from .packages import is_a, package, reading

FORMS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".tiff": "TIFF",
    ".tif": "TIFF",
    ".gif": "GIF",
    ".webp": "WEBP",
}
_PALETTES = {"1", "L", "P", "RGB"}  # what GIF can hold, if its colours are few
WAY_OUT = "convert() it to RGB or RGBA, or write .png"


class ImageFormat(Format):
    """Images, in memory: what is read needs no file, and is refused above Pillow's limit.

    What is read has the pixels that were written. GIF keeps their colours, in a palette, and JPEG
    nothing but size and mode.
    """

    extensions = tuple(FORMS)
    priority = 10

    def can_handle_data(self, data: Any) -> bool:
        return is_a(data, "PIL.Image", "Image")

    def dump(self, value: Any, out: BinaryIO, extension: str) -> None:
        if not self.can_handle_data(value):
            raise TypeError(f"{extension} takes an image of Pillow, not {type(value).__name__}")
        form = FORMS[extension.lower()]
        if getattr(value, "n_frames", 1) > 1:
            raise TypeError("an image of several frames: write copy(), which is the present one")
        whole = BytesIO()
        try:
            value.save(whole, form, **_options(value, form))
            back = _opened(BytesIO(whole.getvalue()), form)
        except Exception as error:
            raise TypeError(
                f"this image cannot be written as {form}: {error}; {WAY_OUT}"
            ) from error
        if _seen(value, form) != _seen(back, form):
            raise TypeError(f"{form} would not keep an image of mode {value.mode}; {WAY_OUT}")
        out.write(whole.getbuffer())

    def load(self, source: BinaryIO, extension: str, as_: type[Any] | None = None) -> Any:
        image = package("PIL.Image", "images")
        if as_ not in (None, image.Image):
            raise TypeError(f"an image is read as PIL.Image.Image, not as {as_}")
        form = FORMS[extension.lower()]
        with reading(f"image ({form})"):
            return _opened(BytesIO(source.read()), form)


def _opened(content: BytesIO, form: str) -> Any:
    """The image, decoded; one of several frames keeps its bytes, in memory."""
    library = package("PIL.Image", "images")
    # No other form is tried: what calls itself PNG is not run through Ghostscript.
    image = library.open(content, formats=[form])
    most = library.MAX_IMAGE_PIXELS
    if most is not None and image.width * image.height > most:
        raise DecompressionLimit(
            f"an image of {image.width} x {image.height} pixels: perhaps a decompression bomb; "
            "PIL.Image.MAX_IMAGE_PIXELS is the limit"
        )
    image.load()
    return image if getattr(image, "n_frames", 1) > 1 else image.copy()


def _seen(image: Any, form: str) -> Any:
    """What has to be the same in two images that are the same."""
    if form == "JPEG":
        return image.size, image.mode
    if form == "GIF":
        return image.size, image.mode in _PALETTES, image.convert("RGBA").tobytes()
    # A palette may be padded, or lose the colours that no pixel has.
    colours = image.convert("RGBA").tobytes() if image.mode == "P" else b""
    return image.size, image.mode, image.tobytes(), colours


def _options(image: Any, form: str) -> dict[str, Any]:
    options: dict[str, Any] = {"lossless": True, "exact": True} if form == "WEBP" else {}
    # How a camera was held stands there; the other forms take none.
    if form in {"JPEG", "PNG", "WEBP"} and (exif := image.getexif()):
        options["exif"] = exif
    return options
