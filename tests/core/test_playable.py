"""Playable pages as files: what is inside them, how large they are, what cannot break out, and the command."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from core.files import playable
from core.files.playable import Scene, page, recipe_in, scrubbing
from core.files.trajectory import Axis, Row
from core.gaussian.recipe import GaussianRecipe
from core.inversion.recipe import InvertRecipe
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.recipes import from_json, to_json
from core.saliency.recipe import SaliencyRecipe
from core.transfer.recipe import TransferRecipe
from core.usefulness.recipe import UsefulnessRecipe

HOSTILE = '</script><script>alert(1)</script><!--<script> & "quoted" \u2028'


def row(frames: int = 9, size: int = 8, *, title: str = "Standard", threshold: int | None = None) -> Row:
    draws = np.random.default_rng(0)
    pictures = draws.integers(0, 256, (frames, size, size, 3), dtype=np.uint8)
    return Row(
        title=title,
        frames=pictures,
        reference=pictures[0],
        delta=torch.from_numpy(draws.normal(size=(frames, 3, size, size))).float(),
        classes=("cat", title),
        probabilities=np.full((frames, 2), 0.5),
        truth=0,
        curve=tuple(float(i) for i in range(frames)),
        curve_name="curve",
        readouts=(("which", tuple(str(i) for i in range(frames))),),
        flags=tuple("fooled" if threshold is not None and i >= threshold else None for i in range(frames)),
        threshold=threshold,
        alt=tuple(f"{title}, frame {i}." for i in range(frames)),
    )


def axis(frames: int = 9) -> Axis:
    return Axis("ε", tuple(float(i) for i in range(frames)), tuple(str(i) for i in range(frames)))


def data_in(text: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_recipe_and_the_data_are_read_back_as_they_were():
    recipe = PerturbRecipe(norm="Linf")
    scene = scrubbing([row()], axis(), frame=4)
    text = page(scene, to_json(recipe))
    assert from_json(PerturbRecipe, recipe_in(text)) == recipe
    assert data_in(text) == json.loads(json.dumps(scene.data))
    assert data_in(text)["frame"] == 4
    assert "/perturb?norm=Linf" in text


def test_nothing_hostile_ends_a_script_or_becomes_markup():
    scene = scrubbing([row(title=HOSTILE)], axis())
    scene = Scene("scrubber", scene.data, HOSTILE, HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, HOSTILE)
    recipe = json.dumps({"kind": HOSTILE, "target": HOSTILE})
    text = page(scene, recipe)
    harmless = page(scrubbing([row()], axis()), json.dumps({"kind": "x"}))
    for mark in ("<script", "</script", "<!--"):
        assert text.count(mark) == harmless.count(mark), mark
    assert "\u2028" not in re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert data_in(text)["rows"][0]["title"] == HOSTILE
    assert json.loads(recipe_in(text))["target"] == HOSTILE


def test_a_page_asks_for_nothing_from_elsewhere():
    text = page(scrubbing([row()], axis()), "{}")
    assert "default-src 'none'" in text
    assert not re.search(r'(src|href)="', text)
    assert not re.search(r"(?<!xmlns=\")https?://(?!www\.w3\.org)", text)


def test_a_page_that_is_too_large_keeps_the_frames_that_matter():
    full = scrubbing([row(40, 16, threshold=13)], axis(40), frame=7)
    less = scrubbing([row(40, 16, threshold=13)], axis(40), frame=7, room=len(json.dumps(full.data)) // 2)
    assert full.note == ""
    shown = less.data["rows"][0]
    labels = less.data["axis"]["labels"]
    assert len(json.dumps(less.data)) <= len(json.dumps(full.data)) // 2
    assert {"0", "7", "13", "39"} <= set(labels)
    assert labels == shown["readouts"][0][1], "a frame and its numbers stay together"
    assert labels[less.data["frame"]] == "7"
    assert labels[shown["threshold"]] == "13"
    assert f"{len(labels)} of 40 frames" in less.note


def test_pictures_that_cannot_fit_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="too large for a playable page"):
        scrubbing([row(3, 64)], axis(3), room=1000)


def test_a_page_is_never_larger_than_allowed():
    scene = Scene("scrubber", {"much": "x" * playable.LARGEST}, "alt")
    with pytest.raises(InputError, match="MB are allowed"):
        page(scene, "{}")


def test_the_command_makes_a_page_from_a_recipe_and_again_from_the_page(tmp_path: Path, monkeypatch):
    asked = []
    scene = scrubbing([row()], axis())
    monkeypatch.setattr("core.perturb.scene.scene", lambda recipe: asked.append(recipe) or scene)
    source, first, again = (tmp_path / name for name in ("recipe.json", "first.html", "again.html"))
    source.write_text(to_json(PerturbRecipe(steps=3)))
    playable.main([str(source), "--out", str(first)])
    playable.main([str(first), "--out", str(again)])
    assert asked == [PerturbRecipe(steps=3)] * 2
    assert first.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "not a recipe"),
        ("[]", "not a recipe"),
        ("no json", "not a recipe"),
        ('{"kind": "NoRecipe"}', "no playable page"),
        ('{"kind": "PerturbRecipe", "steps": 0}', "steps must be"),
    ],
)
def test_the_command_says_in_a_sentence_what_is_wrong(tmp_path: Path, text: str, says: str):
    source = tmp_path / "recipe.json"
    source.write_text(text)
    with pytest.raises(SystemExit, match=says):
        playable.main([str(source), "--out", str(tmp_path / "out.html")])
    assert not (tmp_path / "out.html").exists()


def test_a_file_that_is_no_playable_page_is_refused():
    with pytest.raises(InputError, match="not a page of Robust Frog"):
        recipe_in("<html></html>")


def test_every_kind_that_the_command_knows_has_its_recipe_and_its_scene():
    from importlib import import_module

    for kind, (recipe, scenes, _) in playable.SCENES.items():
        assert hasattr(import_module(recipe), kind)
        assert callable(import_module(scenes).scene)


@pytest.mark.parametrize("recipe", [GaussianRecipe(eps=2.0), UsefulnessRecipe(), TransferRecipe(norm="Linf")])
def test_what_is_drawn_in_the_browser_plays_from_its_recipe(recipe):
    scene = playable.scene_of(to_json(recipe))
    text = page(scene, to_json(recipe))
    assert len(text) < 200_000
    assert scene.alt
    assert scene.title in text


def test_the_matrix_holds_every_measured_setting_with_its_interval_and_n():
    from core.transfer.results import Measured

    measured, data = Measured.read(), playable.scene_of(to_json(TransferRecipe())).data
    assert {f"{s['norm']} {s['eps']} {s['goal']}" for s in data["settings"]} == set(measured.cells)
    setting = next(s for s in data["settings"] if (s["norm"], s["eps"], s["goal"]) == ("L2", "1", "targeted"))
    rate = measured.cells["L2 1 targeted"]["resnet9-standard", "vgg-standard"].rate("noise", "both", "targeted")
    assert setting["cells"]["resnet9-standard > vgg-standard"]["noise"] == [
        *(round(v, 4) for v in (rate.value, *rate.interval)),
        rate.n,
    ]


@pytest.mark.parametrize(
    "recipe",
    [TransferRecipe(view="curve"), InvertRecipe(view="gallery"), UsefulnessRecipe(view="linear"), SaliencyRecipe()],
)
def test_a_view_that_the_command_does_not_play_is_named(recipe):
    with pytest.raises(InputError, match="this command plays the"):
        playable.scene_of(to_json(recipe))
