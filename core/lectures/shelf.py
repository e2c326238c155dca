"""The lectures that ship: assets/lectures/NAME.toml, where NAME is what stands in the address."""

from pathlib import Path

from core.files.once import once_a_state
from core.lectures.files import read
from core.lectures.lecture import Lecture
from core.problems import InputError

FOLDER = Path(__file__).parents[2] / "assets" / "lectures"
ORDER = ("paper", "sees", "bug", "lab")


def names() -> tuple[str, ...]:
    """Return the names of all lectures that ship, in the order in which they are offered."""
    found = {path.stem for path in FOLDER.glob("*.toml")}
    return (*(name for name in ORDER if name in found), *sorted(found - set(ORDER)))


def get(name: str) -> Lecture:
    """Return a lecture by its name.

    Raises:
        InputError: If there is none of that name, or if its file is damaged.
    """
    if name not in names():
        raise InputError(f"there is no lecture {name[:60]!r}; have {', '.join(names())}")
    return _read(FOLDER / f"{name}.toml")


@once_a_state(16)
def _read(path: Path) -> Lecture:
    return read(path.read_bytes())
