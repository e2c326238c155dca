"""The Debate and Errors pages.

Claims with and without results, both views of a visitor, and every view of the errors.
"""

import json
from dataclasses import asdict

import pytest
from streamlit.testing.v1 import AppTest

from core.debate import measured, views
from core.debate.claims import CLAIMS
from core.errors import learnt
from core.errors import views as errors
from core.errors.learners import LOSS_FN, SCALES
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / page / "page.py"), default_timeout=120)
    app.session_state["navigated"] = True
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))


def test_it_opens_with_the_line_and_a_measured_claim():
    app = opened("debate")
    assert html(app).count('class="claim') == len(CLAIMS) == 9
    assert "Wallace" in said(app)
    assert not app.error


def test_a_claim_without_results_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    app = opened("debate")
    app.session_state["debate-all"] = True
    assert said(ran(app)).count("Not measured here yet") == len(CLAIMS) - 1, (
        "Goh's constructions are not of a results file"
    )


def test_both_places_of_a_visitor_are_told():
    assert "You moved by **30** towards features" in said(opened("debate", before="40", after="70"))


def test_every_claim_has_a_reader_and_numbers_lie_in_their_intervals():
    assert set(measured.READERS) == set(CLAIMS)
    for key in CLAIMS:
        for number in measured.measured(key):
            assert number.n > 0
            assert number.low <= max(number.value, 0) + 1e-9
            assert number.value <= number.high + 1e-9


def test_a_reading_follows_its_numbers():
    up, down = (number(v) for v in (0.5, 0.2))
    assert "It holds" in views.reading("nakano", [up, down, up, down])
    assert "otherwise" in views.reading("nakano", [down, up, down, up])
    assert "sees no difference" in views.reading("nakano", [up, up, up, down])
    assert "the other way round" in views.reading("nakano", [down, up, up, down])
    assert "do not tell" in views.reading("nakano", [up, up, up, up])


@pytest.mark.parametrize("view", ["plane", "pictures", "leakage", "manifold", "learners"])
def test_every_view_of_the_errors_page_opens(view):
    app = opened("errors", view=view)
    assert not app.error
    if view == "plane":
        assert "right, and has seen none of them" in said(app)


def rate(value: float) -> dict[str, object]:
    return {"value": value, "interval": [value - 0.01, value + 0.01], "n": 1000, "hits": int(1000 * value)}


def of_learners(none: float) -> dict[str, object]:
    """Made-up results: `none` is what D_NR is worth without labels."""
    worth = {"supervised": 0.5, "contrastive": 0.45, "untrained": 0.3}
    runs = {
        f"{learner}-{kind}-0": {"own": rate(value), "fresh": rate(value), "clean": rate(value), "collapsed": False}
        for learner, value in worth.items()
        for kind in learnt.SETS
    }
    runs["contrastive-nonrobust-0"] |= {"own": rate(none), "collapsed": none < 0.2}
    scale = SCALES["quick"]
    settings = {name: getattr(scale, name).as_json() for name in ("supervised", "contrastive")}
    settings["contrastive"]["lesson"] = asdict(LOSS_FN)
    return {"runs": runs, "pictures": scale.pictures, "profile": "quick", "date": "2026-01-01", **settings}


@pytest.mark.parametrize(("none", "says"), [(0.15, "As Li et al. found"), (0.49, "We found otherwise")])
def test_learners_without_labels_are_told_by_their_numbers(none, says, monkeypatch, tmp_path):
    path = tmp_path / "errors.json"
    path.write_text(json.dumps({"learners": of_learners(none)}))
    monkeypatch.setattr(errors, "RESULTS", path)
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    app = opened("errors", view="learners")
    assert says in said(app)
    assert len(app.get("plotly_chart")) == len(learnt.PROBES)
    assert bool(app.warning) == (none < 0.2), "a collapse is told"
    assert says in said(opened("debate", claim="li"))


def test_learners_that_were_not_measured_say_so(monkeypatch, tmp_path):
    monkeypatch.setattr(errors, "RESULTS", tmp_path / "errors.json")
    app = opened("errors", view="learners")
    assert "core.errors measure learners" in app.info[0].value


def number(value: float) -> measured.Number:
    return measured.Number(value, (value - 0.01, value + 0.01), 100, "", "pictures")


@pytest.mark.parametrize(
    ("standard", "robust", "says"),
    [
        (0.2, 0.4, "right angle: the standard network's perturbations have 2.0 times"),
        (
            0.05,
            0.4,
            "no more along the data than a random direction. Not so of the robust one: its perturbations have 4",
        ),
        (0.05, 0.1, "no more along the data than a random direction."),
    ],
)
def test_dimples_are_read_of_both_networks(standard, robust, says):
    told = views.reading("shamir", [number(standard), number(robust), number(0.8), number(0.1)])
    assert says in told
    assert ("Not so" in told) == ("Not so" in says)


@pytest.mark.parametrize(
    ("rand", "det", "says"),
    [(0.3, 0.05, "Here too D_rand leaks, and D_det does not."), (0.08, 0.05, "otherwise: "), (0.3, 0.2, "not clearly")],
)
def test_leakage_is_what_is_above_chance(rand, det, says):
    assert says in views.reading("goh-leakage", [number(rand), number(det)])


def test_a_control_that_shows_no_leak_either_decides_nothing():
    """What cannot see a leak that is there by construction says nothing of one that is not seen."""
    assert "Not decided here" in views.reading("goh-leakage", [number(0.08), number(0.05), number(0.08)])
    assert "otherwise: " in views.reading("goh-leakage", [number(0.08), number(0.05), number(0.3)])
    assert "Not decided here" in views.reading("goh-leakage", measured.measured("goh-leakage"))
