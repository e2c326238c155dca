"""The similarity view of the Transfer page: does the likeness of two representations predict transfer?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from core.rates import Estimate, Rate
from core.transfer import views
from core.transfer.names import robust, title
from core.transfer.recipe import TransferRecipe
from core.transfer.results import AGAIN, Measured, setting_of
from core.transfer.similarity import correlation, mantel
from pages.transfer.matrix import source_line
from pages.ui.charts import of_rates, show_chart, whiskers
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.folded import folded

KINDS = {  # colour and shape, so that no two are told apart by colour alone
    "both standard": ("#0072b2", "circle"),
    "made for a robust one": ("#d55e00", "diamond"),
    "shown to a robust one": ("#e69f00", "square"),
    "both robust": ("#8c8c8c", "cross"),
}


@dataclass(frozen=True)
class Pair:
    """One ordered pair: how alike the two are, and how often the one fools the other."""

    source: str
    target: str
    kind: str
    likeness: Estimate
    rate: Rate


def show(recipe: TransferRecipe, measured: Measured | None) -> None:
    """Show the scatter and what it says.

    Only measured numbers will do, for few pictures make every likeness too high.
    """
    pairs = pairs_of(recipe, measured) if measured is not None else []
    if measured is None or len(pairs) < 2:
        st.info(f"This view needs measured numbers of three models or more: {AGAIN}")
        return
    show_chart(figure(recipe, pairs, measured), key="transfer-similarity", alt=alt(pairs))
    st.markdown(verdict(pairs))
    columns = {
        "made for": [title(p.source, measured) for p in pairs],
        "shown to": [title(p.target, measured) for p in pairs],
        "linear CKA": [p.likeness.plain() for p in pairs],
        "rate": [str(p.rate) for p in pairs],
    }
    folded(
        "The numbers with their intervals",
        lambda: st.dataframe(columns, hide_index=True, alt="Likeness and transfer rate of each pair"),
        key="transfer-similarity-numbers",
        icon=":material/table:",
    )
    st.caption(
        f"Linear CKA of the penultimate layers on {pairs[0].likeness.n:,} clean test pictures (Kornblith et al. 2019);"
        f" bars are 95 % intervals. Transfer: {source_line(measured)}"
    )
    downloads(files(recipe, pairs), key="transfer-similarity", script=views.script(recipe))


def pairs_of(recipe: TransferRecipe, measured: Measured) -> list[Pair]:
    """List the ordered pairs of different models that were measured."""
    found = []
    for (source, target), cell in measured.matrix(setting_of(recipe)).items():
        key = (source, target) if source < target else (target, source)
        if source == target or key not in measured.similarity:
            continue
        of_robust = (robust(source, measured), robust(target, measured))
        kind = list(KINDS)[of_robust[0] + 2 * of_robust[1]]
        rate = cell.rate("attack", recipe.of, recipe.goal)
        found.append(Pair(source, target, kind, measured.similarity[key], rate))
    return found


def figure(recipe: TransferRecipe, pairs: list[Pair], measured: Measured) -> go.Figure:
    """Draw rate over likeness."""
    drawn = go.Figure()
    for kind, (colour, symbol) in KINDS.items():
        some = [p for p in pairs if p.kind == kind]
        if not some:
            continue
        drawn.add_scatter(
            x=[p.likeness.value for p in some],
            y=[100 * p.rate.value for p in some],
            error_x=whiskers(p.likeness for p in some),
            error_y=of_rates(p.rate for p in some),
            text=[
                f"{title(p.source, measured)} → {title(p.target, measured)}<br>CKA {p.likeness}<br>{p.rate}"
                for p in some
            ],
            hovertemplate="%{text}<extra></extra>",
            name=kind,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 1, "color": "white"}},
        )
    says = "wrong answers" if recipe.goal == "untargeted" else "wanted class"
    drawn.update_layout(
        height=440,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={
            "title": "how alike the representations are (linear CKA)",
            "range": [max(0.0, min(p.likeness.value for p in pairs) - 0.1), 1.02],
        },
        yaxis={"range": [-2, 102], "title": f"{says}, %"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return drawn


def verdict(pairs: list[Pair]) -> str:
    """Say how well likeness predicts transfer, among all pairs and among standard ones."""
    lines = []
    for who, some in (
        ("all pairs", pairs),
        ("pairs of standard networks", [p for p in pairs if p.kind == "both standard"]),
    ):
        names = sorted({p.source for p in some} | {p.target for p in some})
        if len(names) < 3:
            lines.append(f"- Among {who}: only {len(names)} networks, too few for a correlation.")
            continue
        r = correlation([p.likeness.value for p in some], [p.rate.value for p in some])
        likeness = {frozenset((p.source, p.target)): p.likeness.value for p in some}
        p_value = mantel(
            names,
            partial(_likeness, likeness),
            {(p.source, p.target): p.rate.value for p in some},
        )
        judged = "more than chance explains" if p_value < 0.05 else "no more than chance could do"
        if len(names) < 5:
            judged = "too few networks to tell"
        lines.append(
            f"- Among {who}: **r = {r}**. With the networks' names shuffled, a correlation this high comes up in "
            f"{_share(p_value)} of cases ({len(names)} networks): {judged}."
        )
    lines.append(
        "\nThe interval of *r* takes the pairs for independent; they share networks, so it is too narrow. The shuffling"
        " is not fooled by that (Mantel's test)."
    )
    return "\n".join(lines)


def _share(p_value: float) -> str:
    """Write a permutation p-value, which is never 0: one of the permutations changes nothing."""
    return f"{100 * p_value:.1f} %" if p_value >= 0.0005 else "less than 0.1 %"


def alt(pairs: list[Pair]) -> str:
    """Say in words what the scatter shows."""
    likeness, rates = [p.likeness.value for p in pairs], [100 * p.rate.value for p in pairs]
    return (
        f"Scatter of {len(pairs)} pairs: linear CKA from {min(likeness):.2f} to {max(likeness):.2f}, transfer rate from"
        f" {min(rates):.0f} to {max(rates):.0f} per cent. The same numbers are in the table below."
    )


def files(recipe: TransferRecipe, pairs: list[Pair]) -> list[Download]:
    """List the downloads."""
    out = Bundle(recipe)
    out.table(
        "Pairs",
        "transfer-similarity.csv",
        lambda: {
            "source": [p.source for p in pairs],
            "target": [p.target for p in pairs],
            "cka": [p.likeness.value for p in pairs],
            "cka_low": [p.likeness.low for p in pairs],
            "cka_high": [p.likeness.high for p in pairs],
            "rate": [p.rate.value for p in pairs],
            "rate_low": [p.rate.low for p in pairs],
            "rate_high": [p.rate.high for p in pairs],
            "n": [p.rate.n for p in pairs],
        },
        "Likeness and rate of each pair, with intervals",
    )
    return out.files


def _likeness(known: Mapping[frozenset[str], float], a: str, b: str) -> float:
    return known.get(frozenset((a, b)), 1.0)
