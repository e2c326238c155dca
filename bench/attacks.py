"""Pictures per second of PGD-20: ours, torchattacks, foolbox, ART and MadryLab's robustness.

    python -m bench.attacks [--batch 1,128] [--repeats 5] [--peers foolbox,art] [--threads N] [--json FILE]

Same model, same pictures, one process, turns taken in rotating order, medians. Ours runs on the model as
`core.compute.for_inference` prepares it; the libraries run twice, on the model a user has in hand after `.eval()`
("as given": weights that ask for gradients, contiguous memory, batch norms apart) and on our prepared one. Two of
them cannot take gradients that are channels_last; for these "prepared*" is the prepared model in contiguous memory.
"""

import argparse
import copy
import json
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bench import peers
from bench.peers import Attack, Task
from core import compute, data
from core.attacks import balls
from core.models import Classifier, checkpoints, resnet9
from core.train.evaluate import predict

SETTINGS = (("L2", 0.5), ("Linf", 8 / 255))
MODEL = "resnet9-standard"


@dataclass(frozen=True)
class Row:
    """One contestant in one setting.

    Args:
        name: Library.
        model: "prepared", "prepared*" (in contiguous memory) or "as given".
        per_second: Pictures per second, from the median time.
        times: Seconds of each turn.
        ratio: per_second over ours.
        right: Pictures still classified as their label after the attack, by the model as given.
        n: Pictures.
        used: Largest |delta| / eps.
    """

    name: str
    model: str
    per_second: float
    times: tuple[float, ...]
    ratio: float
    right: int
    n: int
    used: float


def model_and_name() -> tuple[Classifier, str]:
    """Load the standard ResNet-9, or make a random one where its weights are missing."""
    if MODEL in checkpoints.names():
        return checkpoints.load(MODEL), f"{MODEL} (trained)"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return resnet9().eval(), "resnet9, random weights of seed 0 (accuracies mean nothing)"


def pictures(n: int, model: nn.Module) -> tuple[Tensor, Tensor, str]:
    """Take the first n CIFAR-10 test pictures, or noise with the model's own labels where they are missing."""
    try:
        test = data.cifar10("test")
    except data.DataError:
        x = torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        return x, predict(model, x).argmax(1), "noise, labelled by the model (CIFAR-10 is not here)"
    return test.x(slice(n)).contiguous(), test.y(slice(n)), f"{test.source}, the first {n}"


def contestants(
    wanted: Sequence[str], given: nn.Module, prepared: nn.Module, task: Task
) -> dict[tuple[str, str], Attack]:
    """Build all attacks, ours first; say why one is missing."""
    contiguous = copy.deepcopy(prepared).to(memory_format=torch.contiguous_format)
    makers: list[tuple[str, str, Callable[[nn.Module, Task], Attack], nn.Module]] = [
        ("ours", "prepared", peers.ours, prepared),
        ("ours, bf16", "prepared", peers.ours_bf16, prepared),
        ("ours", "as given", peers.ours, given),
    ]
    for name in wanted:
        picky = (name, task.norm) in peers.CONTIGUOUS_ONLY
        fair = ("prepared*", contiguous) if picky else ("prepared", prepared)
        makers += [(name, "as given", peers.PEERS[name], given), (name, fair[0], peers.PEERS[name], fair[1])]
    attacks = {}
    for name, which, make, model in makers:
        try:
            attacks[name, which] = make(model, task)
        except Exception as error:  # noqa: BLE001 - a library that does not work here must not end the comparison
            if which == "as given" or name.startswith("ours"):
                print(f"  {name} is left out: {type(error).__name__}: {error}")
    return attacks


def race(
    attacks: dict[tuple[str, str], Attack], x: Tensor, y: Tensor, repeats: int
) -> dict[tuple[str, str], list[float]]:
    """Time each attack `repeats` times after one turn of warming up; the order rotates from turn to turn."""
    times: dict[tuple[str, str], list[float]] = {key: [] for key in attacks}
    for turn in range(-1, repeats):
        keys = list(times)
        shift = turn % len(keys)
        for key in keys[shift:] + keys[:shift]:
            try:
                began = time.perf_counter()
                attacks[key](x, y)
                if x.is_cuda:
                    torch.cuda.synchronize()
                spent = time.perf_counter() - began
            except Exception as error:  # noqa: BLE001 - as above
                print(f"  {key[0]} ({key[1]}) fails: {type(error).__name__}: {error}")
                del times[key]
                continue
            if turn >= 0:
                times[key].append(spent)
    return times


