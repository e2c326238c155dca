"""The card of a model: what it is, how it was made, what was measured, in words."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from core import rates, worlds
from core.models import arrivals, build, checkpoints, doctor, packaged
from core.models.checkpoints import Header

CLEAN, HOW = "clean", "how"
PGD, AUTOATTACK = "PGD", "AutoAttack"


@dataclass(frozen=True)
class Measured:
    """An accuracy from a checkpoint's header.

    Args:
        what: "clean", or a ball as people write it, e.g. "L2 0.5", after the attack's name if that is not PGD.
        hits: Pictures that were right.
        n: Of so many.
        warnings: Reasons not to believe it.
    """

    what: str
    hits: int
    n: int
    warnings: tuple[str, ...] = ()

    @property
    def rate(self) -> rates.Rate:
        """With its interval."""
        return rates.Rate(self.hits, self.n)

    @property
    def attack(self) -> str:
        """Which attack gave the number; empty for the clean accuracy."""
        if self.what == CLEAN:
            return ""
        return AUTOATTACK if self.what.startswith(AUTOATTACK) else PGD

    @property
    def ball(self) -> str:
        """In which ball, as people write it; "clean" for the clean accuracy."""
        return self.what.removeprefix(AUTOATTACK).strip()

    @property
    def norm(self) -> str:
        """Of the perturbations: L2 or Linf; empty for the clean accuracy."""
        return self.ball.partition(" ")[0] if self.what != CLEAN else ""

    @property
    def eps(self) -> float:
        """Radius in pixel units; 0 of the clean accuracy."""
        number, _, divisor = self.what.rpartition(" ")[2].partition("/")
        return float(number) / float(divisor or 1) if self.norm else 0.0


def measured(about: Header) -> tuple[Measured, ...]:
    """Read what was measured of a model, the clean accuracy first; empty where nothing was."""
    found = [
        Measured(what, int(rate["hits"]), int(rate["n"]), tuple(rate.get("doubts", ())))
        for what, rate in about.measured.items()
        if what != HOW and isinstance(rate, Mapping) and "hits" in rate
    ]
    return tuple(sorted(found, key=lambda one: (one.norm, one.eps, one.attack != PGD)))


def rows(name: str) -> tuple[tuple[str, str], ...]:
    """Write the card of a checkpoint: what each line says, and what it says.

    Raises:
        core.models.checkpoints.CheckpointError: If it is not here or damaged.
    """
    about, path = checkpoints.header(name), checkpoints.path_of(name)
    found = [("Is", structure(about, name)), ("Made", history(about)), ("World", worlds.get(about.world).title)]
    by_ball: dict[str, list[str]] = {}
    for one in measured(about):
        by_ball.setdefault(one.ball, []).append("; ".join([f"{one.attack} {one.rate}".strip(), *one.warnings]))
    for ball, rates_ in by_ball.items():
        found.append(("Accuracy" if ball == CLEAN else f"under attack, {ball}", "; ".join(rates_)))
    if found[-1][0].startswith("under"):
        how = about.measured.get(HOW, {})
        told = (
            f"{how['attack']} ({how.get('date', 'no date')})" if "attack" in how else "PGD; its settings were not noted"
        )
        found.append(("Attack", f"{told}. An attack gives an upper bound of the truth."))
    plugged = "plugin" in about.recipe
    if says := _seen(name, checkpoints.stamp(name)) if plugged else about.recipe.get("doctor"):
        found.append(("Doctor", " ".join(says)))
    if not plugged:
        found.append(("Size", f"{path.stat().st_size / 2**20:.1f} MB on disk"))
    found.append(("Stamp", checkpoints.stamp(name)))
    return tuple(found)


@functools.lru_cache(maxsize=16)
def _seen(name: str, stamp: str) -> tuple[str, ...]:  # noqa: ARG001 - other weights are looked at anew
    """Have the doctor look at a network that nobody has looked at: one that its owner's file makes."""
    about = checkpoints.header(name)
    x, y = arrivals.specimens(worlds.get(about.world))
    found = doctor.examine(checkpoints.load(name), about.classes, x, y)
    return tuple(f"{one.says} {one.remedy}" for one in found) or ("It finds nothing wrong.",)


def structure(about: Header, name: str = "") -> str:
    """Say what a network is: architecture, parameters, blocks, representation.

    Args:
        about: Its header.
        name: The checkpoint, by which one that its owner's file makes is found.
    """
    if "plugin" in about.recipe:
        model = checkpoints.load(name)
    else:
        with torch.device("meta"):
            model = build(about.arch, **about.args)
    blocks = f"{len(model.blocks)} block{'s' * (len(model.blocks) != 1)}"
    count = sum(value.numel() for value in model.parameters())
    return (
        f"{about.arch}, {count / 1e6:.2f} million parameters in {blocks}; the last layer reads"
        f" {model.head.in_features} features and tells {len(about.classes)} classes apart"
    )


def history(about: Header) -> str:
    """Say how a model was made, from its header."""
    made = about.recipe
    if "added" in made:
        mean, std = (" ".join(f"{v:g}" for v in made.get(key, ())) for key in ("mean", "std"))
        return f"added from {made['added']} ({made.get('kind', 'weights')}), pixels minus {mean}, divided by {std}"
    if "plugin" in made:
        mean, std = (" ".join(f"{v:g}" for v in made[key]) for key in ("mean", "std"))
        return f"made by {made['plugin']}, pixels minus {mean}, divided by {std}. {made.get('note', '')}".rstrip()
    if any(about.title == packed.title for packed in packaged.MODELS.values()):
        return "; ".join(f"{key} {value}" for key, value in made.items()) or "comes in a package"
    inner, source = made.get("inner"), made.get("set")
    words = [_inner(inner) if isinstance(inner, Mapping) else "ordinary training"]
    if isinstance(source, Mapping):
        words.append(
            f"on a set constructed from {source.get('source')} (kind {source.get('kind')}, {source.get('n'):,}"
            " pictures)"
        )
    if made.get("data"):
        words.append(f"on {made['data']}")
    if made.get("epochs"):
        words.append(f"{made['epochs']} epochs")
    if "seed" in made:
        words.append(f"seed {made['seed']}")
    if made.get("finished"):
        words.append(f"finished {made['finished']}")
    return ", ".join(words)


def _inner(inner: Mapping[str, Any]) -> str:
    eps = float(inner.get("eps", 0))
    size = f"{eps:g}" if inner.get("norm") == "L2" else f"{255 * eps:g}/255"
    return (
        f"adversarial training ({inner.get('norm')} {size}, {inner.get('steps')}"
        f" {'step' if inner.get('steps') == 1 else 'steps'})"
    )
