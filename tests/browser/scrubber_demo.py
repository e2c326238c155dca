"""A page with scrubbers on synthetic trajectories, for the browser tests and for looking at.

streamlit run tests/browser/scrubber_demo.py, then ?report=1, ?two=1, ?partial=1, ?hide=1, ?rows=3, ?size=224, ?lone=1
"""

import sys
from pathlib import Path

import numpy as np
import streamlit as st
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from skimage import data as photographs
from skimage.transform import resize

from core.files.render import from_uint8, to_uint8
from pages.ui.address import put
from pages.ui.scrubber import Axis, Row, frame_in_sight, route, scrubber

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CAT, DOG = 3, 5
FRAMES = 17
AXIS = Axis(
    name="ε",
    values=tuple(k / 2 / 255 for k in range(FRAMES)),
    labels=tuple(f"{k / 2:g}/255" if k else "0" for k in range(FRAMES)),
    unit="ℓ∞, pixels in [0, 1]",
)


def trajectory(title: str, subtitle: str, seed: int, weakness: float, size: int = 32, frames: int = FRAMES) -> Row:
    """Return a cat under growing sign noise, and a classifier's imagined answers.

    Frame f moves pixels by f/2 levels.
    """
    photo = photographs.chelsea()[:, 60:360]
    cat = to_uint8(torch.from_numpy(resize(photo, (size, size), anti_aliasing=True)).permute(2, 0, 1)[None].float())
    clean = from_uint8(cat)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
    noise = torch.nn.functional.avg_pool2d(noise, 3, 1, 1) if seed % 2 else noise
    eps = torch.tensor(AXIS.values)[:frames, None, None, None]
    moved = (clean + eps * noise.sign()).clamp(0, 1)
    delta = moved - clean

    logits = np.zeros((frames, 10))
    strength = np.arange(frames) * weakness
    logits[:, CAT] = 5 * np.exp(-0.25 * strength)
    logits[:, DOG] = 6.5 - 5.3 * np.exp(-0.35 * strength)
    logits[:, [2, 4, 6]] = [1.5, 0.4, 1.0]
    logits[:, 2] += 0.2 * strength
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    fooled = probabilities.argmax(1) != CAT
    margin = logits[:, CAT] - np.delete(logits, CAT, 1).max(1)
    return Row(
        title=title,
        subtitle=subtitle,
        frames=to_uint8(moved),
        reference=cat[0],
        delta=delta,
        classes=CLASSES,
        probabilities=probabilities,
        truth=CAT,
        target=DOG,
        curve=tuple(margin.tolist()),
        curve_name="margin of the true class",
        readouts=(
            (
                "‖δ‖∞",
                tuple(
                    f"{d.abs().max() * 255:.1f} of {e * 255:.1f} /255" for d, e in zip(delta, AXIS.values, strict=False)
                ),
            ),
            ("‖δ‖₂", tuple(f"{d.norm():.3f}" for d in delta)),
        ),
        flags=tuple("fooled" if f else None for f in fooled),
        threshold=int(fooled.argmax()) if fooled.any() else None,
        alt=tuple(
            f"{title} sees {CLASSES[p.argmax()]} with {p.max():.0%} at ε = {label}."
            for p, label in zip(probabilities, AXIS.labels, strict=False)
        ),
    )


def rows(count: int = 2, size: int = 32, frames: int = FRAMES) -> list[Row]:
    return [
        trajectory("Standard", "ResNet-9 · 93 % clean accuracy", 1, 0.75, size, frames),
        trajectory("Robust", "ResNet-9, ℓ2 ε = 0.5 · 81 % clean accuracy", 3, 0.16, size, frames),
        trajectory("Random noise", "same size, standard model", 4, 0.02, size, frames),
    ][:count]


def preset() -> None:
    """Set the slider to frame 3, and everything else back."""
    for name, word in {"frame": "3", "look": "", "gain": ""}.items():
        put(name, word)


def main() -> None:
    st.set_page_config("Scrubber", layout="wide")
    query = st.query_params
    state = st.session_state
    state.runs = state.get("runs", 0) + 1
    count, size = int(query.get("rows", 2)), int(query.get("size", 32))
    st.markdown("# Perturb")
    st.markdown("A change too small to see moves the standard model; the robust one holds on.")
    grown = st.toggle("grown") if "partial" in query else True
    if "hide" in query and st.toggle("hide"):
        st.text("hidden")
        return
    frames = 1 if "lone" in query else FRAMES if grown else 6
    shown = rows(count, size, frames)
    if "named" in query:  # a long name, and a mark where there is little room to its right
        shown[1] = trajectory("ResNet-9, trained among noise", "σ = 0.1", 3, 0.165, size, frames)
    reports = "report" in query
    frame = frame_in_sight("first", 0) if reports else int(query.get("frame", 0))
    scrubber(shown, AXIS, key="first", own=False, frame=frame, report=reports)
    if "two" in query:
        scrubber(rows(1), AXIS, key="second", own=False, view="split")
    st.button("rerun")
    st.button("preset", on_click=preset)
    st.text(f"runs {state.runs}")
    st.text(f"in sight {frame if reports else None}")


if __name__ == "__main__":
    main()
elif __name__ == "scrubber_demo":  # the server imports this file for its routes
    app = st.App("scrubber_demo.py", routes=route.ROUTES)
