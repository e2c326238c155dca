"""What leaves the Perturb page, and whether it still fools when it is read back."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch

from core.data.sets import CIFAR10_CLASSES
from core.files import arrays as exports
from core.files import render
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe
from core.recipes import to_json
from pages.ui.exports import Download
from pages.ui.scrubber import Row
from pages.ui.store import model
from pages.ui.words import percent


def files(recipe: PerturbRecipe, rows: list[Row], left: Trajectory, right: Trajectory) -> list[Download]:
    """List the downloads for the frame in sight."""
    frame = min(recipe.frame, len(left.x_adv) - 1, len(right.x_adv) - 1)
    about = {"recipe": to_json(recipe), "Software": "Robust Frog"}
    made = {"standard": left, "robust": right}

    def picture(found: Trajectory) -> bytes:
        return render.png(render.to_uint8(found.x_adv[frame : frame + 1])[0], about)

    def delta(found: Trajectory) -> bytes:
        shown = render.amplified(found.x_adv[frame : frame + 1] - found.x, 10.0)
        return render.png(render.to_uint8(shown)[0], {**about, "shown": "0.5 + 10 delta"})

    def sheet() -> bytes:
        cells = []
        for r in rows:
            amplified = render.to_uint8(render.amplified(r.delta[frame : frame + 1], 10.0))[0]
            cells += [r.reference, amplified, r.frames[frame]]
        return render.png(render.sheet([render.upscaled(c, 6) for c in cells], 3, gap=12), about)

    def film(kind: str) -> bytes:
        strips = zip(*(r.frames for r in rows), strict=True)
        frames = [render.upscaled(render.sheet(list(strip), len(rows)), 6) for strip in strips]
        return render.animation(np.stack(frames), kind, 120, about)

    def arrays() -> bytes:
        tensors = {
            f"{name}_{what}": getattr(t, what) for name, t in made.items() for what in ("x_adv", "logits", "norm")
        }
        return exports.npz({"x": left.x, "positions": torch.tensor(left.positions), **tensors}, to_json(recipe))

    def curve() -> str:
        columns: dict[str, Sequence[object]] = {"position": left.positions}
        for name, t in made.items():
            columns |= {
                f"{name}_norm": t.norm.tolist(),
                f"{name}_p_true": t.probabilities[:, t.y].tolist(),
                f"{name}_prediction": [CIFAR10_CLASSES[k] for k in t.logits.argmax(1).tolist()],
                f"{name}_success": t.success.tolist(),
            }
        return exports.table(columns)

    return [
        *(Download(f"Picture, {n}", f"{n}-{frame}.png", "image/png", lambda t=t: picture(t)) for n, t in made.items()),
        *(Download(f"Perturbation ×10, {n}", f"{n}-{frame}-delta.png", "image/png", lambda t=t: delta(t)) for n, t in made.items()),
        Download("Sheet", "sheet.png", "image/png", sheet, "Clean, perturbation ×10 and result, a row a column of the page"),
        Download("Film, APNG", "film.png", "image/apng", lambda: film("apng"), "Lossless; browsers and Keynote play it"),
        Download("Film, WebP", "film.webp", "image/webp", lambda: film("webp"), "Lossless"),
        Download("Arrays, npz", "perturb.npz", "application/octet-stream", arrays, "float32, every frame"),
        Download("Curve, CSV", "curve.csv", "text/csv", curve),
        Download("Recipe, JSON", "recipe.json", "application/json", lambda: to_json(recipe)),
    ]  # fmt: skip


def still_fools(recipe: PerturbRecipe, left: Trajectory, right: Trajectory) -> None:
    """Read the exported 8-bit pictures back, ask the models again, and say so."""
    frame = min(recipe.frame, len(left.x_adv) - 1, len(right.x_adv) - 1)
    lines = []
    for name, label, found in ((recipe.standard, "standard", left), (recipe.robust, "robust", right)):
        saved = render.from_uint8(render.to_uint8(found.x_adv[frame : frame + 1]))
        with torch.no_grad():
            p = model(name)(saved.to(found.x.device)).softmax(1)[0]
        said = int(p.argmax())
        fools = said != found.y if found.target is None else said == found.target
        mark = "still fools" if fools else "does not fool"
        lines.append(
            f"the saved 8-bit picture {mark} the {label} model ({CIFAR10_CLASSES[said]}, {percent(float(p[said]))})"
        )
    st.caption("Read back: " + "; ".join(lines) + ".")
