"""Measure every method on both models: python -m core.saliency measure.

The same test pictures, seeds and settings for each model, so that the difference between two models is one between
pairs.
"""

import argparse
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core import compute, data, results
from core.commands import command, results_options, whole
from core.files.arrays import load_arrays, save_arrays
from core.models import Classifier, checkpoints
from core.models.judge import ROBUST_JUDGE
from core.models.ready import load
from core.saliency.attribution import attribute
from core.saliency.classes import means_of
from core.saliency.maps import edge_strength, magnitude, reduced
from core.saliency.measures import (
    class_alignment,
    coherence,
    deletion_insertion,
    edge_alignment,
    edge_correlation,
    gini,
    rank_correlation,
    shuffled,
)
from core.saliency.methods import METHODS
from core.types import Images, Labels, PerExample

MODELS = ("resnet9-standard", "resnet9-l2", ROBUST_JUDGE)  # the third: is it robustness, or this architecture?
RESULTS = results.FOLDER / "saliency.json"
AGAIN = "python -m core.saliency measure"
CONTROLS = ("noise", "edges")  # maps that know nothing of any model: white noise, and the picture's own edges
BATCH = 50
WINDOW = 8  # of Occlusion; half the evaluations of the page's 6
RESAMPLES = 2000
log = logging.getLogger(__name__)


def measure(
    name: str, x: Images, y: Labels, means: Tensor, *, seed: int, samples: int, kept: Path | None = None
) -> dict[str, dict[str, Tensor]]:
    """Measure one model: method -> measure -> one number per picture (N,).

    Args:
        name: The checkpoint.
        x: Pictures (N, C, H, W).
        y: Their labels, whose scores are explained (N,).
        means: Mean picture of each class (K, C, H, W), for the class alignment (under "gradient").
        seed: Of the noise and of the shuffled models.
        samples: See `attribute`.
        kept: A folder where finished batches are kept, so that a killed measurement goes on where it was.
    """
    model = load(name)
    assert isinstance(model, Classifier)
    stamp = checkpoints.stamp(name) if kept is not None else ""
    device = next(model.parameters()).device
    draws = torch.Generator().manual_seed(seed)
    models = (model, shuffled(model, draws), shuffled(model, draws, top_only=True))
    parts: list[dict[str, Tensor]] = []
    for part, (xs, ys) in enumerate(zip(x.to(device).split(BATCH), y.to(device).split(BATCH), strict=True)):
        path = kept / f"{name}-{stamp}-{len(x)}-{samples}-{seed}-{part}.npz" if kept is not None else None
        if path is not None and path.is_file():
            parts.append({key: torch.from_numpy(values) for key, values in load_arrays(path).items()})
            continue
        parts.append(_batch(models, xs, ys, means.to(device), seed * 10_007 + part, samples))
        if path is not None:
            save_arrays(path, {key: values.numpy() for key, values in parts[-1].items()})
        log.info("%s: %d of %d", name, min((part + 1) * BATCH, len(x)), len(x))
    found: dict[str, dict[str, Tensor]] = {}
    for key in parts[0]:
        method, _, measured = key.partition(" ")
        found.setdefault(method, {})[measured] = torch.cat([p[key] for p in parts])
    return found


def _batch(
    models: tuple[Classifier, Classifier, Classifier], x: Images, y: Labels, means: Tensor, seed: int, samples: int
) -> dict[str, Tensor]:
    """Measure a model, with its two shuffled copies, on one batch: "method measure" -> one number per picture (N,)."""
    model, null, half = models
    found = {"gradient class_alignment": class_alignment(model, x, y, means)}
    for method, explain in _explainers(x, y, seed, samples).items():
        made = explain(model)
        size, signed = magnitude(made), reduced(made)
        adds_up = method in METHODS and METHODS[method].adds_up
        deletion, insertion = deletion_insertion(model, x, y, signed if adds_up else size)
        of = {
            "edge_alignment": edge_alignment(size, x),
            "edge_correlation": edge_correlation(size, x),
            "coherence": coherence(signed),
            "sparsity": gini(size),
            "deletion": deletion,
            "insertion": insertion,
            "randomised": rank_correlation(size, magnitude(explain(null))),
            "randomised_top": rank_correlation(size, magnitude(explain(half))),
        }
        found |= {f"{method} {key}": values for key, values in of.items()}
    return {key: values.cpu() for key, values in found.items()}


def _explainers(x: Images, y: Labels, seed: int, samples: int) -> dict[str, Callable[[nn.Module], Tensor]]:
    def by_method(model: nn.Module, method: str) -> Tensor:
        draws = torch.Generator().manual_seed(seed)
        return attribute(model, x, y, method, samples=samples, window=WINDOW, generator=draws)

    draws = torch.Generator().manual_seed(seed)

    def noise(_: nn.Module) -> Tensor:
        return torch.randn(x.shape, generator=draws).to(x.device)

    def edges(_: nn.Module) -> Tensor:
        return edge_strength(x)[:, None]

    return {**{m: functools.partial(by_method, method=m) for m in METHODS}, "noise": noise, "edges": edges}


def summary(values: PerExample, seed: int = 0) -> dict[str, object]:
    """Return the mean with its 95 % bootstrap interval (percentiles of resampled means)."""
    draws = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(values), (RESAMPLES, len(values)), generator=draws)
    means = values.double()[rows].mean(1)
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return {"mean": float(values.double().mean()), "interval": [low, high], "n": len(values)}


def models() -> tuple[str, ...]:
    """List the models that are measured, of those whose weights are here."""
    return tuple(name for name in MODELS if checkpoints.path_of(name).is_file())


def run(names: tuple[str, ...], n: int, seed: int, samples: int, kept: Path | None = None) -> dict[str, Any]:
    """Measure the models on the same n test pictures.

    Return everything that the results file holds but its circumstances.
    """
    test, means = data.cifar10("test"), means_of("train", data.cifar10_root()).x
    rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(seed))[:n].tolist()
    x, y = test.x(rows), test.y(rows)
    found = {name: measure(name, x, y, means, seed=seed, samples=samples, kept=kept) for name in names}
    first = names[0]
    return {
        "models": {
            name: {method: {key: summary(v) for key, v in of.items()} for method, of in methods.items()}
            for name, methods in found.items()
        },
        "differences": {
            name: {
                method: {key: summary(v - found[first][method][key]) for key, v in of.items()}
                for method, of in found[name].items()
            }
            for name in names[1:]
        },
    }


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.saliency", description="Measure attribution methods.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("--models", nargs="+", default=list(models()), help="differences are taken from the first")
    parser.add_argument("--n", type=whole(2, 10_000), default=500)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--samples", type=whole(1), default=16)
    parser.add_argument("--kept", type=Path, help="a folder for finished batches: a killed measurement then goes on")
    results_options(parser, RESULTS)
    given = parser.parse_args(arguments)
    threads = compute.setup_cpu()
    known = results.read(given.out, AGAIN) or {}
    results.refuse_smaller(given.out, known.get("n"), given.n, anew=given.anew)
    found = run(tuple(given.models), given.n, given.seed, given.samples, given.kept)
    about = results.about(
        given.models,
        n=given.n,
        seed=given.seed,
        profiles={name: checkpoints.header(name).recipe.get("profile", "") for name in given.models},
        how=(
            f"test pictures, the label's score explained; {given.samples} samples or path points, noise 0.15, grey"
            f" baseline, window {WINDOW}; deletion and insertion on grey; {compute.at_work(threads)}; torch"
            f" {torch.__version__}"
        ),
    )
    results.write(given.out, {**about, **found}, sort_keys=False)
