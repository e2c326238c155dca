"""How many inversions of test pictures other networks recognise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core import results
from core.inversion.measure import AGAIN, RESULTS
from core.models.titles import title
from core.rates import Estimate
from pages.ui.escaped import Html, html_of
from pages.ui.stale import say_stale
from pages.ui.tables import strong, table

SETTINGS = {
    "paper": "paper: 1000 steps of 0.1",
    "fast": "fast: 100 quasi-Newton steps",
    "smooth": "smooth: 100 steps with momentum",
}


def measured(path: Path = RESULTS) -> None:
    """Show what was measured of inversions of test pictures; nothing where there is no such file."""
    found = results.read(path, AGAIN)
    if found is None:
        return
    viewers = list(
        dict.fromkeys(v for rows in found["settings"].values() for row in rows.values() for v in row["sees_wanted"])
    )
    st.markdown("### Measured, not only shown")
    st.markdown(
        f"{found['n']} test pictures, each inverted from another one that was drawn at random. How often does each"
        " network see the class of the wanted picture in the result, and how often still that of the start?"
    )
    heads = [f"{title(v)} sees: wanted / start" for v in viewers]
    rows = [
        _row(name, SETTINGS.get(setting, setting), row, viewers, found["n"])
        for setting, models in sorted(found["settings"].items())
        for name, row in sorted(models.items(), reverse=True)
    ]
    table(["Inverted", "Setting", "Feature distance left", "Moved (L2)", *heads], rows, label="What was measured")
    st.caption(
        f"In brackets: 95 % intervals; n = {found['n']}, seed {found['seed']}, {found['date']}; {found['how']}. A"
        " network that was trained in the standard way sees the wanted picture in the standard model's inversions too,"
        " though it took no part: the invisible features travel between networks. Robust networks mostly still see the"
        " start."
    )
    say_stale(found, AGAIN)


def _row(name: str, setting: str, row: Mapping[str, Any], viewers: list[str], n: int) -> list[str]:
    distance = Estimate(row["distance_mean"], tuple(row["distance_interval"]), n).per_cent()
    seen = [  # a judge that came later has seen only what was measured since
        html_of(_rate(row["sees_wanted"][v]), " / ", _rate(row["sees_start"][v])) if v in row["sees_wanted"] else "–"
        for v in viewers
    ]
    cost = f"{setting}, {row['seconds_per_picture']:.2f} s each"
    return [title(name), cost, distance, f"{row['moved_mean']:.1f}", *seen]


def _rate(rate: Mapping[str, Any]) -> Html:
    return strong(Estimate.from_json(rate).per_cent(0))
