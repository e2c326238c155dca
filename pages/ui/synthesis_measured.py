"""What was measured of synthesis: who recognises what was painted, and who does not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core import checkpoints
from core.data import CIFAR10_CLASSES
from core.synthesis_results import RESULTS


def measured(path: Path = RESULTS) -> None:
    """Show the table; nothing where there is no such file."""
    if not path.is_file():
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    viewers = list(found["starts"]["recognised"])
    n = found["per_class"] * len(CIFAR10_CLASSES)
    st.markdown("##### Measured, not only shown")
    st.markdown(
        f"{n:,} starts, {found['per_class']} of each class, drawn from the class Gaussians; the same for every model. How often does "
        "each network see the class that was wanted?"
    )
    lines = [
        "| Painted by | Limit (L2) | Moved (L2), mean | " + " | ".join(f"{_title(v)} sees it" for v in viewers) + " |",
        "|---" * (3 + len(viewers)) + "|",
        f"| nobody: the starts | 0 | 0 | {_rates(found['starts']['recognised'], viewers)} |",
    ]
    for name, limits in sorted(found["painted"].items(), reverse=True):
        for eps in sorted(limits, key=float):
            row = limits[eps]
            low, high = row["moved_interval"]
            moved = f"{row['moved_mean']:.2f} [{low:.2f}, {high:.2f}]"
            lines.append(f"| {_title(name)} | {eps} | {moved} | {_rates(row['recognised'], viewers, name)} |")
    st.html(
        "<style>.st-key-synthesis-measured table { display: block; overflow-x: auto; }</style>"
    )  # wider than a phone
    with st.container(key="synthesis-measured"):
        st.markdown("\n".join(lines))
        times = " and ".join(f"{seconds:.1f} s ({_title(name)})" for name, seconds in sorted(found["seconds"].items()))
        st.caption(
            f"In brackets: 95 % intervals; n = {n:,}; in italics: a network that looks at its own pictures. "
            f"a batch of 16 at the largest limit took {times}; seed {found['seed']}, {found['date']}; {found['how']}."
        )
        with st.expander("Class by class"):
            st.markdown(_by_class(found, viewers))


def _by_class(found: Mapping[str, Any], viewers: list[str]) -> str:
    heads, columns = [], []
    for name, limits in sorted(found["painted"].items(), reverse=True):
        eps = max(limits, key=float)
        for viewer in viewers:
            if viewer != name:
                heads.append(f"{_title(name)}, L2 {eps}, as {_title(viewer)} sees it")
                columns.append(limits[eps]["recognised"][viewer]["by_class"])
    lines = ["| Class | " + " | ".join(heads) + " |", "|---" * (1 + len(heads)) + "|"]
    lines += [f"| {c} | " + " | ".join(_rate(column[c]) for column in columns) + " |" for c in CIFAR10_CLASSES]
    return "\n".join(lines)


def _rates(recognised: Mapping[str, Any], viewers: list[str], own: str = "") -> str:
    return " | ".join(f"*{_rate(recognised[v])}*" if v == own else _rate(recognised[v]) for v in viewers)


def _rate(rate: Mapping[str, Any]) -> str:
    low, high = rate["interval"]
    return f"{100 * rate['value']:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def _title(name: str) -> str:
    return checkpoints.header(name).title if name in checkpoints.names() else name
