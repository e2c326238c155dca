"""The command `python -m core.datasets.experiments`."""

import argparse
import sys
from pathlib import Path

from core import compute
from core.commands import command
from core.datasets.experiments import PLANS, PROFILES, Places, run


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m core.datasets.experiments", description="Run an experiment of the paper."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    running = actions.add_parser("run", help="build the sets, train the students, measure them")
    running.add_argument("experiment", choices=list(PLANS))
    running.add_argument("names", nargs="*", metavar="STUDENT", help="these students alone")
    running.add_argument("--profile", choices=PROFILES, default="cpu")
    running.add_argument("--out", type=Path, help="keep everything in this folder instead of in the project")
    given = parser.parse_args(arguments)
    places = Places(*[given.out / name for name in ("runs", "checkpoints", "results")]) if given.out else Places()
    compute.setup_cpu()
    sys.stdout.write(f"{run(given.experiment, given.profile, places, names=given.names)}\n")


if __name__ == "__main__":
    main()
