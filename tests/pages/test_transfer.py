"""The Transfer page without a browser: views, cells, live rows and their Stop, the address, and what is exported."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.models import checkpoints
from core.rates import Estimate, Rate
from core.transfer import results, views
from core.transfer.names import in_sight, title
from core.transfer.outcome import Cell
from core.transfer.recipe import RADII, TransferRecipe
from core.transfer.results import SETTINGS, Measured, Model
from pages.transfer import curve, figure3, matrix, similarity
from pages.transfer import work as transfer_work
from pages.transfer.heat import Grid, data, sentence
from pages.transfer.heat_png import heat_picture
from pages.transfer.predict import right_guess
from pages.ui import desks, store
from tests.app_process import ROOT
from tests.pages.tools import computes_nothing, html, question, ran, said

PAGE = str(ROOT / "pages" / "transfer" / "page.py")
STANDARD, ROBUST = "resnet9-standard", "resnet9-l2"
TITLES = {
    STANDARD: "ResNet-9, standard training",
    ROBUST: "ResNet-9, adversarial training (L2, eps 0.5)",
    "vgg-standard": "VGG, standard training",
}


def made_up() -> Measured:
    """Numbers of three models in every setting, each cell another one."""
    names = list(TITLES)

    def cell(i: int, j: int, *, targeted: bool) -> Cell:
        hits = 900 if i == j else 100 + 100 * i + 10 * j
        plain = (Rate(hits, 950), Rate(hits + 20, 1000), Rate(5, 950), Rate(40, 1000))
        return Cell(
            *plain, *((Rate(hits // 2, 950), Rate(hits // 2, 1000), Rate(1, 950), Rate(2, 1000)) if targeted else ())
        )

    return Measured(
        about={"n": 1000, "seed": 0, "steps": 7, "date": "2026-01-02", "how": "made up"},
        models={name: Model(text, "00", Rate(950, 1000)) for name, text in TITLES.items()},
        cells={
            s.name: {
                (a, b): cell(i, j, targeted=s.goal == "targeted")
                for i, a in enumerate(names)
                for j, b in enumerate(names)
            }
            for s in SETTINGS
        },
        similarity={
            (a, b): Estimate(0.3 + 0.1 * i, (0.2, 0.6), 1000) for i, a in enumerate(names) for b in names if a < b
        },
    )


@pytest.fixture(autouse=True)
def world(checkpoint, monkeypatch, tmp_path):
    """The two models of the other pages, made-up results, no CIFAR-10; nothing is left in the store."""
    for name in (STANDARD, ROBUST):
        checkpoint(name)
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: (ROBUST, STANDARD))
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(results, "RESULTS", tmp_path / "transfer.json")
    monkeypatch.setattr(results, "FIGURE3", tmp_path / "figure3.json")
    made_up().write(tmp_path / "transfer.json")
    store.forget()
    yield tmp_path
    store.forget()


@pytest.fixture
def offered(monkeypatch):
    """What the page hands to the downloads."""
    seen = {}

    def offer(files, *, key, script):
        seen.update({file.name: file for file in files}, script=script)

    for module in (matrix, curve, similarity, figure3):
        monkeypatch.setattr(module, "downloads", offer)
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


def recipe_of(offered) -> TransferRecipe:
    text = offered["script"]
    return eval(text[text.index("TransferRecipe(\n") : text.index("\n)\n") + 2], {"TransferRecipe": TransferRecipe})


LIVE = {"numbers": "live", "n": "16", "steps": "1"}


# The matrix


def test_it_opens_with_what_was_measured_and_pictures_made_now(offered):
    app = opened()
    assert not app.error
    assert app.title[0].value == "Transfer"
    assert "1,000 drawn, 7 steps, seed 0, 2026-01-02; made up" in said(app)
    assert recipe_of(offered) == TransferRecipe(eps="1"), "pictures of the gallery stand up to less"
    assert "The weights of vgg-standard are not here" in said(app)
    app = opened(target=ROBUST)
    assert html(app).count("<figure") == 3 * views.EXAMPLES
    assert html(app).count("alt=") == html(app).count("<img")
    assert str(made_up().cells["L2 0.5 untargeted"][STANDARD, ROBUST].fooled) in said(app)


def test_pictures_of_a_cell_say_what_both_models_see(offered):
    app = opened(target=ROBUST, eps="1")
    found = views.examples(TransferRecipe(target=ROBUST, eps="1"))
    text = html(app)
    assert text.count("· not fooled") == int((found.of_target.argmax(1) == found.y).sum())
    assert text.count("‖δ‖ = ") == len(found.ids)
    with np.load(io.BytesIO(offered["transfer.npz"].make())) as file:
        np.testing.assert_allclose(file["example_x_adv"], found.x_adv.numpy(), atol=1e-4)


def test_generated_pictures_beside_a_measured_rate_are_said_to_be_others():
    others = "these pictures were generated by this project's models"
    assert said(opened(target=ROBUST)).count(others) == 1
    assert others not in said(opened(target=ROBUST, **LIVE)), "a live rate is on these very pictures"


@pytest.mark.parametrize(
    ("goal", "show", "of"),
    [
        ("untargeted", "attack", "all"),
        ("untargeted", "noise", "both"),
        ("targeted", "attack", "both"),
        ("targeted", "noise", "all"),
    ],
)
def test_the_exported_matrix_is_what_the_recipe_asks_for(goal, show, of, offered):
    opened(goal=goal, show=show, of=of, norm="Linf")
    cells = made_up().cells[f"Linf 8/255 {goal}"]
    with np.load(io.BytesIO(offered["transfer.npz"].make())) as file:
        assert json.loads(str(file["recipe_json"]))["show"] == show
        for i, source in enumerate(file["sources"]):
            for j, target in enumerate(file["targets"]):
                rate = cells[str(source), str(target)].rate(show, of, goal)
                assert (file["hits"][i, j], file["n"][i, j]) == (rate.hits, rate.n)


def test_the_table_of_rates_has_every_rate_with_its_interval(offered):
    opened()
    rows = list(csv.DictReader(io.StringIO(offered["transfer.csv"].make())))
    assert len(rows) == 9 * 4
    cell = made_up().cells["L2 0.5 untargeted"][STANDARD, ROBUST]
    (row,) = [r for r in rows if (r["source"], r["target"], r["rate"]) == (STANDARD, ROBUST, "fooled")]
    assert (int(row["hits"]), int(row["n"])) == (cell.fooled.hits, cell.fooled.n)
    assert (float(row["low"]), float(row["high"])) == pytest.approx(cell.fooled.interval)


def test_the_picture_of_the_matrix_carries_the_recipe(offered):
    opened()
    with Image.open(io.BytesIO(offered["transfer.png"].make())) as image:
        assert json.loads(image.text["recipe"])["kind"] == "TransferRecipe"
        assert image.width > 500


def test_a_click_chooses_the_cell():
    """It writes what the boxes hold."""
    app = opened()
    app.session_state["source"], app.session_state["target"] = ROBUST, STANDARD  # what a click does
    app = ran(app)
    assert app.selectbox(key="source").value == ROBUST
    assert "Made for **ResNet-9, robust L2**, shown to **ResNet-9**" in said(app)


def test_the_address_names_the_cell_and_the_setting(offered):
    opened(source=ROBUST, target=STANDARD, norm="Linf", goal="targeted", seed="3")
    recipe = recipe_of(offered)
    assert (recipe.source, recipe.target, recipe.norm, recipe.goal, recipe.seed) == (
        ROBUST,
        STANDARD,
        "Linf",
        "targeted",
        3,
    )
    assert recipe.radius == ("8/255", 8 / 255)


@pytest.mark.parametrize(
    "query",
    [{"eps": "0.1", "goal": "targeted", "source": "nobody"}, {"norm": "Linf", "eps": "0.5", "view": "zzz"}],
    ids=str,
)
def test_nonsense_in_the_address_falls_back(query, offered):
    app = opened(**query)
    assert not app.error
    recipe = recipe_of(offered)
    assert recipe.view == "matrix"
    assert recipe.radius[0] in RADII[recipe.norm]


def test_another_norm_has_its_own_radii():
    app = opened(eps="1")
    app = ran(app.segmented_control(key="norm").set_value("Linf"))
    assert app.select_slider(key="eps").value == "8/255"
    assert not app.error


def test_only_measured_radii_are_offered(world):
    """Targeted attacks were measured at three."""
    assert list(opened(goal="targeted").select_slider(key="eps").options) == ["0.5", "1"]
    assert list(opened().select_slider(key="eps").options) == list(RADII["L2"])


@pytest.mark.parametrize("preset", [0, 1, 2, 3])
def test_every_preset_works(preset, offered):
    app = opened(view="figure3")
    app = ran(app.button(key=f"transfer-preset-{preset}").click())
    assert not app.error
    recipe = recipe_of(offered)
    assert recipe.view == "matrix"
    expected = [("attack", "untargeted"), ("noise", "untargeted"), ("attack", "targeted"), ("attack", "untargeted")]
    assert (recipe.show, recipe.goal) == expected[preset]
    app = ran(app.button(key="transfer-preset-4").click())
    assert recipe_of(offered) == TransferRecipe(eps="1"), "CIFAR-10 is not here, so a larger eps is chosen"


@pytest.mark.parametrize(
    ("transfer", "says"),
    [
        ((10, 20, 31, 40, 50), "They show it too."),
        ((50, 40, 31, 20, 10), "They show the opposite."),
        ((30, 10, 40, 20, 35), "They lean the same way, but the interval holds zero."),
        ((35, 20, 40, 10, 30), "They do not show it: the interval holds zero."),
        ((10, 20, 30), "Too few points to say anything."),
    ],
)
def test_whether_our_points_show_what_the_papers_do(transfer, says):
    points = [results.Point("x", 0.2 + 0.01 * i, rate / 100, None, None) for i, rate in enumerate(transfer)]
    assert figure3.verdict(points) == says


def test_no_name_in_figure_3_runs_into_the_axis():
    """Of neither set of points, in whatever order they come."""
    ours = [results.Point(name, accuracy, 0.5, None, None) for name, accuracy in (("b", 0.2), ("a", 0.1), ("c", 0.3))]
    for drawn in figure3.figure(ours).data[1:]:
        leftmost = min(range(len(drawn.x)), key=drawn.x.__getitem__)
        assert drawn.textposition[leftmost].endswith("right")


def test_what_teaches_nobody_stands_at_the_origin_and_in_sight():
    """As in the authors' reply to Nakkiran; it is no point of either correlation."""
    drawn = figure3.figure(())
    (reply,) = (one for one in drawn.data if one.name == "the authors' reply")
    assert (tuple(reply.x), tuple(reply.y)) == ((0.0,), (0.0,))
    assert drawn.layout.xaxis.range[0] < 0 and drawn.layout.yaxis.range[0] < 0
    assert "Nakkiran's bugs, as the authors draw them: 0 and 0." in figure3.alt(())
    assert results.REPLY not in results.PAPER


