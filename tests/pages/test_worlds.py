"""Worlds on the pages: in the address, in the header, and a sentence where a page has nothing to show of one."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core import worlds
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from pages.ui import exports, scrubber
from tests.app_process import ROOT
from tests.pages.tools import ran, said

QUICK = {"attack": "FGSM"}
NEEDING = ("bugs", "datasets", "frequency", "inversion", "saliency", "synthesis", "transfer", "usefulness")


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / page / "page.py"), default_timeout=300)
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


@pytest.fixture
def imagenet() -> None:
    """The optional extra."""
    if "imagenet" not in worlds.names():
        pytest.skip("the extra is not installed: make app EXTRAS=imagenet")


@pytest.fixture
def missing(monkeypatch) -> None:
    """A computer without the extra."""
    monkeypatch.setattr("core.models.packaged.find_spec", lambda _: None)
    monkeypatch.setattr("core.worlds.world.find_spec", lambda _: None)


@pytest.fixture
def shown(monkeypatch) -> SimpleNamespace:
    """What the page hands to the scrubber and to the downloads."""
    seen = SimpleNamespace(rows=[], script="")

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis = rows, axis
        return frame if more.get("report") else None

    monkeypatch.setattr(scrubber, "scrubber", show)
    monkeypatch.setattr(exports, "downloads", lambda files, *, key, script: setattr(seen, "script", script))
    return seen


def test_perturb_in_the_world_of_photographs(imagenet, shown):
    """The paper's own picture: a cat, an airliner, Linf 2/255; one network, and noise as the control."""
    app = opened("perturb", world="imagenet", **QUICK)
    assert app.selectbox(key="target").value == "airliner"
    assert [row.title for row in shown.rows] == ["Standard EfficientNet-Lite0", "Random noise"]
    first = shown.rows[0]
    assert first.frames.shape == (21, 224, 224, 3)
    assert first.classes[first.truth] == "Egyptian cat"
    assert first.truth_name == "its clean answer", "nobody has said which of ImageNet's cats she is"
    assert shown.axis.labels[-1] == "2/255"
    assert "world='imagenet'" in shown.script
    assert "frog" not in said(app).lower()
    assert worlds.get("imagenet").robust_how in said(app)


def test_the_script_of_another_world_makes_its_recipe(imagenet, shown):
    opened("perturb", world="imagenet", target="any", **QUICK)
    text = shown.script
    recipe = eval(text[text.index("PerturbRecipe(\n") : text.index("\n)\n") + 2], {"PerturbRecipe": PerturbRecipe})
    assert (recipe.world, recipe.standard, recipe.picture) == ("imagenet", "efficientnet-lite0", "photo-224/chelsea")
    assert len(recipe.eps_values) == 21 and recipe.eps_values[-1] == pytest.approx(2 / 255)


def test_models_of_another_world_are_not_offered(imagenet, shown):
    app = opened("perturb", world="imagenet", **QUICK)
    assert app.selectbox(key="standard").options == [checkpoints.header("efficientnet-lite0").title]


@pytest.mark.parametrize("page", NEEDING)
def test_a_page_that_a_world_cannot_serve_says_what_is_missing(page, imagenet):
    app = opened(page, world="imagenet")
    assert [info.value for info in app.info if "has nothing to show of ImageNet yet.** It needs" in info.value]
    button = next(button for button in app.button if button.label == "Show it for CIFAR-10")
    ran(button.click())
    assert not [info.value for info in app.info if "has nothing to show" in info.value]


def test_entering_another_world_forgets_what_is_of_the_one_before(imagenet, shown):
    app = opened("perturb", picture="photo/chelsea", target="truck", **QUICK)
    assert shown.rows[0].frames.shape[1] == 32
    ran(app.selectbox(key="world-box").select("imagenet"))
    assert (app.selectbox(key="target").value, app.session_state["picture"]) == ("airliner", "photo-224/chelsea")
    assert shown.rows[0].frames.shape[1] == 224
    assert not app.error


def test_a_picture_of_another_world_is_refused_in_a_sentence(imagenet, shown):
    app = opened("perturb", world="imagenet", picture="photo/chelsea", **QUICK)
    assert [error.value for error in app.error] == ["There is no such picture in ImageNet."]
    assert shown.rows[0].frames.shape[1] == 224


@pytest.mark.parametrize(
    ("name", "says"), [("imagenet", "make app EXTRAS=imagenet"), ("atlantis", "There is no world called “atlantis”.")]
)
def test_a_world_that_is_not_here_is_said_with_the_way_to_get_it(name, says, missing, shown):
    app = opened("perturb", world=name, picture="photo/chelsea", **QUICK)
    assert says in "".join(warning.value for warning in app.warning)
    assert shown.rows[0].frames.shape[1] == 32
    assert "world-box" not in [box.key for box in app.selectbox], "with one world there is nothing to choose"


def test_a_page_about_no_world_goes_back_to_the_first(imagenet):
    """What Home and Gaussian say of classes and link to is of the first world, whatever was open before."""
    app = opened("transfer", world="imagenet")
    assert app.session_state["world-here"] == "imagenet"
    after = AppTest.from_file(str(ROOT / "pages" / "gaussian" / "page.py"), default_timeout=300)
    after.session_state["world-here"] = "imagenet"
    assert "world-here" not in ran(after).session_state
