"""What the students learnt: figure 2, table 1, cats against dogs and the controls, ours beside the paper's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core.datasets.experiments import report
from core.datasets.experiments.run import RESULTS
from core.files import arrays
from core.files.once import once_a_state
from core.rates import Estimate
from core.results import read
from pages.datasets.experiments import EXPERIMENTS, HEADS, MEASURED, RENEWED, Line, again, at_chance, chance
from pages.datasets.figures import bars, bars_alt, curves, curves_alt
from pages.ui.address import choose
from pages.ui.charts import show_chart
from pages.ui.escaped import Html, html_of
from pages.ui.exports import Download, downloads
from pages.ui.stale import say_stale
from pages.ui.tables import table

SHORT = {"table1": "Table 1", "figure2": "Figure 2", "cats-vs-dogs": "Cats against dogs", "controls": "Controls"}


def results(experiment: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Read an experiment's results; empty where nothing was measured.

    Raises:
        core.data.DataError: If the file is damaged.
    """
    return _read(folder / f"{experiment}.json")


@once_a_state(8)
def _read(path: Path) -> dict[str, Any]:
    return read(path, command(path.stem)) or {}


def command(experiment: str) -> str:
    """Say what measures an experiment anew."""
    return f"python -m core.datasets.experiments run {experiment}"


def show() -> None:
    """Show every experiment: the table always, the charts where there is something measured."""
    first = choose("First", SHORT, key="experiment", default=next(iter(EXPERIMENTS)))
    for name in dict.fromkeys((first, *EXPERIMENTS)):
        experiment, found = EXPERIMENTS[name], results(name)
        st.markdown(f"### {experiment.title}")
        st.markdown(experiment.says)
        students = found.get("students", {})
        rows = [_row(line, students.get(line.student)) for line in experiment.lines]
        table(
            ["Trained on", *(f"{HEADS[name]}: here / paper" for name in MEASURED), HEADS[RENEWED], "Paper's source"],
            rows,
            label=experiment.title,
        )
        there = [line for line in experiment.lines if line.student in students]
        if there:
            st.caption(_how(found, [students[line.student] for line in there]))
            for line in there:
                if at_chance(line, students[line.student]["clean"]):
                    st.markdown(
                        f"**{line.saw.capitalize()}: not told apart from guessing.** The paper's effect did not show"
                        " here."
                    )
                for text in (next_label(line, students[line.student]), other_seeds(line, students)):
                    if text:
                        st.markdown(text)
            left, right = st.columns(2)
            show_chart(bars(there, students), key=f"bars-{name}", alt=bars_alt(there, students), place=left)
            show_chart(curves(there, students), key=f"curves-{name}", alt=curves_alt(there, students), place=right)
        if len(there) < len(experiment.lines):
            st.caption(f"What has no number here was not measured yet: {command(name)}")
        say_stale(found, command(name))
    downloads(files(), key="results", script=report.script())


def files(folder: Path = RESULTS) -> list[Download]:
    """List the downloads; the charts' own cameras give pictures of them. There is no recipe: the numbers are fixed."""
    columns = lambda: arrays.table(report.columns(folder))
    return [Download("Numbers, CSV", "students.csv", "text/csv", columns, "With intervals")]


def next_label(line: Line, found: Mapping[str, Any]) -> str:
    """Say how often a student of D_det says the class that robust features taught it.

    Nothing where there are but two.
    """
    wrong = found.get("label + 1")
    if wrong is None or chance(line) == 0.5:
        return ""
    return (
        f"{line.saw}: robust features speak for the *next* class there, and of {_cell(wrong)} of the test pictures that"
        " is what its student predicts."
    )


def other_seeds(line: Line, students: Mapping[str, Any]) -> str:
    """Say what other seeds of a student's training gave on the same set; nothing where there are none."""
    others = again(line, students)
    if not others:
        return ""
    each = [f"{_cell(other['clean'])}, with AdaBN {_cell(other[RENEWED])}" for other in others]
    return f"{line.saw}, trained again on the same pictures from another seed: {'; '.join(each)}."


def _row(line: Line, found: Mapping[str, Any] | None) -> list[str]:
    cells = []
    for name, paper in zip(MEASURED, line.paper, strict=True):
        ours = Html(f"<b>{html_of(_cell(found[name]))}</b>") if found else "–"
        cells.append(html_of(ours, " / ", "–" if paper is None else f"{paper:g} %"))
    renewed = _cell(found[RENEWED]) if found and RENEWED in found else "–"
    return [line.saw, *cells, renewed, line.source]


def _how(found: Mapping[str, Any], students: list[Mapping[str, Any]]) -> str:
    parts = sorted(
        {f"{s['n_train']:,} pictures, {s['recipe']['epochs']} epochs, seed {s['seed']}, {s['date']}" for s in students}
    )
    n = {s["L2 0.5"]["n"] for s in students}
    whitened = {bool(s["recipe"].get("args", {}).get("whiten")) for s in students}
    sees = {
        (True,): "These students see whitened pixels.",
        (False, True): "But for *without whitening*, they see whitened pixels.",
    }
    return (
        f"In brackets: 95 % intervals. Profile {found['profile']}, {students[0]['recipe']['arch']}: {'; '.join(parts)}."
        f" Clean on all {max(s['clean']['n'] for s in students):,} test pictures, attacked on the first {max(n):,}."
        + (" *AdaBN*, adaptive batch norm: see *student*." if any(RENEWED in s for s in students) else "")
        + f" {sees.get(tuple(sorted(whitened)), '')}"
    ).rstrip()


def _cell(rate: Mapping[str, Any]) -> str:
    return Estimate.from_json(rate).per_cent()