def test_predicting_comes_before_the_matrix():
    """The guess is judged by the cell's rate: 110 of 950 is 5 to 25."""
    app = opened(predict="true", target=ROBUST)
    assert "Choose, and the matrix appears." in said(app)
    assert "How to read it" not in said(app)
    rate = made_up().cells["L2 0.5 untargeted"][STANDARD, ROBUST].fooled
    app = ran(question(app).set_value("25 to 60"))
    assert f"You said *25 to 60*; it is **5 to 25**: {rate}." in said(app)
    assert "How to read it" in said(app)
    app = ran(question(app).set_value("5 to 25"))
    assert len(app.success) == 1
    app.session_state["target"] = next(name for name in TITLES if name not in (STANDARD, ROBUST))
    assert question(ran(app)).value is None, "an answer is for its question"
    assert "How to read it" not in said(app)
    assert [right_guess(Rate(k, 100)) for k in (0, 4, 5, 60, 100)] == [
        "under 5",
        "under 5",
        "5 to 25",
        "over 60",
        "over 60",
    ]


# Live


def test_a_live_matrix_is_what_the_core_computes(offered):
    app = opened(**LIVE, target=ROBUST)
    assert not app.error
    recipe = recipe_of(offered)
    assert (recipe.n, recipe.steps, recipe.numbers) == (16, 1, "live")
    cells = views.row(recipe, STANDARD).cells
    assert str(cells[STANDARD, ROBUST].fooled) in said(app)
    with np.load(io.BytesIO(offered["transfer.npz"].make())) as file:
        assert file["said"].shape == (2, 2, 16)


