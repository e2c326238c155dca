"""A recipe survives the address bar and a file, and whatever people type there; and it becomes a program."""

import dataclasses
import itertools
import json
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import worlds
from core.perturb.recipe import PerturbRecipe
from core.recipes import from_json, from_query, option, program, to_json, to_python, to_query


@dataclass(frozen=True)
class Every:
    """One field of each kind."""

    word: str = option("a")
    choice: str = option("x", among=("x", "y", "z"))
    number: int = option(3, low=0, high=9)
    flag: bool = option(default=False)
    on: bool = option(default=True)
    several: tuple[str, ...] = option(("p", "q"), among=("p", "q", "r", "s"))


# What a browser hands over: any text without lone surrogates.
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
recipes = st.builds(
    PerturbRecipe,
    picture=text,
    standard=text,
    robust=text,
    norm=st.sampled_from(["L2", "Linf"]),
    reach=text | st.sampled_from([r for reaches in worlds.get().reaches.values() for r in reaches]),
    attack=st.sampled_from(["PGD", "FGSM"]),
    steps=st.integers(1, 200),
    target=text,
    random_start=st.booleans(),
    axis=st.sampled_from(["eps", "steps"]),
    frame=st.integers(0, 200),
    at=text,
    seed=st.integers(0, 2**31 - 1),
    schedule=st.sampled_from(["cosine", "constant"]),
    precision=st.sampled_from(["auto", "fp32"]),
    world=st.sampled_from(["cifar10", "imagenet", "planted"]),
    view=st.sampled_from(["sweep", "duel"]),
)
every = st.builds(
    Every,
    word=text,
    choice=st.sampled_from("xyz"),
    number=st.integers(0, 9),
    flag=st.booleans(),
    on=st.booleans(),
    several=st.lists(st.sampled_from("pqrs"), max_size=4).map(tuple),
)


@given(recipes | every)
def test_a_recipe_comes_back_from_its_query(recipe):
    assert from_query(type(recipe), to_query(recipe)) == (recipe, ())


@given(recipes | every)
def test_a_recipe_comes_back_from_its_json(recipe):
    assert from_json(type(recipe), to_json(recipe)) == recipe


@given(recipes | every)
def test_a_query_holds_what_differs_from_the_default_and_only_text(recipe):
    query = to_query(recipe)
    assert query.keys() == {f.name for f in dataclasses.fields(recipe) if getattr(recipe, f.name) != f.default}
    assert all(type(value) is str for value in query.values())


def test_defaults_have_an_empty_query():
    assert to_query(PerturbRecipe()) == to_query(Every()) == {}
    assert from_query(Every, {}) == (Every(), ())


def test_the_strategy_above_knows_every_field():
    """Whoever adds a field adds it there, and it is tested from the day it exists."""
    assert {f.name for f in dataclasses.fields(PerturbRecipe)} == {
        *("picture", "standard", "robust", "norm", "reach", "attack", "steps"),
        *("target", "random_start", "axis", "frame", "at", "seed", "schedule", "precision", "world", "view"),
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("choice", v) for v in ("", "X", "x ", "xy", "w")),
        *(("number", v) for v in ("", "-1", "10", "3.0", "1e1", "three", "nan", "9" * 5000, "0x1")),
        *(("flag", v) for v in ("", "1", "yes", "on", "tru")),
        *(("several", v) for v in ("t", "p,t", "p;q", "p, q", "pq")),
    ],
)
def test_a_bad_value_falls_back_alone_and_is_named(name, value):
    """The other parameters, before and after it, are kept."""
    good = Every(word="b", choice="y", number=4, flag=True, on=False, several=("r",))
    found, bad = from_query(Every, {**to_query(good), name: value})
    assert bad == (name,)
    assert found == dataclasses.replace(good, **{name: getattr(Every(), name)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("norm", v) for v in ("l2", "L1", "")),
        *(("attack", v) for v in ("pgd", "CW")),
        *(("axis", v) for v in ("epsilon", "")),
        *(("steps", v) for v in ("0", "201", "-1", "x")),
        *(("frame", v) for v in ("-1", "201", "1.5")),
        *(("seed", v) for v in ("-1", str(2**31), "one")),
        *(("random_start", v) for v in ("1", "")),
    ],
)
def test_bad_values_of_the_perturb_page_fall_back_alone(name, value):
    good = PerturbRecipe("photo/chelsea", norm="Linf", attack="FGSM", steps=7, axis="steps", frame=3, seed=5)
    good = dataclasses.replace(good, random_start=True)
    found, bad = from_query(PerturbRecipe, {**to_query(good), name: value})
    assert bad == (name,)
    assert found == dataclasses.replace(good, **{name: getattr(PerturbRecipe(), name)})


