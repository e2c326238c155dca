"""The command `python -m core.train`."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch.distributed as dist

from core import compute, data, worlds
from core.attacks import balls
from core.commands import command, number, output, whole
from core.data import labelled
from core.models import checkpoints
from core.problems import InputError
from core.train import InnerAttack, TrainRecipe, fit, join_processes, reporter
from core.train.evaluate import clean_accuracy

CALLED = {
    "resnet9": "ResNet-9",
    "resnet18": "ResNet-18",
    "vgg": "VGG",
    "densenet": "DenseNet",
    "convmixer": "ConvMixer",
}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.train", description="Train a classifier.")
    parser.add_argument("--out", type=output, required=True, help="the .safetensors to write")
    parser.add_argument("--data", type=Path, help="an .npz to train on instead of CIFAR-10")
    parser.add_argument(
        "--world", choices=worlds.known(), help="train on the pictures of a world of yours; see docs/your-data.md"
    )
    parser.add_argument("--limit", type=whole(1), help="train on the first LIMIT pictures")
    parser.add_argument("--run", type=Path, help="folder of the run's state (default: beside OUT)")
    parser.add_argument("--arch", default="resnet9", help="of this project, timm/NAME or torchvision/NAME")
    parser.add_argument("--width", type=whole(1, 1024))
    parser.add_argument("--epochs", type=whole(1), default=TrainRecipe.epochs)
    parser.add_argument("--batch-size", type=whole(2), default=TrainRecipe.batch_size)
    parser.add_argument("--lr", type=number(0, above=True), default=TrainRecipe.lr)
    parser.add_argument("--no-augment", action="store_true")
    parser.add_argument("--norm", choices=sorted(balls.NORMS), help="train adversarially in this norm")
    parser.add_argument("--eps", type=number(0), default=0.5)
    parser.add_argument("--inner-steps", type=whole(1), default=7)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    given = parser.parse_args(arguments)
    inner = None
    if given.norm:
        step = given.eps if given.inner_steps == 1 else given.eps / 5
        inner = InnerAttack(given.norm, given.eps, given.inner_steps, step)
    recipe = TrainRecipe(
        arch=given.arch,
        args={} if given.width is None else {"width": given.width},
        epochs=given.epochs,
        batch_size=given.batch_size,
        lr=given.lr,
        augment=not given.no_augment,
        inner=inner,
        precision=given.precision,
        seed=given.seed,
    )
    compute.setup_cpu()
    here, rank = join_processes()
    mine = given.world if given.world != worlds.DEFAULT else None
    if mine is not None and not labelled.has(mine):
        raise InputError(
            f"there are no pictures of {worlds.get(given.world).title} here to train on; its networks come trained"
        )
    if mine is not None:
        pictures = labelled.load(mine, "train")
    else:
        pictures = data.from_npz(given.data) if given.data else data.cifar10("train")
    if given.limit is not None:
        pictures = pictures.take(slice(given.limit))
    recipe = replace(recipe, args={**recipe.args, **told(recipe.arch, pictures)})
    run = given.run or given.out.with_name(given.out.name.removesuffix(checkpoints.SUFFIX) + ".run")
    model = fit(recipe, pictures, run=run, device=here, on_progress=reporter() if rank == 0 else None)
    if rank == 0:
        about = checkpoints.Header(recipe.arch, recipe.args, recipe=recipe.as_json(), classes=pictures.classes)
        if mine is not None:
            test = labelled.load(mine, "test")
            clean = clean_accuracy(model, test.x().to(here), test.y().to(here))
            sys.stdout.write(f"clean accuracy on {test.source}: {clean}\n")
            how = "standard training" if inner is None else f"adversarial training ({inner.norm}, eps {inner.eps:g})"
            about = replace(
                about,
                title=f"{CALLED.get(recipe.arch, recipe.arch.rpartition('/')[2])}, {how}",
                world=mine,
                measured={"clean": clean.as_json()},
            )
        checkpoints.save(given.out, model.state_dict(), about)
    if dist.is_initialized():
        dist.destroy_process_group()


def told(arch: str, pictures: data.Pictures) -> dict[str, int]:
    """Return what a network must be told of its pictures: one of another library has no defaults of ours."""
    classes = {"classes": len(pictures.classes)}
    if "/" in arch:
        return {**classes, "side": pictures.images.shape[1]}
    return {} if len(pictures.classes) == len(worlds.get().classes) else classes


if __name__ == "__main__":
    main()