def test_what_is_in_the_store_is_not_computed_again(monkeypatch):
    app = opened(**LIVE)
    computes_nothing(monkeypatch)
    assert not ran(app.segmented_control(key="of").set_value("all")).error


def test_rows_come_into_sight_one_by_one(monkeypatch):
    """The work shows what is complete at each glance, and ends with the whole matrix."""
    seen = []

    so_far = matrix._so_far
    monkeypatch.setattr(matrix, "_so_far", lambda *args: (seen.append(len(args[2])), so_far(*args)))
    app = opened(**LIVE)
    assert not app.error
    assert seen
    assert seen == sorted(seen)
    assert set(seen) <= {1, 2}, "two rows that come at once are drawn once, with the whole page"
    assert not app.get("image"), "the picture of the rows so far leaves when the matrix is there"


def test_a_stopped_matrix_keeps_its_rows_and_goes_on_when_asked(monkeypatch, offered):
    """What Stop leaves: the rows that were complete, a line that says so, and the way on."""
    recipe = TransferRecipe(numbers="live", n=16, steps=1, eps="1")
    models = views.models_of(recipe)
    group = transfer_work.key_of(recipe, transfer_work._stamps(models))
    store.results().put((*group, STANDARD), views.row(recipe, STANDARD).verdicts())
    app, desk = AppTest.from_file(PAGE, default_timeout=120), desks.Desk()
    desk.stop(group)
    app.session_state[desks.DESK] = desk
    for name, value in LIVE.items():
        app.query_params[name] = value
    app = ran(app)
    assert "Stopped: 1 of 2 sources are complete, and kept." in said(app)
    with np.load(io.BytesIO(offered["transfer.npz"].make())) as file:
        assert list(file["sources"]) == [STANDARD]
    app = ran(app.button(key="go-on").click())
    assert "Stopped" not in said(app)
    with np.load(io.BytesIO(offered["transfer.npz"].make())) as file:
        assert set(file["sources"]) == {STANDARD, ROBUST}


