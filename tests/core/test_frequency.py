"""Waves, filters, corruptions: closed forms and pitfalls; the heat map's counting; what is written and read."""

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.color import hsv2rgb, rgb2hsv
from skimage.filters import gaussian
from torch import nn

from core.data.sets import DataError, Pictures
from core.frequency import corruptions, heat, measure, networks, results
from core.frequency.corruptions import CORRUPTIONS, SEVERITIES, corrupt, plasma
from core.frequency.filters import as_picture, coarse_part, for_the_eye, high_pass, low_pass
from core.frequency.recipe import FrequencyRecipe
from core.frequency.views import changed, wave_signs
from core.frequency.waves import add_wave, basis, frequencies, mirror, signs, wave
from core.rates import Rate
from core.recipes import from_query, to_query
from core.results import stale
from core.train import TrainRecipe, fit
from tests.helpers import REFUSED, draws, grey, images, tiny

SIDE = 32


def spectrum(picture):
    """The centred spectrum's size, with the zero frequency at (side/2, side/2)."""
    return torch.fft.fftshift(torch.fft.fft2(picture.double(), norm="ortho")).abs()


# Waves


def test_distinct_frequencies_are_half_of_all_and_the_four_that_mirror_themselves():
    assert len(frequencies(SIDE)) == 514 == (SIDE**2 + 4) // 2
    assert len(frequencies(9)) == (81 + 1) // 2
    covered = {at for u, v in frequencies(SIDE) for at in ((u, v), mirror(u, v, SIDE))}
    assert len(covered) == SIDE**2
    assert frequencies(SIDE)[0] == (0, 0)


