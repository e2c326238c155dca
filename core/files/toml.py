"""TOML files of this project, in which somebody may have made a slip."""

import tomllib
from pathlib import Path
from typing import Any

from core.problems import InputError


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: If it is not there or is no TOML; the message has the line.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from error
    except ValueError as error:  # what tomllib raises, what is no UTF-8, and Python for a number of thousands of digits
        raise InputError(f"{path.name} is damaged: {error}") from error
