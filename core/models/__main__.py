"""Models of one's own: add one, or have the doctor look at one that is here.

For example:

    python -m core.models add theirs.pt --arch timm/resnet18 --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5
    python -m core.models examine resnet9-l2
"""

import argparse
import sys
from pathlib import Path

from core import compute, worlds
from core.commands import command, number, whole
from core.models import arrivals, checkpoints, doctor
from core.models.findings import Finding
from core.problems import InputError


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.models", description="Models of one's own.")
    actions = parser.add_subparsers(dest="action", required=True)
    adding = actions.add_parser("add", help="read a file of weights, look at it, and offer it on every page")
    adding.add_argument(
        "file", type=Path, metavar="FILE", help="safetensors, or what torch.save wrote; nothing in it is run"
    )
    adding.add_argument("--arch", required=True, help="of this project, timm/NAME or torchvision/NAME")
    adding.add_argument("--name", help="what the model is called here (default: after FILE)")
    adding.add_argument("--title", default="", help="what people read")
    adding.add_argument("--world", default=worlds.DEFAULT, help="in which it lives")
    adding.add_argument("--width", type=whole(1, 1024), help="of a network of this project")
    adding.add_argument("--mean", type=number(-1000, 1000), nargs=3, help="subtracted from pixels in [0, 1]")
    adding.add_argument("--std", type=number(0, 1000, above=True), nargs=3, help="divides them then")
    adding.add_argument(
        "--classes", type=Path, metavar="FILE", help="class names in the order of the logits, one a line"
    )
    adding.add_argument("--bgr", action="store_true", help="it was trained on blue, green, red")
    adding.add_argument("--anyway", action="store_true", help="add it although the doctor finds something")
    adding.add_argument("--replace", action="store_true", help="replace the model that has this name")
    examining = actions.add_parser("examine", help="what the doctor says of models that are here")
    examining.add_argument("names", nargs="+", metavar="NAME")
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    if given.action == "add":
        add(given)
        return
    for name in given.names:
        model, about = checkpoints.load(name), checkpoints.header(name)
        x, y = arrivals.specimens(worlds.get(about.world))
        say(doctor.examine(model, about.classes, x, y), name)


def add(given: argparse.Namespace) -> None:
    """Read, report, and write.

    Raises:
        InputError: If the doctor finds something, unless that was asked for.
    """
    classes = given.classes.read_text("utf-8").splitlines() if given.classes else None
    arrived = arrivals.receive(
        given.file,
        given.arch,
        world=given.world,
        title=given.title,
        width=given.width,
        mean=given.mean,
        std=given.std,
        classes=[line.strip() for line in classes if line.strip()] if classes else None,
        bgr=given.bgr,
    )
    for note in arrived.notes:
        sys.stdout.write(f"{note}\n")
    say(arrived.findings, given.file.name)
    if arrived.findings and not given.anyway:
        raise InputError("nothing was written; mend that, or add it as it is with --anyway")
    name = given.name or given.file.name.partition(".")[0].lower().replace("_", "-")
    path = arrivals.keep(arrived, name, replace=given.replace)
    sys.stdout.write(f"{path.name} is written; every page offers it as “{arrived.header.title}”\n")


def say(findings: tuple[Finding, ...], name: str) -> None:
    """Print what the doctor found."""
    for finding in findings:
        sys.stdout.write(f"! {finding.says}\n  {finding.remedy}\n")
    if not findings:
        sys.stdout.write(f"The doctor finds nothing wrong with {name}.\n")


if __name__ == "__main__":
    main()
