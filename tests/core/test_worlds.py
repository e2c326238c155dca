"""What models and pictures have in common, and that nobody names a data set by itself."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core import perturb, worlds
from core.data import pictures
from core.data.decode import PictureError
from core.data.sets import CIFAR10_CLASSES
from core.files.render import png
from core.inversion import starts
from core.inversion.emergence import kept_steps
from core.inversion.invert import PAPER
from core.inversion.recipe import InvertRecipe
from core.models import checkpoints, judge, packaged, pair
from core.perturb import scene
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.recipes import from_json, from_query, to_json, to_python, to_query
from core.saliency import attribute
from core.saliency.attribution import ROWS, rows_of
from core.saliency.methods import logit
from core.transfer import names
from tests.helpers import images, tiny

ROOT = Path(__file__).parents[2]


def test_no_page_and_no_topic_names_the_ten_classes():
    """A page that says "frog" of somebody's own four classes is wrong without a warning."""
    files = [path for folder in ("core", "pages") for path in (ROOT / folder).rglob("*.py")]
    at_home = {ROOT / "core" / "worlds", ROOT / "core" / "data"}
    found = [p for p in files if p.parent not in at_home and "CIFAR10_CLASSES" in p.read_text("utf-8")]
    assert found == []


def test_the_first_world_is_what_the_program_was_about():
    world = worlds.get()
    assert world.name == "cifar10"
    assert (world.classes, world.side, world.scale) == (CIFAR10_CLASSES, 32, 1)
    assert {world.standard, world.robust} <= set(checkpoints.names())
    assert "cifar10" in worlds.names()


def test_the_thousand_names_are_torchvisions_and_no_two_are_the_same():
    from torchvision.models import EfficientNet_B0_Weights

    names = worlds.get("imagenet").classes
    assert names == tuple(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])
    assert len(set(names)) == 1000


@pytest.mark.parametrize("name", ["cifar10", "planted", "imagenet"])
def test_a_world_shows_sweeps_that_it_has(name):
    world = worlds.get(name)
    assert world.reaches.keys() == world.reach.keys() == {"L2", "Linf"}
    for norm, reach in world.reach.items():
        assert reach in world.reaches[norm]
    for text, (largest, intervals) in world.reaches["Linf"].items():
        assert largest == pytest.approx(int(text.removesuffix("/255")) / 255)
        assert intervals <= 20, "21 frames at most"


def test_an_unknown_world_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"no world 'atlantis'; have cifar10, planted, imagenet"):
        worlds.get("atlantis")


def test_a_recipe_from_before_there_were_worlds_is_the_same_to_the_byte():
    recipe = PerturbRecipe(picture="cifar10/3")
    text = to_json(recipe)
    assert "world" not in json.loads(text)
    assert "world" not in to_python(recipe, [], "pass")
    assert "world" not in to_query(recipe)
    assert from_json(PerturbRecipe, text) == recipe


def test_a_recipe_of_another_world_says_so_everywhere():
    recipe = replace(PerturbRecipe(), world="imagenet")
    assert from_json(PerturbRecipe, to_json(recipe)) == recipe
    assert from_query(PerturbRecipe, to_query(recipe)) == (recipe, ())
    assert re.search(r"world='imagenet'", to_python(recipe, [], "pass"))
    assert worlds.of(recipe).side == 224


LITE = "efficientnet-lite0"


@pytest.fixture(scope="session")
def lite():
    """The network of the optional extra `imagenet`."""
    if LITE not in checkpoints.names(world="imagenet"):
        pytest.skip("the extra is not installed: make app EXTRAS=imagenet")
    return checkpoints.load(LITE)


def test_the_packaged_network_says_what_its_authors_says(lite):
    """Our architecture with their weights, beside their own code: the same logits, whatever the picture."""
    theirs = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet.from_name(LITE).eval()
    theirs.load_state_dict(torch.load(checkpoints.path_of(LITE), weights_only=True))
    x = torch.cat([pictures.get(id).x for id in pictures.ids("photo-224")])
    with torch.no_grad():
        ours, expected = lite(x), theirs((255 * x - 127) / 128)
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)
    assert torch.equal(lite(x), lite.head(lite.features(x)))


def test_it_recognises_photographs_by_the_names_of_its_world(lite):
    names = checkpoints.header(LITE).classes
    assert checkpoints.header(LITE).world == "imagenet"
    said = {
        name: names[int(lite(pictures.get(f"photo-224/{name}").x).argmax())] for name in ("chelsea", "coffee", "rocket")
    }
    assert said == {"chelsea": "Egyptian cat", "coffee": "espresso", "rocket": "missile"}