def test_several_bad_values_are_all_named():
    found, bad = from_query(Every, {"several": "?", "number": "?", "choice": "z", "flag": "?"})
    assert (found, set(bad)) == (Every(choice="z"), {"several", "number", "flag"})


def test_unknown_parameters_are_ignored():
    """Other pages and other people's trackers put theirs there."""
    assert from_query(Every, {"utm_source": "x", "number": "5", "__class__": "y"}) == (Every(number=5), ())


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_truth_may_be_spelt_in_any_case(text, value):
    assert from_query(Every, {"flag": text, "on": text})[0] == Every(flag=value, on=value)


def test_members_of_a_tuple_keep_their_order_and_none_is_possible():
    for several in ((), ("s", "p"), ("p", "p")):
        assert from_query(Every, to_query(Every(several=several)))[0].several == several


@given(st.dictionaries(st.sampled_from([f.name for f in dataclasses.fields(PerturbRecipe)]), text))
def test_nothing_in_the_address_raises(params):
    """And what comes out is a recipe that can be written again."""
    recipe, bad = from_query(PerturbRecipe, params)
    assert set(bad) <= params.keys()
    assert from_query(PerturbRecipe, to_query(recipe)) == (recipe, ())
    assert len(recipe.eps_values) == len(recipe.eps_labels) > recipe.at_index


# Files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "JSON"),
        ("no", "JSON"),
        ("[]", "not a PerturbRecipe"),
        ("null", "not a PerturbRecipe"),
        ("{}", "not a PerturbRecipe"),
        ('{"kind": "Every"}', "not a PerturbRecipe"),
        ('{"kind": "PerturbRecipe", "epsilon": 3}', "has no epsilon"),
        ('{"kind": "PerturbRecipe", "steps": "20"}', "steps must be a int"),
        ('{"kind": "PerturbRecipe", "steps": 2.0}', "steps must be a int"),
        ('{"kind": "PerturbRecipe", "steps": true}', "steps must be a int"),
        ('{"kind": "PerturbRecipe", "steps": null}', "steps must be a int"),
        ('{"kind": "PerturbRecipe", "steps": 0}', "steps must be 1 to 200"),
        ('{"kind": "PerturbRecipe", "norm": "L1"}', "norm must be one of L2, Linf"),
        ('{"kind": "PerturbRecipe", "norm": ["L2"]}', "norm must be a str"),
        ('{"kind": "PerturbRecipe", "norm": {"a": []}}', "norm must be a str"),
        ('{"kind": "PerturbRecipe", "random_start": 1}', "random_start must be a bool"),
    ],
)
def test_what_is_no_recipe_is_refused_with_the_field_that_is_wrong(content, said):
    with pytest.raises(ValueError, match=said):
        from_json(PerturbRecipe, content)


@pytest.mark.parametrize("members", [["t"], [["p"]], [1], [None], [{}]])
def test_members_of_another_kind_are_refused(members):
    with pytest.raises(ValueError, match="several must be one of"):
        from_json(Every, json.dumps({"kind": "Every", "several": members}))


def test_fields_that_a_file_does_not_name_have_their_default():
    assert from_json(Every, '{"kind": "Every", "number": 5}') == Every(number=5)


