"""What was measured of synthesis: who recognises what was painted, and who does not."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core import results
from core.models.judge import JUDGE, ROBUST_JUDGE
from core.models.titles import title, titles
from core.rates import Estimate
from core.synthesis.measure import AGAIN, RESULTS, SOURCES
from pages.ui.escaped import Html, html_of
from pages.ui.folded import folded
from pages.ui.stale import say_stale
from pages.ui.tables import table
from pages.ui.world import current


def measured(path: Path = RESULTS) -> None:
    """Show the table; nothing where there is no such file."""
    found = results.read(path, AGAIN)
    if found is None:
        return
    everybody = list(found["starts"]["recognised"])
    viewers = seen_first(everybody)
    n = found["per_class"] * len(current().classes)
    st.markdown("### Measured, not only shown")
    st.markdown(
        f"{n:,} starts, {found['per_class']} of each class, drawn from the class Gaussians; the same for every model."
        " How often does each network see the class that was wanted?"
    )
    rows = [["nobody: the starts", "0", "0", *_rates(found["starts"]["recognised"], viewers)]]
    for name, eps, row in _painted(found):
        moved = Estimate(row["moved_mean"], tuple(row["moved_interval"]), n)
        rows.append([title(name), eps, moved.plain(".2f"), *_rates(row["recognised"], viewers, name)])
    heads = ["Painted by", "Limit (L2)", "Moved (L2), mean", *(f"{title(v)} sees it" for v in viewers)]
    table(heads, rows, label="Who recognises what was painted")
    times = " and ".join(
        f"{seconds:.1f} s ({title(name)})" for name, seconds in sorted(found["cpu_seconds_per_batch_of_16"].items())
    )
    st.caption(
        f"In brackets: 95 % intervals; n = {n:,}; in italics: a network that looks at its own pictures. A batch of 16"
        f" at limit 6 takes {times} of one CPU core. Seed {found['seed']}, {found['date']}; {found['how']}."
    )
    say_stale(found, AGAIN)
    st.markdown(reading(found))
    if len(viewers) < len(everybody):
        folded("What every network sees", lambda: _by_network(found, everybody), key="synthesis-networks")
    folded("Class by class, at the smallest limit", lambda: _by_class(found, viewers), key="synthesis-classes")


def seen_first(names: Iterable[str]) -> list[str]:
    """Return the networks whose verdicts lead: the two that paint, and the judges that took no part; all where none is.

    The others, students among them, would push the judges off the page.
    """
    known = list(names)
    return [name for name in (*SOURCES, JUDGE, ROBUST_JUDGE) if name in known] or known


def reading(found: Mapping[str, Any]) -> str:
    """Say what the table shows, where it has both sources, a small limit and a large one, and the ordinary judge."""
    try:
        standard, robust = (found["painted"][name] for name in SOURCES)
        small, large = (min(standard, key=float), max(standard, key=float))
        rows = (standard[small], robust[small], standard[large], robust[large])
        by_judge = [_rate(row["recognised"][JUDGE]) for row in rows]
        by_robust = [_rate(row["recognised"][SOURCES[1]]) for row in rows]
    except KeyError:
        return ""
    painter, robust_painter, judge = titles(*SOURCES, JUDGE)
    return (
        f"After a change of L2 {small} {judge}, which took no part, sees the class in {by_judge[0]} of {painter}'s"
        f" pictures and in {by_judge[1]} of {robust_painter}'s: standard networks share what the standard one changed."
        f" {robust_painter} sees it in only {by_robust[0]} of {painter}'s. At L2 {large} everybody sees it in nearly"
        f" all of both ({by_judge[2]} and {by_judge[3]}; {robust_painter} in {by_robust[2]} of {painter}'s), so these"
        " numbers do not tell paint from noise there; your eyes do."
    )


def _painted(found: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, limits in sorted(found["painted"].items(), reverse=True):
        for eps in sorted(limits, key=float):
            yield name, eps, limits[eps]


def _by_network(found: Mapping[str, Any], names: list[str]) -> None:
    """Show one row a network, for there are many."""
    heads, columns = ["Network", "The starts"], [_rates(found["starts"]["recognised"], names)]
    for name, eps, row in _painted(found):
        heads.append(f"Painted by {title(name)}, L2 {eps}")
        columns.append(_rates(row["recognised"], names, name))
    cells = [[title(name), *seen] for name, seen in zip(names, zip(*columns, strict=True), strict=True)]
    table(heads, cells, label="What every network sees")


def _by_class(found: Mapping[str, Any], viewers: list[str]) -> None:
    heads, columns = ["Class"], []
    for name, limits in sorted(found["painted"].items(), reverse=True):
        eps = min(limits, key=float)
        for viewer in (v for v in viewers if v != name):
            heads.append(f"{title(name)}, L2 {eps}, as {title(viewer)} sees it")
            columns.append(limits[eps]["recognised"][viewer]["by_class"])
    rows = [[c, *(_rate(column[c]) for column in columns)] for c in current().classes]
    table(heads, rows, label="Who recognises what was painted, class by class")


def _rates(recognised: Mapping[str, Any], viewers: list[str], own: str = "") -> list[str]:
    return [Html(f"<i>{html_of(_rate(recognised[v]))}</i>") if v == own else _rate(recognised[v]) for v in viewers]


def _rate(rate: Mapping[str, Any]) -> str:
    return Estimate.from_json(rate).per_cent(0)
