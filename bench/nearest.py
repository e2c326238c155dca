"""How near the nearest adversarial picture is that an attack finds: ours beside adv-lib's FMN, DDN, ALMA and DeepFool.

    python -m bench.nearest [--n 500] [--steps 100] [--methods ours,FMN] [--threads N] [--json FILE]

All attack the same prepared model on those of the first n CIFAR-10 test pictures that it gets right. "passes" counts
what that cost, forward and backward passes a picture, as the model saw them: a method that looks at the model more
often per step shows it there. Distances are measured here, in float64 from what came back; a picture counts if it
lies in [0, 1] and the model, asked anew, is wrong about it; else its distance is infinite.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from bench.attacks import facts
from core import compute, data
from core.attacks import balls, minimum_norm
from core.models import ready
from core.rates import Rate
from core.train.evaluate import predict

BATCH = 100
MODELS = ("resnet9-standard", "resnet9-l2")
Attack = Callable[[nn.Module, Tensor, Tensor, int], Tensor]  # (model, x, y, steps) -> x_adv


def ours(model: nn.Module, x: Tensor, y: Tensor, steps: int, *, norm: str) -> Tensor:
    """core.attacks.minimum_norm, one step less: it ends with two forward passes."""
    return minimum_norm(model, x, y, balls.NORMS[norm], steps=max(0, steps - 1))[0]


def fmn(model: nn.Module, x: Tensor, y: Tensor, steps: int, *, norm: float) -> Tensor:
    """The fast minimum-norm attack (Pintor et al. 2021)."""
    return adv_lib().fmn(model, x, y, norm=norm, steps=steps)


def ddn(model: nn.Module, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """Decoupled direction and norm (Rony et al. 2019), without its rounding to 256 levels, which nobody else does."""
    return adv_lib().ddn(model, x, y, steps=steps, levels=None)


def alma(model: nn.Module, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """ALMA (Rony et al. 2021) as its authors ran it on CIFAR-10: first step 0.1 long, alpha 0.5 up to 100 steps."""
    return adv_lib().alma(model, x, y, num_steps=steps, init_lr_distance=0.1, α=0.5 if steps <= 100 else 0.9)


def deepfool(model: nn.Module, x: Tensor, y: Tensor, steps: int, *, norm: float) -> Tensor:
    """DeepFool (Moosavi-Dezfooli et al. 2016): stops at the first success, nine gradients a step."""
    return adv_lib().df(model, x, y, steps=steps, norm=norm)


METHODS: dict[str, dict[str, Attack]] = {
    "L2": {
        "ours": partial(ours, norm="L2"),
        "FMN": partial(fmn, norm=2.0),
        "DDN": ddn,
        "ALMA": alma,
        "DeepFool": partial(deepfool, norm=2.0),
    },
    "Linf": {
        "ours": partial(ours, norm="Linf"),
        "FMN": partial(fmn, norm=math.inf),
        "DeepFool": partial(deepfool, norm=math.inf),
    },
}


def adv_lib() -> ModuleType:
    """Import adv-lib's attacks. It imports visdom for live plots that are never asked for; an empty one will do."""
    try:
        import visdom  # noqa: F401
    except ImportError:
        sys.modules["visdom"] = ModuleType("visdom")
    import adv_lib.attacks as library

    return library


class Counted(nn.Module):
    """A model that counts the pictures it sees and the gradients it is asked for."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.passes = model, 0

    def forward(self, x: Tensor) -> Tensor:
        """Return the model's logits (N, K)."""
        logits = self.model(x)
        self.passes += len(x)
        if logits.requires_grad:
            logits.register_hook(self._count)
        return logits

    def _count(self, grad: Tensor) -> None:
        self.passes += len(grad)


@dataclass(frozen=True)
class Row:
    """One method on one model in one norm.

    Args:
        name: Method.
        success: Pictures fooled.
        median: Distance, those that were not fooled being infinitely far.
        interval: The median's 95 % interval.
        mean: Distance of those that were fooled.
        nearer: Pictures on which ours is nearer than this method; None for ours.
        ratio: Median over pictures of our distance over theirs.
        passes: Forward and backward passes a picture.
        seconds: Of the processor, for all pictures: what else runs on the machine does not count.
    """

    name: str
    success: Rate
    median: float
    interval: tuple[float, float]
    mean: float
    nearer: Rate | None
    ratio: float
    passes: float
    seconds: float

    def __str__(self) -> str:
        low, high = self.interval
        than = "" if self.nearer is None else f"{self.nearer.hits}/{self.nearer.n}"
        return (
            f"  {self.name:9}{self.success.hits:>5}/{self.success.n:<5}{self.median:9.5f} [{low:.5f}, {high:.5f}]"
            f"{self.mean:10.5f}{than:>10}{self.ratio:9.4f}{self.passes:9.1f}{self.seconds:8.1f}"
        )


