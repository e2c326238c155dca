"""The independent judge of the Robust frog page, and how many inversions it has been measured on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from core import checkpoints
from core.emergence import RESULTS
from core.types import Images
from pages.ui.store import model

JUDGE = "vgg-standard"
SETTINGS = {"paper": "paper: 1000 steps of 0.1", "fast": "fast: 100 quasi-Newton steps"}


def judged(x: Images) -> Tensor | None:
    """Return the judge's logits (N, K), or None where it is not there."""
    if JUDGE not in checkpoints.names():
        return None
    with torch.no_grad():
        return model(JUDGE)(x)


def measured(path: Path = RESULTS) -> None:
    """Show what was measured of inversions of test pictures; nothing where there is no such file."""
    if not path.is_file():
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    st.markdown("##### Measured, not only shown")
    st.markdown(
        f"{found['n']} pictures of the test set that no model was trained on, each started from another one. How often does the "
        f"judge ({_title(found['judge'])}), which took no part, see the class of the wanted picture?"
    )
    lines = [
        "| Inverted model | Setting | Judge is right | Feature distance left | Seconds a picture |",
        "|---|---|---|---|---|",
    ]
    for setting, models in sorted(found["settings"].items(), reverse=True):
        for name, numbers in sorted(models.items(), key=lambda item: item[1]["judge"]["value"]):
            lines.append(_line(name, SETTINGS.get(setting, setting), numbers))
    st.markdown("\n".join(lines))
    st.caption(f"In brackets: 95 % intervals. Seed {found['seed']}, {found['date']}; {found['how']}.")


def _line(name: str, setting: str, numbers: Mapping[str, Any]) -> str:
    judge, (low, high) = numbers["judge"], numbers["distance_interval"]
    right = f"**{100 * judge['value']:.1f} %** [{', '.join(f'{100 * v:.1f}' for v in judge['interval'])}], {judge['hits']} of {judge['n']}"
    left = f"{100 * numbers['distance_mean']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    return f"| {_title(name)} | {setting} | {right} | {left} | {numbers['seconds_per_picture']:.2f} |"


def _title(name: str) -> str:
    return checkpoints.header(name).title if name in checkpoints.names() else name
