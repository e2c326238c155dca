import base64
import dataclasses
import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from core.files import wire as module
from pages.ui.scrubber import Axis, Row, payload, scrubber

F, H, W, K = 5, 4, 6, 8
AXIS = Axis(name="ε", values=(0.0, 1.0, 2.0, 3.0, 4.0), labels=("0", "1", "2", "3", "4"))


def make(**changes) -> Row:
    rng = np.random.default_rng(changes.pop("seed", 0))
    probabilities = rng.dirichlet(np.ones(K), F)
    return Row(
        **{
            "title": "Standard",
            "frames": rng.integers(0, 256, (F, H, W, 3), dtype=np.uint8),
            "reference": rng.integers(0, 256, (H, W, 3), dtype=np.uint8),
            "delta": torch.from_numpy(rng.normal(0, 0.03, (F, 3, H, W))).float(),
            "classes": tuple("abcdefgh"),
            "probabilities": probabilities,
            "truth": 7,
            "target": 6,
            "curve": (3.0, 2.0, 1.0, -1.0, -2.0),
            "curve_name": "margin",
            "readouts": (("norm", ("0", "1", "2", "3", "4")),),
            "flags": (None, None, None, "fooled", "fooled"),
            "threshold": 3,
            "alt": ("zero", "one", "two", "three", "four"),
        }
        | changes
    )


def unpack(row: dict) -> tuple[np.ndarray, np.ndarray]:
    """Read the pictures and the perturbations as the browser does: (1 + F, H, W, 3) and (F, H, W, 3)."""
    with Image.open(io.BytesIO(base64.b64decode(row["sprite"]))) as image:
        sheet = np.asarray(image)
    tiles = np.stack(np.split(sheet, row["frames"] + 1, axis=1))
    delta = np.frombuffer(base64.b64decode(row["delta"]), "<i2").reshape(row["frames"], row["height"], row["width"], 3)
    return tiles, delta * row["unit"]


def test_pictures_arrive_bit_for_bit_and_perturbations_to_one_part_in_32767():
    row = make()
    tiles, delta = unpack(payload([row], AXIS)["rows"][0])
    np.testing.assert_array_equal(tiles[0], row.reference)
    np.testing.assert_array_equal(tiles[1:], row.frames)
    bound = float(row.delta.abs().max()) / 32767
    np.testing.assert_allclose(delta, row.delta.permute(0, 2, 3, 1).numpy(), rtol=0, atol=bound)


def test_a_difference_of_the_pictures_themselves_is_not_sent_again():
    sent = payload([make(delta=None)], AXIS)["rows"][0]
    assert (sent["delta"], sent["unit"]) == ("", 1 / 255), "the browser takes it, in levels of 8 bits"


def test_the_payload_is_json_even_when_a_curve_is_not_finite():
    data = payload([make(curve=(1.0, math.nan, math.inf, 0.0, -1.0))], AXIS)
    assert json.loads(json.dumps(data, allow_nan=False))["rows"][0]["curve"] == [1.0, None, None, 0.0, -1.0]
    assert data["rows"][0]["curveScale"] == [-1.0, 1.0]


def test_the_same_pixels_are_encoded_once(monkeypatch):
    calls = []
    encode = module._encode
    monkeypatch.setattr(module, "_encode", lambda *args: calls.append(1) or encode(*args))
    first = payload([make(seed=11)], AXIS)
    again = payload([make(seed=11, title="renamed", truth=0)], AXIS)
    assert len(calls) == 1
    assert first["rows"][0]["id"] == again["rows"][0]["id"]
    assert again["rows"][0]["title"] == "renamed"
    payload([make(seed=12)], AXIS)
    assert len(calls) == 2


@pytest.mark.parametrize("part", ["frames", "reference", "delta"])
def test_one_changed_pixel_is_another_picture(part):
    row = make()
    value = getattr(row, part)
    changed = value.clone() if isinstance(value, torch.Tensor) else value.copy()
    changed[..., 1, 1] += 1
    one, other = (payload([r], AXIS)["rows"][0]["id"] for r in (row, dataclasses.replace(row, **{part: changed})))
    assert one != other


def test_bars_start_with_true_and_target_class_and_are_the_same_in_rows_that_compare():
    rows = [make(seed=1), make(seed=2, title="Robust")]
    one, other = payload(rows, AXIS)["rows"]
    assert one["bars"] == other["bars"]
    assert one["bars"][:2] == [["h", "truth"], ["g", "target"]]
    assert len(one["bars"]) == module.BARS
    shown = ["abcdefgh".index(name) for name, _ in one["bars"]]
    np.testing.assert_allclose(one["probabilities"], rows[0].probabilities[:, shown], rtol=1e-3)
    best = rows[0].probabilities.argmax(1)
    assert [name for name, _, _ in one["top"]] == ["abcdefgh"[i] for i in best]


