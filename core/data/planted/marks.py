"""How much of a perturbation, or of a map, lies on what was planted in a picture.

    here = of("planted/12", other=1)                       # what is in it, and what makes a cross
    share(delta, here.weave_other), share(delta, here.shapes)

A share is the part of the squared L2 length that lies in a subspace, between 0 and 1; of a random direction it is on average
the subspace's dimensions divided by those of a picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.data.planted import drawn
from core.data.planted.world import GREY, PIXELS, SIDE, colours, masks, weaves
from core.types import Images, PerExample

VALUES = 3 * PIXELS  # dimensions of a picture
GAIN = 12.0  # of a weave that is to be seen
SEEN = 0.5  # of a shape's largest value: where the pixel counts as inside


@dataclass(frozen=True)
class Marks:
    """What was planted in one picture of a class, and what would be in it if it were of another one.

    Args:
        own: Index of the picture's class.
        other: Of the other one.
        shape_own: The shape where it is, in any colour: orthonormal rows (3, D).
        shape_other: The other class's shape at the same place in the same size (3, D).
        weave_own: The faint pattern (1, D).
        weave_other: The other class's (1, D).
        colour: Of the shape, a unit vector (3,).
    """

    own: int
    other: int
    shape_own: Tensor
    shape_other: Tensor
    weave_own: Tensor
    weave_other: Tensor
    colour: Tensor

    @property
    def shapes(self) -> Tensor:
        """Both shapes together, whatever they overlap: orthonormal rows (6, D)."""
        return torch.linalg.qr(torch.cat([self.shape_own, self.shape_other]).T)[0].T

    @property
    def rewoven(self) -> Images:
        """The direction from the picture's weave to the other class's (1, 3, H, W), of L2 length 1."""
        return torch.nn.functional.normalize(self.weave_other - self.weave_own).reshape(1, 3, SIDE, SIDE)

    @property
    def inside(self) -> Tensor:
        """Whether each pixel belongs to the shape (H, W)."""
        mask = self.shape_own.reshape(3, 3, SIDE, SIDE)[0, 0]
        return mask > SEEN * mask.max()

    def shown(self) -> dict[str, Images]:
        """Paint each of the four around mid-grey, the weaves `GAIN` times as strong as they are: (1, 3, H, W) by name."""
        found = {}
        for name in ("shape_own", "shape_other"):
            mask = getattr(self, name)[0].reshape(3, SIDE, SIDE)[0]
            found[name] = (GREY + drawn.WORLD.visible * self.colour[:, None, None] * mask)[None]
        for name in ("weave_own", "weave_other"):
            found[name] = 0.5 + GAIN * drawn.WORLD.faint * getattr(self, name).reshape(1, 3, SIDE, SIDE)
        return {name: x.clamp(0, 1) for name, x in found.items()}


def of(id: str, other: int) -> Marks | None:
    """Return what was planted in a picture; None of one that this world has not drawn.

    Args:
        id: Of the picture, see `core.data.pictures`.
        other: Index of another class.
    """
    kind, _, number = id.partition("/")
    if kind != drawn.NAME or not number.isdecimal():
        return None
    drawn_here, row, k = drawn.scenes_of("test"), int(number), drawn.WORLD.classes
    own, pose = int(drawn_here.shape[row]), int(drawn_here.pose[row])
    woven = weaves(k, drawn.WORLD.weave).flatten(1)
    return Marks(
        own,
        other,
        _in_any_colour(masks(k)[own, pose]),
        _in_any_colour(masks(k)[other, pose]),
        woven[int(drawn_here.weave[row])][None],
        woven[other][None],
        colours()[int(drawn_here.colour[row])],
    )


def _in_any_colour(mask: Tensor) -> Tensor:
    """Put a mask (H W) of length 1 into each channel alone: (3, D)."""
    return torch.block_diag(mask[None], mask[None], mask[None])


def share(values: Tensor, of: Tensor) -> PerExample:
    """Return which part of the squared length of each (N, 3, H, W) lies in a subspace; 0 of what is zero itself.

    Args:
        values: Perturbations or maps.
        of: Orthonormal rows (R, D).
    """
    flat = values.detach().cpu().flatten(1).double()
    length = flat.square().sum(1)
    return ((flat @ of.double().T).square().sum(1) / length.clamp_min(1e-30)).float()


def by_chance(of: Tensor) -> float:
    """Return the share of a random direction, on average."""
    return len(of) / VALUES


def within(values: Tensor, mask: Tensor) -> PerExample:
    """Return which part of the absolute values of maps (N, C, H, W) lies on the pixels of a mask (H, W)."""
    size = values.detach().cpu().abs().sum(1)
    return size[:, mask].sum(1) / size.flatten(1).sum(1).clamp_min(1e-30)


PARTS: dict[str, Callable[[Marks], Tensor]] = {
    "weave_other": lambda here: here.weave_other,
    "weave_own": lambda here: here.weave_own,
    "shapes": lambda here: here.shapes,
}


def fraction(value: float) -> str:
    """Write a share in per cent with two digits that count."""
    return f"{100 * value:.0f} %" if value >= 0.095 else f"{100 * value:.2g} %"
