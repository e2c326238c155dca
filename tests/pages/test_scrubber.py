import base64
import dataclasses
import gc
import io
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.files import wire as module
from pages.ui.scrubber import Axis, Row, mount, payload, route, scrubber
from tests.app_process import ROOT

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


def content(piece: dict) -> bytes:
    """What is in a piece, in the message or asked for by its name."""
    if "content" in piece:
        return base64.b64decode(piece["content"])
    return module.piece(piece["name"]).content


def unpack(row: dict) -> tuple[np.ndarray, np.ndarray]:
    """Read the pictures and the perturbations as the browser does: (1 + F, H, W, 3) and (F, H, W, 3)."""
    tiles, deltas = [], []
    for piece in row["pieces"]:
        raw = content(piece)
        with Image.open(io.BytesIO(raw[: piece["png"]])) as image:
            tiles += np.split(np.asarray(image), piece["count"], axis=1)
        delta = np.frombuffer(raw[piece["png"] :], "<i2").reshape(-1, row["height"], row["width"], 3)
        deltas.append(delta * piece["unit"])
    return np.stack(tiles), np.concatenate(deltas)


def named(row: dict) -> list[str]:
    return [piece["name"] for piece in row["pieces"]]


def later(row: dict) -> list[int]:
    """The pieces that are not in the message."""
    return [i for i, piece in enumerate(row["pieces"]) if "content" not in piece]


@pytest.fixture
def large(monkeypatch):
    """Let the pictures of these tests be as large as a piece."""
    monkeypatch.setattr(module, "PIECE_PIXELS", H * W)


def test_pictures_arrive_bit_for_bit_and_perturbations_to_one_part_in_32767():
    row = make()
    tiles, delta = unpack(payload([row], AXIS)["rows"][0])
    np.testing.assert_array_equal(tiles[0], row.reference)
    np.testing.assert_array_equal(tiles[1:], row.frames)
    bound = float(row.delta.abs().max()) / 32767
    np.testing.assert_allclose(delta, row.delta.permute(0, 2, 3, 1).numpy(), rtol=0, atol=bound)


def test_a_difference_of_the_pictures_themselves_is_not_sent_again():
    (sent,) = payload([make(delta=None)], AXIS)["rows"][0]["pieces"]
    assert len(content(sent)) == sent["png"] and sent["unit"] == 1 / 255, "the browser takes it, in levels of 8 bits"


def test_small_pictures_are_one_piece_and_come_with_the_page():
    held = []
    row = payload([make()], AXIS, at=3, later=held.append)["rows"][0]
    assert [piece["count"] for piece in row["pieces"]] == [1 + F]
    assert not later(row) and not held


def test_of_large_pictures_the_frame_in_sight_comes_with_the_page_and_the_others_by_their_names(large):
    held, row = [], make()
    sent = payload([row], AXIS, at=3, later=held.append)["rows"][0]
    assert [piece["count"] for piece in sent["pieces"]] == [1] * (1 + F)
    assert later(sent) == [1, 2, 3, 5], "all but the reference and frame 3"
    assert [piece.name for piece in held] == [named(sent)[i] for i in later(sent)]
    tiles, delta = unpack(sent)
    np.testing.assert_array_equal(tiles, [row.reference, *row.frames])
    for found, wanted in zip(delta, row.delta, strict=True):
        bound = float(wanted.abs().max()) / 32767
        np.testing.assert_allclose(found, wanted.permute(1, 2, 0).numpy(), rtol=0, atol=bound)


def test_a_frame_in_sight_beyond_what_is_there_is_the_last_of_the_shortest_row(large):
    short = Row(title="", frames=make().frames[:2], reference=make().reference, alt=("", ""))
    one, other = payload([make(), short], AXIS, at=4, later=lambda _: None)["rows"]
    assert (later(one), later(other)) == ([1, 3, 4, 5], [1])


def test_without_somebody_who_holds_them_all_pieces_are_in_the_message(large):
    assert not later(payload([make()], AXIS, at=0)["rows"][0])


def test_a_trajectory_that_has_grown_keeps_its_pieces(large, monkeypatch):
    calls, encode = [], module._encode
    monkeypatch.setattr(module, "_encode", lambda *args: calls.append(1) or encode(*args))
    row = make(seed=21)
    begun = Row(title="", frames=row.frames[:2], reference=row.reference, delta=row.delta[:2], alt=("", ""))
    first = payload([begun], AXIS)["rows"][0]
    assert len(calls) == 3
    assert named(payload([row], AXIS)["rows"][0])[:3] == named(first)
    assert len(calls) == 1 + F


def test_a_piece_is_found_as_long_as_it_is_kept_or_somebody_holds_it(large, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 1)
    held = []
    (one,) = payload([make(seed=31)], AXIS, at=0, later=held.append)["rows"]
    name = named(one)[3]
    assert module.piece(name) is held[1]
    held.clear()
    gc.collect()
    assert module.piece(name) is None


def test_the_route_answers_with_a_piece_that_a_session_holds(large):
    held = []
    payload([make(seed=41)], AXIS, at=0, later=held.append)
    app = TestClient(Starlette(routes=route.ROUTES))
    for path in (f"/_pieces/{held[0].name}", f"/frog/_pieces/{held[0].name}"):
        answer = app.get(path)
        assert answer.content == held[0].content
        assert "private" in answer.headers["cache-control"]
    missing = app.get("/_pieces/unknown")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    assert "*scrubber.ROUTES" in (ROOT / "app.py").read_text()


def test_a_visitors_own_pictures_are_kept_by_who_holds_them_alone_and_by_no_browser(large):
    held = []
    (sent,) = payload([make(seed=61)], AXIS, at=0, later=held.append, own=True)["rows"]
    assert [piece.name for piece in held] == named(sent), "also those that came with the page"
    app = TestClient(Starlette(routes=route.ROUTES))
    answer = app.get(f"/_pieces/{held[0].name}")
    assert (answer.content, answer.headers["cache-control"]) == (held[0].content, "no-store")
    names = named(sent)
    held.clear()
    gc.collect()
    assert [module.piece(name) for name in names] == [None] * len(names)
    payload([make(seed=61)], AXIS)
    assert "immutable" in app.get(f"/_pieces/{names[0]}").headers["cache-control"], "now everybody's"


def test_a_page_holds_what_its_scrubber_fetches(large, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 1)
    here = SimpleNamespace(kept={})
    here.hold = here.kept.setdefault
    monkeypatch.setattr(mount, "desk", lambda: here)
    monkeypatch.setattr(mount, "_mount", lambda **more: here.__dict__.update(more))
    scrubber([make(seed=51)], AXIS, key="k", own=False, frame=2)
    row = here.data["rows"][0]
    assert later(row) == [1, 2, 4, 5]
    assert [module.piece(named(row)[i]) for i in later(row)] == list(here.kept.values())


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
    assert named(first["rows"][0]) == named(again["rows"][0])
    assert again["rows"][0]["title"] == "renamed"
    payload([make(seed=12)], AXIS)
    assert len(calls) == 2


@pytest.mark.parametrize("part", ["frames", "reference", "delta"])
def test_one_changed_pixel_is_another_picture(part):
    row = make()
    value = getattr(row, part)
    changed = value.clone() if isinstance(value, torch.Tensor) else value.copy()
    changed[..., 1, 1] += 1
    one, other = (named(payload([r], AXIS)["rows"][0]) for r in (row, dataclasses.replace(row, **{part: changed})))
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
        scrubber([make()], AXIS, key="k", own=False, view="sideways")
