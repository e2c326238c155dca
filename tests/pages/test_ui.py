"""What the pages are made of: words for numbers, presets, the frame of a page."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from core.data.decode import PictureError
from core.data.sets import DataError
from core.files import render, slides
from core.files.render import to_uint8
from core.models import titles as naming
from core.models.checkpoints import CheckpointError
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe
from core.perturb.scene import row
from core.problems import InputError
from core.recipes import from_json
from core.words import percent, size, verdicts
from pages.ui import crisp, shell
from pages.ui.exports import Bundle
from pages.ui.store import lesson
from tests.helpers import images

# Words for numbers


@pytest.mark.parametrize(
    ("value", "norm", "text"),
    [(0.4123, "L2", "0.412"), (0.0, "L2", "0.000"), (8 / 255, "Linf", "8/255"), (7.94 / 255, "Linf", "7.94/255")],
)
def test_a_size_is_written_in_the_unit_of_its_norm(value, norm, text):
    assert size(value, norm) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 %"), (0.5, "50 %"), (0.994, "99 %"), (0.996, "99.6 %"), (0.9999999, "99.9 %"), (1.0, "99.9 %")],
)
def test_a_probability_is_never_rounded_to_certainty(value, text):
    assert percent(value) == text


def test_verdicts_name_the_most_likely_class_of_each_frame():
    logits = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    assert verdicts(logits, ("cat", "dog")) == ("cat 88 %", "dog 95 %")


def trajectory(**changes) -> Trajectory:
    """Four frames of a picture that walks from class 0 to class 1, fooled from frame 2."""
    x = (images(1, size=4) * 255).round() / 255
    norm = torch.tensor([0.0, 0.1, 0.2, 0.3])
    logits = torch.tensor([[3.0, 0, -1], [1.0, 0, -1], [0, 1.0, -1], [0, 3.0, -1]])
    made = {
        "positions": (0.0, 0.1, 0.2, 0.3),
        "x": x,
        "y": 0,
        "target": None,
        "x_adv": (x + norm.reshape(-1, 1, 1, 1) / 10).clamp(0, 1),
        "logits": logits,
        "norm": norm,
        "allowed": norm,
        "success": logits.argmax(1) != 0,
    }
    return Trajectory(**{**made, **changes})


def rowed(found: Trajectory, **more):
    options = {"subtitle": "s", "norm": "L2", "axis": ("0", "0.1", "0.2", "0.3"), "classes": ("cat", "dog", "frog")}
    return row("Standard", found, **{**options, **more})


def test_a_row_shows_what_was_computed():
    found = trajectory()
    made = rowed(found, others=[("right model says", found.logits.flip(0))])
    np.testing.assert_array_equal(made.frames, to_uint8(found.x_adv))
    np.testing.assert_array_equal(made.reference, to_uint8(found.x)[0])
    torch.testing.assert_close(made.delta, found.x_adv - found.x)
    assert made.threshold == 2
    assert made.flags == (None, None, "fooled", "fooled")
    assert made.curve == pytest.approx(found.probabilities[:, 0].tolist()), "of the true class"
    assert dict(made.readouts)["‖δ‖ measured"] == (
        "0.000 of 0.000",
        "0.100 of 0.100",
        "0.200 of 0.200",
        "0.300 of 0.300",
    )
    assert dict(made.readouts)["right model says"] == verdicts(found.logits.flip(0), made.classes)
    assert made.alt[2] == "Standard: cat at 0.2; the model says dog 67 %; measured size 0.200 of 0.200."


def test_a_mistake_on_the_clean_picture_is_not_called_fooled():
    wrong = trajectory(y=2, success=torch.tensor([True] * 4))
    assert rowed(wrong).flags == ("wrong from the start",) * 4
    assert rowed(wrong).threshold == 0


def test_models_are_titled_by_their_training_and_told_apart(monkeypatch):
    known = {
        "a": "ResNet-9, standard training",
        "b": "ResNet-9, standard training, another seed",
        "c": "ResNet-9, adversarial training (L2, eps 0.5)",
        "d": "ResNet-9, adversarial training (Linf, 8/255)",
        "e": "Student of D_NR: the standard model's features",
        "f": "A network of yours",
    }
    monkeypatch.setattr(naming, "title", known.__getitem__)
    assert naming.titles("a", "c") == ("Standard ResNet-9", "Robust ResNet-9")
    assert naming.titles("c", "a") == ("Robust ResNet-9", "Standard ResNet-9"), "the models', not the sides'"
    assert naming.titles("a", "b") == ("Standard ResNet-9", "Standard ResNet-9, another seed")
    assert naming.titles("c", "d", "a") == (known["c"], known["d"], "Standard ResNet-9"), "short names would be alike"
    assert naming.titles("c", "c") == ("Robust ResNet-9",) * 2
    assert naming.brief("VGG, standard training, another seed") == "VGG, another seed"
    assert naming.brief("VGG, adversarial training (L2, eps 0.5)") == "VGG, robust L2"
    assert naming.titles("e", "f") == ("Student of D_NR", "A network of yours")


# Files


def test_a_slide_is_large_and_every_pixel_a_square():
    cells = [to_uint8(images(1, size=4, seed=seed))[0] for seed in range(4)]
    page = slides.slide([cells[:2], cells[2:]], heads=("clean", "attacked"), sides=("one", "two"), caption="98–99 %")
    times = slides.factor(2 * 4)
    assert page.shape[1] >= slides.WIDE <= 2 * 4 * times
    for cell in cells:
        large = render.upscaled(cell, times)
        places = np.argwhere((page[:, :, :] == large[0, 0]).all(2))
        assert any(np.array_equal(page[y : y + 4 * times, x : x + 4 * times], large) for y, x in places)
    bare = slides.slide([cells[:2], cells[2:]], wide=slides.WIDE)
    assert page.shape[0] > bare.shape[0], "titles and caption have their own room"


@pytest.mark.parametrize("text", list("–—−→εδρσ₂∞×·‖✓✗°"))
def test_the_font_of_slides_has_what_captions_use(text):
    def drawn(letter: str) -> bytes:
        page = Image.new("L", (40, 40))
        ImageDraw.Draw(page).text((4, 4), letter, fill=255, font=slides.font(20))
        return page.tobytes()

    assert drawn(text) != drawn("\ue123"), "the box that stands for a glyph that is not there"


def test_whatever_can_carry_the_recipe_does():
    recipe = PerturbRecipe(seed=3)
    cell = to_uint8(images(2, size=4))
    out = Bundle(recipe)
    out.slide("Sheet", "sheet.png", lambda: [list(cell)], caption="Two pictures.")
    out.pixels("Picture", "one.png", lambda: cell[0])
    out.film("walk", lambda: [cell, cell], ms=50)
    out.arrays("a.npz", lambda: {"x": torch.ones(2)})
    out.table("Curve", "c.csv", lambda: {"step": [0, 1]})
    made = {file.name: file.make() for file in out.files}
    for name in ("sheet.png", "one.png", "walk-film.png"):
        assert from_json(PerturbRecipe, render.png_text(made[name])["recipe"]) == recipe
    assert render.png_text(made["sheet.png"])["caption"] == "Two pictures."
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(made["one.png"]))), cell[0])
    with Image.open(io.BytesIO(made["walk-film.png"])) as film:
        assert (film.n_frames, film.width >= 512) == (2, True)
    with np.load(io.BytesIO(made["a.npz"])) as arrays:
        assert from_json(PerturbRecipe, str(arrays["recipe_json"])) == recipe
    assert made["c.csv"] == "step\n0\n1\n"
    assert from_json(PerturbRecipe, made["recipe.json"]) == recipe
    assert out.files[-1].name == "recipe.json"


# The frame of a page


@pytest.mark.parametrize(
    "problem",
    [PictureError("P."), CheckpointError("C."), DataError("D."), InputError("V.")],
    ids=lambda problem: type(problem).__name__,
)
def test_what_a_visitor_can_cause_is_one_sentence_and_the_run_ends(problem):
    def page(problem):
        import streamlit as st

        from pages.ui import shell

        with shell.user_errors():
            raise problem
        st.write("unreached")

    app = AppTest.from_function(page, args=(problem,), default_timeout=60).run()
    assert [error.value for error in app.error] == [str(problem)]
    assert not app.exception
    assert not app.markdown


def test_other_errors_are_not_hidden():
    def page():
        from pages.ui import shell

        with shell.user_errors():
            raise ValueError("a bug")

    assert AppTest.from_function(page, default_timeout=60).run().exception


def test_a_fault_of_ours_is_said_to_be_one_and_logged_with_its_place(caplog):
    def page():
        import streamlit as st

        from pages.ui import shell

        with shell.guarded():
            raise ValueError("a bug")
        st.write("unreached")

    app = AppTest.from_function(page, default_timeout=60).run()
    assert ["fault of the program" in error.value for error in app.error] == [True]
    assert not app.exception
    assert not app.markdown
    assert "a bug" in caplog.text
    assert "Traceback" in caplog.text


def test_a_preset_sets_its_values_over_the_defaults():
    def page():
        import streamlit as st

        from pages.ui import shell

        shell.presets(
            [shell.Preset("One", "Look.", {"a": 5})],
            key="p",
            defaults={"a": 1, "b": "x"},
        )
        st.slider("a", 0, 9, key="a")
        st.text_input("b", key="b")

    app = AppTest.from_function(page, default_timeout=60).run()
    app.text_input(key="b").set_value("changed").run()
    app.button(key="p-preset-0").click().run()
    assert (app.slider(key="a").value, app.text_input(key="b").value) == (5, "x")
    assert app.info[0].value == "Look."
    app.button(key="p-preset-1").click().run()
    assert (app.slider(key="a").value, app.text_input(key="b").value) == (1, "x")
    assert not app.info


def two_views():
    import streamlit as st

    from pages.ui import shell

    st.text(shell.views({"near": "From near.", "far": "From far."}, "near"))


@pytest.mark.parametrize("left", ["gallery", "", None, 3])
def test_a_view_that_another_page_left_behind_is_the_default_one(left):
    app = AppTest.from_function(two_views, default_timeout=60)
    app.session_state["view"] = left
    app.run()
    assert not app.exception
    assert (app.text[0].value, app.markdown[0].value) == ("near", "From near.")
    assert app.segmented_control(key="view").value == "near"


@pytest.mark.parametrize(("asked", "shown"), [("far", "far"), ("all", "near"), ("", "near")])
def test_a_view_of_the_address_is_shown_if_the_page_has_it(asked, shown):
    app = AppTest.from_function(two_views, default_timeout=60)
    app.query_params["view"] = asked
    app.run()
    assert not app.exception
    assert (app.text[0].value, app.markdown[0].value) == (shown, f"From {shown}.")


def test_another_view_drops_the_frame_from_the_address():
    app = AppTest.from_function(two_views, default_timeout=60)
    app.query_params["frame"] = "7"
    app.run()
    assert "frame" in app.query_params
    app.segmented_control(key="view").set_value("far").run()
    assert app.text[0].value == "far"
    assert "frame" not in app.query_params


def test_a_lesson_is_its_parts_by_their_headings(tmp_path):
    (tmp_path / "some.md").write_text("# Some\nintro\n\n## ε\nA size.\n\n## two words\nLine 1\n\nLine 2\n", "utf-8")
    assert lesson("some", tmp_path) == {"ε": "A size.", "two words": "Line 1\n\nLine 2"}


@pytest.mark.parametrize("word", ["useful", "robustly useful", "useful, non-robust", "ε", "PGD", "mathematics"])
def test_the_words_that_the_perturb_page_explains_are_in_its_lesson(word):
    assert len(lesson("perturb")[word]) > 60


def test_a_word_that_the_lesson_does_not_have_fails_loudly():
    with pytest.raises(KeyError):
        shell.glossary("perturb", ["no such word"])


def test_below_a_small_picture_names_and_numbers_stay_on_one_line():
    """The text is as given; only a line may not break inside a name or before its per cent."""
    made = crisp.figure(images(1), "alt", ("Robust ResNet-9", "predicts <b> 99.9 %, a cat-like frog"))
    assert '<b>Robust <span class="whole">ResNet-9</span></b>' in made
    assert '<small>predicts &lt;b&gt; <span class="whole">99.9 %</span>, a cat-like frog</small>' in made
