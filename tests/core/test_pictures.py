"""Uploads of every kind, ids that come back, and what is said where a source is missing."""

import contextlib
import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin

from core.data import pictures
from core.data.decode import MAX_BYTES, MAX_SCANS, UNREAD, PictureError, decode
from core.data.pictures import from_upload, get
from core.data.sets import CIFAR10_CLASSES, Pictures

CAT, FROG = CIFAR10_CLASSES.index("cat"), CIFAR10_CLASSES.index("frog")


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int = 40, height: int = 40, channels: int = 3) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(values if channels > 1 else values[..., 0])


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def sixteen_bit() -> Image.Image:
    return Image.fromarray(np.full((32, 32), 200 * 257, dtype=np.uint16))


def turned() -> bytes:
    """White above black, stored lying on its side with the tag that says so."""
    upright = np.zeros((60, 60, 3), dtype=np.uint8)
    upright[:30] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    return encoded(Image.fromarray(np.ascontiguousarray(np.rot90(upright))), "JPEG", exif=exif, quality=95)


def frames(kind: str) -> bytes:
    first, second = Image.new("RGB", (32, 32), "red"), Image.new("RGB", (32, 32), "blue")
    return encoded(first, kind, save_all=True, append_images=[second], duration=100)


KINDS = {
    "png": (encoded(noise()), ()),
    "jpeg": (encoded(noise(), "JPEG"), ()),
    "webp": (encoded(noise(), "WEBP", lossless=True), ()),
    "bmp": (encoded(noise(), "BMP"), ()),
    "palette": (encoded(noise().quantize(16)), ()),
    "bilevel": (encoded(noise().convert("1")), ()),
    "greyscale": (encoded(noise(channels=1)), ()),
    "opaque alpha": (encoded(noise().convert("RGBA")), ()),
    "alpha": (encoded(Image.new("RGBA", (40, 40), (255, 0, 0, 0))), ("transparency was put on white",)),
    "grey with alpha": (encoded(Image.new("LA", (40, 40), (0, 128))), ("transparency was put on white",)),
    "palette with alpha": (
        encoded(Image.new("P", (40, 40), 0), transparency=0),
        ("transparency was put on white",),
    ),
    "CMYK": (encoded(noise().convert("CMYK"), "JPEG"), ("CMYK converted to RGB",)),
    "16-bit": (encoded(sixteen_bit()), ("16-bit reduced to 8",)),
    "turned": (turned(), ("rotated as the camera says",)),
    "gif": (frames("GIF"), ("first frame of the animation",)),
    "apng": (frames("PNG"), ("first frame of the animation",)),
    "animated webp": (frames("WEBP"), ("first frame of the animation",)),
    "one pixel": (encoded(Image.new("RGB", (1, 1), "green")), ()),
    "one row": (encoded(noise(500, 1)), ()),
}


@pytest.mark.parametrize(("data", "notes"), KINDS.values(), ids=KINDS)
def test_every_kind_of_upload_becomes_a_picture_for_the_models(data, notes):
    picture = from_upload(data, "mine.png")
    assert picture.x.shape == (1, 3, 32, 32)
    assert picture.x.dtype == torch.float32
    torch.testing.assert_close(picture.x, (picture.x * 255).round() / 255, rtol=0, atol=0)
    assert (picture.label, picture.source) == (None, "uploaded")
    assert picture.notes[: len(notes)] == notes
    assert decode(data)[1] == notes


def exif(value: int, *more: tuple[int, int, bytes]) -> bytes:
    """EXIF with an orientation and other entries (tag, type, 8 bytes)."""
    entries, after, body = 1 + len(more), b"", struct.pack("<HHIHH", 0x0112, 3, 1, value, 0)
    for tag, kind, held in more:
        body += struct.pack("<HHII", tag, kind, 1, 14 + 12 * entries + len(after))
        after += held
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", entries) + body + b"\0\0\0\0" + after


def upright_when(value: int) -> tuple[Image.Image, tuple[str, ...]]:
    return decode(encoded(Image.new("RGB", (60, 40)), "JPEG", exif=exif(value)))


@pytest.mark.parametrize("value", [0, 1, 9, 300])
def test_an_orientation_that_turns_nothing_is_not_said_to(value):
    image, notes = upright_when(value)
    assert (image.size, notes) == ((60, 40), ())


