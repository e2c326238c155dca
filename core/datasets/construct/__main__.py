"""The command `python -m core.datasets.construct`."""

import argparse
import logging
import time

import torch.distributed as dist

from core import compute, data
from core.commands import command, empty_folder, number, output, whole
from core.datasets.construct import KINDS, ConstructRecipe, build, write_folder
from core.datasets.construct.build import OnShard
from core.models import checkpoints
from core.train import join_processes

log = logging.getLogger("core.datasets.construct")


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    given = _parser().parse_args(arguments)
    inverted = given.kind in ("robust", "nonrobust")
    source = given.source or {"robust": "resnet9-l2", "leak": ""}.get(given.kind, "resnet9-standard")
    compute.setup_cpu()
    here, _ = join_processes()
    try:
        recipe = ConstructRecipe(
            given.kind,
            source="" if given.kind == "leak" else source,
            n=given.n,
            seed=given.seed,
            eps=given.eps,
            steps=given.steps if given.steps is not None else 1000 if inverted else 100,
            step_size=given.step_size,
            rule=given.rule,
            start=given.start,
            labels="other" if given.other else "all",
            shifts=given.shifts,
            precision=given.precision,
            shard=given.shard,
        )
        model = compute.for_inference(checkpoints.load(source), here) if recipe.source else None
        made = build(recipe, model, data.cifar10("train"), given.out, on_shard=_reporter())
        if made is not None:
            moved = (
                f"mean L2 {made.delta.mean():.3f}, source model says the new label {100 * made.success.mean():.1f} %"
            )
            log.info("%s: %d pictures, %s", given.out, len(made.pictures), moved)
            if given.folder:
                write_folder(made.pictures, given.folder)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _reporter(every_s: float = 30.0) -> OnShard:
    began, last, first = time.monotonic(), 0.0, None

    def report(done: int, total: int) -> bool:
        nonlocal last, first
        now = time.monotonic()
        first = done if first is None else first
        if now - last >= every_s or done == total:
            last = now
            left = (now - began) / max(1, done - first + 1) * (total - done)
            log.info("shard %d of %d, %.0f min left", done, total, left / 60)
        return False

    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core.datasets.construct",
        description="Construct a data set of the paper.",
        epilog="; ".join(f"{name}: {text}" for name, text in KINDS.items()),
    )
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--out", type=output, required=True, help="the .npz to write")
    parser.add_argument("--source", help="checkpoint (default: resnet9-l2 for robust, else resnet9-standard)")
    parser.add_argument(
        "-n",
        "--n",
        type=whole(1, 50_000),
        default=ConstructRecipe.n,
        help="the first N training pictures (torchrun takes --n for its own; write -n)",
    )
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--eps", type=number(0), default=ConstructRecipe.eps, help="L2 radius, pixel units of [0, 1]")
    parser.add_argument("--steps", type=whole(1), help="default: the paper's 100, or 1000 for robust and nonrobust")
    parser.add_argument("--step-size", type=number(0, above=True), default=ConstructRecipe.step_size)
    parser.add_argument("--rule", choices=["steepest", "lbfgs"], default="steepest")
    parser.add_argument("--start", choices=["picture", "noise"], default="picture", help="where inversions start")
    parser.add_argument("--other", action="store_true", help="never draw a picture's own class")
    parser.add_argument("--shifts", action="store_true", help="perturb under random shifts and flips")
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto", help="of the gradients")
    parser.add_argument("--shard", type=whole(1), default=ConstructRecipe.shard)
    parser.add_argument("--folder", type=empty_folder, help="write an image folder too")
    return parser


if __name__ == "__main__":
    main()
