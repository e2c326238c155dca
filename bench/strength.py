"""How strong the pages' default attack is beside others, per model and ball: robust accuracy, so less is stronger.

    python -m bench.strength [--n 2000] [--settings default,constant-20] [--json FILE]

The first n test pictures of CIFAR-10, untargeted PGD on the log-odds from the picture itself. The default is ten steps
on a cosine; `constant-20` is what the pages did before, `constant-50` a strong attack of the customary kind.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from core import compute, data
from core.attacks import balls, pgd
from core.attacks.objectives import autocast, untargeted
from core.attacks.rules import step_lengths
from core.models import ready
from core.perturb.recipe import PerturbRecipe
from core.rates import Rate
from core.train.evaluate import predict

BATCH = 64
RADII = {
    "resnet9-standard": {"L2": (0.1, 0.15, 0.25), "Linf": (0.5 / 255, 1 / 255, 2 / 255)},
    "resnet9-l2": {"L2": (0.5, 1.0, 1.5), "Linf": (4 / 255, 8 / 255, 12 / 255)},
}
DEFAULT = PerturbRecipe()
SETTINGS = {
    "default": (DEFAULT.schedule, DEFAULT.steps),
    "constant-20": ("constant", 20),
    "constant-50": ("constant", 50),
    "cosine-7": ("cosine", 7),
}


def robust(
    model: nn.Module, x: Tensor, y: Tensor, ball: balls.Ball, schedule: str, steps: int, precision: str = "auto"
) -> Rate:
    """Count the pictures that are still right after the attack."""
    hits = 0
    for part, labels in zip(x.split(BATCH), y.split(BATCH), strict=True):
        lengths = [float(ball.eps) * length for length in step_lengths(schedule, steps)]
        goal = autocast(untargeted(model, labels), precision)
        x_adv = pgd(goal, part.contiguous(memory_format=torch.channels_last), ball, steps=steps, step_size=lengths)
        hits += int((predict(model, x_adv).argmax(1) == labels).sum())
    return Rate(hits, len(x))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.strength", description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=2000, help="pictures (default 2000)")
    parser.add_argument("--settings", default="default,constant-20", help=f"of {','.join(SETTINGS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there too")
    given = parser.parse_args(arguments)
    wanted = given.settings.split(",")
    if given.n < 1 or not set(wanted) <= SETTINGS.keys():
        parser.error(f"n must be at least 1 and the settings of {', '.join(SETTINGS)}")
    compute.setup_cpu()
    here, test = compute.device(), data.cifar10("test")
    n = min(given.n, len(test))
    x, y = test.x(slice(n)).to(here), test.y(slice(n)).to(here)
    out, found = sys.stdout, []
    out.write(f"n = {n}; bfloat16 gradients: {'yes' if compute.has_fast_bf16(here) else 'no'}\n")
    for name, norms in RADII.items():
        model = ready.load(name)
        for norm, radii in norms.items():
            for eps in radii:
                rates = {s: robust(model, x, y, balls.make(norm, eps), *SETTINGS[s]) for s in wanted}
                size = f"{eps:g}" if norm == "L2" else f"{eps * 255:g}/255"
                out.write(
                    f"{name:17} {norm:4} {size:8} " + "  ".join(f"{s} {rate}" for s, rate in rates.items()) + "\n"
                )
                out.flush()
                found.append({"model": name, "norm": norm, "eps": eps} | {s: r.as_json() for s, r in rates.items()})
    if given.json:
        given.json.write_text(json.dumps({"n": n, "torch": torch.__version__, "results": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
