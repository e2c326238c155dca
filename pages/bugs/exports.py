"""What leaves the view of two perturbations."""

import torch
from torch import Tensor

from core.bugs.recipe import BugsRecipe
from core.bugs.views import KINDS
from core.data.sets import CIFAR10_CLASSES
from core.files import arrays, render
from core.perturb import Trajectory
from core.recipes import to_json
from pages.ui.exports import Download


def files(
    recipe: BugsRecipe, found: dict[str, Trajectory], said: dict[str, dict[str, Tensor]], at: int
) -> list[Download]:
    """List the downloads of the frame in sight."""
    about = {"recipe": to_json(recipe), "Software": "Robust Frog"}

    def picture(kind: str) -> bytes:
        return render.png(render.to_uint8(found[kind].x_adv[at : at + 1])[0], about)

    def sheet() -> bytes:
        cells = []
        for kind in KINDS:
            x_adv, x = found[kind].x_adv[at : at + 1], found[kind].x
            cells += [render.to_uint8(one)[0] for one in (x, render.amplified(x_adv - x, 3.0), x_adv)]
        return render.png(render.sheet([render.upscaled(c, 6) for c in cells], 3, gap=12), about)

    def npz() -> bytes:
        tensors = {
            f"{kind}_{what}": getattr(found[kind], what) for kind in KINDS for what in ("x_adv", "logits", "norm")
        }
        return arrays.npz({"x": found["bug"].x, "eps": torch.tensor(recipe.eps_values), **tensors}, to_json(recipe))

    def csv() -> str:
        columns: dict[str, list[object]] = {"eps": list(recipe.eps_values)}
        for kind in KINDS:
            columns[f"{kind}_norm"] = found[kind].norm.tolist()
            for name, logits in {recipe.victim: found[kind].logits, **said[kind]}.items():
                columns[f"{kind}_{name}"] = [CIFAR10_CLASSES[k] for k in logits.argmax(1).tolist()]
        return arrays.table(columns)

    return [
        *(Download(f"Picture, {kind}", f"{kind}-{at}.png", "image/png", lambda kind=kind: picture(kind)) for kind in KINDS),
        Download("Sheet", "bugs.png", "image/png", sheet, "Clean, perturbation ×3 and result: the feature, then the bug"),
        Download("Arrays, npz", "bugs.npz", "application/octet-stream", npz, "float32, every ε"),
        Download("Verdicts, CSV", "verdicts.csv", "text/csv", csv, "What every network says at every ε"),
        Download("Recipe, JSON", "recipe.json", "application/json", lambda: to_json(recipe)),
    ]  # fmt: skip
