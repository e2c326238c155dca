"""Black against white: label noise that is learnt by heart becomes a vulnerability that no feature explains.

    seen = learn(BugsRecipe(view="squares"))
    seen.network, seen.linear        # accuracy at each eps: the network's, and that of the sum of all pixels

Nakkiran's pixels are -1 or 1 plus noise. Here a square of value z is the picture 0.5 + z / 4, so that noise and
perturbation fit into [0, 1]; every eps of this file is in his units, where black and white are 2 apart.

Source: Nakkiran (2019), section "Adversarial Squares": 10,000 squares, a ResNet-18, 20 epochs of Adam, pixel noise 0.1,
label noise 0.1; eps 0.01 then flips almost every test square. Ours is a perceptron, and L-BFGS learns it, on all
squares at once: the noise is a hundred times fainter than what is plain to see, and Adam had not found it after a
hundred epochs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks import pgd
from core.attacks.balls import Linf
from core.attacks.objectives import untargeted
from core.bugs.recipe import BugsRecipe
from core.rates import Rate
from core.train import initialise
from core.types import Images, Labels, Logits

SIDE, HIDDEN = 32, 16
ITERATIONS = 5  # quasi-Newton iterations a round
TESTED = 200
EPS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 1.1)
SMALL = 0.01  # the eps of Nakkiran's sentence
STEPS = 5
UNIT = 4.0  # a change of 1 in his units is 1 / 4 of the range of a picture


class Perceptron(nn.Module):
    """One hidden layer on all pixels; two logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))

    def forward(self, x: Images) -> Logits:
        return self.layers(UNIT * (x - 0.5))


class Brightness(nn.Module):
    """The linear rule: white if the sum of all pixels is above that of grey."""

    def forward(self, x: Images) -> Logits:
        score = (UNIT * (x - 0.5)).flatten(1).mean(1)
        return torch.stack([-score, score], 1)


@dataclass(frozen=True)
class Round:
    """What a network can after a round: on its own squares as labelled, on new ones, and on those under attack."""

    trained: Rate
    tested: Rate
    attacked: Rate


@dataclass(frozen=True)
class Learnt:
    """What was learnt from squares.

    Args:
        rounds: After each round of training, the first being before any.
        eps: The radii, in Nakkiran's units (E).
        network: Accuracy of the network at each radius (E).
        linear: Accuracy of the sum of all pixels at each radius (E).
        x: A new black and a new white square (2, 3, H, W).
        x_adv: The same, attacked within eps 0.01 on the network.
        said: What the network says of the latter (2,): 0 black, 1 white.
    """

    rounds: tuple[Round, ...]
    eps: tuple[float, ...]
    network: tuple[Rate, ...]
    linear: tuple[Rate, ...]
    x: Images
    x_adv: Images
    said: Labels


def draw(n: int, pixel_noise: float, label_noise: float, generator: torch.Generator) -> tuple[Images, Labels, Labels]:
    """Draw squares: images (n, 3, H, W), their true classes and their labels (n,); 0 is black, 1 is white."""
    y = torch.arange(n) % 2
    noise = pixel_noise * (2 * torch.rand(n, 3, SIDE, SIDE, generator=generator) - 1)
    z = (2 * y - 1)[:, None, None, None] + noise
    wrong = torch.rand(n, generator=generator) < label_noise
    return 0.5 + z / UNIT, y, torch.where(wrong, 1 - y, y)


def learn(recipe: BugsRecipe, on_round: Callable[[int, Round], bool | None] | None = None) -> Learnt:
    """Learn squares with their labels' noise, and attack what was learnt.

    Args:
        recipe: Its noises, n, rounds and seed.
        on_round: Called as `on_round(rounds_done, what_it_can)`; returning True ends the training there.
    """
    draws = torch.Generator().manual_seed(recipe.seed)
    x, _, labels = draw(recipe.n, recipe.pixel_noise, recipe.label_noise, draws)
    new, truth, _ = draw(TESTED, recipe.pixel_noise, 0.0, draws)
    network = Perceptron()
    initialise(network, draws)
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(network(x), labels)
        value.backward()
        return value

    rounds = [_after(network, x, labels, new, truth)]
    for number in range(1, recipe.rounds + 1):
        optimizer.step(loss)
        rounds.append(_after(network, x, labels, new, truth))
        if on_round is not None and on_round(number, rounds[-1]):
            break
    attacked = attack(network, new, truth, SMALL)
    return Learnt(
        rounds=tuple(rounds),
        eps=EPS,
        network=standing(network, new, truth, EPS),
        linear=standing(Brightness(), new, truth, EPS),
        x=new[:2],
        x_adv=attacked[:2],
        said=_said(network, attacked[:2]),
    )


def attack(model: nn.Module, x: Images, y: Labels, eps: float) -> Images:
    """Attack squares (N, 3, H, W) within Linf eps, in Nakkiran's units."""
    ball = Linf(eps / UNIT)
    return pgd(untargeted(model, y), x, ball, steps=STEPS if eps else 0, step_size=ball.eps / 2)


def standing(model: nn.Module, x: Images, y: Labels, radii: Sequence[float]) -> tuple[Rate, ...]:
    """Count the squares that stay right at each of these ascending radii.

    What fooled at one of them fools at all larger.
    """
    right, found = torch.ones(len(y), dtype=torch.bool), []
    for eps in radii:
        right &= _said(model, attack(model, x, y, eps)) == y
        found.append(Rate(int(right.sum()), len(y)))
    return tuple(found)


def _after(network: nn.Module, x: Tensor, labels: Tensor, new: Tensor, truth: Tensor) -> Round:
    small = standing(network, new, truth, [eps for eps in EPS if eps <= SMALL])
    return Round(Rate(int((_said(network, x) == labels).sum()), len(x)), small[0], small[-1])


def _said(model: nn.Module, x: Images) -> Labels:
    with torch.no_grad():
        return model(x).argmax(1)