def test_every_wave_has_norm_one_and_its_spectrum_at_its_frequency_and_the_mirror_alone():
    """Parseval: the orthonormal spectrum has the norm of the picture, all of it at two places, or at one."""
    for u, v in frequencies(SIDE):
        sizes = spectrum(wave(u, v, SIDE))
        assert float(sizes.square().sum()) == pytest.approx(1, abs=1e-5)
        places = {(u + SIDE // 2, v + SIDE // 2), tuple(k + SIDE // 2 for k in mirror(u, v, SIDE))}
        assert {tuple(at) for at in (sizes > 1e-4).nonzero().tolist()} == places


def test_a_wave_is_that_of_the_published_code():
    """0.5 + 0.5i at (u, v), its conjugate at the mirror, 1 where that is the same place.

    Ifftshift, ifft2, times side.
    """
    for u, v in [(3, -5), (0, 7), (-16, 2), (15, 15), (0, 0), (-16, -16), (0, -16)]:
        put = torch.zeros(SIDE, SIDE, dtype=torch.complex128)
        place, other = ((a + SIDE // 2, b + SIDE // 2) for a, b in ((u, v), mirror(u, v, SIDE)))
        if place == other:
            put[place] = 1
        else:
            put[place], put[other] = 0.5 + 0.5j, 0.5 - 0.5j
        theirs = torch.fft.ifft2(torch.fft.ifftshift(put)).real * SIDE
        theirs = theirs / theirs.norm()
        torch.testing.assert_close(wave(u, v, SIDE).double(), theirs, atol=1e-6, rtol=0)


def test_waves_of_different_frequencies_are_orthogonal():
    rows = basis(frequencies(8), 8).flatten(1).double()
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows), dtype=torch.float64), atol=1e-6, rtol=0)


def test_u_counts_down_and_v_across():
    torch.testing.assert_close(wave(3, 0, SIDE)[:, 0], wave(3, 0, SIDE)[:, 9])
    torch.testing.assert_close(wave(0, 3, SIDE)[0], wave(0, 3, SIDE)[9])


def test_a_wave_is_added_to_each_channel_at_its_norm_with_its_sign():
    """The flaw of the published code's flipped branch, a wave of norm 1 whatever was asked for, does not come back."""
    x, sign = grey(4, 3, SIDE, dtype=torch.float32), signs(4, 3, draws())
    delta = add_wave(x, wave(2, 3, SIDE), 4.0, sign) - x
    torch.testing.assert_close(delta.flatten(2).norm(dim=2), torch.full((4, 3), 4.0), atol=1e-4, rtol=0)
    assert set(sign.flatten().tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(
        (delta / delta.abs().clamp_min(1e-9))[:, :, 0, 0], sign[:, :, 0, 0] * wave(2, 3, SIDE)[0, 0].sign()
    )


def test_a_wave_stays_between_black_and_white_and_norm_zero_changes_nothing():
    x = images(3, size=SIDE)
    sign = signs(3, 3, draws())
    assert torch.equal(add_wave(x, wave(5, 5, SIDE), 0.0, sign), x)
    moved = add_wave(x, wave(5, 5, SIDE), 30.0, sign)
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1


def test_signs_differ_among_pictures_and_channels():
    """One flaw of another implementation: signs drawn once a call."""
    sign = signs(64, 3, draws())
    assert 60 < int((sign > 0).sum()) < 132
    assert len({tuple(row) for row in sign.flatten(1).tolist()}) == 8


# Filters


@given(cut=st.floats(0, 24), soft=st.sampled_from([0.0, 2.0, 5.0]))
def test_the_two_parts_add_up_to_the_picture(cut, soft):
    x = images(2, size=16)
    torch.testing.assert_close(low_pass(x, cut, soft) + high_pass(x, cut, soft), x, atol=1e-5, rtol=0)


def test_a_filter_that_takes_nothing_leaves_the_picture():
    x = images(2, size=16)
    torch.testing.assert_close(low_pass(x, 99.0), x, atol=1e-6, rtol=0)
    torch.testing.assert_close(high_pass(x, 0.0), x, atol=1e-6, rtol=0)


def test_a_filter_lets_waves_on_its_side_of_the_cut_pass_and_no_others():
    for u, v in [(2, 1), (5, 5), (-12, 3)]:
        x = wave(u, v, SIDE)[None, None]
        inside = math.hypot(u, v) >= 6
        torch.testing.assert_close(high_pass(x, 6.0), x * float(inside), atol=1e-6, rtol=0)
        torch.testing.assert_close(low_pass(x, 6.0), x * float(not inside), atol=1e-6, rtol=0)


def test_what_a_filter_keeps_is_real_and_loses_no_energy_by_the_way():
    """Parseval: the energies of the two parts of a hard cut add up to that of the picture."""
    x = images(2, size=16)
    parts = low_pass(x, 5.0).square().sum() + high_pass(x, 5.0).square().sum()
    torch.testing.assert_close(parts, x.square().sum(), rtol=1e-5, atol=0)


def test_a_soft_edge_falls_from_one_to_zero_around_the_cut():
    mask = coarse_part(SIDE, 8.0, 4.0)
    assert mask[0, 8] == pytest.approx(0.5, abs=1e-6)
    assert mask[0, 6] == 1 and mask[0, 10] == pytest.approx(0, abs=1e-6)
    assert 0.5 < float(mask[0, 7]) < 1


def test_a_filtered_picture_is_one_of_eight_bits_around_grey():
    x = images(2, size=SIDE)
    made = as_picture(x, "high", 6.0)
    assert torch.equal(made * 255, (made * 255).round())
    assert float(made.mean()) == pytest.approx(0.5, abs=0.01)
    assert torch.equal(as_picture(x, "high", 0.0), (x * 255).round() / 255)
    with pytest.raises(REFUSED):
        as_picture(x, "middle", 6.0)


def test_stretching_for_the_eye_fills_the_range_and_leaves_a_blank_picture_alone():
    faint = 0.5 + 0.01 * (images(2, size=16) - 0.5)
    seen = for_the_eye(faint)
    assert float(seen.amin()) == 0 and float(seen.amax()) == 1
    torch.testing.assert_close(for_the_eye(torch.full((1, 3, 8, 8), 0.5)), torch.full((1, 3, 8, 8), 0.5))


# Corruptions


def test_no_severity_is_no_change_and_every_severity_stays_in_range():
    x = images(3, size=SIDE)
    for name in CORRUPTIONS:
        assert corrupt(x, name, 0, draws()) is x
        for severity in SEVERITIES:
            made = corrupt(x, name, severity, draws())
            assert made.shape == x.shape and 0 <= float(made.min()) <= float(made.max()) <= 1
    for name, severity in (("rain", 1), ("fog", 6)):
        with pytest.raises(REFUSED):
            corrupt(x, name, severity, draws())


def test_contrast_of_a_picture_computed_by_hand():
    """(x - mean) 0.15 + mean: from 0.2 and 0.8 to 0.455 and 0.545, cut to 116 and 138 of 255."""
    x = torch.tensor([0.2, 0.8]).repeat(3, 2, 1)[None]
    made = corrupt(x, "contrast", 5, draws())
    torch.testing.assert_close(made * 255, torch.tensor([116.0, 138.0]).repeat(3, 2, 1)[None], atol=1e-3, rtol=0)


def test_the_mean_of_contrast_is_a_channel_s_own():
    x = torch.stack([torch.full((4, 4), value) for value in (0.2, 0.4, 0.6)])[None]
    torch.testing.assert_close(corruptions.contrast(x, 5, draws()), x)


def test_fog_of_a_picture_computed_by_hand(monkeypatch):
    """(x + a cloud) max / (max + a) with a = 1.5, a cloud of 0.4, max 0.8."""
    monkeypatch.setattr(corruptions, "plasma", lambda n, side, *_: torch.full((n, 1, side, side), 0.4))
    x = torch.tensor([0.1, 0.8]).repeat(3, 2, 1)[None]
    expected = (x + 1.5 * 0.4) * 0.8 / 2.3
    torch.testing.assert_close(corruptions.fog(x, 5, draws()), expected)


def reference_plasma(size, decay, uniform):
    """Diamond-square as its description says, point by point on a torus; `uniform` returns the next draw in [-1, 1]."""
    field, step, wibble = np.zeros((size, size)), size, 100.0
    while step >= 2:
        half = step // 2
        at = lambda y, x: field[y % size, x % size]
        places = [(y, x) for y in range(0, size, step) for x in range(0, size, step)]
        amount = wibble * wibble
        for y, x in places:
            corners = at(y, x) + at(y + step, x) + at(y, x + step) + at(y + step, x + step)
            field[y + half, x + half] = corners / 4 + amount * uniform()
        square = field.copy()
        for dy, dx in ((0, half), (half, 0)):
            for y, x in places:
                a, b = y + dy, x + dx
                around = [(a - half, b), (a + half, b), (a, b - half), (a, b + half)]
                total = sum(square[p % size, q % size] for p, q in around)
                field[a, b] = total / 4 + amount * uniform()
        step, wibble = half, wibble / decay
    field -= field.min()
    return field / field.max()


def test_clouds_are_those_of_the_diamond_square_algorithm():
    for seed, size, decay in ((0, 8, 3.0), (1, 16, 1.75)):
        source = draws(seed)
        drawn = torch.rand(size * size, generator=source, dtype=torch.float64) * 2 - 1
        stream = iter(drawn.tolist())
        expected = reference_plasma(size, decay, lambda stream=stream: next(stream))
        np.testing.assert_allclose(plasma(1, size, decay, draws(seed))[0, 0].numpy(), expected, atol=1e-6)


def test_clouds_fill_the_range_differ_and_fit_any_side():
    made = plasma(3, 20, 2.0, draws())
    assert made.shape == (3, 1, 20, 20)
    whole = plasma(3, SIDE, 2.0, draws())
    assert torch.equal(whole.amin((1, 2, 3)), torch.zeros(3)) and torch.equal(whole.amax((1, 2, 3)), torch.ones(3))
    assert not torch.equal(whole[0], whole[1])


def test_brightness_is_a_higher_v_of_hsv():
    x = images(2, size=8)
    for severity in SEVERITIES:
        hsv = rgb2hsv(x.permute(0, 2, 3, 1).numpy())
        hsv[..., 2] = np.clip(hsv[..., 2] + corruptions.LIGHTS[severity - 1], 0, 1)
        expected = hsv2rgb(hsv).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(corruptions.brightness(x, severity, draws()).numpy(), expected, atol=1e-5)
    black = corruptions.brightness(torch.zeros(1, 3, 2, 2), 5, draws())
    torch.testing.assert_close(black, torch.full((1, 3, 2, 2), 0.3))


def test_blur_agrees_with_scikit_image():
    x = images(2, size=SIDE)
    for severity in SEVERITIES:
        made = corruptions.gaussian_blur(x, severity, draws())
        for i in range(2):
            theirs = gaussian(
                x[i].permute(1, 2, 0).numpy(), sigma=corruptions.BLURS[severity - 1], mode="nearest", channel_axis=-1
            )
            np.testing.assert_allclose(made[i].permute(1, 2, 0).numpy(), theirs, atol=2e-5)


def test_noise_has_its_sigma_and_comes_from_the_generator():
    x = grey(8, 3, SIDE, dtype=torch.float32)
    for severity, sigma in zip(SEVERITIES, corruptions.SIGMAS, strict=True):
        added = corruptions.gaussian_noise(x, severity, draws(3)) - x
        assert float(added.std()) == pytest.approx(sigma, rel=0.02)
        assert torch.equal(added, corruptions.gaussian_noise(x, severity, draws(3)) - x)


def test_jpeg_and_pixelation_go_through_pillow_at_the_published_parameters():
    x = images(1, size=SIDE)
    image = Image.fromarray((x[0] * 255).round().byte().permute(1, 2, 0).numpy())
    file = io.BytesIO()
    image.save(file, "JPEG", quality=40)
    expected = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) / 255
    torch.testing.assert_close(corrupt(x, "jpeg", 5, draws())[0], expected, atol=1e-4, rtol=0)
    small = image.resize((20, 20), Image.Resampling.BOX).resize((32, 32), Image.Resampling.BOX)
    expected = torch.from_numpy(np.array(small)).permute(2, 0, 1) / 255
    torch.testing.assert_close(corrupt(x, "pixelate", 5, draws())[0], expected, atol=1e-4, rtol=0)


def test_each_picture_is_corrupted_on_its_own():
    x = images(3, size=SIDE)
    for name in set(CORRUPTIONS) - {"gaussian_noise", "fog"}:
        alone = torch.cat([corrupt(one[None], name, 4, draws()) for one in x])
        torch.testing.assert_close(corrupt(x, name, 4, draws()), alone, atol=1.01 / 255, rtol=0)


# The heat map


class Coarse(nn.Module):
    """Says class 1 as soon as a picture's first row is not flat: it errs at every wave but those with v = 0."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        moved = (x[:, 0, 0] - x[:, 0, 0, :1]).abs().amax(1) > 1e-3
        return torch.stack([~moved, moved], 1).float() + self.bias


def test_errors_are_counted_at_the_frequency_where_they_happen():
    x, y = grey(5, 3, 8, dtype=torch.float32), torch.zeros(5, dtype=torch.long)
    wrong = heat.errors(Coarse(), x, y, frequencies(8), norm=1.0)
    assert wrong.shape == (34, 5)
    for (_, v), row in zip(frequencies(8), wrong, strict=True):
        assert bool(row.all()) == (v != 0), v
    laid = heat.plane(wrong.float().mean(1).tolist(), 8)
    assert not np.isnan(laid).any()
    assert np.array_equal(laid[:, 4], np.zeros(8)) and np.array_equal(laid[:, 5], np.ones(8))


def test_a_block_of_frequencies_changes_nothing(monkeypatch):
    model, x, y = tiny(), images(4, size=16), torch.zeros(4, dtype=torch.long)
    chosen = frequencies(16)[:12]
    together = heat.errors(model, x, y, chosen)
    monkeypatch.setattr(heat, "AT_ONCE", 1)
    assert torch.equal(heat.errors(model, x, y, chosen), together)


def test_regions_share_out_all_frequencies():
    rows = [heat.rows_of(region, SIDE) for region in heat.REGIONS]
    assert sorted(i for part in rows for i in part) == list(range(514))
    assert (
        heat.region_of((3, 2)) == "low" and heat.region_of((4, 0)) == "middle" and heat.region_of((-16, -16)) == "high"
    )


def test_the_interval_of_a_region_counts_pictures_not_passes():
    mean = heat.mean([0.0, 1.0] * 50)
    assert mean.value == 0.5 and mean.high - mean.low == pytest.approx(2 * 1.984 * 0.5025 / 10, abs=1e-3)
    assert heat.mean([0.0]).interval == (0, 1), "one picture says nothing"


# Networks, files, recipe


def test_training_goes_on_from_the_weights_it_is_given():
    pictures = Pictures(np.zeros((32, 16, 16, 3), np.uint8), np.zeros(32, np.int64), tuple("abcd"), "nothing")
    recipe = TrainRecipe(args={"width": 4, "classes": 4}, epochs=1, batch_size=32, lr=0.0, augment=False)
    given_ = tiny(classes=4, seed=5)
    kept = fit(recipe, pictures, start=given_)
    for name, value in given_.named_parameters():
        torch.testing.assert_close(dict(kept.named_parameters())[name], value)


def test_students_learn_from_their_filter_and_the_other_from_noise():
    rng = np.random.default_rng(0)
    train = Pictures(rng.integers(0, 256, (6, 32, 32, 3), np.uint8), np.arange(6), tuple("abcdefghij"), "draws")
    student = networks.NETWORKS["frequency/high-10"]
    made = networks.training_set(student, train, 4)
    assert len(made) == 4
    torch.testing.assert_close(made.x(), as_picture(train.x(range(4)), "high", 10.0))
    noisy = networks.training_set(networks.NETWORKS[networks.NOISE], train, 6)
    assert 0.05 < float((noisy.x() - train.x()).std()) < 0.1  # clipped at black and white
    assert len(networks.NETWORKS) == 7


def test_heat_maps_go_on_block_by_block_to_the_same_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "BLOCK", 3)
    monkeypatch.setattr(measure.ready, "load", lambda _: Coarse())
    monkeypatch.setattr(measure.checkpoints, "stamp", lambda name: name)
    rng = np.random.default_rng(0)
    test = Pictures(rng.integers(0, 256, (12, 8, 8, 3), np.uint8), np.zeros(12, np.int64), ("a", "b"), "draws")
    out, again = tmp_path / "a.json", tmp_path / "b.json"
    measure.measure_heat(["one"], test, 3, tmp_path / "kept", out)
    counted = []
    monkeypatch.setattr(heat, "errors", lambda *a, _real=heat.errors, **k: counted.append(1) or _real(*a, **k))
    measure.measure_heat(["one"], test, 6, tmp_path / "kept", out)
    assert len(counted) == 1  # the first block was there
    measure.measure_heat(["one"], test, 6, tmp_path / "other", again)
    a, b = results.read(out)["heat"]["one"], results.read(again)["heat"]["one"]
    assert a["wrong"] == b["wrong"] and a["n"] == 6 and a["regions"].keys() == {"low", "middle"}


def test_weather_is_counted_for_every_severity(tmp_path, monkeypatch):
    monkeypatch.setattr(measure.ready, "load", lambda _: tiny())
    monkeypatch.setattr(measure.checkpoints, "stamp", lambda name: name)
    rng = np.random.default_rng(0)
    test = Pictures(rng.integers(0, 256, (6, 16, 16, 3), np.uint8), np.zeros(6, np.int64), tuple("abcdefghij"), "draws")
    out = tmp_path / "w.json"
    measure.measure_weather(["one"], test, 5, out)
    measure.measure_weather(["two"], test, 5, out)
    found = results.read(out)
    assert set(found["weather"]) == set(CORRUPTIONS)
    assert found["weather"]["fog"].keys() == {"0", "1", "2", "3", "4", "5"}
    assert found["weather"]["fog"]["5"].keys() == {"one", "two"}
    assert Rate.from_json(found["weather"]["fog"]["5"]["one"]).n == 5
    assert found["stamps"] == {"one": "one", "two": "two"}


def test_a_damaged_file_is_told_in_a_sentence(tmp_path):
    path = tmp_path / "frequency.json"
    path.write_text('{"frequencies": [[0, 0]], "heat": {"one": {"wrong": [1, 2]}}}')
    with pytest.raises(DataError, match="measure again"):
        results.read(path)
    assert results.read(tmp_path / "none.json") == {}
    assert Rate.from_json(Rate(3, 8).as_json(digits=4)) == Rate(3, 8)


def test_a_recipe_s_frames_start_at_the_picture_and_have_a_position_each():
    x = images(1, size=SIDE)
    for fields in ({"view": "lens"}, {"view": "weather"}, {"view": "filters"}, {"view": "filters", "kind": "low"}):
        recipe = FrequencyRecipe(**fields)
        frames = changed(recipe, x)
        assert len(frames) == len(recipe.positions) and recipe.at < len(frames)
        torch.testing.assert_close(frames[:1], x, atol=0.5 / 255 + 1e-6, rtol=0)
        assert from_query(FrequencyRecipe, to_query(recipe)) == (recipe, ())
    assert wave_signs(FrequencyRecipe()).shape == (1, 3, 1, 1)


def test_what_was_measured_is_of_the_weights_that_are_here():
    """The committed numbers carry the stamps of the committed weights."""
    found = results.read()
    if not found:
        pytest.skip("nothing measured yet")
    assert stale(found) == ()
