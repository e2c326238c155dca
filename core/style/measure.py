"""The command: python -m core.style measure [pairs] [layers]."""

import argparse
import logging
from pathlib import Path
from typing import Any

import torch

from core import compute, data, results
from core.attacks.balls import L2
from core.commands import command
from core.models import Classifier, checkpoints
from core.models.judge import JUDGE, ROBUST_JUDGE, judges
from core.models.ready import load, placed
from core.problems import InputError
from core.rates import Estimate
from core.style.layers import moved
from core.style.pictures import MATERIALS, PHOTOS, TEXTURES
from core.style.recipe import StyleRecipe
from core.style.transfer import distances_by, originals, transfer
from core.types import Images

log = logging.getLogger("core.style")
RESULTS = results.FOLDER / "style.json"
PAIR = ("resnet9-standard", "resnet9-l2")
LAYERED = (*PAIR, JUDGE, ROBUST_JUDGE, "densenet-standard", "mobilenet-standard", "convmixer-standard")
BALL, STEPS = L2(0.5), 8


def pairs(n: int, recipe: StyleRecipe) -> dict[str, Any]:
    """Paint n pairs of a photograph and a texture through both networks and let the judges say how far they came.

    The pairs are the first n of all photographs times all textures, ordered so that each prefix varies both.
    """
    styles, contents = [*TEXTURES, *MATERIALS], list(PHOTOS)
    chosen = [(contents[i % len(contents)], styles[i % len(styles)]) for i in range(n)]  # 4 and 7 have no common factor
    models, seen = {name: load(name) for name in PAIR}, {name: _Seen(load(name)) for name in judges()}
    for content_name, style_name in chosen:
        asked = StyleRecipe(
            content=content_name, style=style_name, side=recipe.side, strength=recipe.strength, steps=recipe.steps
        )
        for name, model in models.items():
            frame = transfer(asked, name, model=model).frames[-1:]
            for one in seen.values():
                one.look(name, frame, *originals(asked))
        log.info("%s as %s: %s", content_name, style_name, {name: one.style for name, one in seen.items()})
    return {
        "n": n,
        "pairs": [list(pair) for pair in chosen],
        "side": recipe.side,
        "steps": recipe.steps,
        "strength": recipe.strength,
        "judges": {name: one.as_json() for name, one in seen.items()},
        "weights": {name: checkpoints.stamp(name) for name in (*PAIR, *seen)},
    }


class _Seen:
    """What a judge saw in the painted pictures of each network.

    Args:
        judge: A network that took no part.
    """

    def __init__(self, judge: Classifier) -> None:
        self.judge = judge
        self.style: dict[str, list[float]] = {name: [] for name in PAIR}
        self.content: dict[str, list[float]] = {name: [] for name in PAIR}

    def look(self, name: str, frame: Images, content: Images, style: Images) -> None:
        """Add a picture that a network painted."""
        far, moved_by = distances_by(self.judge, *(placed(x, self.judge) for x in (frame, content, style)))
        self.style[name].append(round(float(far), 4))
        self.content[name].append(round(float(moved_by), 4))

    def as_json(self) -> dict[str, Any]:
        """Return means with intervals, and the difference of the pairs: standard minus robust, > 0 for the robust."""
        gap = [a - b for a, b in zip(*(self.style[name] for name in PAIR), strict=True)]
        return {
            "style": {name: _mean(found) for name, found in self.style.items()},
            "content": {name: _mean(found) for name, found in self.content.items()},
            "difference": _mean(gap),
            "better": sum(one > 0 for one in gap),
        }


def layers(n: int, seed: int) -> dict[str, Any]:
    """Measure R(f) of every block of every network on the same test pictures."""
    test = data.cifar10("test")
    draws = torch.Generator().manual_seed(seed)
    x = test.x(torch.randperm(len(test), generator=draws)[:n].tolist())
    found: dict[str, Any] = {}
    names = [name for name in LAYERED if name in checkpoints.names()]
    for name in names:
        model = load(name)
        assert isinstance(model, Classifier)
        found[name] = {}
        for block in model.blocks:
            starts = torch.Generator(next(model.parameters()).device).manual_seed(seed)
            made = moved(model, block, x, BALL, steps=STEPS, generator=starts)
            ratio = Estimate(made.ratio, made.interval(torch.Generator().manual_seed(seed)), n)
            found[name][block] = {"ratio": ratio.value, "interval": list(ratio.interval)}
            log.info("%s, %s: R = %s", name, block, ratio)
    stamps = {name: checkpoints.stamp(name) for name in names}
    return {"n": n, "seed": seed, "attack": f"L2 {BALL.eps:g}, {STEPS} steps", "networks": found, "weights": stamps}


def _mean(values: list[float]) -> dict[str, Any]:
    return {**Estimate.of(values).as_json(), "values": [round(v, 4) for v in values]}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.style", description="Measure style transfer and its layers.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("parts", nargs="*", metavar="PART", help="of pairs, layers; none means both")
    parser.add_argument("--pairs", type=int, default=14)
    parser.add_argument("--steps", type=int, default=StyleRecipe.steps)
    parser.add_argument("--n", type=int, default=100, help="test pictures whose layers are pushed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - {"pairs", "layers"}:
        raise InputError(f"no part {', '.join(sorted(unknown))}; have pairs, layers")
    compute.setup_cpu()
    for part in given.parts or ("pairs", "layers"):
        found = pairs(given.pairs, StyleRecipe(steps=given.steps)) if part == "pairs" else layers(given.n, given.seed)
        about = {"date": results.today(), "profile": "cpu", "torch": torch.__version__}
        results.update(given.out, {part: {**about, **found}}, "python -m core.style measure")
