"""How often the adversarial examples of one network fool another.

    models = {name: ready.load(name) for name in ("resnet9-standard", "vgg-standard")}
    found = transfer_matrix(models, models, x, y, L2(0.5), Attack(steps=10))
    found.cell("resnet9-standard", "vgg-standard").fooled        # a Rate, with n and interval

Each source's attack is computed once and shown to all targets. The pictures of a cell's first denominator are those
that source *and* target get right without attack; the second is all pictures. On the diagonal stands the white-box
rate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks import OnStep, Stop, pgd
from core.attacks.balls import Ball, Linf
from core.attacks.noise import noise_of_length
from core.attacks.objectives import autocast, targeted, untargeted
from core.attacks.rules import State
from core.problems import InputError
from core.transfer.outcome import Transfer
from core.types import Features, Images, Labels, Logits

BATCH = 128
LOOK = 100  # pictures that a network looks at between two steps


@dataclass(frozen=True, eq=False)
class Attack:
    """PGD from the picture itself: normalised steps of 2.5 eps / steps, of eps for a single one.

    Args:
        steps: How many.
        wanted: The class that each picture shall be taken for (N,); None attacks untargeted.
        precision: Of the gradients, see `core.compute.autocast`; what the targets say is always float32.
        batch: Pictures at a time.
    """

    steps: int
    wanted: Labels | None = None
    precision: str = "fp32"
    batch: int = BATCH


class Ensemble(nn.Module):
    """Several networks as one: the mean of their logits (Liu et al. 2017; Dong et al. 2018)."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Images) -> Logits:
        return torch.stack([member(x) for member in self.members]).mean(0)


class _InOrder(nn.Module):
    def __init__(self, model: nn.Module, order: Sequence[int]) -> None:
        super().__init__()
        self.model, self.order = model, list(order)

    def features(self, x: Images) -> Features:
        return self.model.features(x)  # type: ignore[operator]

    def forward(self, x: Images) -> Logits:
        return self.model(x)[:, self.order]


def in_order(model: nn.Module, classes: Sequence[str], wanted: Sequence[str]) -> nn.Module:
    """Return the model with its logits in the order of `wanted`.

    Networks may have learnt the same classes in another order.

    Raises:
        ValueError: If the classes are not the same ones.
    """
    if sorted(classes) != sorted(wanted):
        raise InputError(
            f"these networks know different classes ({', '.join(classes)}; {', '.join(wanted)}); transfer has no"
            " meaning"
        )
    return model if tuple(classes) == tuple(wanted) else _InOrder(model, [list(classes).index(c) for c in wanted])


