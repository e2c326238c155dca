"""What the students learnt: figure 2, table 1, cats against dogs and the controls, ours beside the paper's."""

import functools
import html
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.datasets.experiments import report
from core.datasets.experiments.run import RESULTS
from core.files import arrays
from core.problems import InputError
from pages.ui.exports import Download, camera, downloads
from pages.ui.tables import table

MEASURED = ("clean", "L2 0.25", "L2 0.5")
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")  # as many as an experiment has lines
RENEWED = "clean renewed"
HEADS = {"clean": "Clean", "L2 0.25": "ℓ₂ 0.25", "L2 0.5": "ℓ₂ 0.5", RENEWED: "Clean, statistics renewed"}
BARS = dict(zip(HEADS, ("#0072B2", "#E69F00", "#009E73", "#56B4E9"), strict=True))


@dataclass(frozen=True)
class Line:
    """A row of a result: the student, what it saw, and the paper's numbers for it, in per cent, with their source."""

    student: str
    saw: str
    paper: tuple[float | None, ...] = (None, None, None)
    source: str = ""


@dataclass(frozen=True)
class Experiment:
    """An experiment: what to look for, and its rows."""

    title: str
    says: str
    lines: tuple[Line, ...]


EXPERIMENTS = {
    "table1": Experiment(
        "Learning from labels that look wrong (table 1)",
        "No student has ever seen a right label and its picture together, but for the tenth of D_rand that drew its own"
        " class.",
        (
            Line("student-rand", "D_rand", (63.3, None, None), "table 1"),
            Line("student-det", "D_det", (43.7, None, None), "table 1"),
        ),
    ),
    "figure2": Experiment(
        "Robust and non-robust features (figure 2)",
        "Both students were trained in the ordinary way. Only the pictures differ.",
        (
            Line("student-robust", "D_R", (85.40, 48.20, 21.85), "table 7, from images"),
            Line("student-nonrobust", "D_NR", (87.68, 0.82, 0.0), "table 7, from images"),
            Line("student-original", "as many ordinary pictures", (95.25, 4.49, 0.0), "table 7, all 50,000 pictures"),
        ),
    ),
    "cats-vs-dogs": Experiment(
        "Cats against dogs",
        "Two classes only. Every label is swapped; or the student has never seen a cat or a dog at all.",
        (
            Line(
                "student-cats-vs-dogs",
                "cats labelled dogs, dogs labelled cats",
                (78.0, None, None),
                "the authors' slides",
            ),
            Line("control-cats-vs-dogs-plain", "the same, without whitening"),
            Line("student-unseen", "neither cats nor dogs, perturbed toward them"),
        ),
    ),
    "controls": Experiment(
        "Controls",
        "What D_rand teaches without adversarial features, without its own class, when a robust model made it, and"
        " without whitening.",
        (
            Line(
                "control-leak",
                "own class untouched, else fixed noise",
                (79.5, None, None),
                "not the paper: K. Jordan's ResNet-9",
            ),
            Line(
                "control-moved",
                "D_rand without the own class",
                (67.3, None, None),
                "not the paper: K. Jordan's ResNet-9",
            ),
            Line("control-robust-source", "D_rand made with a robust model", (25.2, None, None), "table 9"),
            Line("control-plain", "D_rand, without whitening"),
        ),
    ),
}


