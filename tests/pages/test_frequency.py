"""The page Beyond the ball without its components: views, address, a click, the quiz, what is said, files, script."""

import json
import runpy
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.frequency import results
from core.frequency.corruptions import CORRUPTIONS
from core.frequency.heat import NORM
from core.frequency.networks import NOISE
from core.frequency.recipe import LIMITS, FrequencyRecipe
from core.frequency.views import look, script
from core.frequency.waves import frequencies
from core.models import checkpoints
from core.rates import Rate
from core.recipes import to_query
from pages.frequency import columns, lens, quiz, trades, weather
from pages.ui import store
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said

PAGE = str(ROOT / "pages" / "frequency" / "page.py")
BLANK = FrequencyRecipe()
PAIR = (BLANK.standard, BLANK.robust)


@pytest.fixture(autouse=True)
def models(checkpoint, monkeypatch, tmp_path):
    """The pair that the page opens with; no CIFAR-10; nothing is left in the store."""
    for name in PAIR:
        checkpoint(name)
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    store.forget()
    yield
    store.forget()


def region(value, n=100):
    return {"value": value, "interval": [value - 0.05, value + 0.05], "n": n}


def made_up():
    """A results file in which the standard network is safe at coarse waves and the robust one at fine ones."""
    about = {"n": 100, "seed": 0, "date": "2026-01-01", "how": "made up", "norm": NORM}
    clean = Rate(90, 100).as_json(digits=4)
    wrong = {PAIR[0]: [10 + (i > 100) * 70 for i in range(514)], PAIR[1]: [60 - (i > 100) * 40 for i in range(514)]}
    sides = {PAIR[0]: (0.1, 0.8), PAIR[1]: (0.6, 0.2)}
    heat = {
        name: {
            **about,
            "clean": clean,
            "wrong": wrong[name],
            "regions": {"low": region(low), "middle": region(0.5), "high": region(high)},
        }
        for name, (low, high) in sides.items()
    }
    severities = {
        str(s): {PAIR[0]: Rate(90 - 3 * s, 100).as_json(digits=4), PAIR[1]: Rate(85 - 12 * s, 100).as_json(digits=4)}
        for s in range(6)
    }
    return {
        "frequencies": [list(at) for at in frequencies(32)],
        "regions": {"low": [0, 4], "middle": [4, 11], "high": [11, None]},
        "heat": heat,
        "weather": dict.fromkeys(CORRUPTIONS, severities),
        "weather_about": about,
        "students": {"high-10": {"frequency/high-10": Rate(400, 1000).as_json(digits=4), **clean_of(PAIR)}},
        "students_about": about,
    }


def clean_of(names):
    return {name: Rate(150, 1000).as_json(digits=4) for name in names}


