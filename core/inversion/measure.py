"""The command: python -m core.inversion measure."""

import argparse
import logging
import time
from typing import Any

import torch
from torch import Tensor

from core import compute, data, results
from core.commands import command, results_options, whole
from core.inversion.invert import SETTINGS, invert, noise_start, relative_distance, representation
from core.models import Classifier, judge
from core.models.ready import beside, load
from core.rates import Estimate, Rate

MODELS = ("resnet9-standard", "resnet9-l2")
log = logging.getLogger(__name__)
RESULTS = results.FOLDER / "inversion.json"
AGAIN = "python -m core.inversion measure"


def measure(
    name: str, viewers: tuple[str, ...], n: int, seed: int, setting: str, start: str = "picture"
) -> dict[str, Any]:
    """Invert n test pictures in one model and let other networks say what they see in the results.

    Each picture starts from another test picture, drawn independently of the label, or from noise of its own; pictures
    and starts are the same for all models and settings.

    Args:
        name: The model that is inverted.
        viewers: Networks that say whether they see the wanted picture's class, or still the start's.
        n: Pictures.
        seed: Of the choice.
        setting: A key of `core.inversion.invert.SETTINGS`.
        start: "picture" or "noise".

    Returns:
        Means with 95 % intervals, and rates with Wilson intervals.
    """
    test = data.cifar10("test")
    draws = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(test), generator=draws)[: 2 * n].tolist()
    x, x0, y, y0 = test.x(rows[:n]), test.x(rows[n:]), test.y(rows[:n]), test.y(rows[n:])
    if start == "noise":
        x0 = noise_start(x.shape, draws)
    model = load(name)
    assert isinstance(model, Classifier)
    x, x0, y, y0 = (beside(values, model) for values in (x, x0, y, y0))
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
    mean = Estimate.of(values.tolist())
    return {f"{name}_mean": mean.value, f"{name}_interval": list(mean.interval)}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command: python -m core.inversion measure."""
    parser = argparse.ArgumentParser(prog="python -m core.inversion", description="Measure inversions.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument(
        "--judges", nargs="*", default=list(judge.judges()), help="networks that took no part and say what they see"
    )
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--n", type=whole(2, 5000), default=200)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    results_options(parser, RESULTS)
    given = parser.parse_args(arguments)
    threads = compute.setup_cpu()
    known = results.read(given.out, AGAIN)
    results.refuse_other(given.out, known, anew=given.anew, n=given.n, seed=given.seed)
    if given.anew:
        known = None
    about = results.about(
        (),
        n=given.n,
        seed=given.seed,
        judges=given.judges,
        how=(
            f"test pictures, starts are other test pictures; batches of 50; {compute.at_work(threads)}; torch"
            f" {torch.__version__}"
        ),
    )
    for setting in given.settings:
        for name in given.models:
            viewers = tuple(v for v in dict.fromkeys((*MODELS, *given.judges)) if v != name)
            stamps = results.stamps_of((name, *viewers))
            found = {name: {**measure(name, viewers, given.n, given.seed, setting), results.STAMPS: stamps}}
            settings = (known or {}).get("settings", {})
            settings[setting] = {**settings.get(setting, {}), **found}
            known = {**about, "settings": settings}
            results.write(given.out, known)


if __name__ == "__main__":
    main()
