"""Lectures: what ships is true and whole, a file comes back as it was written, and one that is wrong is told why."""

import json
import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lectures import Lecture, Question, Step, files, read, shelf, write
from core.lectures.answers import answer
from core.lectures.links import HOME, opened, pages, recipe_kind
from core.lectures.shown import Shown
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.recipes import from_query, to_json
from core.synthesis.recipe import SynthesisRecipe

SHIPPED = [(name, i, step) for name in shelf.names() for i, step in enumerate(shelf.get(name).steps, 1)]
BY_STEP = pytest.mark.parametrize(("name", "i", "step"), SHIPPED, ids=[f"{name}-{i}" for name, i, _ in SHIPPED])
STEP = "title = 'x'\n[[step]]\ntitle = 'a'\npage = 'perturb'\n"
ONE_MORE = "[[step.question.shows]]\npicture = 'gallery/3'\n"
SHOWS = STEP + "[step.question]\nask = '?'\n[[step.question.shows]]\n"
PAIR = (Shown("gallery/3"), Shown("gallery/3", "attack", "cat", 0.5))


def test_the_lectures_that_were_promised_ship():
    assert shelf.names()[:4] == ("paper", "sees", "bug", "lab")
    assert len(shelf.get("paper").steps) > 12
    assert shelf.get("paper").minutes == 15


@BY_STEP
def test_the_link_of_a_step_is_its_view(name, i, step):
    kind, parts = recipe_kind(step.page), urlsplit(step.link)
    assert parts.path == ("" if step.page == HOME else step.page)
    assert from_query(kind, dict(parse_qsl(parts.query))) == (step.recipe, ())


@BY_STEP
def test_a_step_has_something_to_say_and_to_look_for(name, i, step):
    assert len(step.say) > 40
    assert step.look_for


@BY_STEP
def test_what_is_said_to_be_measured_is_measured_and_current(name, i, step):
    if step.question is None or not step.question.measured:
        return
    found = answer(step.question)
    assert found is not None, "the path leads to no rate"
    assert re.fullmatch(r"measured: [\d.]+ % \[[\d.]+, [\d.]+\] \(n = [\d,]+\)", found.note)
    assert step.question.low <= found.value <= step.question.high


def test_a_measurement_that_is_not_here_answers_nothing(tmp_path):
    asked = Question("?", measured=("table1", "students", "nobody", "clean"))
    assert answer(asked) is None
    assert answer(replace(asked, measured=("table1", "students", "student-rand", "clean")), tmp_path) is None


def test_weights_that_changed_are_told(tmp_path):
    rate = {"hits": 3, "n": 4}
    (tmp_path / "x.json").write_text(json.dumps({"stamps": {"resnet9-standard": "000"}, "r": rate}))
    found = answer(Question("?", measured=("x", "r")), tmp_path)
    assert found.value == 75
    assert found.note.endswith("resnet9-standard has been trained anew since")


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=60).map(
    lambda text: text.replace("\r", "").strip() or "x"
)
questions = st.one_of(  # of the fields alone: type checks draw at random, which Hypothesis does not allow in strategies
    st.none(),
    st.fixed_dictionaries(
        {"ask": texts, "choices": st.just(("yes", "no")), "answer": st.sampled_from([None, 1.0, 2.0]), "because": texts}
    ),
    st.fixed_dictionaries({"ask": texts, "choices": st.just(("left", "right")), "shows": st.just(PAIR)}),
    st.fixed_dictionaries({"ask": texts, "low": st.just(1.0), "high": st.floats(2, 1e6), "unit": st.just("steps")}),
    st.fixed_dictionaries({"ask": texts, "measured": st.just(("table1", "students"))}),
)
recipes = st.one_of(
    st.fixed_dictionaries({"target": texts, "steps": st.integers(1, 200), "random_start": st.booleans()}),
    st.fixed_dictionaries({"holds": st.lists(texts, max_size=3).map(tuple)}),
)


