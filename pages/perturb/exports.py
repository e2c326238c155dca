"""What leaves the Perturb page, and whether it still fools when it is read back."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
import torch

from core import worlds
from core.files import render
from core.files.render import RGB
from core.models.ready import asked
from core.perturb import Trajectory, scene
from core.perturb.recipe import PerturbRecipe
from core.words import percent
from pages.perturb.columns import called as columns_called
from pages.perturb.work import Job
from pages.ui.exports import Bundle, Download
from pages.ui.scrubber import Row
from pages.ui.store import model


def files(recipe: PerturbRecipe, rows: list[Row], left: Trajectory, right: Trajectory) -> list[Download]:
    """List the downloads for the frame in sight."""
    frame = min(recipe.frame, len(left.x_adv) - 1, len(right.x_adv) - 1)
    made = {recipe.standard: left, recipe.robust: right}
    called = dict(zip((recipe.standard, recipe.robust), columns_called(recipe), strict=True))
    out = Bundle(recipe)

    def picture(found: Trajectory) -> RGB:
        return render.to_uint8(found.x_adv[frame : frame + 1])[0]

    def delta(found: Trajectory) -> RGB:
        return render.to_uint8(render.amplified(found.x_adv[frame : frame + 1] - found.x, 10.0))[0]

    def sheet() -> list[list[RGB]]:
        deltas = [r.delta[frame : frame + 1] for r in rows if r.delta is not None]
        changes = [render.to_uint8(render.amplified(one, 10.0))[0] for one in deltas]
        return [[r.reference, change, r.frames[frame]] for r, change in zip(rows, changes, strict=True)]

    side = left.x.shape[-1]
    exact = f"{side} × {side}, pixel for pixel: fools as it does here"
    for name, found in made.items():
        out.pixels(f"Picture, {called[name]}", f"{name}-{frame}.png", partial(picture, found), exact)
        out.pixels(
            f"Perturbation ×10, {called[name]}", f"{name}-{frame}-delta.png", partial(delta, found), "0.5 + 10 δ"
        )
    size = "₂" if recipe.norm == "L2" else "∞"
    out.slide(
        "Sheet",
        "sheet.png",
        sheet,
        heads=("clean", "perturbation ×10", "both together"),
        sides=[r.title for r in rows],
        caption=f"Adversarial examples by {recipe.attack} in ℓ{size}, each made for the model above it.",
    )
    out.playable("perturb", lambda: scene.played(recipe, rows))
    out.film("perturb", lambda: [r.frames for r in rows], ms=120)

    def arrays() -> dict[str, torch.Tensor]:
        tensors = {f"{n}_{what}": getattr(t, what) for n, t in made.items() for what in ("x_adv", "logits", "norm")}
        return {"x": left.x, "positions": torch.tensor(left.positions), **tensors}

    def curve() -> dict[str, Sequence[object]]:
        columns: dict[str, Sequence[object]] = {"position": left.positions}
        for name, t in made.items():
            columns |= {
                f"{name}_norm": t.norm.tolist(),
                f"{name}_p_true": t.probabilities[:, t.y].tolist(),
                f"{name}_prediction": [worlds.of(recipe).classes[k] for k in t.logits.argmax(1).tolist()],
                f"{name}_success": t.success.tolist(),
            }
        return columns

    out.arrays("perturb.npz", arrays, "float32, every frame")
    out.table("Curve", "curve.csv", curve)
    return out.files


def still_fools(job: Job, recipe: PerturbRecipe, left: Trajectory, right: Trajectory) -> None:
    """Read the exported 8-bit pictures of the frame in sight back, ask the models again, and say so."""
    frame = min(recipe.frame, len(left.x_adv) - 1, len(right.x_adv) - 1)
    called = dict(zip((recipe.standard, recipe.robust), columns_called(recipe), strict=True))
    found = {recipe.standard: left, recipe.robust: right}
    lines = [
        job.kept(("read back", name, called[name]), frame, partial(_read_back, called[name], name, one, frame, recipe))
        for name, one in found.items()
    ]
    st.caption("Read back: " + "; ".join(lines) + ".")


def _read_back(called: str, name: str, found: Trajectory, frame: int, recipe: PerturbRecipe) -> str:
    saved = render.from_uint8(render.to_uint8(found.x_adv[frame : frame + 1]))
    p = asked(model(name), saved).softmax(1)[0]
    said = int(p.argmax())
    fools = said != found.y if found.target is None else said == found.target
    mark = "still fools" if fools else "does not fool"
    where = worlds.of(recipe).classes[said]
    return f"the saved 8-bit picture {mark} {called} ({where}, {percent(float(p[said]))})"
