"""What was measured of bugs, beside the numbers of the discussion; and what the authors reply."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.bugs import results, views
from core.bugs.recipe import BugsRecipe
from core.bugs.results import SOURCE, THEIRS, pooled
from core.models.titles import title
from core.rates import Rate
from pages.ui.charts import of_rates, show_chart
from pages.ui.escaped import Html, html_of, plain
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.stale import say_stale
from pages.ui.store import lesson
from pages.ui.tables import strong, table

KINDS = {"feature": "#E69F00", "bug": "#0072B2"}


def show(recipe: BugsRecipe, found: Mapping[str, Any]) -> None:
    """Show everything that is in the results file, and say what is not."""
    if "attacks" not in found:
        st.info(f"Nothing was measured yet: {results.AGAIN}")
    else:
        transfer(found)
        more(found)
    students(found)
    say_stale(found, results.AGAIN)
    st.markdown("### What the authors reply")
    st.markdown(lesson("bugs")["the reply"])
    st.markdown("[Figure 3, with this point in it](transfer?view=figure3)")
    downloads(files(recipe, found), key="bugs-measured", script=views.script(recipe))


def transfer(found: Mapping[str, Any]) -> None:
    """Show success and transfer: a chart for each setting, and the table."""
    st.markdown("### Both fool their network. Whom else?")
    about = found["about"]
    for column, (setting, kinds) in zip(st.columns(len(found["attacks"])), found["attacks"].items(), strict=True):
        column.markdown(f"**{words(setting)}**")
        show_chart(bars(kinds), key=f"bugs-{setting}", alt=_alt(setting, kinds), name="bugs", place=column)
    names = list(next(iter(found["attacks"].values()))["feature"]["judges"])
    titles = views.titles(names)
    rows = [
        [
            f"{words(setting)}, {kind}",
            *_versus(one, setting, kind),
            *(_cell(Rate.from_json(one["judges"][name]["hit"])) for name in names),
            _cell(Rate.from_json(one["ensemble"])),
        ]
        for setting, kinds in found["attacks"].items()
        for kind, one in kinds.items()
    ]
    heads = ["Perturbation", "Fools its network: here / theirs", "Says the same, theirs: a ResNet-18"]
    table(
        [*heads, *(f"{titles[n]} says the same" for n in names), "The spared still say the truth"],
        rows,
        label="Success and transfer",
    )
    st.caption(
        f"n = {about['n']:,} test pictures, wanted classes drawn at random; 95 % intervals; seed {about['seed']},"
        f" {about['date']}, profile {about['profile']}; {about['how']}. The network that is fooled and those that the"
        f" bug spares are small (ResNet-9 of width 8, VGG, ConvMixer: {len(results.spared(found))} spared); the five"
        f" that judge took no part. Theirs: {SOURCE}, ten ResNet-18 spared, one judge. Weights:"
        f" {'; '.join(f'{plain(title(name))} ({stamp})' for name, stamp in found['stamps'].items())}."
    )


def more(found: Mapping[str, Any]) -> None:
    """Show how transfer falls with the size of the ensemble, and what becomes of a wider victim."""
    left, right = st.columns(2)
    if members := found.get("members"):
        n = members["n"]
        left.markdown("**How many networks must be spared?**")
        show_chart(curve(found), key="bugs-members", alt=_alt_curve(found), name="bugs", place=left)
        left.caption(
            f"{words(members['setting'])}; the first {n} of the same pictures; the mean over the five judges, and each"
            " of them. With 0 spared it is the feature."
        )
    if wide := found.get("wide"):
        titles = views.titles(list(wide["kinds"]["bug"]["judges"]))
        right.markdown("**A victim four times as wide**")
        show_chart(
            bars(wide["kinds"]), key="bugs-wide", alt=_alt("wide victim", wide["kinds"]), name="bugs", place=right
        )
        worst = max(titles, key=lambda name: Rate.from_json(wide["kinds"]["bug"]["judges"][name]["hit"]).value)
        right.caption(
            f"{words(wide['setting'])}, n = {wide['n']}. The same small networks are spared, and the bug reaches"
            f" {plain(titles[worst])} in {Rate.from_json(wide['kinds']['bug']['judges'][worst]['hit'])}: what the"
            " ensemble cannot see it cannot forbid."
        )


def students(found: Mapping[str, Any]) -> None:
    """Show what students learnt from either kind of D_det."""
    st.markdown("### What do they teach?")
    st.markdown(
        "Every picture is perturbed toward the class after its own and labelled so, as in D_det. A student of features"
        " may learn the true class; a student of bugs has only the pictures to go by, and they say: the next class."
    )
    learnt = found.get("students", {}).get("kinds", {})
    theirs = THEIRS["L2 2.5"]
    rows = []
    for kind in KINDS:
        ours, his = learnt.get(kind), theirs[kind]
        cells = [
            _cell(Rate.from_json(ours[what])) if ours else "not measured"
            for what in ("clean", "next", "clean renewed", "next renewed")
        ]
        rows.append(
            [
                f"D_det of {kind}s",
                html_of(cells[0], f" / {his.student} %"),
                html_of(cells[1], f" / {his.student_next} %"),
                *cells[2:],
            ]
        )
    heads = [
        "Trained on",
        "Right about new pictures: here / theirs",
        "Says the next class: here / theirs",
        "Right, AdaBN",
        "Next class, AdaBN",
    ]
    table(heads, rows, label="Students of features and of bugs")
    if learnt:
        st.markdown(verdict(learnt))
        how = found["students"]["how"]
        st.caption(
            f"Here: {how['n']:,} training pictures, ℓ₂ {how['setting']['label']}, made for a small network; a ResNet-9"
            f" of width {how['train']['args']['width']}, {how['train']['epochs']} epochs, seed {how['train']['seed']};"
            f" tested on 10,000 clean pictures, 95 % intervals. AdaBN (adaptive batch norm): with the means and"
            f" variances of clean pictures. Theirs: {SOURCE}, 50,000 pictures, ResNet-18."
        )
    else:
        st.caption("Not measured yet: python -m core.bugs measure students")


def verdict(learnt: Mapping[str, Any]) -> str:
    """Say whether the two students differ, judged by their intervals."""
    if not {"feature", "bug"} <= learnt.keys():
        return "Only one of the two students has learnt so far."
    feature, bug = Rate.from_json(learnt["feature"]["clean"]), Rate.from_json(learnt["bug"]["clean"])
    if feature.above(bug):
        return (
            f"**The student of features is right about {feature}, that of bugs about {bug}.** The intervals are apart;"
            " guessing would be 10 %."
        )
    return (
        f"**The intervals are not apart:** features teach {feature}, bugs {bug}. The effect of the discussion did not"
        " show here."
    )


def bars(kinds: Mapping[str, Any]) -> go.Figure:
    """Draw who says the wanted class, network by network."""
    names = list(kinds["feature"]["judges"])
    labels = ["attacked", *(whole.partition(",")[0] for whole in views.titles(names).values())]
    drawn = go.Figure()
    for kind, colour in KINDS.items():
        rates = [
            Rate.from_json(kinds[kind]["success"]),
            *(Rate.from_json(kinds[kind]["judges"][name]["hit"]) for name in names),
        ]
        drawn.add_bar(
            x=labels,
            y=[100 * r.value for r in rates],
            name=kind,
            marker={"color": colour, "pattern": {"shape": "" if kind == "feature" else "/"}},
            error_y=of_rates(rates, color="gray"),
            text=[str(r) for r in rates],
            textposition="none",
            hovertemplate="%{text}<extra>" + kind + "</extra>",
        )
    return _laid(drawn, "say the wanted class, %")


def sizes(found: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """Return the judges' counts by the number of networks spared.

    0 is the feature, if it was measured on as many pictures.
    """
    members = found["members"]
    counts = {int(n): one["judges"] for n, one in members["counts"].items()}
    feature = found["attacks"].get(members["setting"], {}).get("feature")
    same = feature is not None and Rate.from_json(feature["success"]).n == members["n"]
    return {0: feature["judges"], **counts} if same else counts


def curve(found: Mapping[str, Any]) -> go.Figure:
    """Draw transfer over the number of spared networks, each judge in grey and their mean."""
    counts = sizes(found)
    names = list(next(iter(counts.values())))
    titles = views.titles(names)
    drawn = go.Figure()
    for name, symbol in zip(names, ("circle", "square", "diamond", "cross", "x"), strict=True):
        rates = [Rate.from_json(judges[name]["hit"]) for judges in counts.values()]
        drawn.add_scatter(
            x=list(counts),
            y=[100 * r.value for r in rates],
            error_y=of_rates(rates),
            name=titles[name].partition(",")[0],
            mode="lines+markers",
            marker={"symbol": symbol},
            line={"width": 1.2},
        )
    means = [pooled(judges, "hit") for judges in counts.values()]
    drawn.add_scatter(
        x=list(counts),
        y=[100 * r.value for r in means],
        name="mean",
        mode="lines",
        line={"color": KINDS["bug"], "width": 3.5},
    )
    drawn.update_xaxes(title="networks that the bug spares", tickvals=list(counts))
    drawn = _laid(drawn, "say the wanted class, %")
    drawn.update_yaxes(range=None, rangemode="tozero")
    return drawn


def files(recipe: BugsRecipe, found: Mapping[str, Any]) -> list[Download]:
    """List the downloads."""

    def columns() -> dict[str, list[object]]:
        rows = [
            (setting, kind, name, what.hits, what.n)
            for setting, kinds in found.get("attacks", {}).items()
            for kind, one in kinds.items()
            for name, what in _everyone(one).items()
        ]
        heads = ("setting", "kind", "network", "says_target", "n")
        return {head: [row[k] for row in rows] for k, head in enumerate(heads)}

    out = Bundle(recipe)
    out.table("Transfer", "bugs.csv", columns)
    return out.files


def _everyone(one: Mapping[str, Any]) -> dict[str, Rate]:
    """Return who says the wanted class: the network that was attacked, and the judges."""
    return {
        "attacked": Rate.from_json(one["success"]),
        **{name: Rate.from_json(judge["hit"]) for name, judge in one["judges"].items()},
    }


def words(setting: str) -> str:
    """Write "L2 2.5" as people do."""
    return setting.replace("L2", "ℓ₂").replace("Linf", "ℓ∞")


def _versus(one: Mapping[str, Any], setting: str, kind: str) -> tuple[str, str]:
    his = THEIRS.get(setting, {}).get(kind)
    here = _cell(Rate.from_json(one["success"]))
    return html_of(here, f" / {f'{his.success} %' if his else '–'}"), f"{his.transfer} %" if his else "–"


def _cell(value: Rate) -> Html:
    return strong(value.per_cent())


def _laid(drawn: go.Figure, y: str) -> go.Figure:
    drawn.update_yaxes(title=y, range=[0, 104])
    drawn.update_layout(
        height=340,
        barmode="group",
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return drawn


def _alt(setting: str, kinds: Mapping[str, Any]) -> str:
    parts = []
    for kind in KINDS:
        said = ", ".join(
            f"{title(name)} {100 * Rate.from_json(judge['hit']).value:.0f}"
            for name, judge in kinds[kind]["judges"].items()
        )
        parts.append(f"{kind}: attacked {100 * Rate.from_json(kinds[kind]['success']).value:.0f}, {said}")
    return f"{words(setting)}, per cent that say the wanted class. {'. '.join(parts)}."


def _alt_curve(found: Mapping[str, Any]) -> str:
    means = ", ".join(f"{n}: {100 * pooled(judges, 'hit').value:.0f}" for n, judges in sizes(found).items())
    return f"Mean transfer in per cent by the number of networks spared. {means}."
