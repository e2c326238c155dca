"""A forced choice: which of two pictures is more like a cat? After Gaziv et al. (2023), on people instead of networks.

    made = pictures(x, {"robust": robust, "standard": standard}, PAIR, eps=2.0, seed=0)
    asked = trials(len(x), seed=0)           # each original once under each condition, in an order drawn by the seed
    score(asked, [RIGHT, LEFT, None, ...])   # {"robust": Rate(7, 8), ...}

In each trial both pictures come from one original that is neither; one was moved toward the first class, the other
toward the second, by the same condition and by the same length. Whoever sees nothing in what was added is right half of
the time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks import L2, OnStep, pgd, targeted
from core.attacks.noise import noise_of_length
from core.models.ready import placed
from core.problems import InputError
from core.rates import Rate
from core.types import Images

LEFT, RIGHT = 1, 2  # as a room votes: choices are counted from 1
CONDITIONS = ("robust", "standard", "random")
STEPS = 20


@dataclass(frozen=True)
class Trial:
    """One question.

    Args:
        original: Which original.
        condition: What moved both of its pictures.
        asked: Which class of the pair is asked for, 0 or 1.
        right: Where the picture stands that was moved toward that class: LEFT or RIGHT.
    """

    original: int
    condition: str
    asked: int
    right: int


def trials(originals: int, seed: int) -> tuple[Trial, ...]:
    """Draw the order, the class that is asked for, and the sides: each side equally often under each condition.

    Raises:
        InputError: If there is no original.
    """
    if originals < 1:
        raise InputError("a forced choice needs one original or more")
    draws = torch.Generator().manual_seed(seed)
    made = []
    for condition in CONDITIONS:
        sides = torch.randperm(originals, generator=draws) % 2
        asked = torch.randperm(originals, generator=draws) % 2
        made += [Trial(i, condition, int(asked[i]), RIGHT if sides[i] else LEFT) for i in range(originals)]
    return tuple(made[k] for k in torch.randperm(len(made), generator=draws).tolist())


def moved(model: nn.Module, x: Images, pair: tuple[int, int], eps: float, on_step: OnStep | None = None) -> Tensor:
    """Move each original toward each class of the pair, within L2 eps of it.

    Args:
        model: Whose gradient is followed.
        x: Originals (N, C, H, W) in [0, 1].
        pair: The two classes.
        eps: Radius, pixel units.
        on_step: See `core.attacks.descend`.

    Returns:
        The pictures (2, N, C, H, W), on the CPU.
    """
    x = placed(x, model)
    both = torch.cat([x, x])
    t = torch.tensor(pair, device=x.device).repeat_interleave(len(x))
    made = pgd(targeted(model, t), both, L2(eps), steps=STEPS, step_size=2.5 * eps / STEPS, on_step=on_step)
    return made.cpu().unflatten(0, (2, len(x)))


def random_moves(x: Images, like: Tensor, seed: int) -> Tensor:
    """Move each original in two random directions, as far as those of `like` (2, N, C, H, W) are in L2."""
    draws = torch.Generator().manual_seed(seed)
    both = torch.cat([x, x])
    lengths = (like.flatten(0, 1) - both).flatten(1).norm(dim=1)
    made, _ = noise_of_length(both, torch.randn(both.shape, generator=draws), lengths, "L2")
    return made.unflatten(0, (2, len(x)))


def score(asked: Sequence[Trial], answers: Iterable[tuple[int, int]]) -> dict[str, Rate]:
    """Count under each condition how often the picture was chosen that was moved toward the class asked for.

    Args:
        asked: The trials.
        answers: (number of the trial, LEFT or RIGHT); of a room many for each trial.
    """
    counts = {condition: [0, 0] for condition in CONDITIONS}
    for number, answer in answers:
        trial = asked[number]
        counts[trial.condition][0] += answer == trial.right
        counts[trial.condition][1] += 1
    return {condition: Rate(hits, n) for condition, (hits, n) in counts.items()}


def reading(found: Mapping[str, Rate]) -> str:
    """Say what the intervals allow to say, and no more."""
    if not all(rate.n for rate in found.values()):
        return "Not every condition has an answer yet."
    apart = [name for name in CONDITIONS if found[name].low > 0.5]
    robust, standard = found["robust"], found["standard"]
    if robust.above(standard):
        return (
            "People follow the robust model's perturbation more often than the standard model's: the intervals are"
            " apart."
        )
    if apart == ["robust"]:
        return (
            "Only the robust model's perturbation is told from guessing (50 %). Its interval still overlaps that of the"
            " standard model's: more answers would tell them apart."
        )
    if not apart:
        return "No condition is told from guessing (50 %) yet: too few answers, or there was nothing to see."
    return f"Above guessing (50 %): {', '.join(apart)}. The robust and the standard model's intervals overlap."


def table(asked: Sequence[Trial], answers: Iterable[tuple[int, int]], pair: tuple[str, str]) -> dict[str, list[object]]:
    """List every answer, without who gave it."""
    rows = [(n + 1, asked[n], answer) for n, answer in answers]
    sides = {LEFT: "left", RIGHT: "right"}
    return {
        "trial": [n for n, _, _ in rows],
        "original": [trial.original for _, trial, _ in rows],
        "condition": [trial.condition for _, trial, _ in rows],
        "asked": [pair[trial.asked] for _, trial, _ in rows],
        "answer": [sides[answer] for _, _, answer in rows],
        "moved_toward_it": [sides[trial.right] for _, trial, _ in rows],
        "chosen": [int(answer == trial.right) for _, trial, answer in rows],
    }