def test_a_probability_that_is_nearly_0_or_1_does_not_arrive_as_0_or_1():
    p = np.full((F, 2), 1e-12)
    p[:, 1] = 1 - 1e-12
    row = payload([make(classes=("a", "b"), probabilities=p, truth=0, target=1)], AXIS)["rows"][0]
    assert 0 < row["probabilities"][0][0] < row["probabilities"][0][1] < 1


def test_rows_of_other_classes_choose_their_own_bars():
    one, other = payload([make(), make(classes=tuple("ABCDEFGH"))], AXIS)["rows"]
    assert {name for name, _ in one["bars"]} <= set("abcdefgh")
    assert {name for name, _ in other["bars"]} <= set("ABCDEFGH")


def test_rows_with_the_same_curve_share_its_scale():
    one, other = payload([make(), make(curve=(9.0, 0.0, 0.0, 0.0, 0.0))], AXIS)["rows"]
    assert one["curveScale"] == other["curveScale"] == [-2.0, 9.0]


def test_classes_curve_flags_and_readouts_may_be_absent():
    row = make(classes=(), probabilities=None, truth=None, target=None, curve=(), flags=(), readouts=(), threshold=None)
    data = payload([row], AXIS)["rows"][0]
    assert (data["bars"], data["top"], data["curve"], data["curveScale"]) == ([], [], [], None)


def test_probabilities_may_be_a_tensor():
    row = make()
    same = dataclasses.replace(row, probabilities=torch.from_numpy(row.probabilities))
    assert payload([row], AXIS) == payload([same], AXIS)


def test_fewer_frames_than_values_means_still_computing():
    assert payload([make()], dataclasses.replace(AXIS, total=20))["axis"]["total"] == 20
    part = Row(title="", frames=make().frames[:2], reference=make().reference, alt=("", ""))
    assert payload([make(), part], AXIS)["available"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": np.zeros((F, H, W, 3))}, "frames must be uint8"),
        ({"frames": np.zeros((0, H, W, 3), np.uint8)}, "frames must be uint8"),
        ({"reference": np.zeros((H, W + 1, 3), np.uint8)}, "reference must be uint8"),
        ({"delta": torch.zeros(F - 1, 3, H, W)}, r"delta must have shape \(5, 3, 4, 6\), got \(4, 3, 4, 6\)"),
        ({"probabilities": np.ones((F, K + 1))}, "probabilities must have shape"),
        ({"probabilities": None}, "come together"),
        ({"truth": K}, "truth must be one of 8 classes, got 8"),
        ({"target": -1}, "target must be one of 8 classes, got -1"),
        ({"curve": (1.0,)}, "curve must have one entry per frame, got 1 for 5"),
        ({"flags": (None,)}, "flags must have one entry per frame, got 1 for 5"),
        ({"alt": ("one",)}, "alt must have one entry per frame, got 1 for 5"),
        ({"readouts": (("norm", ("1",)),)}, "readout 'norm' must have one entry per frame"),
        ({"threshold": F}, "threshold must be one of 5 frames, got 5"),
    ],
    ids=[
        *(
            "frames of floats",
            "no frame",
            "reference size",
            "delta length",
            "class count",
            "classes alone",
            "truth",
            "target",
        ),
        *("curve", "flags", "alt", "readouts", "threshold"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValueError, match=message) as error:
        make(**changes)
    assert str(error.value).startswith("Standard: ")


def test_an_axis_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="at least one value"):
        Axis(name="ε", values=(), labels=())
    with pytest.raises(ValueError, match="one label per value, got 1 for 2"):
        Axis(name="ε", values=(0.0, 1.0), labels=("0",))
    with pytest.raises(ValueError, match="total must be at least"):
        Axis(name="ε", values=(0.0, 1.0), labels=("0", "1"), total=1)


def test_rows_must_fit_the_axis():
    with pytest.raises(ValueError, match="at least one row"):
        payload([], AXIS)
    with pytest.raises(ValueError, match="the axis has 2 values, but a row has 5 frames"):
        payload([make()], Axis(name="ε", values=(0.0, 1.0), labels=("0", "1")))
    with pytest.raises(ValueError, match="view must be one of side, split, flicker, difference"):
        scrubber([make()], AXIS, key="k", view="sideways")