@pytest.mark.parametrize("value", range(2, 9))
def test_all_orientations_agree_with_pillows_own(value):
    corner = Image.new("RGB", (60, 40), "white")
    corner.paste("black", (0, 0, 30, 10))
    data = encoded(corner, "JPEG", exif=exif(value), quality=95)
    np.testing.assert_array_equal(decode(data)[0], ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def large(text: bytes = b"x" * 2**21) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", text.decode(), zip=True)
    return info


WHOLE = {  # pixels are whole, what stands beside them is odd
    "impossible resolution": encoded(noise(), exif=exif(1, (0x011A, 10, struct.pack("<ii", -1, 0)))),
    "malformed EXIF": encoded(noise(), exif=b"Exif\0\0\x00\x08\x00\x02\x01\x12\x00\x03"),
    "text of 2 MB": encoded(noise(), pnginfo=large()),
    "profile of 2 MB": encoded(noise(), icc_profile=bytes(2**21)),
    "profile that is none": encoded(noise(), icc_profile=b"none"),
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_whole_pixels_are_read_whatever_stands_beside_them(data):
    image, notes = decode(data)
    np.testing.assert_array_equal(image, noise())
    assert set(notes) <= {UNREAD, "its colour profile could not be used"}


def test_a_photograph_that_must_be_turned_is_turned_though_its_resolution_is_impossible():
    image, notes = decode(encoded(noise(60, 40), "JPEG", exif=exif(6, (0x011A, 10, struct.pack("<ii", -1, 0)))))
    assert (image.size, notes) == ((40, 60), ("rotated as the camera says",))


def profile(*primaries: tuple[float, float, float]) -> bytes:
    """An ICC profile of an RGB space by its three primaries (XYZ, D50), gamma 2.2."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"curv" + struct.pack(">IIH", 0, 1, round(2.2 * 256)) + bytes(2)
    tags = {b"desc": b"desc" + struct.pack(">II", 0, 5) + b"test\0" + bytes(79), b"cprt": b"text" + bytes(4) + b"none"}
    tags |= {b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    tags |= {
        name: b"XYZ " + bytes(4) + fixed(*xyz) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, held in tags.items():
        table += name + struct.pack(">II", at + len(body), len(held))
        body += held + bytes(-len(held) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + body


P3 = profile((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))  # every iPhone's


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_colour_profile_is_followed_as_browsers_do(mode):
    """230, 60, 60 of Display P3 is a red that sRGB does not have; 251, 25, 45 is the nearest that it has."""
    image, notes = decode(encoded(Image.new("RGB", (40, 40), (230, 60, 60)).convert(mode), icc_profile=P3))
    found = np.asarray(image)[3, 3].astype(int)
    assert np.abs(found - (251, 25, 45)).max() <= (3 if mode != "P" else 40)  # a palette has no such red to begin with
    assert notes == ("colours converted to sRGB",)


def test_transparency_survives_a_colour_profile():
    image, notes = decode(encoded(Image.new("RGBA", (40, 40), (230, 60, 60, 0)), icc_profile=P3))
    assert image.getpixel((3, 3)) == (255, 255, 255)
    assert notes == ("colours converted to sRGB", "transparency was put on white")


def test_pixels_that_say_they_are_srgb_are_left_alone():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image, notes = decode(encoded(noise(), icc_profile=srgb))
    np.testing.assert_array_equal(image, noise())
    assert notes == ()


def test_lossless_pictures_of_the_right_size_come_through_unchanged():
    image = noise(32, 32)
    for data in (encoded(image), encoded(image, "WEBP", lossless=True), encoded(image, "BMP")):
        picture = from_upload(data)
        assert picture.notes == ()
        np.testing.assert_array_equal((picture.x[0] * 255).round().byte().permute(1, 2, 0), np.asarray(image))


def test_transparent_red_becomes_white_and_half_transparent_black_grey():
    assert decode(KINDS["alpha"][0])[0].getpixel((3, 3)) == (255, 255, 255)
    assert decode(KINDS["grey with alpha"][0])[0].getpixel((3, 3)) == (127, 127, 127)


def test_sixteen_bits_are_scaled_not_cut_off():
    assert decode(encoded(sixteen_bit()))[0].getpixel((3, 3)) == (200, 200, 200)


def test_a_turned_photograph_stands_upright():
    x = from_upload(turned()).x
    assert x[0, :, :14].min() > 0.9
    assert x[0, :, -14:].max() < 0.1


def test_the_first_frame_of_an_animation_is_taken():
    assert decode(frames("WEBP"))[0].getpixel((3, 3))[0] > 250


def test_what_is_cut_and_resized_is_said():
    assert from_upload(encoded(noise(64, 48))).notes == ("cut to the square in its middle", "reduced to 32 × 32")
    assert from_upload(encoded(noise(8, 8))).notes == ("enlarged to 32 × 32",)


def repeated_scan(times: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times."""
    data = encoded(Image.new("L", (64, 64), 128), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + times * data[last:-2] + data[-2:]


REFUSED = {
    "empty": (b"", "empty"),
    "truncated png": (encoded(noise())[:1500], "cut short"),
    "truncated jpeg": (encoded(noise(200, 200), "JPEG")[:6000], "cut short"),
    "text": (b"this is a shopping list\n", "not a PNG"),
    "pixel bomb": (png_header(10_000, 10_000), "40 million pixels"),
    "larger than Pillow allows": (png_header(60_000, 60_000), "40 million pixels"),
    "bytes": (b"\x89PNG" + bytes(MAX_BYTES), "at most 10 MB"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
    "film": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2mp41", "film or a sound"),
    "web page with a drawing in it": (b"\xef\xbb\xbf<!-- saved --><!DOCTYPE html>\n<html><svg/></html>", "web page"),
    "svg with all its formalities": (
        b'\n<?xml version="1.0"?><!-- Inkscape --><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x"><svg/>',
        "SVG",
    ),
    "text that begins like one": (b"<svgs are not pictures>", "not a PNG"),
    "endless scans": (repeated_scan(MAX_SCANS), "too many times"),
    "negative width": (
        encoded(noise(), "BMP")[:18] + struct.pack("<ii", -5, -7) + encoded(noise(), "BMP")[26:],
        "damaged",
    ),
    "damaged header": (encoded(noise())[:30] + b"\xff" + encoded(noise())[31:], "damaged"),
    "tiff": (encoded(noise(), "TIFF"), "not a PNG"),
    "no pixels in it": (png_header(32, 32), "cut short"),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(PictureError, match=sentence) as refusal:
        from_upload(data, "holiday.png")
    said = str(refusal.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 120


def test_a_progressive_jpeg_is_read():
    assert decode(repeated_scan(1))[0].size == (64, 64)


def test_size_is_checked_before_anything_is_decoded(monkeypatch):
    data = encoded(noise(8, 8))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(PictureError, match="million pixels"):
        decode(data, max_pixels=63)


@pytest.mark.parametrize("error", [SyntaxError, struct.error, EOFError, MemoryError, ZeroDivisionError])
def test_whatever_pillow_meets_becomes_one_sentence(error, monkeypatch):
    data = encoded(noise())

    def fails(self) -> None:
        raise error("inside the decoder")

    monkeypatch.setattr(ImageFile.ImageFile, "load", fails)
    with pytest.raises(PictureError, match="damaged"):
        decode(data)


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_picture_error(data):
    with contextlib.suppress(PictureError):
        from_upload(data)


@settings(max_examples=200)
@given(
    st.sampled_from([data for data, _ in KINDS.values()]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0, 1),
)
def test_no_damaged_picture_raises_anything_but_a_picture_error(data, changes, kept):
    damaged = bytearray(data)
    for where, value in changes:
        damaged[int(where * len(damaged))] = value
    for candidate in (bytes(damaged), bytes(damaged[: int(kept * len(damaged))])):
        with contextlib.suppress(PictureError):
            decode(candidate, max_pixels=10_000)


def test_the_same_upload_has_the_same_id_and_another_has_another():
    data = encoded(noise())
    assert from_upload(data, "a.png").id == from_upload(data, "b.png").id
    assert from_upload(data).id == f"upload/{hashlib.sha256(data).hexdigest()[:12]}"
    assert from_upload(encoded(noise(41, 41))).id != from_upload(data).id


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("my cat.png", "my cat.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\frosch ü.jpg", "frosch ü.jpg"),
        ("![x](http://a/b.png)", "b.png"),
        ("**[a]**<b>", "a b"),
        ("", "your picture"),
        ("🐸" * 99, "your picture"),
        ("x" * 99, "x" * 40),
    ],
)
def test_a_file_name_becomes_a_harmless_caption(name, caption):
    assert from_upload(encoded(noise()), name).caption == caption


def test_the_cat_is_there_without_cifar10(no_cifar10):
    assert pictures.available() == ("photo",)
    assert pictures.default_id() == "photo/chelsea"
    cat = get("photo/chelsea")
    assert (cat.label, cat.source, cat.notes) == (CAT, "photograph", ())
    assert cat.x.std() > 0.1


@pytest.mark.parametrize("id", pictures.ids("photo"))
def test_photographs_come_back_under_their_ids(id):
    picture = get(id)
    assert picture.id == id
    torch.testing.assert_close(picture.x * 255, (picture.x * 255).round(), rtol=0, atol=1e-4)
    assert picture.label == (CAT if id == "photo/chelsea" else None)


def test_photographs_can_be_asked_for_by_class():
    assert pictures.ids("photo", CAT) == ("photo/chelsea",)
    assert pictures.ids("photo", FROG) == ()


BAD = [
    "",
    "/",
    "photo",
    "photo/",
    "photo/../x",
    "photo/horse",
    "nothing/1",
    "upload/0123456789ab",
    "cifar10/",
    "cifar10/-1",
]
BAD += ["cifar10/1.0", "cifar10/999999", "cifar10/٣", "cifar10/²", "cifar10/" + "9" * 5000, "cifar10/a" * 12]
BAD += ["cifar10/000000000000", "gallery/x", "gallery/0/1", "CIFAR10/1", "cifar10/ 1", "\x00"]


@pytest.mark.parametrize("id", BAD)
def test_unknown_ids_are_refused_in_one_sentence(id, shelf):
    with pytest.raises(PictureError, match=r"^[A-Z][^\n]*\.$"):
        get(id)


@given(st.text(max_size=40))
def test_no_id_raises_anything_but_a_picture_error(text):
    for id in (text, f"photo/{text}", f"gallery/{text}", f"upload/{text}"):
        with contextlib.suppress(PictureError):
            get(id)


def test_without_cifar10_its_ids_say_how_to_get_it(no_cifar10):
    with pytest.raises(PictureError, match=r"python -m core\.data download"):
        get("cifar10/1")
    with pytest.raises(PictureError, match="gallery is not here"):
        get("gallery/1")


@pytest.fixture
def no_cifar10(tmp_path, monkeypatch):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "no-gallery.npz")


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Pictures:
    """A made-up test set of twelve pictures, its classes in another order, and the same again as a gallery."""
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    classes = (*sorted(CIFAR10_CLASSES, reverse=True), "unicorn")
    labels = np.arange(12) % len(classes)
    for path in (tmp_path / "test.npz", tmp_path / "gallery.npz"):
        np.savez(path, images=images, labels=labels, classes=classes)
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "gallery.npz")
    return Pictures(images, labels, classes, "shelf")


@pytest.mark.parametrize(("kind", "source"), [("cifar10", "CIFAR-10 test set"), ("gallery", "generated")])
def test_numbered_pictures_come_back_with_their_label_whatever_the_order_of_the_classes(kind, source, shelf):
    assert pictures.available() == ("cifar10", "gallery", "photo")
    for i, id in enumerate(pictures.ids(kind)):
        picture = get(id)
        assert (picture.id, picture.source) == (id, source)
        torch.testing.assert_close(picture.x, shelf.x([i]), rtol=0, atol=0)
        name = shelf.classes[shelf.labels[i]]
        assert picture.label == (CIFAR10_CLASSES.index(name) if name != "unicorn" else None)
        assert name in picture.caption
        assert (id in pictures.ids(kind, FROG)) == (name == "frog")


def test_a_fingerprint_finds_its_picture_in_any_order(shelf):
    assert get(f"cifar10/{pictures.fingerprint(shelf.images[7])}").id == "cifar10/7"


def test_the_default_is_a_frog_of_the_test_set_else_of_the_gallery(shelf, tmp_path):
    assert get(pictures.default_id()).label == FROG
    assert pictures.default_id().startswith("cifar10/")
    (tmp_path / "test.npz").unlink()
    pictures._test_set.cache_clear()
    pictures._fingerprints.cache_clear()
    assert get(pictures.default_id()).label == FROG
    assert pictures.default_id().startswith("gallery/")


def test_pictures_of_another_size_are_not_offered(tmp_path, monkeypatch):
    np.savez(tmp_path / "test.npz", images=np.zeros((3, 8, 8, 3), np.uint8), labels=np.zeros(3, int))
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    assert "cifar10" not in pictures.available()
    with pytest.raises(PictureError, match="not 32 x 32"):
        get("cifar10/0")


def test_the_real_test_set_opens_with_the_chosen_frog(cifar):
    frog = get(pictures.default_id())
    assert frog.label == FROG
    assert pictures.fingerprint((frog.x[0].permute(1, 2, 0) * 255).round().byte().numpy()) == pictures.FROG
    assert len(pictures.ids("cifar10", FROG)) == 1000
