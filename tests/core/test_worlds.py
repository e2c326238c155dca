"""What models and pictures have in common, and that nobody names a data set by itself."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from core import worlds
from core.data.sets import CIFAR10_CLASSES
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.recipes import from_json, from_query, to_json, to_python, to_query

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


@pytest.mark.parametrize("name", ["cifar10", "imagenet"])
def test_a_world_shows_sweeps_that_it_has(name):
    world = worlds.get(name)
    assert world.reaches.keys() == world.reach.keys() == {"L2", "Linf"}
    for norm, reach in world.reach.items():
        assert reach in world.reaches[norm]
    for text, (largest, intervals) in world.reaches["Linf"].items():
        assert largest == pytest.approx(int(text.removesuffix("/255")) / 255)
        assert intervals <= 20, "21 frames at most"


def test_an_unknown_world_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"no world 'atlantis'; have cifar10, imagenet"):
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
