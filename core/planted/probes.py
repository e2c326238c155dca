"""What a network makes of the planted features, asked with the answer in hand.

Each question takes a classifier of pictures, a function to logits, so that the exact Bayes rule answers it as networks
do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from core.attacks import pgd
from core.attacks.balls import L2
from core.attacks.objectives import targeted, untargeted
from core.data.planted.bayes import bayes_logits
from core.data.planted.scenes import Scenes, disagreeing, render
from core.data.planted.world import PlantedWorld, colours, masks, weaves
from core.rates import Rate
from core.train.evaluate import predict
from core.types import Images, Labels, Logits, PerExample

Rule = Callable[[Images], Logits]
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)  # of a feature, in units of its own
STEPS = 20  # of an attack; step 2.5 eps / steps


def rules(world: PlantedWorld, networks: Mapping[str, nn.Module]) -> dict[str, Rule]:
    """Return the networks and the exact Bayes rule as functions from pictures to logits."""
    found: dict[str, Rule] = {name: partial(predict, model) for name, model in networks.items()}
    return {**found, "bayes": partial(bayes_logits, world)}


def accuracy(rule: Rule, x: Images, y: Labels) -> Rate:
    """Measure how often a rule is right."""
    return Rate(int((rule(x).argmax(1) == y).sum()), len(y))


def knockout(world: PlantedWorld, scenes: Scenes, asked: Mapping[str, Rule]) -> dict[str, dict[str, list[Rate]]]:
    """Weaken one feature and leave the other as it is: accuracy at each of `STRENGTHS`, by feature and rule."""
    found: dict[str, dict[str, list[Rate]]] = {}
    for feature in ("visible", "faint"):
        found[feature] = {name: [] for name in asked}
        for strength in STRENGTHS:
            weakened = replace(world, **{feature: strength * getattr(world, feature)})
            x = render(weakened, scenes)
            for name, rule in asked.items():
                found[feature][name].append(accuracy(rule, x, scenes.y))
    return found


def follows(world: PlantedWorld, scenes: Scenes, asked: Mapping[str, Rule]) -> dict[str, dict[str, Rate]]:
    """Show pictures whose weave is another class's.

    How often each rule says the shape's class, and how often the weave's.
    """
    swapped = disagreeing(scenes, world.classes)
    x = render(world, swapped)
    found = {}
    for name, rule in asked.items():
        said = rule(x).argmax(1)
        hits = {"shape": said == swapped.shape, "weave": said == swapped.weave}
        found[name] = {feature: Rate(int(hit.sum()), len(said)) for feature, hit in hits.items()}
    return found


@dataclass(frozen=True)
class Written:
    """What a targeted attack writes into N pictures.

    Args:
        x: The pictures (N, 3, H, W).
        target: Wanted classes (N,).
        x_adv: What became of them (N, 3, H, W).
        success: Which were taken for the target (N,).
        cosine: By direction, the cosine between perturbation and direction (N,): "weave" the target's faint pattern,
            "own" minus the picture's own, "shape" from the picture's shape to the target's at the same place in the
            same colour, "random" the mean of |cosine| with random directions.
    """

    x: Images
    target: Labels
    x_adv: Images
    success: Tensor
    cosine: dict[str, PerExample]


def attack(model: nn.Module, x: Images, target: Labels, eps: float) -> Images:
    """Perturb toward the targets within the L2 ball, as the paper makes D_rand."""
    return pgd(targeted(model, target), x, L2(eps), steps=STEPS, step_size=2.5 * eps / STEPS)


def written(model: nn.Module, world: PlantedWorld, scenes: Scenes, eps: float, *, directions: int = 64) -> Written:
    """Attack pictures toward the next class and compare the perturbation with what was planted."""
    k = world.classes
    x, target = render(world, scenes), (scenes.shape + 1) % k
    x_adv = attack(model, x, target, eps)
    delta = L2(1.0).steepest(x_adv - x).flatten(1)
    patterns = torch.cat([weaves(k, world.weave).flatten(1), torch.zeros(1, delta.shape[1])])
    draws = torch.Generator().manual_seed(scenes.seed)
    random = torch.nn.functional.normalize(torch.randn(directions, delta.shape[1], generator=draws), dim=1)
    redrawn = (masks(k)[target, scenes.pose] - masks(k)[scenes.shape, scenes.pose])[:, None]
    redrawn = torch.nn.functional.normalize((colours()[scenes.colour][:, :, None] * redrawn).flatten(1), dim=1)
    cosine = {
        "weave": (delta * patterns[target]).sum(1),
        "own": -(delta * patterns[scenes.weave]).sum(1),
        "shape": (delta * redrawn).sum(1),
        "random": (delta @ random.T).abs().mean(1),
    }
    success = predict(model, x_adv).argmax(1) == target
    return Written(x, target, x_adv, success, cosine)


def robust_rate(model: nn.Module, x: Images, y: Labels, eps: float) -> Rate:
    """Measure how often a network is right after `STEPS` steps of PGD away from the truth.

    An upper bound of the worst case.
    """
    x_adv = pgd(untargeted(model, y), x, L2(eps), steps=STEPS, step_size=2.5 * eps / STEPS)
    return Rate(int((predict(model, x_adv).argmax(1) == y).sum()), len(y))


def transfer(
    sources: Sequence[nn.Module], readers: Sequence[nn.Module], x: Images, target: Labels, eps: float
) -> list[list[Rate]]:
    """Show each source's adversarial examples to each reader.

    How often it says the target, for sources (rows) and readers.
    """
    found = []
    for source in sources:
        x_adv = attack(source, x, target, eps)
        said = [predict(reader, x_adv).argmax(1) for reader in readers]
        found.append([Rate(int((one == target).sum()), len(target)) for one in said])
    return found
