"""The command `python -m core.experiments`."""

import argparse
import logging
import sys
from pathlib import Path

from core import checkpoints, compute, data
from core.experiments import PLANS, PROFILES, Places, run


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m core.experiments", description="Run an experiment of the paper.")
    actions = parser.add_subparsers(dest="action", required=True)
    running = actions.add_parser("run", help="build the sets, train the students, measure them")
    running.add_argument("experiment", choices=list(PLANS))
    running.add_argument("--profile", choices=PROFILES, default="cpu")
    running.add_argument("--out", type=Path, help="keep everything in this folder instead of in the project")
    given = parser.parse_args(arguments)
    places = Places(*[given.out / name for name in ("runs", "checkpoints", "results")]) if given.out else Places()
    compute.setup_cpu()
    try:
        sys.stdout.write(f"{run(given.experiment, given.profile, places)}\n")
    except (ValueError, OSError, data.DataError, checkpoints.CheckpointError, FloatingPointError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