def results(experiment: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Read an experiment's results; empty where nothing was measured.

    Raises:
        ValueError: If the file is damaged.
    """
    path = folder / f"{experiment}.json"
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else {}


@functools.lru_cache(maxsize=8)
def _read(path: Path, stamp: int) -> dict[str, Any]:  # noqa: ARG001 - a new measurement is read anew
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"{path.name} is damaged; measure anew: python -m core.datasets.experiments run {path.stem}"
        ) from error


def student_rate(experiment: str, student: str) -> str:
    """Return a student's clean accuracy as text, or nothing."""
    found = results(experiment).get("students", {}).get(student)
    return _cell(found["clean"]) if found else ""


def show() -> None:
    """Show every experiment: the table always, the charts where there is something measured."""
    for name, experiment in EXPERIMENTS.items():
        found = results(name)
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
            left.plotly_chart(
                bars(there, students), key=f"bars-{name}", alt=_bars_alt(there, students), config=camera(f"bars-{name}")
            )
            right.plotly_chart(
                curves(there, students),
                key=f"curves-{name}",
                alt=_curves_alt(there, students),
                config=camera(f"curves-{name}"),
            )
        if len(there) < len(experiment.lines):
            st.caption(f"What has no number here was not measured yet: python -m core.datasets.experiments run {name}")
    downloads(files(), key="results", script=report.script())


def files(folder: Path = RESULTS) -> list[Download]:
    """List the downloads; the charts' own cameras give pictures of them. There is no recipe: the numbers are fixed."""
    columns = lambda: arrays.table(report.columns(folder))
    return [Download("Numbers, CSV", "students.csv", "text/csv", columns, "With intervals")]


def chance(line: Line) -> float:
    """Return what guessing gives."""
    return 0.5 if line in EXPERIMENTS["cats-vs-dogs"].lines else 0.1


def at_chance(line: Line, rate: Mapping[str, Any]) -> bool:
    """Tell whether a rate cannot be told from guessing."""
    low, high = rate["interval"]
    return low <= chance(line) <= high


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


def _again(line: Line, students: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the same student of other seeds, which are numbered."""
    return [students[name] for name in sorted(students) if re.fullmatch(rf"{re.escape(line.student)}-\d+", name)]


def other_seeds(line: Line, students: Mapping[str, Any]) -> str:
    """Say what other seeds of a student's training gave on the same set; nothing where there are none."""
    others = _again(line, students)
    if not others:
        return ""
    each = [f"{_cell(other['clean'])}, renewed {_cell(other[RENEWED])}" for other in others]
    return f"{line.saw}, trained again on the same pictures from another seed: {'; '.join(each)}."


def bars(lines: list[Line], students: Mapping[str, Any]) -> go.Figure:
    """Draw the rates of each student with intervals, as rings those of other seeds, and as diamonds the paper's.

    Clean accuracy, beside it what the paper gives as well; and renewed statistics where there is nothing else.
    """
    shown = [name for i, name in enumerate(MEASURED) if i == 0 or any(line.paper[i] is not None for line in lines)]
    figure = go.Figure()
    saw = [_folded(line.saw) for line in lines]
    renewed = [RENEWED] if shown == ["clean"] and all(RENEWED in students[line.student] for line in lines) else []
    for name in (*shown, *renewed):
        rates = [students[line.student][name] for line in lines]
        figure.add_bar(
            x=saw,
            y=[100 * rate["value"] for rate in rates],
            error_y={
                "array": [100 * (rate["interval"][1] - rate["value"]) for rate in rates],
                "arrayminus": [100 * (rate["value"] - rate["interval"][0]) for rate in rates],
                "symmetric": False,
                "color": "gray",  # plotly's own is dark, also on a dark page
            },
            name=HEADS[name] + ", here" * (name in MEASURED),
            marker_color=BARS[name],
            offsetgroup=name,
        )
        again = [(text, other) for text, line in zip(saw, lines, strict=True) for other in _again(line, students)]
        if again:
            figure.add_scatter(
                x=[text for text, _ in again],
                y=[100 * other[name]["value"] for _, other in again],
                mode="markers",
                marker={"symbol": "circle-open", "size": 11, "color": "gray", "line": {"width": 2}},
                name="other seeds, here",
                showlegend=name == "clean",
                offsetgroup=name,
            )
        if name not in MEASURED:
            continue
        figure.add_scatter(
            x=saw,
            y=[line.paper[MEASURED.index(name)] for line in lines],
            mode="markers",
            marker={"symbol": "diamond", "size": 11, "color": BARS[name], "line": {"width": 2, "color": "gray"}},
            name=f"{HEADS[name]}, elsewhere",
            offsetgroup=name,
        )
    figure.add_hline(y=100 * chance(lines[0]), line_dash="dot", line_color="gray")
    figure.update_layout(
        height=340,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        yaxis_title="accuracy on test pictures, %",
        yaxis_range=[0, 100],
        barmode="group",
        scattermode="group",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def _folded(text: str) -> str:
    """Break a name into lines, so that the axis need not tilt it."""
    return "<br>".join(textwrap.wrap(text, 16))


def _bars_alt(lines: list[Line], students: Mapping[str, Any]) -> str:
    ours = [f"{line.saw} {100 * students[line.student]['clean']['value']:.0f} %" for line in lines]
    return (
        f"Accuracy of each student, here and in the paper; the table has the numbers. Clean, here: {'; '.join(ours)}."
    )


def curves(lines: list[Line], students: Mapping[str, Any]) -> go.Figure:
    """Draw the learning curves: clean test accuracy after each epoch, and what guessing gives as a dotted line."""
    figure = go.Figure()
    for colour, line in zip(COLOURS[: len(lines)], lines, strict=True):
        curve = students[line.student]["curve"]
        figure.add_scatter(
            x=[epoch for epoch, _ in curve],
            y=[100 * value for _, value in curve],
            name=line.saw,
            mode="lines+markers",
            line_color=colour,
        )
    figure.add_hline(y=100 * chance(lines[0]), line_dash="dot", line_color="gray", annotation_text="chance")
    figure.update_layout(
        height=340,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis_title="epochs",
        yaxis_title="clean test accuracy, %",
        yaxis_range=[0, 100],
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        showlegend=True,
    )
    return figure


def _curves_alt(lines: list[Line], students: Mapping[str, Any]) -> str:
    ends = [f"{line.saw} ends at {100 * students[line.student]['curve'][-1][1]:.0f} %" for line in lines]
    return f"Learning curves, clean test accuracy after each epoch: {'; '.join(ends)}."


def _row(line: Line, found: Mapping[str, Any] | None) -> list[str]:
    cells = []
    for name, paper in zip(MEASURED, line.paper, strict=True):
        ours = f"<b>{_cell(found[name])}</b>" if found else "–"
        cells.append(f"{ours} / {'–' if paper is None else f'{paper:g} %'}")
    renewed = _cell(found[RENEWED]) if found and RENEWED in found else "–"
    return [html.escape(line.saw), *cells, renewed, html.escape(line.source)]


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
        + (" *Statistics renewed*: see *student*." if any(RENEWED in s for s in students) else "")
        + f" {sees.get(tuple(sorted(whitened)), '')}"
    ).rstrip()


def _cell(rate: Mapping[str, Any]) -> str:
    low, high = rate["interval"]
    return f"{100 * rate['value']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
