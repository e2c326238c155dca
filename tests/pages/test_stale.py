"""Measured numbers on pages: stale once their weights have changed, and a damaged file is told in a sentence."""

from dataclasses import dataclass

import pytest
from streamlit.testing.v1 import AppTest

from core import results
from core.data.sets import DataError
from core.models import checkpoints
from core.train import refresh
from pages.inversion import measured as inversion
from pages.saliency import measured as saliency
from pages.synthesis import measured as synthesis
from tests.app_process import ROOT
from tests.pages.tools import ran, said


@dataclass(frozen=True)
class Shown:
    """Where a page shows numbers of a results file.

    Args:
        file: Its name.
        again: The commands that the page names once the weights have changed.
        code: What shows the numbers; otherwise
        page: the whole page, with
        query: this in its address.
    """

    file: str
    again: tuple[str, ...]
    code: str = ""
    page: str = ""
    query: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (self.file, "on", self.page or self.code.split()[1], *dict(self.query).values())))

    def app(self) -> AppTest:
        if self.code:
            return AppTest.from_string(self.code, default_timeout=120)
        app = AppTest.from_file(str(ROOT / "pages" / self.page / "page.py"), default_timeout=120)
        app.session_state["navigated"] = True
        app.session_state["debate-all"] = True  # where that panel is
        for name, value in self.query:
            app.query_params[name] = value
        return app


def view(name: str) -> tuple[tuple[str, str], ...]:
    return (("view", name),)


STUDENTS = "core.datasets.experiments run"
ATLAS = """from core.usefulness.recipe import UsefulnessRecipe
from pages.usefulness.scatter import scatter
scatter(UsefulnessRecipe({}))"""
PLANTED = {side: f"planted-features-{side}" for side in ("standard", "robust")}
SHOWN = (
    Shown("inversion", ("core.inversion measure",), "from pages.inversion.measured import measured\nmeasured()"),
    Shown("saliency", ("core.saliency measure",), "from pages.saliency.measured import show\nshow()"),
    Shown(
        "synthesis", ("core.synthesis.measure measure",), "from pages.synthesis.measured import measured\nmeasured()"
    ),
    Shown(
        "dial",
        ("core.dial measure",),
        "from pages.dial.trends import show\nfrom core.dial.results import read\nshow(read())",
    ),
    Shown("dial", ("core.dial measure",), "from pages.frequency.trades import along_the_dial\nalong_the_dial()"),
    Shown(
        "bugs",
        ("core.bugs measure",),
        """from pages.bugs.measured import show
from core.bugs import results
from core.bugs.recipe import BugsRecipe
show(BugsRecipe(view="measured"), results.read())""",
    ),
    Shown("frequency", ("core.frequency measure",), page="frequency", query=view("trades")),
    Shown("transfer", ("core.transfer measure",), page="transfer"),
    Shown("figure3", ("core.transfer measure", f"{STUDENTS} figure3"), page="transfer", query=view("figure3")),
    *(
        Shown(name, (f"{STUDENTS} {name}",), "from pages.datasets.results import show\nshow()")
        for name in ("table1", "figure2", "cats-vs-dogs", "controls")
    ),
    Shown("lessons", ("core.datasets.measure",), "from pages.datasets.wrong import measured\nmeasured('det')"),
    *(
        Shown("errors", (f"core.errors measure {name}",), page="errors", query=view(name))
        for name in ("leakage", "manifold", "learners")
    ),
    Shown("style", ("core.style measure pairs",), "from pages.style.measured import measured\nmeasured()"),
    Shown("style", ("core.style measure layers",), page="style", query=view("layers")),
    Shown("planted", ("core.planted measure",), page="planted"),
    Shown(
        "usefulness-heads",
        ("core.usefulness.heads measure",),
        """from pages.usefulness.curves import curves
from core.usefulness.recipe import UsefulnessRecipe
curves(UsefulnessRecipe(view="head"), 0.25)""",
    ),
    *(
        Shown(f"usefulness-{name}", (f"core.usefulness measure {name}",), ATLAS.format(""))
        for name in ("resnet9-standard", "resnet9-l2")
    ),
    *(
        Shown(
            f"usefulness-{name}",
            (f"core.usefulness measure {name}",),
            ATLAS.format(f"world='planted', standard='{PLANTED['standard']}', robust='{PLANTED['robust']}'"),
        )
        for name in PLANTED.values()
    ),
    *(
        Shown(file, (again,), page="debate")
        for file, again in {
            "style": "core.style measure pairs",
            "errors": "core.errors measure manifold",
            "bugs": "core.bugs measure",
            "frequency": "core.frequency measure weather",
            "table1": f"{STUDENTS} table1",
        }.items()
    ),
)
ELSEWHERE = {
    "zoo": "pages read the accuracies in the header of the weights themselves",
    "gallery": "no number of it is shown",
    "speedrun": "its networks are trained for it, none that ships takes part",
    "usefulness-planted": "of what was planted: no network takes part",
}


def test_every_results_file_is_shown_here():
    """A new one is added above, with the page that shows its numbers and says when they are stale."""
    declared = {part.path.stem for part in refresh.declared()}
    assert {shown.file for shown in SHOWN} | ELSEWHERE.keys() == declared


@pytest.mark.parametrize("shown", SHOWN, ids=str)
def test_numbers_of_changed_weights_are_told(shown, monkeypatch):
    found = results.read(results.FOLDER / f"{shown.file}.json") or {}
    here = [name for name in results.recorded(found) if checkpoints.path_of(name).is_file()]
    if not here:
        pytest.skip(f"{shown.file}.json is not here, or none of its networks is")
    app = shown.app()
    assert "changed since" not in said(ran(app))
    monkeypatch.setattr(checkpoints, "stamp", lambda *_, **__: "another")
    told = [warning.value for warning in ran(app).warning if "changed since" in warning.value]
    for again in shown.again:
        about = [text for text in told if text.endswith(f". Measure again: python -m {again}")]
        assert len(about) == 1, told
        assert any(name in about[0] for name in here)


@pytest.mark.parametrize(
    "read", [inversion.measured, saliency.results, synthesis.measured], ids=["inversion", "saliency", "synthesis"]
)
def test_a_damaged_file_is_told_in_a_sentence(read, tmp_path):
    path = tmp_path / "damaged.json"
    path.write_text('{"n": ')
    with pytest.raises(DataError, match=r"damaged.json is damaged .*; measure again with: python -m core"):
        read(path)