@pytest.fixture
def measured(monkeypatch):
    found = made_up()
    monkeypatch.setattr(results, "read", lambda *_: found)
    return found


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to its component, to the scrubber and to the downloads."""
    seen = SimpleNamespace(map=None, rows=None, axis=None, files={}, script=None)

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis, seen.frame = rows, axis, frame
        return frame

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(lens, "_mount", lambda **given: setattr(seen, "map", given["data"]))
    monkeypatch.setattr(columns, "scrubber", show)
    for module in (columns, trades):
        monkeypatch.setattr(module, "downloads", offer)
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180)
    app.session_state["navigated"] = True
    for name, value in query.items():
        app.query_params[name] = value
    return app


def test_the_lens_opens_with_the_maps_and_says_what_they_show(measured, shown):
    app = ran(opened())
    assert [len(one["values"]) for one in shown.map["maps"]] == [1024, 1024]
    assert shown.map["at"] == [BLANK.u, BLANK.v] and shown.map["norm"] == NORM
    assert "coarse waves harm it less than fine ones (10 % [5, 15] against 80 % [75, 85] wrong)" in said(app)
    assert "the other way round" in said(app)
    assert "few pictures" in said(app)
    assert len(shown.rows) >= 2 and shown.axis.labels[4] == "4"


def test_the_lens_works_where_nothing_was_measured(monkeypatch, shown):
    monkeypatch.setattr(results, "read", lambda *_: {})
    app = ran(opened())
    assert "python -m core.frequency measure heat" in said(app)
    assert shown.rows


def test_a_click_on_the_map_moves_the_wave(measured, shown, monkeypatch):
    state = {}
    monkeypatch.setattr(lens.st, "session_state", state)
    lens.apply({"u": -16, "v": 3})
    assert state == {"u": -16, "v": 3}
    for odd in ({}, {"u": 99, "v": 0}, {"u": "1", "v": 0}):
        lens.apply(odd)
    assert state == {"u": -16, "v": 3}


def test_the_address_carries_the_view(measured, shown):
    recipe = FrequencyRecipe(view="weather", corruption="contrast", frame=2)
    app = ran(opened(**to_query(recipe)))
    assert shown.axis.name == "severity" and shown.frame == 2
    assert "low contrast, severity 2" in shown.rows[0].alt[2]
    app = ran(opened(u="3", v="-7"))
    assert shown.map["at"] == [3, -7]
    assert not app.exception


def test_a_moved_control_changes_the_picture(measured, shown):
    app = ran(opened(view="weather"))
    before = shown.rows[0].frames.copy()
    ran(app.selectbox(key="corruption").set_value("jpeg"))
    assert (shown.rows[0].frames[5] != before[5]).any()
    assert (shown.rows[0].frames[0] == before[0]).all()


def test_weather_puts_the_quoted_pair_beside_ours(measured, shown):
    app = ran(opened(view="weather"))
    assert "85.7 % → 55.3 %" in html(app)
    assert "the robust one is worse" in html(app)


def test_weather_draws_the_networks_in_sight_boldly_and_tables_every_one(measured, shown):
    app = opened(view="weather")
    app.session_state["frequency-weather-numbers"] = True
    tables = html(ran(app))
    assert "Right answers by severity of" in tables
    known = {s: {name: {"hits": 5 * (6 - int(s)), "n": 30} for name in ("a", "b", "c", "d", "e")} for s in "012345"}
    drawn = []
    with pytest.MonkeyPatch.context() as here:
        here.setattr(weather, "show_chart", lambda figure, **_: drawn.append(figure))
        here.setattr(weather, "folded", lambda *_, **__: None)
        here.setattr(weather, "title", str)
        weather.measured(FrequencyRecipe(view="weather", standard="b", robust="d"), known)
    (figure,) = drawn
    assert [trace.name for trace in figure.data] == ["b", "d", "a", None, None]
    assert [trace.showlegend for trace in figure.data] == [None, None, None, False, False]
    assert figure.data[4].text[5].startswith("e: ")


def test_filters_show_the_picture_as_it_is_and_for_the_eye(measured, shown):
    app = ran(opened(view="filters"))
    assert [row.title for row in shown.rows] == ["As it is", "For the eye"]
    assert len(shown.rows[0].frames) == len(LIMITS["high"])
    assert shown.rows[1].frames[8].std() > shown.rows[0].frames[8].std()
    assert "40.0 % [37.0, 43.1] (n = 1,000)" in html(app)


def test_the_quiz_counts_answers_and_shows_the_student_s(measured, shown, monkeypatch):
    monkeypatch.setattr(quiz, "students", lambda _: {10.0: BLANK.standard})
    monkeypatch.setattr(quiz, "ROUNDS", 2)
    app = ran(opened(view="filters"))
    assert "Picture 1 of 2" in said(app)
    for _ in range(2):
        labels = [picture.label for picture in quiz.drawn(0)]
        right = labels[len(app.session_state["frequency-quiz"].answers)]
        ran(app.button(key=f"frequency-answer-{right}").click())
    assert "You: 2 of 2" in said(app)
    ran(app.button(key="frequency-again").click())
    assert "Picture 1 of 2" in said(app)


def test_trades_tell_above_from_below_only_where_intervals_allow_it(measured, shown):
    ran(opened(view="trades"))
    lines = {name: trades.stops(name, measured) for name in PAIR}
    text = trades.sentence(lines)
    assert "above" in text and "fine waves" in text.split("Below")[0] and "fog" in text.split("Below")[1]
    table = shown.files["trades.csv"].make()
    assert "resnet9-l2,fine waves,0.8" in table


def test_every_view_lets_its_picture_numbers_and_recipe_out(measured, shown):
    for view in ("lens", "filters", "weather"):
        ran(opened(view=view))
        assert shown.files["frequency.png"].make()[:4] == b"\x89PNG"
        assert json.loads(shown.files["recipe.json"].make())["view"] == view
        assert shown.files["measured.csv"].make().count("\n") > 1
        assert shown.files["answers.csv"].make().startswith("position,")


def test_the_script_computes_what_the_page_shows(tmp_path, monkeypatch, capsys):
    recipe = FrequencyRecipe(view="lens", picture=pictures.ids("gallery")[0], frame=3)
    path = tmp_path / "script.py"
    path.write_text(script(recipe))
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path))
    seen = look(recipe, [recipe.standard])
    sure = float(seen.logits[recipe.standard][3].softmax(0).max())
    assert f"{recipe.standard}:" in capsys.readouterr().out and 0 < sure <= 1
    assert (tmp_path / "frequency.png").is_file()


def test_a_network_that_is_not_here_is_said_in_a_sentence(measured, shown, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    assert "no trained models" in said(ran(opened()))


def test_comparisons_speak_only_where_intervals_part():
    assert weather.compared(Rate(90, 100), Rate(50, 100)) == "the robust one is worse"
    assert weather.compared(Rate(50, 100), Rate(90, 100)) == "the robust one is better"
    assert "no difference" in weather.compared(Rate(50, 100), Rate(55, 100))


def test_networks_of_this_topic_stay_out_of_the_boxes_of_other_pages():
    assert not [name for name in checkpoints.names() if name.startswith("frequency")]
    assert NOISE.startswith("frequency/")