def test_json_is_readable_and_says_its_kind():
    written = json.loads(to_json(Every(word="Mądry")))
    assert written == {
        "kind": "Every",
        "word": "Mądry",
        "choice": "x",
        "number": 3,
        "flag": False,
        "on": True,
        "several": ["p", "q"],
    }
    assert "Mądry" in to_json(Every(word="Mądry"))


# Radii


@pytest.mark.parametrize(
    ("norm", "reach"), [(norm, reach) for norm, reaches in worlds.get().reaches.items() for reach in reaches]
)
def test_radii_climb_evenly_from_zero_to_the_reach(norm, reach):
    recipe = PerturbRecipe(norm=norm, reach=reach)
    eps, largest = recipe.eps_values, float(Fraction(reach))
    assert eps[0] == 0
    assert eps[-1] == pytest.approx(largest)
    assert {round(b - a, 9) for a, b in itertools.pairwise(eps)} == {round(largest / (len(eps) - 1), 9)}
    assert len(set(recipe.eps_labels)) == len(eps), "two radii with one label"
    assert recipe.eps_labels[0] == "0"
    assert recipe.eps_labels[-1] == reach


def test_linf_radii_are_whole_or_half_grey_levels():
    """So that an 8-bit picture keeps the perturbation."""
    for reach in worlds.get().reaches["Linf"]:
        levels = [eps * 255 * 2 for eps in PerturbRecipe(norm="Linf", reach=reach).eps_values]
        assert levels == pytest.approx([round(level) for level in levels])


def test_a_reach_of_the_other_norm_means_the_default():
    for norm, other in (("L2", "8/255"), ("Linf", "5")):
        expected = PerturbRecipe(norm=norm, reach=worlds.get().reach[norm]).eps_values
        assert PerturbRecipe(norm=norm, reach=other).eps_values == PerturbRecipe(norm=norm).eps_values == expected


def test_the_radius_of_the_steps_view_is_found_by_its_label():
    recipe = PerturbRecipe(norm="Linf", reach="8/255", at="4/255")
    assert recipe.eps_values[recipe.at_index] == pytest.approx(4 / 255)
    assert PerturbRecipe(at="no such").at_index == PerturbRecipe().at_index == 5


def test_recipes_are_cache_keys():
    assert hash(PerturbRecipe(steps=3)) == hash(PerturbRecipe(steps=3))
    assert len({PerturbRecipe(steps=3), PerturbRecipe(steps=3), PerturbRecipe(steps=4)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        PerturbRecipe().steps = 3


# As Python


def test_a_program_makes_its_recipe_and_goes_on_with_it(capsys):
    recipe = PerturbRecipe(picture='photo/"); import os; ("', steps=7, random_start=True)
    text = to_python(recipe, ["from math import pi"], "\n        print(recipe, pi)\n        ")
    namespace: dict[str, object] = {}
    exec(compile(text, "view.py", "exec"), namespace)  # noqa: S102
    assert namespace["recipe"] == recipe
    assert capsys.readouterr().out.startswith(f"{recipe} 3.14159")


def test_a_program_has_its_imports_in_their_usual_order_and_the_apps_settings_before_its_body():
    imports = [
        "from core.files.render import png",
        "import zlib",
        "import numpy as np",
        "from pathlib import Path",
        "import math",
    ]
    lines = program(imports, "print(1)").splitlines()
    assert lines[2:] == [
        "import math",
        "import zlib",
        "from pathlib import Path",
        "",
        "import numpy as np",
        "",
        "from core.compute import setup_cpu",
        "from core.files.render import png",
        "",
        "setup_cpu(1)  # as the app, so that sums round alike",
        "print(1)",
    ]


def test_the_program_of_an_upload_says_how_to_hand_the_picture_over():
    """It lives in nobody's data set; a program that asks for it by name ends in a refusal."""
    one, other = (to_python(PerturbRecipe(picture=id), [], "") for id in ("upload/0123", "photo/chelsea"))
    assert "from_upload(Path(" in one.partition("recipe =")[0]
    assert "upload" not in other
    compile(one, "script", "exec")
