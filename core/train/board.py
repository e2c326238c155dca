"""What trainings cost in minutes, noted in headers; and the table of networks in the README, written from headers."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from core import compute, data
from core.models import card, checkpoints
from core.problems import InputError
from core.train import cost, timing, zoo

log = logging.getLogger(__name__)
README = checkpoints.FOLDER.parent / "README.md"
TABLE = re.compile(r"<!-- networks -->\n.*?<!-- end of networks -->", re.DOTALL)
BALLS = ("L2 0.25", "L2 0.5", "L2 1", "Linf 8/255")
HEAD = ("network", "clean", *(f"PGD, {ball}" for ball in BALLS), "AutoAttack", "training", "operations")


def measured_here() -> list[str]:
    """List the declared networks that are here and of which accuracies were measured, in the order of declaration."""
    here = (name for name in zoo.declared() if checkpoints.path_of(name).is_file())
    return [name for name in here if card.measured(checkpoints.header(name))]


def table(names: Iterable[str] | None = None) -> str:
    """Write the table as Markdown, between its marks."""
    rows = [row(name) for name in (measured_here() if names is None else names)]
    told = [column for column in range(len(HEAD)) if any(cells[column] for cells in rows)]  # nothing noted, no column
    lines = [[cells[column] for column in told] for cells in (HEAD, ["---"] * len(HEAD), *rows)]
    return "\n".join(
        ["<!-- networks -->", *(f"| {' | '.join(cells)} |" for cells in lines), "<!-- end of networks -->"]
    )


def row(name: str) -> list[str]:
    """Write what a network's header says of it, a cell each."""
    about = checkpoints.header(name)
    rates = {(one.attack, one.ball): one.rate for one in card.measured(about)}
    clean = rates.get(("", card.CLEAN))
    cells = [f"`{name}`", f"{100 * clean.value:.1f} %" if clean else ""]
    for ball in BALLS:
        pgd = rates.get((card.PGD, ball))
        cells.append(f"{100 * pgd.value:.1f} %" if pgd else "")
    strong = [
        f"{ball}: {100 * rate.value:.1f} % (n = {rate.n:,})"
        for (attack, ball), rate in rates.items()
        if attack == card.AUTOATTACK
    ]
    spent = cost.operations(about)
    return [*cells, "; ".join(strong), cost.minutes(about), cost.written(spent) if spent else ""]


def write(path: Path = README) -> None:
    """Put the table into the README.

    Raises:
        ValueError: If its marks are not there.
    """
    text = path.read_text("utf-8")
    if TABLE.search(text) is None:
        raise ValueError(f"{path.name} has no marks where the table goes")
    path.write_text(TABLE.sub(lambda _: table(), text), "utf-8")


def clock(name: str) -> float:
    """Time some steps of a network's training on this machine; write the minutes that all take into its header.

    Minutes that were counted while it was trained are left as they are.

    Raises:
        InputError: If its header does not say how it was trained.
    """
    about = checkpoints.header(name)
    made = about.recipe
    if "minutes" in made and "timed" not in made:
        log.info("%s: %s", name, cost.minutes(about))
        return float(made["minutes"])
    entry = zoo.declared().get(name)
    if entry is None or made.get("profile") not in entry.profiles:
        raise InputError(f"{name} is not declared in zoo.toml with the profile that it was trained with")
    recipe, train = entry.recipe(made["profile"]), data.cifar10("train")
    (seconds,) = timing.step_seconds((recipe,), train)
    minutes = seconds * recipe.epochs * (len(train) // recipe.batch_size) / 60
    noted = {"minutes": round(minutes, 1), "machine": compute.machine(), "timed": "from the time of some steps"}
    checkpoints.annotate(checkpoints.path_of(name), replace(about, recipe={**made, **noted}))
    log.info("%s: %.0f minutes", name, minutes)
    return minutes


def run(action: str, names: Sequence[str]) -> None:
    """Do what `python -m core.train.zoo` was asked to: "time" some networks, or write the "table"."""
    if action == "time":
        for name in names:
            clock(name)
    else:
        write()