def compare(task: Task, wanted: Sequence[str], given: nn.Module, x: Tensor, y: Tensor, repeats: int) -> list[Row]:
    """Run one setting: all contestants on one batch."""
    prepared = compute.for_inference(copy.deepcopy(given), task.device)
    attacks = contestants(wanted, given, prepared, task)
    times = race(attacks, x, y, repeats)
    speed = {key: len(x) / statistics.median(spent) for key, spent in times.items()}
    ball = balls.make(task.norm, task.eps)
    rows = []
    for (name, which), spent in times.items():
        x_adv = attacks[name, which](x, y).detach()
        rows.append(
            Row(
                name=name,
                model=which,
                per_second=speed[name, which],
                times=tuple(spent),
                ratio=speed[name, which] / speed["ours", "prepared"],
                right=int((predict(given, x_adv).argmax(1) == y).sum()),
                n=len(x),
                used=float(ball.norm(x_adv - x).max()) / task.eps,
            )
        )
    return rows


def facts(device: torch.device) -> dict[str, str | int]:
    """Say what it was measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        named = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = named[0] if named else cpu
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else cpu,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cores": compute.usable_cores(),
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
    }


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.attacks", description="Time PGD beside other libraries.")
    parser.add_argument("--batch", default="1,128", help="batch sizes (default 1,128)")
    parser.add_argument("--repeats", type=int, default=5, help="timed turns of each (default 5)")
    parser.add_argument("--steps", type=int, default=20, help="gradient steps (default 20)")
    parser.add_argument(
        "--peers", default=",".join(peers.PEERS), help=f"of {','.join(peers.PEERS)}; 'none' for ours alone"
    )
    parser.add_argument("--threads", type=int, help="torch's threads (default: all usable cores)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there too")
    options = parser.parse_args(arguments)
    wanted = [name for name in options.peers.split(",") if name and name != "none"]
    if unknown := sorted(set(wanted) - peers.PEERS.keys()):
        parser.error(f"unknown peer {', '.join(unknown)}; have {', '.join(peers.PEERS)}")
    sizes = [int(size) for size in options.batch.split(",")]
    if min([options.repeats, options.steps, *sizes]) < 1:
        parser.error("batch sizes, repeats and steps must be at least 1")
    warnings.simplefilter("ignore")  # the libraries' own

    compute.setup_cpu(options.threads)
    device = torch.device(options.device)
    model, called = model_and_name()
    x, y, source = pictures(max(sizes), model)
    given = model.requires_grad_(True).to(device)
    x, y = x.to(device), y.to(device)
    about = {"model": called, "pictures": source, "steps": options.steps, "repeats": options.repeats, **facts(device)}
    for key, value in about.items():
        print(f"{key:9} {value}")
    clean = predict(given, x).argmax(1) == y
    print(f"{'clean':9} {int(clean.sum())} of {len(x)} right\n")

    results = []
    for norm, eps in SETTINGS:
        for size in sizes:
            task = Task(norm, eps, options.steps, tuple(x.shape[1:]), model.head.out_features, device)
            print(f"PGD-{options.steps}, {norm} eps {eps:.4g}, step {task.step_size:.4g}, batch {size}")
            rows = compare(task, wanted, given, x[:size], y[:size], options.repeats)
            print(f"  {'':14}{'model':10}{'pictures/s':>11}{'of ours':>9}{'right after':>13}{'|delta|/eps':>13}")
            for row in rows:
                right = f"{row.right}/{row.n}"
                print(
                    f"  {row.name:14}{row.model:10}{row.per_second:11.1f}{row.ratio:8.2f}x{right:>13}{row.used:13.4f}"
                )
            others = [row for row in rows if not row.name.startswith("ours")]
            if others:
                best = max(others, key=lambda row: row.per_second)
                print(f"  ours is {1 / best.ratio:.2f} times the fastest other, {best.name} ({best.model})")
            print(flush=True)
            results.append(
                {**asdict(task), "device": str(device), "batch": size, "rows": [asdict(row) for row in rows]}
            )
    if options.json:
        options.json.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