def test_an_ensemble_is_one_more_row_with_pictures_of_its_own(offered):
    app = opened(**LIVE, ensemble="true", source=f"{ROBUST}+{STANDARD}", target=STANDARD)
    assert not app.error
    assert "Made for **Ensemble of 2**, shown to **ResNet-9**" in said(app)
    assert html(app).count("<figure") == 3 * views.EXAMPLES
    with np.load(io.BytesIO(offered["transfer.npz"].make())) as file:
        assert file["sources"][-1] == f"{ROBUST}+{STANDARD}"


def test_without_results_it_computes_and_the_similarity_says_what_is_missing(world, offered):
    (world / "transfer.json").unlink()
    app = opened(n="16", steps="1")
    assert not app.error
    assert recipe_of(offered).numbers == "live", "so that the script computes, too"
    assert "computed here" in said(app)
    assert "python -m core.transfer measure" in said(opened(view="similarity"))


def test_a_damaged_results_file_is_told(world):
    (world / "transfer.json").write_text("{}")
    assert "transfer.json is damaged" in opened().error[0].value


def test_without_labelled_pictures_it_says_so(world, monkeypatch):
    monkeypatch.setattr(pictures, "GALLERY", world / "none.npz")
    monkeypatch.setattr(pictures, "PHOTOS", {"rocket": (None, "rocket")})
    assert "transfer needs CIFAR-10 or the gallery" in opened(target=ROBUST).error[0].value


