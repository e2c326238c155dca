"""The matrix as a heat map whose cells are buttons: the component that also plays in an exported page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.rates import Rate
from core.transfer.views import JOIN
from pages.ui.component import component

PAIR = " > "  # between source and target, as in assets/results/transfer.json
_mount = component("transfer")


@dataclass(frozen=True)
class Grid:
    """What the heat map shows.

    Args:
        rates: (source, target) -> rate, for the pairs that are there.
        sources: Rows, in order.
        targets: Columns, in order.
        titles: How each model is called.
        says: What the rate is the rate of, e.g. "VGG is wrong".
    """

    rates: Mapping[tuple[str, str], Rate]
    sources: Sequence[str]
    targets: Sequence[str]
    titles: Mapping[str, str]
    says: str


def heat(grid: Grid, chosen: tuple[str, str], on_pick: Callable[[str, str], None], *, key: str) -> None:
    """Show the heat map; a chosen cell hands source and target to `on_pick`, before the page runs again."""

    def picked() -> None:
        source, _, target = str(st.session_state[key].get("cell") or "").partition(PAIR)
        if (source, target) in grid.rates:
            on_pick(source, target)

    _mount(key=key, data=data(grid, chosen), on_cell_change=picked)


def data(grid: Grid, chosen: tuple[str, str] | None) -> dict[str, Any]:
    """Make what assets/transfer/matrix.js shows of one setting; see core/transfer/scene.py for all of them."""
    source, target = chosen or ("", "")
    setting = {"norm": "", "eps": "", "goal": ""}
    cells = {
        f"{s}{PAIR}{t}": {"rate": [round(v, 4) for v in (rate.value, *rate.interval)] + [rate.n]}
        for (s, t), rate in grid.rates.items()
        if rate.n
    }
    return {
        "settings": [{**setting, "cells": cells}],
        "sources": list(grid.sources),
        "targets": list(grid.targets),
        "titles": dict(grid.titles),
        "says": grid.says,
        "alt": sentence(grid),
        "first": {**setting, "show": "rate", "source": source, "target": target},
    }


def sentence(grid: Grid) -> str:
    """Say in words what the heat map shows."""
    own = [rate.value for (s, t), rate in grid.rates.items() if t in s.split(JOIN)]
    others = [rate.value for (s, t), rate in grid.rates.items() if t not in s.split(JOIN)]

    def span(values: list[float]) -> str:
        return f"{100 * min(values):.0f} to {100 * max(values):.0f} per cent" if values else "not computed"

    return (
        f"Heat map of {len(grid.sources)} sources by {len(grid.targets)} targets, rate: {grid.says}. "
        f"A model on its own examples: {span(own)}; on those of others: {span(others)}."
    )
