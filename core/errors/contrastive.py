"""A learner that is told no label, only which two views show the same picture: SimCLR (Chen et al. 2020).

    loss_fn = Contrastive()
    model = train.fit(recipe, pictures, start=beginning(recipe, loss_fn), loss_fn=loss_fn)
    features = represented(model, x)

Each picture of a batch is cut, mirrored and coloured at random, twice. A network maps each view to a point on a sphere,
and is right about a view if the nearest of all others is the other view of its picture. The points are made by a
projection that is thrown away afterwards: the representation is what lies before it (arXiv 2002.05709).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import compute
from core.models import Classifier, build, evaluating, in_batches
from core.train import TrainRecipe, initialise
from core.types import Features, Images

PROJECTION = "projection"  # the block that is thrown away, with the head
COLLAPSED = 0.1  # a spread below this: nearly all pictures are one point
GREY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601


@dataclass(frozen=True)
class Contrastive:
    """The loss, for `core.train.fit`: NT-Xent of two views of each picture.

    SimCLR's views for CIFAR-10 without the change of hue (appendix B.9), and cut less small: its smallest area is 0.08,
    its temperature 0.5, for batches of 1,024 and 1,000 epochs.

    Args:
        area: Smallest part of a picture that a view shows; the side ratio is 3/4 to 4/3.
        jitter: Brightness, contrast and saturation are multiplied by 1 - jitter to 1 + jitter, in four views of five.
        grey: How often a view has no colour.
        temperature: Of the softmax over similarities.
        dims: Dimensions of the sphere's space.
    """

    area: float = 0.25
    jitter: float = 0.4
    grey: float = 0.2
    temperature: float = 0.2
    dims: int = 64

    def __call__(
        self, recipe: TrainRecipe, model: nn.Module, x: Images, draws: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Compute the loss of a batch, and for each of its 2 N views whether its other one is the nearest."""
        seen = torch.cat([self.view(x, draws), self.view(x, draws)])
        with compute.autocast(x.device, recipe.precision):
            z = model(seen)
        first, second = z.float().chunk(2)
        return nt_xent(first, second, self.temperature)

    def view(self, x: Images, draws: torch.Generator) -> Images:
        """Draw a view of each picture: (N, 3, H, W) in [0, 1], of the same size."""
        return _coloured(self, _cut(self, x, draws), draws).contiguous(memory_format=torch.channels_last)


def _cut(how: Contrastive, x: Images, draws: torch.Generator) -> Images:
    """Cut a part out of each picture, mirror half of them, and resize them, bilinearly."""
    u = torch.rand(5, len(x), generator=draws).to(x.device)
    area, ratio = how.area + (1 - how.area) * u[0], torch.exp((2 * u[1] - 1) * math.log(4 / 3))
    wide, high = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    theta = torch.zeros(len(x), 2, 3, device=x.device)
    theta[:, 0, 0] = torch.where(u[4] < 0.5, -wide, wide)
    theta[:, 1, 1] = high
    theta[:, 0, 2], theta[:, 1, 2] = (2 * u[2] - 1) * (1 - wide), (2 * u[3] - 1) * (1 - high)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False).clamp(0, 1)


def _coloured(how: Contrastive, x: Images, draws: torch.Generator) -> Images:
    """Change brightness, contrast and saturation of each picture, and take the colour of some."""
    u = torch.rand(5, len(x), 1, 1, 1, generator=draws).to(x.device)
    strength = how.jitter * (u[3] < 0.8)
    brightness, contrast, saturation = (1 + strength * (2 * one - 1) for one in u[:3])
    x = (x * brightness).clamp(0, 1)
    mean = _luma(x).mean((2, 3), keepdim=True)
    x = (mean + contrast * (x - mean)).clamp(0, 1)
    luma = _luma(x)
    return torch.where(u[4] < how.grey, luma.expand_as(x), (luma + saturation * (x - luma)).clamp(0, 1))


def _luma(x: Images) -> Tensor:
    weights = torch.tensor(GREY, device=x.device).view(1, 3, 1, 1)
    return (x * weights).sum(1, keepdim=True)


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Compute the normalised temperature-scaled cross-entropy of pairs of views (Chen et al. 2020, eq. 1).

    For each of the 2 N points: minus the log of exp(s / t) for its partner over the sum for all points but itself, s
    the cosine; the mean of all.

    Args:
        first: One view of each picture, (N, D) of any length.
        second: The other view, in the same order.
        temperature: t.

    Returns:
        The loss, and for each point whether its partner is the most similar of all others (2 N,).
    """
    z = F.normalize(torch.cat([first, second]), dim=1)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    logits = (z @ z.T / temperature).masked_fill(itself, -math.inf)
    partner = torch.arange(len(z), device=z.device).roll(len(first))
    return F.cross_entropy(logits, partner), logits.argmax(1) == partner


def beginning(recipe: TrainRecipe, loss_fn: Contrastive) -> Classifier:
    """Build the recipe's network with a projection of two layers in place of its head, weights drawn from the seed."""
    model = build(recipe.arch, **{**recipe.args, "classes": loss_fn.dims})
    wide = model.head.in_features
    model.body.add_module(PROJECTION, nn.Sequential(nn.Linear(wide, wide), nn.ReLU()))
    initialise(model, torch.Generator().manual_seed(recipe.seed))
    return model


def represented(model: Classifier, x: Images, batch_size: int = 500) -> Features:
    """Compute the representation of pictures (N, D), in eval mode: the input of the head, or of the projection."""
    block = [name for name in model.blocks if name != PROJECTION][-1]
    with evaluating(model):
        return in_batches(lambda part: model.activations(part, block), x, batch_size)


def spread(points: Tensor) -> float:
    """Measure how far points (N, D) are from being one: 0 if all have one direction, 1 if they lie round the sphere.

    The mean deviation of a coordinate of z / |z|, times the root of D (Chen and He 2021, arXiv 2011.10566, figure 2).
    A learner without labels that ends at 0 has collapsed: nothing can be told apart any more.
    """
    z = F.normalize(points, dim=1)
    return float(z.std(0, correction=0).mean()) * z.shape[1] ** 0.5