def test_without_models_it_says_how_to_make_them(monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    assert "make zoo" in opened().warning[0].value


# The other views


def test_the_curve_has_every_measured_radius(offered):
    app = opened(view="curve", target=ROBUST)
    assert not app.error
    rows = list(csv.DictReader(io.StringIO(offered["transfer-curve.csv"].make())))
    assert {row["eps"] for row in rows} == set(RADII["L2"])
    assert "at L2 ε = 0.1 the target is wrong about" in said(app)


def test_the_live_curve_is_computed_radius_by_radius(offered):
    app = opened(view="curve", target=ROBUST, **LIVE)
    assert "Computed here: 16 pictures at most, steps: 1, seed 0." in said(app)
    rows = list(csv.DictReader(io.StringIO(offered["transfer-curve.csv"].make())))
    at = views.curve(recipe_of(offered))["2"].cell(STANDARD, ROBUST)
    (row,) = [r for r in rows if r["eps"] == "2" and r["rate"] == "fooled"]
    assert (int(row["hits"]), int(row["n"])) == (at.fooled.hits, at.fooled.n)


def test_a_permutation_p_value_is_never_nothing():
    """One of the permutations changes nothing, so "0.0 % of cases" would be wrong."""
    assert similarity._share(1 / 5040) == "less than 0.1 %"
    assert similarity._share(0.004) == "0.4 %"


def test_the_similarity_counts_pairs_and_says_when_they_are_too_few(offered):
    app = opened(view="similarity")
    assert "Among all pairs: **r = " in said(app)
    assert "Among pairs of standard networks: only 2 networks" in said(app)
    rows = list(csv.DictReader(io.StringIO(offered["transfer-similarity.csv"].make())))
    assert len(rows) == 6
    assert all(row["source"] != row["target"] for row in rows)


def test_figure_3_shows_the_papers_points_alone_and_ours_beside_them(world, offered, monkeypatch):
    app = opened(view="figure3")
    assert "**Ours: not measured.**" in said(app)
    assert len(offered["figure3.csv"].make().splitlines()) == 1 + 5
    vgg, own = (
        {"clean": Rate(hits, 1000).as_json(), "n_train": 50000, "recipe": {"epochs": 3}, "date": "2026-01-02"}
        for hits in (300, 400)
    )
    monkeypatch.setitem(results.TARGETS, "student-det", ROBUST)  # any measured network will do
    (world / "figure3.json").write_text(json.dumps({"students": {"figure3-vgg": vgg, "student-det": own}}))
    app = opened(view="figure3")
    assert "**Ours: r = " in said(app)
    assert "50,000 pictures, 3 epochs, 2026-01-02" in said(app)
    assert len(offered["figure3.csv"].make().splitlines()) == 1 + 7


@pytest.mark.parametrize("view", ["matrix", "curve", "similarity", "figure3"])
def test_every_view_has_its_words_and_its_mathematics(view):
    """With the real downloads; no word of the glossary is missing in the lesson."""
    app = opened(view=view, target=ROBUST)
    app.session_state["transfer-mathematics"] = True
    assert "\\mathrm{CKA}" in said(ran(app))
    assert not app.error


# Pieces


def grid() -> Grid:
    rates = {("a", "a"): Rate(9, 10), ("a", "b"): Rate(4, 10), ("b", "b"): Rate(8, 10), ("b", "a"): Rate(1, 10)}
    return Grid(rates, ["a", "b"], ["a", "b"], {"a": "A", "b": "B"}, "the target is wrong")


def test_the_heat_map_has_a_cell_for_each_pair_with_its_interval_and_knows_the_chosen_one():
    made = data(grid(), ("a", "b"))
    (setting,) = made["settings"]
    assert {pair: cell["rate"][0] for pair, cell in setting["cells"].items()} == {
        "a > a": 0.9,
        "a > b": 0.4,
        "b > b": 0.8,
        "b > a": 0.1,
    }
    assert setting["cells"]["a > b"]["rate"] == [0.4, *(round(v, 4) for v in Rate(4, 10).interval), 10]
    assert (made["first"]["source"], made["first"]["target"]) == ("a", "b")
    assert data(grid(), None)["first"]["source"] == ""


def test_the_heat_map_can_be_heard():
    assert "A model on its own examples: 80 to 90 per cent; on those of others: 10 to 40 per cent." in sentence(grid())


def test_a_matrix_with_holes_can_be_drawn():
    holes = Grid({("a", "b"): Rate(0, 0)}, ["a"], ["a", "b"], {"a": "A", "b": "B"}, "it is wrong")
    assert heat_picture(holes).shape[2] == 3
    assert data(holes, None)["settings"][0]["cells"] == {}


def test_titles_are_short_and_robust_models_come_last():
    names = ["vgg-standard", ROBUST, STANDARD, f"{ROBUST}+{STANDARD}"]
    measured = made_up()
    assert [title(n, measured) for n in in_sight(names, measured)] == [
        "ResNet-9",
        "VGG",
        "ResNet-9, robust L2",
        "Ensemble of 2",
    ]
