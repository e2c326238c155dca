"""What several test files build on: seeded draws, small models, small sets of pictures, a script on its own."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import TypeCheckError
from torch import Tensor, nn

from core.data.sets import Pictures
from core.models import Classifier, build
from core.train import TrainRecipe, fit, initialise
from core.types import Images, Labels
from tests.app_process import ROOT

# What a wrong shape or dtype raises: the sentence for users, or, while tests check types, the type check before it.
REFUSED = (ValueError, TypeCheckError)


def draws(seed: int = 0) -> torch.Generator:
    """Make a generator of its own; no test touches torch's global one."""
    return torch.Generator().manual_seed(seed)


def images(n: int = 4, c: int = 3, size: int = 8, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw images (n, c, size, size) uniform in [0, 1]."""
    return torch.rand(n, c, size, size, generator=draws(seed), dtype=dtype)


def grey(n: int = 4, c: int = 3, size: int = 8, *, dtype: torch.dtype = torch.float64) -> Tensor:
    """Make images of 0.5: as far from both ends of the pixel range as can be."""
    return torch.full((n, c, size, size), 0.5, dtype=dtype)


def sizes(arch: str, width: int) -> dict[str, int]:
    """The builder's arguments for a representation of 8 width dimensions (4 divides width), shallow if it can be."""
    match arch:
        case "densenet":
            return {"growth": 2 * width, "depth": 2}
        case "convmixer":
            return {"width": 8 * width, "depth": 2}
        case "resnet50":
            return {"width": width // 4}
    return {"width": width}


def tiny(arch: str = "resnet9", width: int = 4, classes: int = 10, *, seed: int = 0) -> Classifier:
    """Build a small classifier in eval mode whose weights and batch statistics come from the seed; D = 8 width.

    The weights are larger than those training starts from, so that the logits depend on the pixels.
    """
    model = build(arch, **sizes(arch, width), classes=classes)
    initialise(model, draws(seed))
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.mul_(6**0.5)  # variance 2 / fan_in
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.2, 0.2, generator=draws(seed + 1))
                module.running_var.uniform_(0.5, 1.5, generator=draws(seed + 2))
    return model.eval()


class Plane(nn.Module):
    """Two logits (w . x, 0): the log-odds of class 0 are w . x, and everything about an attack is known exactly."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(w)

    def score(self, x: Tensor) -> Tensor:
        """Compute w . x (N,)."""
        return (x * self.w).flatten(1).sum(1)

    def forward(self, x: Tensor) -> Tensor:
        score = self.score(x)
        return torch.stack([score, torch.zeros_like(score)], 1)


def noise_pictures(n: int, classes: int = 4, size: int = 16, *, seed: int = 0) -> Pictures:
    """Make pictures of pure noise with labels that mean nothing: they can only be learnt by heart."""
    rng = np.random.default_rng(seed)
    return Pictures(
        rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8),
        rng.integers(0, classes, n),
        tuple("abcdefghij"[:classes]),
        "noise",
    )


def template_pictures(
    n: int, classes: int = 4, size: int = 16, *, contrast: float, noise: float, seed: int = 0
) -> Pictures:
    """Make pictures of a smooth template a class, all with the same templates whatever the seed, plus noise.

    Args:
        n: How many.
        classes: How many templates.
        size: Height and width.
        contrast: Amplitude of the templates, in units of [0, 1].
        noise: Standard deviation of the noise, likewise.
        seed: Decides labels and noise.
    """
    shapes = np.random.default_rng(1).normal(size=(classes, 4, 4, 3)).repeat(size // 4, 1).repeat(size // 4, 2)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    pixels = 0.5 + contrast * shapes[labels] + noise * rng.normal(size=(n, size, size, 3))
    return Pictures(
        (pixels.clip(0, 1) * 255).round().astype(np.uint8), labels, tuple("abcdefghij"[:classes]), f"templates {seed}"
    )


@cache
def trained() -> tuple[Classifier, Images, Labels]:
    """Train a small network on templates in noise for a second or two; return it with 200 new pictures.

    It is right on all of them; at Linf 8/255 and L2 0.5 about half survive an attack.
    """
    train, test = (template_pictures(n, contrast=0.08, noise=0.2, seed=seed) for n, seed in ((512, 0), (200, 1)))
    recipe = TrainRecipe(
        args={"width": 4, "classes": 4}, epochs=6, batch_size=32, lr=0.1, ema=0.9, augment=False, precision="fp32"
    )
    return fit(recipe, train), test.x(), test.y()


def two_cues(n: int, size: int = 16, *, honest: float, seed: int = 0) -> Pictures:
    """Make two classes with a robust and a non-robust cue.

    The robust cue is a brighter left or right half (amplitude 0.15), right only in the fraction `honest` of the
    pictures; the non-robust cue is a tint of 5/255 toward red or green, always right.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    sign = (2.0 * labels - 1)[:, None, None, None]
    told = np.where(rng.random((n, 1, 1, 1)) < honest, sign, -sign)
    half = np.where(np.arange(size) < size // 2, 1.0, -1.0)[None, None, :, None]
    tint = np.array([1.0, -1.0, 0.0])[None, None, None, :]
    pixels = 0.5 + 0.15 * told * half + 5 / 255 * sign * tint + 0.02 * rng.normal(size=(n, size, size, 3))
    return Pictures((pixels.clip(0, 1) * 255).round().astype(np.uint8), labels, ("left", "right"), "two cues")


def run_alone(script: str, folder: Path, patience_s: float = 300) -> str:
    """Run a script in a process of its own, as somebody who copied it would; return what it printed.

    Args:
        script: The program.
        folder: Where it runs and leaves its files; the script itself lies there as view.py.
        patience_s: How long it may take.

    Raises:
        AssertionError: If it ends with an error; the message is what it said.
    """
    (folder / "view.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "view.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=patience_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
