"""Wrong labels on a plane (Wallace 2019): 32 points, labels drawn by a coin, and a network that learns them by heart.

    made = play(ErrorsRecipe(seed=3))
    made.student_right                     # how many of the original points a student gets right that never saw one

Each point is moved until the first network takes it for the other class, and gets that class for its label. The student
sees the moved points only. A point of the plane is a picture of one pixel and two channels, so that it is moved by the
same loop as every picture of this project.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks import pgd
from core.attacks.balls import Linf
from core.attacks.objectives import untargeted
from core.errors.recipe import ErrorsRecipe
from core.rates import Rate
from core.types import Labels

WIDTH = 64  # units in each of the two hidden layers
EPOCHS = 300  # full-batch steps of Adam, enough to learn 32 coins by heart
RATE = 0.01
STEPS = 20
GRID = 80  # cells along a side of the map of what a network says


@dataclass(frozen=True)
class Toy:
    """A teacher, a student, and what each of them sees.

    Args:
        points: The original points (P, 2) in [0, 1].
        labels: Their labels, 0 or 1, drawn by a coin (P,).
        moved: Where each was moved (P, 2).
        given: The labels of the moved points (P,): the other one.
        teacher: Probability of class 1 on a grid (GRID, GRID), rows along the second coordinate.
        student: The same of the student.
        teacher_says: What the teacher says of the original points (P,).
        student_says: What the student says of them (P,).
        crossed: Whether the teacher says the given label where each point was moved (P,).
    """

    points: Tensor
    labels: Labels
    moved: Tensor
    given: Labels
    teacher: Tensor
    student: Tensor
    teacher_says: Labels
    student_says: Labels
    crossed: Tensor

    @property
    def teacher_right(self) -> Rate:
        """Original points that the teacher gets right."""
        return Rate(int((self.teacher_says == self.labels).sum()), len(self.labels))

    @property
    def student_right(self) -> Rate:
        """Original points, with their original labels, that the student gets right."""
        return Rate(int((self.student_says == self.labels).sum()), len(self.labels))


def play(recipe: ErrorsRecipe) -> Toy:
    """Draw the points, let the teacher learn them, move them, and let the student learn what came of it."""
    draws = torch.Generator().manual_seed(recipe.seed)
    points = torch.rand(recipe.points, 2, generator=draws)
    labels = torch.randint(2, (recipe.points,), generator=draws)
    teacher = fitted(points, labels, draws)
    moved = _moved(recipe, teacher, points, labels, draws)
    given = 1 - labels
    student = fitted(moved, given, draws)
    return Toy(
        points,
        labels,
        moved,
        given,
        probabilities(teacher),
        probabilities(student),
        _predicted(teacher, points),
        _predicted(student, points),
        _predicted(teacher, moved) == given,
    )


def fitted(points: Tensor, labels: Labels, generator: torch.Generator) -> nn.Module:
    """Train a small network on points (P, 2) and labels (P,), until it knows them by heart or the epochs are over."""
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(2, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2)
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        F.cross_entropy(model(2 * points - 1), labels).backward()
        optimizer.step()
    return _Centred(model).eval().requires_grad_(False)


class _Centred(nn.Module):
    """Points in [0, 1] in, what the network says of them in [-1, 1] out: normalisation belongs to the model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(2 * x - 1)


def _moved(
    recipe: ErrorsRecipe, teacher: nn.Module, points: Tensor, labels: Labels, generator: torch.Generator
) -> Tensor:
    if recipe.moved == "not":
        return points
    if recipe.moved == "random":
        signs = torch.randint(2, points.shape, generator=generator) * 2 - 1
        return (points + recipe.eps * signs).clamp(0, 1)
    pixels = points.reshape(-1, 2, 1, 1)
    goal, ball = untargeted(teacher, labels), Linf(recipe.eps)
    return pgd(goal, pixels, ball, steps=STEPS, step_size=2.5 * recipe.eps / STEPS, best=True).reshape(-1, 2)


def probabilities(model: nn.Module) -> Tensor:
    """Ask a model about every cell of the plane: probability of class 1 (GRID, GRID)."""
    along = (torch.arange(GRID) + 0.5) / GRID
    second, first = torch.meshgrid(along, along, indexing="ij")
    with torch.no_grad():
        return model(torch.stack([first, second], -1).reshape(-1, 2)).softmax(1)[:, 1].reshape(GRID, GRID)


def _predicted(model: nn.Module, points: Tensor) -> Labels:
    with torch.no_grad():
        return model(points).argmax(1)
