"""What all commands of this project have in common: a log that tells the time, and one sentence instead of a traceback.

For example:

    @command
    def main(arguments: list[str] | None = None) -> None:
        ...
"""

import functools
import logging
import sys
from collections.abc import Callable

from core.data.decode import PictureError
from core.data.sets import DataError
from core.models.checkpoints import CheckpointError

Main = Callable[[list[str] | None], None]
FOLLOWABLE = (ValueError, FloatingPointError, CheckpointError, DataError, PictureError)  # their messages say what to do


def command(main: Main) -> Callable[..., None]:
    """Make a command of a function that takes its arguments; what it raises about them, or about files, ends it in a sentence."""

    @functools.wraps(main)
    def run(arguments: list[str] | None = None) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
        try:
            main(arguments)
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            sys.exit(f"cannot read or write{where}: {error.strerror or error}")
        except FOLLOWABLE as error:
            sys.exit(str(error))

    return run