def test_a_model_is_offered_only_in_its_own_world(tmp_path):
    assert LITE not in checkpoints.names()
    about = checkpoints.Header("resnet9", {"width": 4}, "Elsewhere", world="imagenet")
    checkpoints.save(tmp_path / "other.safetensors", tiny().state_dict(), about)
    checkpoints.save(tmp_path / "here.safetensors", tiny().state_dict(), replace(about, world=worlds.DEFAULT))
    (tmp_path / "damaged.safetensors").write_bytes(b"not weights")
    assert checkpoints.names(tmp_path) == ("damaged", "here")
    assert checkpoints.names(tmp_path, world="imagenet") == ("other",)
    assert checkpoints.header("other", tmp_path).world == "imagenet"


def test_a_missing_extra_is_one_sentence_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr("core.models.packaged.find_spec", lambda _: None)
    monkeypatch.setattr("core.worlds.world._is_there", lambda _: False)
    assert worlds.names() == ("cifar10", "planted")
    assert checkpoints.names(world="imagenet") == ()
    with pytest.raises(checkpoints.CheckpointError, match="make app EXTRAS=imagenet"):
        checkpoints.load(LITE)


def test_a_damaged_file_in_the_package_is_refused(monkeypatch, tmp_path):
    packed = packaged.MODELS[LITE]
    bad = tmp_path / Path(packed.file).name
    bad.write_bytes(b"<!doctype html>not found")
    monkeypatch.setattr(packaged.Packaged, "path", property(lambda _: bad))
    with pytest.raises(checkpoints.CheckpointError, match="web page"):
        checkpoints.load(LITE)


def test_photographs_come_at_the_side_of_a_world():
    found = pictures.get("photo-224/chelsea")
    assert found.x.shape == (1, 3, 224, 224)
    assert found.label is None, "nobody has said which of ImageNet's cats she is"
    assert torch.equal((found.x * 255).round() / 255, found.x)
    for bad in ("photo-4/chelsea", "photo-2240/chelsea", "photo-224/unicorn", "photo-/chelsea"):
        with pytest.raises(PictureError):
            pictures.get(bad)
    assert pictures.ids("photo-224", 3) == ()


def test_an_upload_has_the_side_of_its_world_and_an_id_of_its_own():
    data = png(np.full((300, 400, 3), 90, dtype=np.uint8))
    small, large = pictures.from_upload(data), pictures.from_upload(data, side=224)
    assert large.x.shape == (1, 3, 224, 224)
    assert small.id != large.id
    assert "reduced to 224 × 224" in large.notes


@pytest.mark.parametrize(
    ("world", "steps", "most"), [("cifar10", 200, 201), ("imagenet", 10, 11), ("imagenet", 100, 21)]
)
def test_a_film_of_large_pictures_keeps_one_step_in_several_and_the_last(world, steps, most):
    """Frames of 224 pixels: no more of them than of a sweep, or no browser could draw them; at 32 pixels all."""
    kept = PerturbRecipe(world=world, axis="steps", steps=steps).iterates
    assert len(kept) == most
    assert (kept[0], kept[-1]) == (0, steps)
    assert list(kept) == sorted(set(kept))
    assert len(kept) * worlds.get(world).side < 16_000, "pixels: the widest picture that browsers draw"


def test_the_slider_says_that_steps_were_left_out():
    large = PerturbRecipe(world="imagenet", axis="steps", steps=100)
    axis = scene.axis(large, 21)
    assert axis.unit.endswith("one in 5 shown")
    assert axis.labels[:3] == ("0", "5", "10") and axis.labels[-1] == "100"
    assert "shown" not in scene.axis(PerturbRecipe(axis="steps", steps=100), 101).unit


def test_within_two_grey_levels_the_cat_is_an_airliner(lite):
    """The claim of the opening preset, at the steps with which the world opens."""
    world = worlds.get("imagenet")
    recipe = PerturbRecipe(world="imagenet", picture=world.picture, norm="Linf", target=world.target, steps=world.steps)
    at_the_end = replace(recipe, axis="steps", at="2/255")
    found = perturb.attack(at_the_end, LITE)
    assert float((found.x_adv - found.x).abs().max()) <= 2 / 255 + 1e-6
    assert bool(found.success[-1])
    assert not bool(found.success[0])


# Saliency


def test_memory_is_bounded_by_pixels_where_pictures_are_large():
    assert rows_of(torch.empty(1, 3, 32, 32)) == rows_of(torch.empty(1, 3, 48, 48)) == ROWS
    assert rows_of(torch.empty(1, 3, 224, 224)) == 4
    assert rows_of(torch.empty(1, 3, 4096, 4096)) == 1


