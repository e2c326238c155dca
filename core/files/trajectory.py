"""What a page says of its trajectories."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Axis:
    """What the slider moves along.

    Args:
        name: A symbol ("ε") or a word ("step").
        values: One number per frame, in order; may reach beyond the frames computed so far.
        labels: The same as text, in the unit people think in ("4/255").
        unit: What the values are measured in, or "".
        total: Frames there will be in the end, if more than len(values). The missing part of the track is hatched.
    """

    name: str
    values: tuple[float, ...]
    labels: tuple[str, ...]
    unit: str = ""
    total: int | None = None

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("an axis needs at least one value")
        if len(self.labels) != len(self.values):
            raise ValueError(f"an axis needs one label per value, got {len(self.labels)} for {len(self.values)}")
        if self.total is not None and self.total < len(self.values):
            raise ValueError(f"total must be at least the number of values, got {self.total} < {len(self.values)}")

    @property
    def length(self) -> int:
        return self.total or len(self.values)


@dataclass(frozen=True, eq=False, kw_only=True)
class Row:
    """One trajectory: F frames of one picture, and what is known at each of them.

    Args:
        title: Short name, e.g. of the model.
        subtitle: One muted line below it.
        frames: uint8 (F, H, W, 3).
        reference: uint8 (H, W, 3), the picture the frames are compared with.
        delta: Float perturbation (F, 3, H, W) in pixel units of [0, 1]; None takes frames - reference.
        classes: Names of the K classes, or () for no bars.
        probabilities: (F, K), or None for no bars.
        truth: Index of the class drawn in the first accent.
        target: Index of the class drawn in the second accent.
        curve: One value per frame, or (). Rows with the same curve_name share their scale.
        curve_name: What the curve shows, e.g. "margin".
        readouts: Name and one formatted string per frame, e.g. ("‖δ‖₂", ("0.000 of 0.50", …)).
        flags: One short word or None per frame ("fooled"), or ().
        threshold: First frame at which the flag is on; marked on slider and curve.
        alt: One sentence per frame for screen readers.
        truth_name: What the class `truth` is: "true", or "its clean answer" where nobody knows the truth.
        minor: Drawn smaller and behind the others, as a control.
        plain: One picture that stands still, with its title and nothing else: what the others are to be compared with.

    Raises:
        ValueError: If two of these disagree about the number of frames, or about the size of the picture.
    """

    title: str
    frames: np.ndarray
    reference: np.ndarray
    alt: tuple[str, ...]
    subtitle: str = ""
    delta: Tensor | None = None
    classes: tuple[str, ...] = ()
    probabilities: np.ndarray | Tensor | None = None
    truth: int | None = None
    target: int | None = None
    curve: tuple[float, ...] = ()
    curve_name: str = ""
    readouts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    flags: tuple[str | None, ...] = ()
    threshold: int | None = None
    truth_name: str = "true"
    minor: bool = False
    plain: bool = False

    @staticmethod
    def still(title: str, frames: np.ndarray, caption: str, alt: str) -> "Row":
        """Build the column of one picture, uint8 (1, H, W, 3), that stands beside the others."""
        return Row(
            title=title,
            subtitle=caption,
            frames=frames,
            reference=frames[0],
            alt=(alt,),
            minor=True,
            plain=True,
        )

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if self.frames.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or not shape[0]:
            raise ValueError(f"{self.title}: frames must be uint8 (F, H, W, 3), got {self.frames.dtype} {shape}")
        if self.reference.dtype != np.uint8 or self.reference.shape != shape[1:]:
            raise ValueError(
                f"{self.title}: reference must be uint8 {shape[1:]}, got {self.reference.dtype} {self.reference.shape}"
            )
        if self.delta is not None and tuple(self.delta.shape) != (shape[0], 3, *shape[1:3]):
            raise ValueError(
                f"{self.title}: delta must have shape {(shape[0], 3, *shape[1:3])}, got {tuple(self.delta.shape)}"
            )
        if (self.probabilities is None) != (not self.classes):
            raise ValueError(f"{self.title}: classes and probabilities come together or not at all")
        if self.probabilities is not None and tuple(self.probabilities.shape) != (shape[0], len(self.classes)):
            raise ValueError(
                f"{self.title}: probabilities must have shape {(shape[0], len(self.classes))}, "
                f"got {tuple(self.probabilities.shape)}"
            )
        for name, index in (("truth", self.truth), ("target", self.target)):
            if index is not None and not 0 <= index < len(self.classes):
                raise ValueError(f"{self.title}: {name} must be one of {len(self.classes)} classes, got {index}")
        for name, values in (("curve", self.curve), ("flags", self.flags)):
            if values and len(values) != shape[0]:
                raise ValueError(
                    f"{self.title}: {name} must have one entry per frame, got {len(values)} for {shape[0]}"
                )
        for name, values in (("alt", self.alt), *((f"readout {name!r}", texts) for name, texts in self.readouts)):
            if len(values) != shape[0]:
                raise ValueError(
                    f"{self.title}: {name} must have one entry per frame, got {len(values)} for {shape[0]}"
                )
        if self.threshold is not None and not 0 <= self.threshold < shape[0]:
            raise ValueError(f"{self.title}: threshold must be one of {shape[0]} frames, got {self.threshold}")
