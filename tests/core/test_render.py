"""Pixels arrive as they were computed.

Rounding, PNG and its text, sprites, packed perturbations, animations, sheets.
"""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.attacks import balls
from core.files import arrays, render
from core.files.render import (
    amplified,
    animation,
    data_url,
    delta16,
    from_uint8,
    png,
    png_text,
    sheet,
    sprite,
    to_uint8,
    upscaled,
)
from tests.helpers import draws, images

CODES = {
    "recipe": '{"caption": "Mądry, ε = 8/255, ℓ₂, 🐸"}',
    "Software": "Robust Frog",
    "empty": "",
    "long": "é" * 5000,
}


def pixels(f: int = 3, h: int = 5, w: int = 7, *, seed: int = 0) -> np.ndarray:
    """Noise: what a lossy format would lose."""
    return np.random.default_rng(seed).integers(0, 256, (f, h, w, 3), dtype=np.uint8)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def frames_of(data: bytes) -> np.ndarray:
    """Decode an animation frame by frame, as a viewer does."""
    with opened(data) as film:
        found = []
        for i in range(film.n_frames):
            film.seek(i)
            found.append(np.asarray(film.convert("RGB")))
    return np.stack(found)


# 8 bits


def test_every_level_comes_back():
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    np.testing.assert_array_equal(to_uint8(from_uint8(levels)), levels)


def test_levels_are_rounded_and_not_cut_off():
    x = torch.tensor([0.0, 0.4, 0.6, 100.49, 100.51, 254.4, 254.6, 255.0]) / 255
    assert to_uint8(x.reshape(1, 1, 1, 8).expand(1, 3, 1, 8))[0, 0, :, 0].tolist() == [0, 0, 1, 100, 101, 254, 255, 255]


def test_what_is_outside_zero_one_does_not_wrap_around():
    x = torch.tensor([-0.1, -1e-6, 1 + 1e-6, 1.1]).reshape(1, 1, 1, 4).expand(1, 3, 1, 4)
    assert to_uint8(x)[0, 0, :, 1].tolist() == [0, 0, 255, 255]


@given(k=st.integers(0, 40), seed=st.integers(0, 50))
def test_a_ball_of_k_grey_levels_survives_rounding(k, seed):
    """An 8-bit picture moved by at most k/255 stays within k levels, wherever in the ball it went."""
    clean = pixels(2, seed=seed)
    x = from_uint8(clean)
    ball = balls.Linf(k / 255)
    moved = (x + ball.sample(x, draws(seed))).clamp(0, 1)
    corner = (x + ball.rescale(ball.sample(x, draws(seed)))).clamp(0, 1)
    for adversarial in (moved, corner):
        assert np.abs(to_uint8(adversarial).astype(int) - clean.astype(int)).max() <= k


