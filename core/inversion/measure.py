"""The command: python -m core.inversion measure."""

import argparse
import json
import logging
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core import compute, data
from core.commands import command
from core.inversion.invert import SETTINGS, invert, relative_distance, representation
from core.models import Classifier, checkpoints
from core.models.ready import load
from core.rates import Rate

MODELS = ("resnet9-standard", "resnet9-l2")
log = logging.getLogger(__name__)
RESULTS = checkpoints.FOLDER.parent / "assets" / "results" / "inversion.json"


def measure(name: str, viewers: tuple[str, ...], n: int, seed: int, setting: str) -> dict[str, Any]:
    """Invert n test pictures in one model and let other networks say what they see in the results.

    Each picture starts from another test picture, drawn independently of the label; pictures and starts are the same for
    all models and settings.

    Args:
        name: The model that is inverted.
        viewers: Networks that say whether they see the wanted picture's class, or still the start's.
        n: Pictures.
        seed: Of the choice.
        setting: "fast" or "paper".

    Returns:
        Means with 95 % intervals, and rates with Wilson intervals.
    """
    test = data.cifar10("test")
    draws = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(test), generator=draws)[: 2 * n].tolist()
    x, x0, y, y0 = test.x(rows[:n]), test.x(rows[n:]), test.y(rows[:n]), test.y(rows[n:])
    model = load(name)
    assert isinstance(model, Classifier)
    made, began = [], time.monotonic()
    for part in range(0, n, 50):
        wanted = representation(model, x[part : part + 50])
        made.append(invert(model, wanted, x0[part : part + 50], setting=SETTINGS[setting]))
        log.info("%s, %s: %d of %d", name, setting, part + len(made[-1]), n)
    seconds = (time.monotonic() - began) / n
    inverted = torch.cat(made)
    with torch.no_grad():
        distance = relative_distance(model, representation(model, x))(inverted)
        said = {viewer: load(viewer)(inverted).argmax(1) for viewer in (name, *viewers)}
    return {
        **_mean("distance", distance),
        **_mean("pixel_distance", (inverted - x).flatten(1).norm(dim=1)),
        **_mean("moved", (inverted - x0).flatten(1).norm(dim=1)),
        "sees_wanted": {viewer: Rate(int((k == y).sum()), n).as_json() for viewer, k in said.items()},
        "sees_start": {viewer: Rate(int((k == y0).sum()), n).as_json() for viewer, k in said.items()},
        "seconds_per_picture": seconds,
    }


def _mean(name: str, values: Tensor) -> dict[str, object]:
    half = 1.96 * float(values.std()) / len(values) ** 0.5
    mean = float(values.mean())
    return {f"{name}_mean": mean, f"{name}_interval": [mean - half, mean + half]}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command: python -m core.inversion measure."""
    parser = argparse.ArgumentParser(prog="python -m core.inversion", description="Measure inversions.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--judge", default="vgg-standard")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    threads = compute.setup_cpu()
    about = {
        "n": given.n,
        "seed": given.seed,
        "judge": given.judge,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "how": f"test pictures, starts are other test pictures; batches of 50; {threads} CPU threads; torch {torch.__version__}",
    }
    for setting in given.settings:
        for name in given.models:
            viewers = tuple(v for v in dict.fromkeys((*MODELS, given.judge)) if v != name)
            found = {name: measure(name, viewers, given.n, given.seed, setting)}
            known = json.loads(given.out.read_text()) if given.out.is_file() else {}
            settings = known.get("settings", {})
            settings[setting] = {**settings.get(setting, {}), **found}
            part = given.out.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps({**about, "settings": settings}, indent=2, sort_keys=True) + "\n")
            part.replace(given.out)


if __name__ == "__main__":
    main()
