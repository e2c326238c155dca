"""What all commands of this project have in common: a log that tells the time, and one sentence instead of a traceback.

    @command
    def main(arguments: list[str] | None = None) -> None:
        parser = argparse.ArgumentParser(prog="python -m core.something")
        parser.add_argument("--n", type=whole(1, 10_000), default=500)
        parser.add_argument("--out", type=output, default=str(RESULTS))
        given = parsed(parser, arguments)

`whole`, `number` and `output` check arguments before any work begins: numbers lie in their range, files can be written.
"""

import argparse
import functools
import logging
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from core.problems import UserError

Main = Callable[[list[str] | None], None]
INTERRUPTED = 130  # what a shell reports of a command that Ctrl-C ended


def command(main: Main) -> Callable[..., None]:
    """Make a command of a function that takes its arguments.

    What it raises for people (`UserError`) or about files (`OSError`) ends it in a sentence, Ctrl-C in a line; anything
    else is a fault of ours and keeps its traceback.
    """

    @functools.wraps(main)
    def run(arguments: list[str] | None = None) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
        try:
            main(arguments)
        except UserError as error:
            sys.exit(str(error))
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            sys.exit(f"cannot read or write{where}: {error.strerror or error}")
        except KeyboardInterrupt:
            sys.stderr.write("\nstopped\n")
            sys.exit(INTERRUPTED)

    return run


def parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse arguments of which names may stand before or after the options."""
    return parser.parse_intermixed_args(arguments)


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """Make the `type` of an argument that is a whole number from `low` to `high`, both included."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"must be a whole number, {_range(low, high)}, got {text}")
        return value

    return read


def number(low: int | float, high: int | float | None = None, *, above: bool = False) -> Callable[[str], float]:  # noqa: PYI041 - as in recipes
    """Make the `type` of an argument that is a finite number from `low` (`above`: just above it) to `high`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        fits = math.isfinite(value) and (value > low if above else value >= low) and (high is None or value <= high)
        if not fits:
            span = f"more than {low}" if above else _range(low, high)
            raise argparse.ArgumentTypeError(f"must be a number, {span}, got {text}")
        return value

    return read


def _range(low: object, high: object | None) -> str:
    return f"{low} or more" if high is None else f"{low} to {high}"


def output(text: str) -> Path:
    """Read the name of a file to write, as the `type` of an argument, and try whether it can be written there.

    The folder is made if it is missing. A default that is a string is tried, too.
    """
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder; name a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part"):
            pass
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def empty_folder(text: str) -> Path:
    """Read the name of a folder to fill, as the `type` of an argument.

    What is in it already would be taken for ours.
    """
    path = Path(text)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise argparse.ArgumentTypeError(f"{path} is not an empty folder; name another one, or empty it")
    return output(str(path / "x")).parent


def results_options(parser: argparse.ArgumentParser, default: Path) -> None:
    """Add `--out`, the results file to write, and `--anew`, which lets it be replaced whatever it holds."""
    parser.add_argument("--out", type=output, default=str(default), help="the results file to write")
    parser.add_argument(
        "--anew", action="store_true", help="begin OUT anew, even if it was measured on more pictures or otherwise"
    )
