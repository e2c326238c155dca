"""The contestants: ours and four libraries, each as a function from a clean batch to an adversarial one.

Every one runs the same PGD, as its fastest public call gives it: no random start, the last iterate, the same eps, step
and number of steps. A builder takes (model, task) and imports its library itself, so that a missing one is only
missing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from core import compute
from core.attacks import balls, pgd
from core.attacks.objectives import untargeted

Attack = Callable[[Tensor, Tensor], Tensor]  # (x, y) -> x_adv


@dataclass(frozen=True)
class Task:
    """What all are asked to do.

    Args:
        norm: "L2" or "Linf".
        eps: Radius, pixel units of [0, 1].
        steps: Gradient steps.
        shape: Of one picture, (C, H, W).
        classes: Number of logits.
        device: Where model and pictures are.
    """

    norm: str
    eps: float
    steps: int
    shape: tuple[int, ...]
    classes: int
    device: torch.device

    @property
    def step_size(self) -> float:
        """2.5 eps / steps (Madry et al. 2018)."""
        return 2.5 * self.eps / self.steps


def ours(model: nn.Module, task: Task) -> Attack:
    """core.attacks.pgd."""
    ball = balls.make(task.norm, task.eps)
    return lambda x, y: pgd(untargeted(model, y), x, ball, steps=task.steps, step_size=task.step_size)


def ours_bf16(model: nn.Module, task: Task) -> Attack:
    """core.attacks.pgd with the model in bfloat16 where the processor multiplies it natively."""
    if not compute.has_fast_bf16(task.device):
        raise ImportError("bfloat16 is not native on this device")
    ball = balls.make(task.norm, task.eps)

    def attack(x: Tensor, y: Tensor) -> Tensor:
        def low_precision(images: Tensor) -> Tensor:
            with compute.autocast(task.device, "bf16"):
                logits = model(images)
            return untargeted(lambda _: logits.float(), y)(images)

        return pgd(low_precision, x, ball, steps=task.steps, step_size=task.step_size)

    return attack


def torchattacks(model: nn.Module, task: Task) -> Attack:
    """torchattacks.PGD and PGDL2."""
    import torchattacks as library

    make = {"Linf": library.PGD, "L2": library.PGDL2}[task.norm]
    return make(model, eps=task.eps, alpha=task.step_size, steps=task.steps, random_start=False)


def foolbox(model: nn.Module, task: Task) -> Attack:
    """The projected gradient descent of foolbox, through `run`, which leaves out its check of success."""
    import foolbox as library

    wrapped = library.PyTorchModel(model, bounds=(0, 1), device=task.device)
    make = {
        "Linf": library.attacks.LinfProjectedGradientDescentAttack,
        "L2": library.attacks.L2ProjectedGradientDescentAttack,
    }[task.norm]
    attack = make(abs_stepsize=task.step_size, steps=task.steps, random_start=False)
    return lambda x, y: attack.run(wrapped, x, library.criteria.Misclassification(y), epsilon=task.eps)


def art(model: nn.Module, task: Task) -> Attack:
    """ART's PyTorch implementation; the way through NumPy is part of its interface and is timed."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    wrapped = PyTorchClassifier(
        model,
        loss=nn.CrossEntropyLoss(),
        input_shape=task.shape,
        nb_classes=task.classes,
        clip_values=(0.0, 1.0),
        device_type="gpu" if task.device.type == "cuda" else "cpu",
    )

    def attack(x: Tensor, y: Tensor) -> Tensor:
        method = ProjectedGradientDescentPyTorch(
            wrapped,
            norm={"Linf": "inf", "L2": 2}[task.norm],
            eps=task.eps,
            eps_step=task.step_size,
            max_iter=task.steps,
            batch_size=len(x),
            verbose=False,
        )
        return torch.from_numpy(method.generate(x.cpu().numpy(), y.cpu().numpy())).to(task.device)

    return attack


def robustness(model: nn.Module, task: Task) -> Attack:
    """MadryLab's Attacker. It calls `.cuda()` whatever the device; without a GPU that call does nothing here."""
    from robustness.attacker import Attacker

    # Our models normalise by themselves: no second normalisation.
    dataset = SimpleNamespace(mean=torch.zeros(3), std=torch.ones(3))
    attacker = Attacker(model, dataset).to(task.device)

    def attack(x: Tensor, y: Tensor) -> Tensor:
        with _cuda_is_optional(task.device):
            return attacker(
                x,
                y,
                constraint={"Linf": "inf", "L2": "2"}[task.norm],
                eps=task.eps,
                step_size=task.step_size,
                iterations=task.steps,
                should_normalize=False,
                use_best=False,
            )

    return attack


PEERS: dict[str, Callable[[nn.Module, Task], Attack]] = {
    "torchattacks": torchattacks,
    "foolbox": foolbox,
    "art": art,
    "robustness": robustness,
}
# Their L2 steps call `.view` on the gradient, which fails for a model in channels_last.
CONTIGUOUS_ONLY = {("torchattacks", "L2"), ("robustness", "L2")}


@contextmanager
def _cuda_is_optional(device: torch.device) -> Iterator[None]:
    if device.type == "cuda":
        yield
        return
    original = torch.Tensor.cuda
    torch.Tensor.cuda = lambda tensor, *_, **__: tensor
    try:
        yield
    finally:
        torch.Tensor.cuda = original
