"""Bytes of a stranger's picture file to 8-bit RGB, or one clear sentence that says why not."""

import io
import re
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from core.problems import UserError

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 40_000_000  # more than a phone's usual 12 megapixels, and under 200 MB once decoded
MAX_SCANS = 32  # of a progressive JPEG; cameras and tools write about ten, and each goes over all pixels again
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
EXIF_ORIENTATION = 0x0112
UPRIGHT = {  # by what is said of the camera: how to turn the picture
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PNG = b"\x89PNG\r\n\x1a\n"
BEGINNINGS = (PNG, b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")  # of the kinds that are read
DAMAGED = "This picture is damaged or cut short; please save it again or choose another."
BESIDES = {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP"}  # chunks of a PNG that say something of the picture
UNREAD = "what its metadata say could not be read"
MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # colour space of a profile: mode of the picture
ROUNDING = 2  # grey levels that converting from sRGB to sRGB may move
# Kinds of file that people take for pictures, by how they begin.
STILLS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}  # brands of ftyp
PROLOGUE = rb"^\xef?\xbb?\xbf?(?:\s+|<\?.*?\?>|<!--.*?-->)*(?:<!doctype\s+{0}\b[^>]*>\s*)?(?:<!--.*?-->|\s+)*"
SVG, WEB_PAGE = (re.compile(PROLOGUE.replace(b"{0}", name) + rb"<%b\b" % name, re.I | re.S) for name in (b"svg", b"html"))


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
        return _tolerant(data, max_pixels)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(_too_many(max_pixels)) from error
    except UnidentifiedImageError as error:
        if data.startswith(BEGINNINGS):
            raise PictureError(DAMAGED) from error
        raise PictureError("This file is not a PNG, JPEG, WebP, GIF or BMP picture, whatever its name says.") from error
    except PictureError:
        raise
    except Exception as error:  # Pillow meets damaged bytes with SyntaxError, struct.error, EOFError and a dozen others
        raise PictureError(DAMAGED) from error


def _tolerant(data: bytes, max_pixels: int) -> tuple[Image.Image, tuple[str, ...]]:
    """Decode a picture; a PNG that cannot be read with what it says besides its pixels is read without that."""
    try:
        return _open(data, max_pixels)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, UnidentifiedImageError, PictureError):
        raise
    except Exception:
        bare = b"".join(_bare_png(data)) if data.startswith(PNG) else data
        if bare == data:
            raise
        image, notes = _open(bare, max_pixels)
        return image, (*notes, UNREAD)


def _bare_png(data: bytes) -> Iterator[bytes]:
    yield PNG
    at = len(PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind not in BESIDES:
            yield data[at : at + 12 + length]
        at += 12 + length


def _open(data: bytes, max_pixels: int) -> tuple[Image.Image, tuple[str, ...]]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        if image.width * image.height > max_pixels:
            raise PictureError(_too_many(max_pixels))
        image.load()
        return _to_rgb(image, deep=data.startswith(PNG) and data[24] == 16)  # bit depth in PNG's header


def _refuse(data: bytes) -> None:
    if not data:
        raise PictureError("This file is empty.")
    if len(data) > MAX_BYTES:
        raise PictureError(f"This file has {len(data) / 2**20:.1f} MB; at most {MAX_BYTES // 2**20} MB are read.")
    if data[4:8] == b"ftyp" and data[8:12] not in STILLS:
        raise PictureError("This is a film or a sound, not a picture; please save one frame of it as PNG or JPEG.")
    if data[4:8] == b"ftyp":
        raise PictureError("HEIC and AVIF pictures cannot be read here; please save it as PNG or JPEG.")
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MAX_SCANS:  # in a scan, FF is never followed by DA
        raise PictureError("This JPEG goes over its pixels too many times; please save it again.")
    if data.startswith(b"BM") and len(data) >= 26 and struct.unpack("<i", data[18:22])[0] < 0:  # its height may be
        raise PictureError(DAMAGED)
    if WEB_PAGE.search(data[:4096]):
        raise PictureError("This is a web page, not a picture; please save the picture itself.")
    if SVG.search(data[:4096]):
        raise PictureError("An SVG file is a drawing without pixels; please save it as PNG.")


def _too_many(max_pixels: int) -> str:
    return f"This picture has more than {max_pixels / 1e6:g} million pixels; please make it smaller."


def _to_rgb(image: Image.Image, deep: bool) -> tuple[Image.Image, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a camera's JPEG with a preview behind it
        notes += ("first frame of the animation",)
    profile = image.info.get("icc_profile")
    try:
        turn = UPRIGHT.get(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # damaged bytes beside whole pixels: SyntaxError, struct.error and others
        turn, notes = None, (*notes, UNREAD)
    if turn is not None:
        image, notes = image.transpose(turn), (*notes, "rotated as the camera says")
    if deep:
        notes += ("16-bit reduced to 8",)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).astype(float) / 257).round().clip(0, 255).astype(np.uint8))
    if image.mode == "CMYK":
        notes += ("CMYK converted to RGB",)
    if profile:
        image, more = _in_srgb(image, profile)
        notes += more
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        if layer.getchannel("A").getextrema() != (255, 255):
            notes += ("transparency was put on white",)
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB"), notes


def _in_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, tuple[str, ...]]:
    """Show a picture in the colours that its profile gives it, as a browser does; alpha stays what it is."""
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        seen = image.convert(MODES[source.profile.xcolor_space.strip()])
        made = ImageCms.profileToProfile(seen, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError):
        return image, ("its colour profile could not be used",)
    assert made is not None
    before, after = (np.asarray(one.convert("RGB"), dtype=np.int16) for one in (seen, made))
    if np.abs(before - after).max(initial=0) <= ROUNDING:
        return image, ()
    if alpha is not None:
        made.putalpha(alpha)
    return made, ("colours converted to sRGB",)
