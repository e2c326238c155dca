"""Numbers, not taste: what a map can be held against, one number per picture.

All take maps as values per pixel (N, H, W). Higher is not always better; `MEASURES` says what each of them means.
"""

import copy
from itertools import chain

import torch
from torch import Tensor, nn

from core.attacks import check_pixels
from core.models import Classifier, in_batches
from core.saliency.attribution import ROWS
from core.saliency.maps import edge_strength
from core.types import Images, Labels, PerExample

FRACTIONS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)  # of the pixels, at which deletion and insertion ask the model


def cosine(a: Tensor, b: Tensor) -> PerExample:
    """Compute the cosine of the angle between a and b (N, ...), per picture (N,); 0 where one of them is 0."""
    a, b = a.flatten(1).double(), b.flatten(1).double()
    lengths = a.norm(dim=1) * b.norm(dim=1)
    return torch.where(lengths > 0, (a * b).sum(1) / lengths.clamp_min(1e-300), 0.0)


def edge_alignment(size: Tensor, x: Images) -> PerExample:
    """Compute the cosine between the map's sizes (N, H, W) and the picture's edge strength, per picture (N,).

    Both are nowhere negative, so that even noise reaches a high value: read it beside a map of noise.
    """
    return cosine(size.abs(), edge_strength(x))


def edge_correlation(size: Tensor, x: Images) -> PerExample:
    """Compute Pearson's correlation of the map's sizes (N, H, W) and the picture's edge strength (N,): 0 for noise."""
    return cosine(_centred(size.abs()), _centred(edge_strength(x)))


def coherence(values: Tensor) -> PerExample:
    """Compute the correlation of neighbouring pixels of a signed map (N, H, W), per picture (N,): 0 for white noise."""
    centred = _centred(values)
    pairs = [(centred[:, 1:], centred[:, :-1]), (centred[:, :, 1:], centred[:, :, :-1])]
    return (cosine(*pairs[0]) + cosine(*pairs[1])) / 2


def _centred(maps: Tensor) -> Tensor:
    return maps - maps.mean((1, 2), keepdim=True)


def gini(size: Tensor) -> PerExample:
    """Compute the Gini index of a map's sizes (N, H, W): 0 if all pixels count alike, near 1 if few count (N,).

    Source: Hurley and Rickard (2009), who compare measures of sparsity; used for saliency by Chalasani et al. (2020).
    """
    ordered = size.abs().flatten(1).double().sort(1).values
    count = ordered.shape[1]
    rank = torch.arange(1, count + 1, device=size.device, dtype=torch.float64)
    total = ordered.sum(1)
    gaps = (ordered * (count - rank + 0.5)).sum(1) / count
    return torch.where(total > 0, 1 - 2 * gaps / total.clamp_min(1e-300), 0.0)


def rank_correlation(a: Tensor, b: Tensor) -> PerExample:
    """Compute Spearman's rank correlation of two maps (N, H, W), per picture (N,); 0 where one of them is constant."""
    centred = [r - r.mean(1, keepdim=True) for r in (_ranks(a.flatten(1)), _ranks(b.flatten(1)))]
    return cosine(centred[0], centred[1])


def _ranks(values: Tensor) -> Tensor:
    """Rank each row; equal values share their mean rank, or two half-empty maps would agree where empty."""
    ordered, values = values.sort(1).values, values.contiguous()
    return (torch.searchsorted(ordered, values) + torch.searchsorted(ordered, values, right=True)).double() / 2


def deletion_insertion(
    model: nn.Module, x: Images, y: Labels, values: Tensor, fill: float = 0.5
) -> tuple[PerExample, PerExample]:
    """Take the pixels away, or put them in, the most important first; watch the class's probability.

    Args:
        model: Maps pixels to logits.
        x: Pictures (N, C, H, W) in [0, 1].
        y: The class that is watched (N,).
        values: Importance per pixel (N, H, W), largest first.
        fill: Grey that stands where a pixel is away.

    Returns:
        The areas under the two curves over the fraction of pixels (N,), (N,): good maps have a small deletion area and
        a large insertion area.

    Source: Petsiuk et al. (2018), RISE; there a blurred picture is what insertion starts from.
    """
    check_pixels(x)
    count = values[0].numel()
    place = (
        values.flatten(1).argsort(dim=1, descending=True, stable=True).argsort(dim=1, stable=True)
    )  # 0: most important
    place = place.reshape(len(x), 1, *x.shape[2:])
    empty = torch.full_like(x, fill)
    full_p, empty_p = probability(model, x, y), probability(model, empty, y)
    areas = []
    for inside, outside, first, last in ((empty, x, full_p, empty_p), (x, empty, empty_p, full_p)):
        between = [torch.where(place < round(f * count), inside, outside) for f in FRACTIONS[1:-1]]
        p = torch.stack([first, *(probability(model, step, y) for step in between), last])  # (F, N)
        areas.append(torch.trapezoid(p, torch.tensor(FRACTIONS, device=p.device), dim=0))
    return areas[0], areas[1]


def probability(model: nn.Module, x: Images, y: Labels) -> PerExample:
    """Compute p_y of each picture (N,), in bounded batches."""
    return in_batches(model, x, ROWS).softmax(1).gather(1, y[:, None])[:, 0]


def shuffled(model: Classifier, generator: torch.Generator, *, top_only: bool = False) -> Classifier:
    """Copy a model with each of its weight tensors in random order.

    As large as before, and nothing left of what it learnt.

    The null model of the randomisation check (Adebayo et al. 2018), which re-initialises instead; this keeps each
    layer's distribution of weights, so that the copy's activations neither die nor explode.

    Args:
        model: What was trained.
        generator: Source of the order.
        top_only: Leave the first half of the blocks as trained: a method that only sees them shows no change.
    """
    twin = copy.deepcopy(model)
    trained = len(twin.body) // 2 if top_only else 0
    with torch.no_grad():
        for weights in chain(twin.body[trained:].parameters(), twin.head.parameters()):
            order = torch.randperm(weights.numel(), generator=generator).to(weights.device)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
    return twin


def class_gradients(model: nn.Module, x: Images) -> Tensor:
    """Compute the gradient of every logit at each picture: (N, K, C, H, W)."""
    rows = []
    for part in x.split(max(1, ROWS // 8)):
        leaf = part.detach().clone().requires_grad_()
        logits = model(leaf)
        rows.append(
            torch.stack(
                [
                    torch.autograd.grad(logits[:, k].sum(), leaf, retain_graph=k + 1 < logits.shape[1])[0]
                    for k in range(logits.shape[1])
                ],
                1,
            )
        )
    return torch.cat(rows)


def class_alignment(model: nn.Module, x: Images, y: Labels, means: Tensor) -> PerExample:
    """Compute how well gradients point from class to class: the quantity of theorem 3, on real pictures.

    For each other class k, the cosine between the gradient of (logit_y - logit_k) at the picture and the difference
    of the classes' means; averaged over the k.

    Args:
        model: Maps pixels to logits.
        x: Pictures (N, C, H, W).
        y: Their classes (N,).
        means: Mean picture of each class (K, C, H, W).

    Source: Ilyas et al. (2019), section 4, theorem 3, where there are two Gaussian classes and the worst x counts.
    """
    gradients = class_gradients(model, x)
    own, centre = gradients[torch.arange(len(x)), y], means[y]
    angles = torch.stack([cosine(own - gradients[:, k], centre - means[k]) for k in range(len(means))], 1)
    others = torch.ones_like(angles).scatter(1, y[:, None], 0)  # against itself there is no direction
    return (angles * others).sum(1) / others.sum(1)