def transfer_matrix(
    sources: Mapping[str, nn.Module],
    targets: Mapping[str, nn.Module],
    x: Images,
    y: Labels,
    ball: Ball,
    attack: Attack,
    *,
    seed: int = 0,
    known: Sequence[Transfer] = (),
    on_row: Callable[[Transfer], None] | None = None,
    on_step: OnStep | None = None,
) -> Transfer | None:
    """Attack the pictures on each source and show the results to all targets.

    Args:
        sources: Networks by name, in eval mode; an `Ensemble` is one of them.
        targets: Networks by name, in eval mode, with the classes in the same order (see `in_order`).
        x: Images (N, C, H, W) in [0, 1].
        y: Labels (N,).
        ball: Allowed perturbations, its eps a number.
        attack: How the examples are made.
        seed: Of the noise, which has the same directions for all sources.
        known: Rows that are there already, of earlier calls with the same pictures and targets.
        on_row: Called with each new row.
        on_step: See `core.attacks.descend`; its number counts the steps of all batches of a source. Stopping keeps the
            rows that are complete.

    Returns:
        The rates of all sources, or of those that were complete when it was stopped; None if there were none.
    """
    rows = {row.sources[0]: row for row in known}
    for name, model in sources.items():
        if name in rows:
            continue
        x_adv = craft(model, x, y, ball, attack, on_step=on_step)
        if x_adv is None:
            break
        try:
            pause = _pause(x, on_step, max(0, attack.steps * -(-len(x) // attack.batch) - 1))
            rows[name] = judge({name: model}, targets, x, y, x_adv[None], ball, attack.wanted, seed=seed, pause=pause)
        except Stop:
            break
        if on_row is not None:
            on_row(rows[name])
    found = [rows[name] for name in sources if name in rows]
    return Transfer.join(found) if found else None


def craft(
    model: nn.Module, x: Images, y: Labels, ball: Ball, attack: Attack, *, on_step: OnStep | None = None
) -> Images | None:
    """Make the adversarial examples (N, C, H, W) of one model, in batches; None if it was stopped.

    Raises:
        ValueError: If a picture is already of the class that a targeted attack wants.
    """
    if attack.wanted is not None and bool((attack.wanted == y).any()):
        raise InputError("a targeted attack needs another class than the picture's own")
    eps, stopped, parts = float(ball.eps), False, []

    def watch(first: int) -> OnStep:
        def on(i: int, state: State) -> bool:
            nonlocal stopped
            try:
                stopped = on_step is not None and bool(on_step(first + i, state))
            except Stop:
                stopped = True
            return stopped

        return on

    for k, rows in enumerate(torch.arange(len(x)).split(attack.batch)):
        wanted = None if attack.wanted is None else attack.wanted[rows]
        objective = untargeted(model, y[rows]) if wanted is None else targeted(model, wanted)
        parts.append(
            pgd(
                autocast(objective, attack.precision),
                x[rows],
                ball,
                steps=attack.steps if eps > 0 else 0,
                step_size=eps * min(1.0, 2.5 / max(1, attack.steps)),
                on_step=watch(k * attack.steps),
            )
        )
        if stopped:
            return None
    return torch.cat(parts)


def _pause(x: Images, on_step: OnStep | None, last: int) -> Callable[[], None]:
    """Let the caller's `on_step` in between two looks, too; raise `Stop` where it asks for the end."""
    nothing = State(x[:0], x.new_empty(0), x[:0])

    def pause() -> None:
        if on_step is not None and on_step(last, nothing):
            raise Stop

    return pause


def judge(
    sources: Mapping[str, nn.Module],
    targets: Mapping[str, nn.Module],
    x: Images,
    y: Labels,
    x_adv: Tensor,
    ball: Ball,
    wanted: Labels | None = None,
    *,
    seed: int = 0,
    clean: Mapping[str, Labels] | None = None,
    pause: Callable[[], None] = lambda: None,
) -> Transfer:
    """Let the targets say what they see in adversarial examples (S, N, C, H, W), and in noise of the same size.

    Args:
        sources: What the examples were made for.
        targets: Who looks at them.
        x: The clean images (N, C, H, W).
        y: Their labels (N,).
        x_adv: The examples.
        ball: Its norm measures them.
        wanted: The classes that a targeted attack wanted (N,).
        seed: Of the noise.
        clean: What models say of the clean images (N,), by name, where it is known already.
        pause: Called between two looks.
    """
    known = dict(clean or {})
    for name, model in {**sources, **targets}.items():
        if name not in known:
            known[name] = predictions(model, x, pause)
    norm_name = "Linf" if isinstance(ball, Linf) else "L2"
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
    norms = torch.stack([ball.norm(one - x) for one in x_adv])
    noisy = [noise_of_length(x, direction, norm, norm_name)[0] for norm in norms]
    return Transfer(
        sources=tuple(sources),
        targets=tuple(targets),
        y=y,
        target_labels=wanted,
        correct=torch.stack([known[name] == y for name in sources]),
        clean=torch.stack([known[name] for name in targets]),
        x_adv=x_adv,
        norm=norms,
        predictions=torch.stack(
            [torch.stack([predictions(model, one, pause) for model in targets.values()]) for one in x_adv]
        ),
        noise_predictions=torch.stack(
            [torch.stack([predictions(model, one, pause) for model in targets.values()]) for one in noisy]
        ),
    )


def predictions(model: nn.Module, x: Images, pause: Callable[[], None] = lambda: None) -> Labels:
    """Return the predicted classes (N,)."""
    found = []
    for part in x.split(LOOK):
        with torch.no_grad():
            found.append(model(part).argmax(1))
        pause()
    return torch.cat(found)


def other_classes(y: Labels, classes: int, seed: int) -> Labels:
    """Draw for each picture a class that is not its own, uniformly (N,)."""
    steps = torch.randint(1, classes, y.shape, generator=torch.Generator().manual_seed(seed))
    return (y + steps.to(y)) % classes