@given(texts, texts, st.integers(0, 600), st.lists(st.tuples(texts, recipes, questions), min_size=1, max_size=4))
def test_a_lecture_comes_back_from_its_file(title, about, minutes, drawn):
    def step(text, fields, asked):
        page, kind = ("synthesis", SynthesisRecipe) if "holds" in fields else ("perturb", PerturbRecipe)
        return Step(text, page, kind(**fields), text, text, None if asked is None else Question(**asked))

    lecture = Lecture(title, tuple(step(*one) for one in drawn), about, minutes)
    assert read(write(lecture)) == lecture


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff\xfe", "not text"),
        ("title = ", "this is not one"),
        ("x = " + "[" * 100_000, "nested without end"),
        ("x = " + "1" * 10_000, "this is not one"),
        ("title = 'x'", "1 to 100 steps"),
        ("title = 'x'\nstep = 3", "each step must be a table"),
        ("title = 3\n[[step]]", "title must be a text"),
        (STEP.replace("'x'", "''"), "title must be a text of 1 to 120"),
        ("[[step]]\ntitle = 'a'\npage = 'perturb'", "the lecture: title must be a text of 1"),
        (STEP.replace("perturb", "nowhere"), "step 1: there is no page 'nowhere'; have home, bugs"),
        (STEP.replace("perturb", "../perturb"), "there is no page"),
        (
            STEP + "view = { frame = 900 }",
            "step 1: the view of page 'perturb' cannot be: frame must be 0 to 200, got 900",
        ),
        (STEP + "view = { eps = 1 }", "a PerturbRecipe has no eps"),
        (STEP + "view = { steps = '9' }", "steps must be a int"),
        (STEP + "view = { norm = 'L1' }", "norm must be one of"),
        (STEP + "view = 3", "view must be a table"),
        (STEP + "notes = 'n'", "step 1 has 'notes', which nobody reads"),
        (STEP + f"say = '{'a' * 4001}'", "say must be a text of 0 to 4000"),
        (STEP + "[step.question]\nask = '?'\nchoices = ['a']", "2 to 6 different texts"),
        (STEP + "[step.question]\nask = '?'\nchoices = ['a', 'a']", "2 to 6 different texts"),
        (STEP + "[step.question]\nask = '?'\nchoices = ['a', 'b']\nanswer = 0", "answer must be a choice, 1 to 2"),
        (STEP + "[step.question]\nask = '?'\nchoices = ['a', 'b']\nanswer = 1.5", "answer must be a choice, 1 to 2"),
        (
            SHOWS + "picture = 'cifar10/3'",
            "step 1, question, shows: a question shows pictures of gallery, photo, planted",
        ),
        (SHOWS + "picture = 'gallery/3'\nby = 'magic'", "by must be one of"),
        (SHOWS + "picture = 'gallery/3'\neps = 1", "eps must be above 0, up to 10, where a picture is changed, got 1"),
        (SHOWS + "picture = 'gallery/3'\nby = 'noise'", "where a picture is changed, got 0"),
        (SHOWS + "picture = 'gallery/3'\nby = 'attack'\neps = 1\ntoward = 'unicorn'", "toward must be a class"),
        (SHOWS + "picture = 'gallery/3'\nby = 'noise'\neps = 1\ntoward = 'cat'", "toward must be a class"),
        (SHOWS + "picture = 'gallery/3'\n" + ONE_MORE * 2, "two of which one of two choices is the answer"),
        (STEP + "[step.question]\nask = '?'\nlow = 3\nhigh = 3", "low must be less than high"),
        (STEP + "[step.question]\nask = '?'\nlow = nan", "low must be a number"),
        (STEP + "[step.question]\nask = '?'\nanswer = true", "answer must be a number"),
        (STEP + "[step.question]\nask = '?'\nanswer = 101", "answer must be 0 to 100"),
        (STEP + "[step.question]\nask = '?'\nmeasured = ['../../etc/passwd']", "measured must be a results file"),
        ("title = 'x'\n" + "[[step]]\ntitle = 'a'\npage = 'home'\n" * 101, "1 to 100 steps"),
        ("#" * (files.MOST_BYTES + 1), "at most 256 kB"),
        (STEP.replace("perturb", "synthesis") + "view = { holds = [1] }", "holds must be texts"),
    ],
)
def test_a_file_that_is_wrong_is_told_why_in_one_sentence(text, said):
    with pytest.raises(InputError) as problem:
        read(text)
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_lecture_that_does_not_ship_is_refused_by_name():
    with pytest.raises(InputError, match=r"there is no lecture '\.\./x'; have paper"):
        shelf.get("../x")


@pytest.mark.parametrize("page", list(pages()))
def test_a_recipe_finds_its_page_again(page):
    recipe = recipe_kind(page)()
    assert opened(to_json(recipe)) == (page, recipe)


def test_what_no_page_takes_is_refused():
    with pytest.raises(InputError, match="no page takes"):
        opened('{"kind": "Nothing"}')
