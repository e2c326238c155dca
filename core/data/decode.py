"""Bytes of a stranger's picture file to 8-bit RGB, or one clear sentence that says why not."""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.problems import UserError

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 40_000_000  # more than a phone's usual 12 megapixels, and under 200 MB once decoded
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
EXIF_ORIENTATION = 0x0112


class PictureError(UserError):
    """A picture that is not there or cannot be read; the message is one sentence for the person who asked."""


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> tuple[Image.Image, tuple[str, ...]]:
    """Decode a picture file to 8-bit RGB, its first frame if it is animated, turned as its camera says.

    Returns:
        The picture, and what had to be changed, in a few words each.

    Raises:
        PictureError: If it is empty, too large, damaged or of another kind. Size is checked before anything is decoded.
    """
    _refuse(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise PictureError(_too_many(max_pixels))
            image.load()
            return _to_rgb(image, deep=data.startswith(b"\x89PNG") and data[24] == 16)  # bit depth in PNG's header
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(_too_many(max_pixels)) from error
    except UnidentifiedImageError as error:
        raise PictureError("This file is not a PNG, JPEG, WebP, GIF or BMP picture, whatever its name says.") from error
    except PictureError:
        raise
    except Exception as error:  # Pillow meets damaged bytes with SyntaxError, struct.error, EOFError and a dozen others
        raise PictureError("This picture is damaged or cut short; please save it again or choose another.") from error


def _refuse(data: bytes) -> None:
    if not data:
        raise PictureError("This file is empty.")
    if len(data) > MAX_BYTES:
        raise PictureError(f"This file has {len(data) / 2**20:.1f} MB; at most {MAX_BYTES // 2**20} MB are read.")
    if data[4:8] == b"ftyp":
        raise PictureError("HEIC and AVIF pictures cannot be read here; please save it as PNG or JPEG.")
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<svg" in data[:4096].lower():
        raise PictureError("An SVG file is a drawing without pixels; please save it as PNG.")


def _too_many(max_pixels: int) -> str:
    return f"This picture has more than {max_pixels / 1e6:g} million pixels; please make it smaller."


def _to_rgb(image: Image.Image, deep: bool) -> tuple[Image.Image, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a camera's JPEG with a preview behind it
        notes += ("first frame of the animation",)
    if image.getexif().get(EXIF_ORIENTATION, 1) != 1:
        notes += ("rotated as the camera says",)
    image = ImageOps.exif_transpose(image)
    if deep:
        notes += ("16-bit reduced to 8",)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).astype(float) / 257).round().clip(0, 255).astype(np.uint8))
    if image.mode == "CMYK":
        notes += ("CMYK converted to RGB",)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        if layer.getchannel("A").getextrema() != (255, 255):
            notes += ("transparency was put on white",)
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB"), notes