@pytest.mark.parametrize("method", ["guided_backprop", "deep_lift"])
def test_methods_with_rules_of_their_own_have_one_for_every_module_of_the_packaged_network(method):
    """DeepLift is complete: if ReLU6 and padding were passed through as they are, the sum is another."""
    model, x = tiny("efficientnet-lite0", 8, classes=5), images(1, size=64)
    found = attribute(model, x, torch.tensor([2]), method)
    plain = attribute(model, x, torch.tensor([2]), "gradient", score=logit)
    assert not torch.allclose(found, plain, rtol=1e-3)
    if method == "deep_lift":
        with torch.no_grad():
            gap = (model(x) - model(torch.full_like(x, 0.5)))[0, 2]
        torch.testing.assert_close(found.sum(), gap, rtol=1e-3, atol=1e-4)


# Pairs


def test_the_first_world_opens_with_the_pair_that_it_names():
    assert pair.opening(worlds.get()) == pair.Pair("resnet9-standard", "resnet9-l2")


def test_what_was_added_to_a_world_stands_where_it_says_that_it_belongs(monkeypatch):
    """A world that names no networks opens with those that are there: by their recipes, or else by their titles."""
    headers = {
        "a": checkpoints.Header("resnet9", title="First, adversarial training (L2, eps 1)"),
        "b": checkpoints.Header("resnet9", title="Second"),
        "c": checkpoints.Header("resnet9", title="Third", recipe={"inner": {"norm": "L2", "eps": 1.0}}),
    }
    monkeypatch.setattr(checkpoints, "header", headers.__getitem__)
    world = replace(worlds.get(), name="elsewhere", standard="", robust="")

    def among(*here):
        monkeypatch.setattr(checkpoints, "names", lambda **_: here)
        return pair.opening(world)

    assert among("a", "b", "c") == pair.Pair("b", "a")
    assert among("b", "c") == pair.Pair("b", "c")
    assert among("b") == pair.Pair("b", "") and among("b").right == "b"
    assert among("c") == pair.Pair("c", "")
    assert among() == pair.Pair("", "")


def test_who_says_to_be_robust_is_asked_by_recipe_first(monkeypatch):
    """A student of robust features had no adversary, whatever its title; of what is gone there is a title only."""
    headers = {
        "student": checkpoints.Header("resnet9", title="Student of D_R: robust features only", recipe={"inner": None}),
        "dial": checkpoints.Header("resnet9", title="Trained at L2 0.5", recipe={"inner": {"norm": "L2", "eps": 0.5}}),
        "theirs": checkpoints.Header("resnet9", title="A robust network", recipe={"added": "theirs.pt"}),
    }

    def header(name):
        if name not in headers:
            raise checkpoints.CheckpointError("gone")
        return headers[name]

    monkeypatch.setattr(checkpoints, "header", header)
    assert [pair.is_robust(name) for name in (*headers, "gone")] == [False, True, True, False]
    assert pair.is_robust("gone", "VGG, adversarial training (L2, eps 0.5)")
    assert [names.robust(name) for name in (*headers, "gone")] == [False, True, True, False]


# Inversion


def test_films_are_bounded_by_pixels():
    small, large = worlds.get(), worlds.get("imagenet")
    assert (small.frames(41), large.frames(41), large.frames(5)) == (41, 21, 5)
    assert len(kept_steps(80, large.frames(41))) <= 21
    assert kept_steps(80, 21)[0] == 0 and kept_steps(80, 21)[-1] == 80


def test_steps_and_starts_of_an_inversion_are_those_of_its_world():
    here, there = (
        InvertRecipe(start="noise"),
        InvertRecipe(world="imagenet", start="noise", picture="photo-224/chelsea"),
    )
    assert starts.setting_of(here).steps == 100 and starts.setting_of(replace(here, setting="paper")) == PAPER
    assert starts.setting_of(there).steps == 80
    x0, what = starts.start_of(there)
    assert (x0.shape, what) == ((1, 3, 224, 224), "noise")
    other, _ = starts.start_of(replace(there, start="picture"))
    assert other.shape == x0.shape and not torch.equal(other, pictures.get(there.picture).x)


def test_a_judge_only_judges_its_own_classes():
    assert judge.knows("resnet9-standard", CIFAR10_CLASSES)
    assert not judge.knows("resnet9-standard", worlds.get("imagenet").classes)
    assert not judge.knows("nobody", CIFAR10_CLASSES)
