"""What the Robust frog page computes: starts, frames, stops, the further views, and the scripts that repeat them."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.attacks import Stop
from core.data import pictures
from core.data.pictures import Picture
from core.data.sets import CIFAR10_CLASSES
from core.files import render
from core.inversion import emergence, invert
from core.inversion import feature as feature_view
from core.inversion.between import POINTS, between
from core.inversion.emergence import emerge, kept_steps
from core.inversion.feature import TOP, activity, feature
from core.inversion.gallery import GALLERY, drawn, gallery
from core.inversion.invert import FAST, Setting, representation
from core.inversion.recipe import InvertRecipe
from core.inversion.scene import row
from core.inversion.starts import draws_of, other_of, start_of
from core.inversion.views import cache_key, script
from core.recipes import from_json, from_query, to_json, to_query
from tests.helpers import images, run_alone, tiny

CAT = CIFAR10_CLASSES.index("cat")
PHOTO = InvertRecipe(picture="photo/chelsea")
STEPS = 12


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(invert.SETTINGS, "fast", Setting(STEPS, FAST.make_rule))
    monkeypatch.setattr(feature_view, "CLIMB", 5)
    monkeypatch.setattr(feature_view, "SEEN", 60)
    monkeypatch.setattr(feature_view, "BATCH", 25)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Neither CIFAR-10 nor a gallery: four photographs are all there is."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")


def upload(seed: int = 0) -> Picture:
    return Picture(f"upload/{seed}", (images(1, size=32, seed=seed) * 255).round() / 255, None, "mine", "uploaded")


# Frames


@pytest.mark.parametrize("steps", [1, 5, 12, 100, 1000])
def test_kept_steps_are_sorted_unique_and_hold_both_ends(steps):
    kept = kept_steps(steps)
    assert list(kept) == sorted(set(kept))
    assert kept[0] == 0
    assert kept[-1] == steps
    assert len(kept) <= emergence.FRAMES


def test_frames_lead_from_the_start_to_the_best():
    model = tiny()
    made = emerge(PHOTO, "tiny", model=model)
    assert made.steps == kept_steps(STEPS)
    assert torch.equal(made.frames[:1], made.x0)
    assert made.distance[-1] == made.distance.min()
    assert made.stopped is None
    wanted = representation(model, made.x)
    gap = (representation(model, made.frames) - wanted).norm(dim=1) / wanted.norm(dim=1)
    torch.testing.assert_close(made.distance, gap, rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(made.logits, model(made.frames), rtol=1e-4, atol=1e-4)


def test_the_last_frame_is_called_the_best_and_not_one_more_step():
    made = emerge(PHOTO, "tiny", model=tiny())
    shown = row("resnet9-standard", made, None, "resnet9-l2", CIFAR10_CLASSES, see=lambda *_: made.logits)
    assert ", step 0: prediction" in shown.alt[0]
    assert f", the best of {STEPS} steps: prediction" in shown.alt[-1]


@pytest.mark.parametrize("how", ["true", "raise"])
def test_a_stopped_emergence_says_where_and_keeps_the_best(how):
    def on_step(i: int, _) -> bool:
        if i == 7 and how == "raise":
            raise Stop
        return i == 7

    whole, made = emerge(PHOTO, "tiny", model=tiny()), emerge(PHOTO, "tiny", model=tiny(), on_step=on_step)
    assert made.stopped == 7
    assert made.steps[-1] == 7
    assert list(made.steps) == sorted(set(made.steps))
    assert len(made.frames) == len(made.steps) == len(made.distance) == len(made.logits)
    assert made.distance[-1] == made.distance.min()
    torch.testing.assert_close(made.frames[:-1], whole.frames[: len(made.frames) - 1])


def test_a_stop_before_the_first_step_leaves_the_start():
    made = emerge(PHOTO, "tiny", model=tiny(), on_step=lambda *_: True)
    assert made.steps == (0,)
    assert torch.equal(made.frames, made.x0)


def test_an_upload_can_be_wanted():
    picture = upload()
    made = emerge(InvertRecipe(picture=picture.id), "tiny", picture=picture, model=tiny())
    torch.testing.assert_close(made.x, picture.x)
    assert made.distance[-1] < made.distance[0]


def test_earlier_blocks_are_inverted_too():
    made = emerge(replace(PHOTO, block=tiny().blocks[1]), "tiny", model=tiny())
    assert made.distance[-1] < made.distance[0]
    with pytest.raises(ValueError, match="no block 'x'"):
        emerge(replace(PHOTO, block="x"), "tiny", model=tiny())


# Starts


def test_a_start_comes_from_the_seed_and_the_pictures_name():
    for start in ("picture", "noise", "grey"):
        recipe = replace(PHOTO, start=start)
        assert torch.equal(start_of(recipe)[0], start_of(recipe)[0])
    noisy = replace(PHOTO, start="noise")
    assert not torch.equal(start_of(noisy)[0], start_of(replace(noisy, seed=1))[0])
    assert not torch.equal(start_of(noisy)[0], start_of(replace(noisy, picture="photo/coffee"))[0])
    assert torch.equal(start_of(noisy)[0], start_of(replace(noisy, robust="other", block="res1", frame=3))[0])


def test_a_picture_never_starts_at_itself():
    assert all(other_of(replace(PHOTO, seed=seed)).id != PHOTO.picture for seed in range(40))


def test_starts_are_drawn_without_regard_to_the_label(cifar):
    """Of 300 starts of frogs about a tenth are frogs; were the label looked at, none or all."""
    frogs = pictures.ids("cifar10", CIFAR10_CLASSES.index("frog"))[:300]
    labels = [other_of(InvertRecipe(picture=id)).label for id in frogs]
    assert 12 <= labels.count(CIFAR10_CLASSES.index("frog")) <= 52
    assert len(set(labels)) == 10


def test_a_generator_of_its_own():
    assert draws_of(PHOTO) is not draws_of(PHOTO)


# Recipes


@pytest.mark.parametrize(
    "recipe",
    [
        InvertRecipe(),
        InvertRecipe(picture="cifar10/7", start="noise", block="res1", setting="paper", frame=3, seed=9),
        InvertRecipe(view="gallery", only="frog", seed=2),
        InvertRecipe(view="feature", feature=0, canvas="grey"),
        InvertRecipe(view="between", canvas="fade", frame=7),
    ],
)
def test_a_recipe_survives_address_and_file(recipe):
    assert from_query(InvertRecipe, to_query(recipe)) == (recipe, ())
    assert from_json(InvertRecipe, to_json(recipe)) == recipe


@pytest.mark.parametrize("bad", [{"view": "x"}, {"feature": "-2"}, {"canvas": "pink"}, {"start": ""}])
def test_bad_parameters_fall_back(bad):
    assert from_query(InvertRecipe, bad) == (InvertRecipe(), tuple(bad))


def test_what_a_view_does_not_depend_on_is_not_in_its_key():
    a, b = (
        InvertRecipe(view="gallery", picture=p, feature=f, frame=f)
        for p, f in (("photo/coffee", 1), ("photo/rocket", 2))
    )
    assert cache_key(a) == cache_key(b)
    assert cache_key(replace(a, only="cat")) != cache_key(a)
    assert cache_key(PHOTO) == cache_key(replace(PHOTO, only="cat", feature=4, frame=1, robust="other"))
    assert cache_key(PHOTO) != cache_key(replace(PHOTO, picture="photo/coffee"))
    shown = InvertRecipe(view="feature", picture="photo/chelsea")
    assert cache_key(shown) == cache_key(replace(shown, start="grey", block="res1"))
    assert cache_key(shown) != cache_key(replace(shown, canvas="grey"))


# Gallery


def test_the_gallery_shows_what_the_emergence_view_ends_with(offline):
    model, recipe = tiny(), InvertRecipe(view="gallery", picture="photo/")
    grid = gallery(recipe, "tiny", model=model)
    assert grid.ids == pictures.ids("photo")
    assert grid.labels == tuple(pictures.get(id).label for id in grid.ids)
    for i, id in enumerate(grid.ids):
        alone = emerge(InvertRecipe(picture=id), "tiny", model=model)
        torch.testing.assert_close(grid.made[i : i + 1], alone.frames[-1:], rtol=0, atol=0.02)
        torch.testing.assert_close(grid.distance[i], alone.distance[-1], rtol=1e-2, atol=1e-4)


def test_the_gallery_has_one_of_each_class_or_ten_of_one(cifar):
    recipe = InvertRecipe(view="gallery", picture="cifar10/")
    assert [pictures.get(id).label for id in drawn(recipe)] == list(range(10))
    cats = drawn(replace(recipe, only="cat"))
    assert len(set(cats)) == GALLERY
    assert {pictures.get(id).label for id in cats} == {CAT}
    assert drawn(recipe) == drawn(replace(recipe, picture="cifar10/3", robust="x"))
    assert drawn(recipe) != drawn(replace(recipe, seed=1))


# Feature


def test_activity_is_the_representation_of_the_first_pictures(offline):
    model = tiny()
    g = activity("photo", "tiny", model=model)
    x = torch.cat([pictures.get(id).x for id in pictures.ids("photo")])
    torch.testing.assert_close(g, representation(model, x), rtol=1e-4, atol=1e-5)


def test_activity_stops_after_a_batch(cifar):
    model = tiny()
    assert len(activity("cifar10", "tiny", model=model)) == 60
    assert len(activity("cifar10", "tiny", model=model, on_batch=lambda i: i == 0)) == 25


def test_the_top_pictures_are_those_of_the_largest_values(cifar):
    model, recipe = tiny(), InvertRecipe(view="feature", picture="cifar10/5", feature=3)
    g = activity("cifar10", "tiny", model=model)
    found = feature(recipe, "tiny", model=model, g=g)
    assert len(found.ids) == TOP
    assert found.values.tolist() == sorted(g[:, 3].tolist(), reverse=True)[:TOP]
    torch.testing.assert_close(representation(model, found.x)[:, 3], found.values, rtol=1e-3, atol=1e-4)
    assert found.made_value > float(representation(model, found.start)[0, 3])
    assert found.value == pytest.approx(float(g[5, 3]), rel=1e-3, abs=1e-4)
    assert (found.index, found.dimensions, found.seen) == (3, g.shape[1], 60)


def test_the_pictures_own_feature_is_where_it_stands_out_most(cifar):
    model = tiny()
    g = activity("cifar10", "tiny", model=model)
    found = feature(InvertRecipe(view="feature", picture="cifar10/5"), "tiny", model=model, g=g)
    assert found.index == int(((g[5] - g.mean(0)) / g.std(0, correction=0)).argmax())


def test_a_feature_that_there_is_not_is_one_sentence(offline):
    with pytest.raises(ValueError, match="has features 0 to"):
        feature(InvertRecipe(view="feature", picture="photo/chelsea", feature=4000), "tiny", model=tiny())


# Between


@pytest.mark.parametrize("canvas", ["noise", "grey", "fade"])
def test_the_way_leads_from_one_picture_to_the_other(canvas, offline):
    model, recipe = tiny(), InvertRecipe(view="between", picture="photo/chelsea", canvas=canvas)
    way = between(recipe, "tiny", model=model)
    assert len(way.t) == len(way.made) == POINTS
    assert (way.t[0], way.t[-1]) == (0, 1)
    torch.testing.assert_close(way.x[:1], pictures.get("photo/chelsea").x)
    torch.testing.assert_close(way.fade[[0, -1]], way.x, rtol=0, atol=1e-6)
    if canvas == "fade":
        torch.testing.assert_close(way.made[[0, -1]], way.x, rtol=0, atol=1e-3)
    else:
        torch.testing.assert_close(way.start, way.start[:1].expand_as(way.start))
    assert way.distance.isfinite().all()


# Scripts


@pytest.mark.slow
def test_the_script_in_a_process_of_its_own_writes_the_pages_pictures(checkpoint, monkeypatch, tmp_path):
    """Byte for byte, with the settings that the script finds."""
    monkeypatch.undo()
    recipe = InvertRecipe(picture="photo/chelsea", start="noise")
    for name in (recipe.standard, recipe.robust):
        checkpoint(name)
    run_alone(script(recipe), tmp_path)
    writes_the_pictures(tmp_path, recipe)


@pytest.mark.parametrize(
    "recipe",
    [
        InvertRecipe(view="feature", picture="photo/chelsea", feature=5),
        InvertRecipe(view="between", picture="photo/chelsea", canvas="grey"),
        InvertRecipe(view="gallery", picture="photo/"),
    ],
    ids=["feature", "between", "gallery"],
)
def test_the_scripts_of_the_other_views_write_the_pages_pictures(recipe, checkpoint, monkeypatch, tmp_path):
    for name in (recipe.standard, recipe.robust):
        checkpoint(name)
    monkeypatch.chdir(tmp_path)
    Path("view.py").write_text(script(recipe), encoding="utf-8")
    runpy.run_path("view.py", run_name="__main__")
    writes_the_pictures(tmp_path, recipe)


def writes_the_pictures(folder: Path, recipe: InvertRecipe) -> None:
    """The script has written what this process computes, byte for byte."""
    for name in (recipe.standard, recipe.robust):
        made = {
            "emergence": lambda name=name: {"-inverted": emerge(recipe, name).frames[-1:]},
            "feature": lambda name=name: {"": feature(recipe, name).made},
            "between": lambda name=name: {f"-{i}": x[None] for i, x in enumerate(between(recipe, name).made)},
            "gallery": lambda name=name: {f"-{i}": x[None] for i, x in enumerate(gallery(recipe, name).made)},
        }[recipe.view]()
        for ending, x in made.items():
            assert (folder / f"{name}{ending}.png").read_bytes() == render.png(render.to_uint8(x)[0])


@pytest.mark.parametrize("view", ["emergence", "gallery", "feature", "between"])
def test_every_script_is_python_and_holds_the_whole_recipe(view):
    recipe = InvertRecipe(view=view, picture='photo/"); import os; ("', seed=3, only="it's", feature=2)
    text = script(recipe)
    call = text[text.index("InvertRecipe(\n") : text.index("\n)\n") + 2]
    assert eval(call, {"InvertRecipe": InvertRecipe}) == recipe
    compile(text, "view.py", "exec")