def test_channels_and_axes_keep_their_places():
    x = torch.zeros(1, 3, 2, 2)
    x[0, 0, 0, 1] = 1  # red, first row, second column
    assert to_uint8(x)[0].tolist() == [[[0, 0, 0], [255, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
    assert to_uint8(x.contiguous(memory_format=torch.channels_last)).flags.c_contiguous


def test_a_perturbation_is_shown_around_mid_grey():
    delta = torch.tensor([-1.0, -0.01, 0.0, 0.01, 1.0]).reshape(1, 1, 1, 5)
    torch.testing.assert_close(amplified(delta, 10.0).flatten(), torch.tensor([0.0, 0.4, 0.5, 0.6, 1.0]))


def test_upscaling_repeats_pixels():
    image = pixels(1, 2, 3)[0]
    large = upscaled(image, 4)
    assert large.shape == (8, 12, 3)
    for dy in range(4):
        for dx in range(4):
            np.testing.assert_array_equal(large[dy::4, dx::4], image)


# PNG


def test_a_png_holds_pixels_and_text_whatever_the_script():
    image = pixels()[0]
    data = png(image, CODES)
    np.testing.assert_array_equal(np.asarray(opened(data)), image)
    assert opened(data).format == "PNG"
    assert png_text(data) == CODES


def test_a_png_without_text_has_none_and_the_same_bytes_each_time():
    image = pixels()[0]
    assert png_text(png(image)) == {}
    assert png(image, CODES) == png(image, CODES)
    assert png(image) != png(image, CODES)


def test_a_data_url_is_the_png():
    data = png(pixels()[0])
    kind, _, packed = data_url(data).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(packed) == data


@pytest.mark.parametrize("f", [1, 2, 21])
def test_a_sprite_is_its_frames_from_left_to_right(f):
    frames = pixels(f, 6, 4)
    strip = np.asarray(opened(sprite(frames)))
    assert strip.shape == (6, 4 * f, 3)
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(strip[:, 4 * i : 4 * i + 4], frame)


# Packed perturbations


@pytest.mark.parametrize("size", [1e-9, 1e-4, 8 / 255, 1.0])
def test_packed_perturbations_are_off_by_half_a_unit_at_most(size):
    """In the order (F, H, W, 3), two bytes each, low byte first; fine enough that 8 bits are not the limit."""
    delta = size * (2 * images(3, size=6, seed=4) - 1)
    packed, unit = delta16(delta)
    values = np.frombuffer(packed, "<i2").reshape(3, 6, 6, 3)
    error = np.abs(values * unit - delta.permute(0, 2, 3, 1).double().numpy())
    assert error.max() <= 0.501 * unit
    assert unit <= size / 32000
    assert np.abs(values.astype(int)).max() == 32767


def test_no_perturbation_packs_as_zeros():
    for delta in (torch.zeros(2, 3, 4, 4), torch.zeros(0, 3, 4, 4)):
        packed, unit = delta16(delta)
        values = np.frombuffer(packed, "<i2")
        assert values.size == delta.numel()
        assert not values.any()
        assert np.isfinite(unit)


# Animations


@pytest.mark.parametrize("kind", ["apng", "webp"])
@pytest.mark.parametrize("f", [2, 21])
def test_animations_are_lossless(kind, f):
    """GIF would be off by up to 67 levels on such frames."""
    frames = pixels(f, 32, 48, seed=f)
    np.testing.assert_array_equal(frames_of(animation(frames, kind)), frames)


@pytest.mark.parametrize("kind", ["apng", "webp"])
def test_frames_that_differ_by_one_level_in_one_pixel_are_all_there(kind):
    """What encoders drop as a repetition when it is almost one."""
    frames = pixels(1, 32, 32).repeat(5, 0)
    for i in range(5):
        frames[i, 3, 4, 1] = 100 + i
    np.testing.assert_array_equal(frames_of(animation(frames, kind)), frames)


def test_animations_have_their_speed_repeat_for_ever_and_carry_text():
    frames = pixels(3, 8, 8)
    for kind in ("apng", "webp"):
        with opened(animation(frames, kind, 120)) as film:
            assert film.info.get("loop") == 0
            film.seek(1)
            film.load()
            assert film.info["duration"] == 120
    assert png_text(animation(frames, "apng", 80, CODES)) == CODES


def test_one_frame_is_an_animation_too():
    frames = pixels(1, 8, 8)
    for kind in ("apng", "webp"):
        np.testing.assert_array_equal(frames_of(animation(frames, kind)), frames)


@pytest.mark.parametrize("kind", ["gif", "jpeg", "", "PNG"])
def test_lossy_kinds_are_refused(kind):
    with pytest.raises(ValueError, match="apng or webp"):
        animation(pixels(), kind)


# Sheets


@pytest.mark.parametrize(("n", "columns", "shape"), [(6, 3, (2, 3)), (5, 3, (2, 3)), (2, 3, (1, 3)), (3, 1, (3, 1))])
def test_a_sheet_lays_pictures_row_by_row(n, columns, shape):
    cells = pixels(n, 5, 7)
    page = sheet(list(cells), columns, gap=2, background=200)
    assert page.shape == (shape[0] * 7 - 2, shape[1] * 9 - 2, 3)
    rest = np.ones(page.shape[:2], bool)
    for i, cell in enumerate(cells):
        top, left = i // columns * 7, i % columns * 9
        np.testing.assert_array_equal(page[top : top + 5, left : left + 7], cell)
        rest[top : top + 5, left : left + 7] = False
    assert (page[rest] == 200).all()


def test_an_empty_sheet_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        sheet([], 3)


def test_nothing_here_knows_a_lossy_format():
    source = Path(render.__file__).read_text("utf-8").upper()
    assert '"JPEG"' not in source
    assert '"GIF"' not in source


# Arrays and tables


def test_an_npz_holds_float32_as_it_was_and_the_recipe():
    x = images(2, size=4)
    data = arrays.npz({"x": x, "frames": pixels()}, '{"kind": "ε"}')
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        assert set(found) == {"x", "frames", "recipe_json"}
        assert found["x"].dtype == np.float32
        np.testing.assert_array_equal(found["x"], x.numpy())
        assert str(found["recipe_json"]) == '{"kind": "ε"}'


def test_a_table_has_a_header_and_a_line_a_row_with_what_needs_quotes_in_quotes():
    text = arrays.table({"eps": [0.0, 0.1], "said": ['a "frog"', "truck, or so"]})
    assert text == 'eps,said\n0.0,"a ""frog"""\n0.1,"truck, or so"\n'
    with pytest.raises(ValueError, match="argument 2"):
        arrays.table({"a": [1, 2], "b": [1]})