HEAD = (
    f"  {'':9}{'fooled':>10} {'median':>9} {'95 %':^20}{'mean':>10}{'nearer':>10}{'ratio':>9}{'passes':>9}{'CPU s':>8}"
)


def median(values: Tensor) -> tuple[float, tuple[float, float]]:
    """Return the median of values (N,) and its 95 % interval between order statistics, which supposes nothing."""
    ordered, n = values.sort().values, len(values)
    reach = 1.959964 * math.sqrt(n) / 2
    low, high = max(0, math.floor(n / 2 - reach) - 1), min(n - 1, math.ceil(n / 2 + reach))
    return float(ordered[(n - 1) // 2] + ordered[n // 2]) / 2, (float(ordered[low]), float(ordered[high]))


def distances(model: nn.Module, x: Tensor, y: Tensor, x_adv: Tensor, norm: str) -> Tensor:
    """Measure |x_adv - x| (N,) in float64; infinite where x_adv is no picture, or the model is right about it."""
    is_picture = ((x_adv >= -1e-6) & (x_adv <= 1 + 1e-6)).flatten(1).all(1)  # one rounding error is not held against it
    x_adv = x_adv.clamp(0, 1)
    wrong = predict(model, x_adv).argmax(1) != y
    return torch.where(is_picture & wrong, balls.make(norm, 1.0).norm(x_adv.double() - x.double()), math.inf)


def attacked(
    attack: Attack, model: nn.Module, x: Tensor, y: Tensor, norm: str, steps: int
) -> tuple[Tensor, float, float]:
    """Attack all pictures; return their distances (N,), the passes each cost and the seconds all took."""
    counted, made = Counted(model).eval(), []
    began = time.process_time()
    for part, labels in zip(x.split(BATCH), y.split(BATCH), strict=True):
        made.append(attack(counted, part, labels, steps).detach())
    spent = time.process_time() - began
    return distances(model, x, y, torch.cat(made), norm), counted.passes / max(1, len(x)), spent


def compare(model: nn.Module, x: Tensor, y: Tensor, norm: str, steps: int, wanted: Sequence[str]) -> list[Row]:
    """Run the wanted methods that know the norm, ours first; say which could not run."""
    found: dict[str, Tensor] = {}
    rows = []
    for name in (name for name in METHODS[norm] if name in wanted):
        torch.manual_seed(0)  # ALMA and DDN draw where a gradient is zero
        try:
            found[name], passes, spent = attacked(METHODS[norm][name], model, x, y, norm, steps)
        except ImportError as error:
            sys.stdout.write(f"  {name} is left out: {error}\n")
            continue
        here = found[name]
        first = found.get("ours", here)
        middle, interval = median(here)
        rows.append(
            Row(
                name=name,
                success=Rate(int(here.isfinite().sum()), len(here)),
                median=middle,
                interval=interval,
                mean=float(here[here.isfinite()].mean()),
                nearer=None if name == "ours" else Rate(int((first < here).sum()), len(here)),
                ratio=float((first / here).nanmedian()),
                passes=passes,
                seconds=spent,
            )
        )
        sys.stdout.write(f"{rows[-1]}\n")
        sys.stdout.flush()
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.nearest", description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=500, help="pictures (default 500)")
    parser.add_argument("--steps", type=int, default=100, help="gradient steps (default 100)")
    parser.add_argument("--methods", default=",".join(METHODS["L2"]), help=f"of {','.join(METHODS['L2'])}")
    parser.add_argument("--norms", default=",".join(METHODS), help=f"of {','.join(METHODS)}")
    parser.add_argument("--threads", type=int, help="torch's threads (default: all usable cores)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there too")
    given = parser.parse_args(arguments)
    wanted, norms = given.methods.split(","), given.norms.split(",")
    if min(given.n, given.steps) < 1 or not set(wanted) <= METHODS["L2"].keys() or not set(norms) <= METHODS.keys():
        parser.error(
            f"n and steps must be at least 1, methods of {', '.join(METHODS['L2'])}, norms of {', '.join(METHODS)}"
        )
    compute.setup_cpu(given.threads)
    here, test = compute.device(), data.cifar10("test")
    about = {"n": min(given.n, len(test)), "steps": given.steps, **facts(here)}
    sys.stdout.write("".join(f"{key:9} {value}\n" for key, value in about.items()))
    results = []
    for name in MODELS:
        model = ready.load(name)
        # Contiguous pictures: adv-lib's projections work in place on views that only these have.
        x, y = test.x(slice(given.n)).to(here).contiguous(), test.y(slice(given.n)).to(here)
        right = predict(model, x).argmax(1) == y
        x, y = x[right], y[right]
        for norm in norms:
            sys.stdout.write(f"\n{name}, {norm}, {given.steps} steps, {len(x)} pictures\n{HEAD}\n")
            rows = compare(model, x, y, norm, given.steps, wanted)
            results += [{"checkpoint": name, "norm": norm} | asdict(row) for row in rows]
    if given.json:
        given.json.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
