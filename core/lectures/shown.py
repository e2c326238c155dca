"""Pictures that a question shows, and what the models say of them: "What is this?", "Which of the two was attacked?".

    made = make(question.shows, load)    # one or two pictures, 8 bits a channel, as everybody sees them
    made[0].x, made[0].says              # (1, C, H, W), {"resnet9-standard": 9, "resnet9-l2": 6}

They come from the gallery or are drawn, so that they are there without any data set, and are changed on the spot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks import L2, pgd, targeted
from core.attacks.noise import noise_of_length
from core.data import pictures
from core.files.render import from_uint8, to_uint8
from core.models.ready import placed
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.types import Images
from core.worlds import get

BY = ("", "attack", "noise")
SOURCES = ("gallery", "photo", "planted")
STEPS = 20
MOST_EPS = 10.0
MODELS = (PerturbRecipe().standard, PerturbRecipe().robust)  # the first is the one that is attacked


@dataclass(frozen=True)
class Shown:
    """A picture of a question.

    Args:
        picture: Its name, see `core.data.pictures`; of the gallery, a photograph, or drawn.
        by: What was done to it: nothing, the attack on the standard model, or random noise.
        toward: The class that the attack wants; "" without an attack.
        eps: How far in L2, pixel units: the radius of the attack's ball, or the length of the noise.

    Raises:
        InputError: If there is no such picture or class, or the values do not fit together.
    """

    picture: str
    by: str = ""
    toward: str = ""
    eps: float = 0.0

    def __post_init__(self) -> None:
        if self.picture.partition("/")[0] not in SOURCES:
            raise InputError(f"a question shows pictures of {', '.join(SOURCES)}, got {self.picture!r}")
        if self.by not in BY:
            raise InputError(f"by must be one of {', '.join(map(repr, BY))}, got {self.by!r}")
        if not 0 <= self.eps <= MOST_EPS or (self.eps > 0) != bool(self.by):
            raise InputError(f"eps must be above 0, up to {MOST_EPS:g}, where a picture is changed, got {self.eps:g}")
        if bool(self.toward) != (self.by == "attack") or (self.toward and self.toward not in get().classes):
            raise InputError(f"toward must be a class, of a picture that is attacked, got {self.toward!r}")


@dataclass(frozen=True, eq=False)
class Made:
    """A picture as it is shown.

    Args:
        x: float32 (1, C, H, W) in [0, 1], each value a multiple of 1/255.
        says: The class that each model predicts for it, and how sure it is, by the model's name.
    """

    x: Images
    says: dict[str, tuple[int, float]]


def make(shows: Sequence[Shown], load: Callable[[str], nn.Module]) -> tuple[Made, ...]:
    """Make the pictures of a question, and ask both models about them.

    Args:
        shows: The pictures.
        load: Returns a model by its name.

    Raises:
        core.problems.UserError: If a picture or a model is not here.
    """
    models = {name: load(name) for name in MODELS}
    made = []
    for shown in shows:
        x = from_uint8(to_uint8(_changed(shown, models[MODELS[0]])))
        made.append(Made(x, {name: _answer(model, x) for name, model in models.items()}))
    return tuple(made)


def _changed(shown: Shown, model: nn.Module) -> Tensor:
    x = pictures.get(shown.picture).x
    if shown.by == "attack":
        x = placed(x, model)
        t = torch.tensor([get().classes.index(shown.toward)], device=x.device)
        return pgd(targeted(model, t), x, L2(shown.eps), steps=STEPS, step_size=2.5 * shown.eps / STEPS).cpu()
    if shown.by == "noise":
        draws = torch.Generator().manual_seed(0)
        return noise_of_length(x, torch.randn(x.shape, generator=draws), torch.tensor([shown.eps]), "L2")[0]
    return x


@torch.no_grad()
def _answer(model: nn.Module, x: Images) -> tuple[int, float]:
    best = model(placed(x, model)).float().softmax(1).max(1)
    return int(best.indices), float(best.values)
