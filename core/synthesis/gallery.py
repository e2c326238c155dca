"""The offline gallery: pictures that the robust model painted, so that the app works without CIFAR-10.

    python -m core.synthesis.gallery build            writes assets/gallery.npz (needs CIFAR-10 and the models, minutes)

Seeds are drawn from a Gaussian with the mean and covariance of each class; the robust model's gradient then adds what
it takes for that class (Santurkar et al. 2019, arXiv 1906.09453). No CIFAR-10 picture is in the file, only what the two
models agree on. Everything in it is labelled as generated wherever it is shown.
"""

import argparse
import logging
import sys

import numpy as np
import torch
from torch import nn

from core import compute, data, results
from core.commands import command, output, whole
from core.data.sets import Pictures
from core.files.arrays import save_arrays
from core.files.render import to_uint8
from core.models import checkpoints
from core.synthesis.gaussians import ClassGaussian
from core.synthesis.paint import paint

log = logging.getLogger(__name__)
FILE = checkpoints.FOLDER.parent / "assets" / "gallery.npz"
RESULTS = results.FOLDER / "gallery.json"


def build(
    robust: nn.Module,
    standard: nn.Module,
    train: Pictures,
    *,
    per_class: int,
    candidates: int,
    seed: int,
    rank: int = 160,
) -> Pictures:
    """Paint candidates of each class and keep those of which both models are most certain.

    Args:
        robust: Paints, and judges.
        standard: Judges.
        train: CIFAR-10's training set, for the class Gaussians.
        per_class: Pictures to keep.
        candidates: Pictures to paint for each class.
        seed: Of the seeds.
        rank: Directions of each Gaussian.
    """
    images, labels = [], []
    for label, name in enumerate(train.classes):
        gaussian = ClassGaussian.of(train.x(np.flatnonzero(train.labels == label).tolist()), rank)
        seeds = gaussian.sample(candidates, torch.Generator().manual_seed(seed * 1000 + label))
        y = torch.full((candidates,), label)
        painted = paint(robust, seeds.contiguous(memory_format=torch.channels_last), y)
        saved = torch.from_numpy(to_uint8(painted)).permute(0, 3, 1, 2).float() / 255
        with torch.no_grad():
            certain = torch.stack([model(saved).softmax(1)[:, label] for model in (robust, standard)]).amin(0)
        best = certain.argsort(descending=True)[:per_class]
        log.info("%s: kept %d of %d, certainty %.2f or more", name, per_class, candidates, float(certain[best].min()))
        images.append(to_uint8(painted[best]))
        labels += [label] * per_class
    return Pictures(np.concatenate(images), np.asarray(labels, dtype=np.int64), train.classes, "generated")


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.synthesis.gallery", description="Make the offline gallery.")
    parser.add_argument("action", choices=["build"])
    parser.add_argument("--out", type=output, default=str(FILE))
    parser.add_argument("--robust", default="resnet9-l2")
    parser.add_argument("--standard", default="resnet9-standard")
    parser.add_argument("--per-class", type=whole(1), default=12)
    parser.add_argument("--candidates", type=whole(1), default=96)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    robust, standard = (compute.for_inference(checkpoints.load(name)) for name in (given.robust, given.standard))
    train = data.cifar10("train")
    made = build(robust, standard, train, per_class=given.per_class, candidates=given.candidates, seed=given.seed)
    drawn = len(made) // given.per_class * given.candidates
    kept = f"{given.per_class} of {given.candidates} a class, those of which both are most certain"
    how = f"{kept}; torch {torch.__version__}"
    about = f"painted by {given.robust}, seed {given.seed}, kept where {given.standard} agrees"
    arrays = {"images": made.images, "labels": made.labels.astype(np.uint8)}
    save_arrays(given.out, {**arrays, "classes": np.array(made.classes), "about": np.array(about)}, compressed=True)
    if given.out == FILE:
        results.write(RESULTS, results.about((given.robust, given.standard), n=drawn, seed=given.seed, how=how))
    sys.stdout.write(f"{given.out}: {len(made)} pictures, {given.out.stat().st_size / 1024:.0f} KB\n")


if __name__ == "__main__":
    main()
