"""What the Style page shows besides the pictures, and what it lets out."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core import results as results_file
from core.files import arrays
from core.models.judge import JUDGE, ROBUST_JUDGE
from core.rates import Estimate
from core.recipes.python import to_python
from core.style import transfer
from core.style.measure import RESULTS
from core.style.recipe import StyleRecipe

# The reply's own figure, read by eye: R(f) of four layers of networks for ImageNet.
THEIRS = {
    "standard ResNet": (0.54, 0.45, 0.44, 0.58),
    "AlexNet": (0.06, 0.12, 0.37, 0.50),
    "VGG": (0.055, 0.11, 0.16, 0.21),
    "robust ResNet": (0.07, 0.065, 0.06, 0.05),
}


def cache_key(recipe: StyleRecipe) -> StyleRecipe:
    """Return what one network's painting depends on: not the view, the frame or the networks' names."""
    first = StyleRecipe()
    return replace(recipe, view=first.view, frame=first.frame, standard=first.standard, robust=first.robust)


def results(part: str, path: Path | None = None) -> dict[str, Any] | None:
    """Read what was measured: "pairs" or "layers"; None where it was not.

    Raises:
        core.data.DataError: If the file is damaged.
    """
    found = results_file.read(path if path is not None else RESULTS, again()) or {}
    one: dict[str, Any] | None = found.get(part)
    return one


def again(part: str = "") -> str:
    """Say what measures it anew."""
    return f"python -m core.style measure {part}".strip()


def layers(found: dict[str, Any]) -> dict[str, dict[str, Estimate]]:
    """Return R(f) of each network's blocks, from the picture to the representation.

    Args:
        found: The part "layers".
    """
    n = int(found["n"])
    order = lambda network: sorted(network.items(), key=lambda item: _depth(item[0]))
    return {
        name: {block: Estimate(one["ratio"], tuple(one["interval"]), n) for block, one in order(network)}
        for name, network in found["networks"].items()
    }


def _depth(block: str) -> tuple[int, str]:
    """Order blocks as a network has them: the first, the numbered ones, the representation."""
    if block in ("stem", "patches"):
        return 0, block
    if block == "pool":
        return 99, block
    number = int("".join(c for c in block if c.isdigit()) or 0)
    return 2 * number + (block.startswith(("res", "halve"))), block


@dataclass(frozen=True)
class Judged:
    """What one judge saw over the pairs.

    Args:
        style: Of each network, the distance to the style that is left, of the content's own.
        content: Of each network, the relative squared distance from the content.
        difference: Of the style distances, pair by pair: standard minus robust.
        better: In how many pairs the robust network came nearer to the style.
        values: Of each network, the style distance of each pair.
    """

    style: dict[str, Estimate]
    content: dict[str, Estimate]
    difference: Estimate
    better: int
    values: dict[str, list[float]]


def judged(found: dict[str, Any]) -> dict[str, Judged]:
    """Read what each judge saw, the ordinary one first.

    Args:
        found: The part "pairs".
    """
    seen = found["judges"]
    order = [name for name in (JUDGE, ROBUST_JUDGE) if name in seen]
    each = lambda one, what: {name: Estimate.from_json(value) for name, value in one[what].items()}
    return {
        name: Judged(
            each(seen[name], "style"),
            each(seen[name], "content"),
            Estimate.from_json(seen[name]["difference"]),
            int(seen[name]["better"]),
            {network: list(value["values"]) for network, value in seen[name]["style"].items()},
        )
        for name in [*order, *(name for name in seen if name not in order)]
    }


def pairs_table() -> str:
    """Write what each judge saw of each pair as CSV."""
    found = results("pairs")
    pairs = found["pairs"] if found else []
    rows = [
        (content, style, judge, network, value)
        for judge, one in (judged(found) if found else {}).items()
        for network, values in one.values.items()
        for (content, style), value in zip(pairs, values, strict=True)
    ]
    columns = ("content", "style", "judge", "painted_by", "style_left")
    return arrays.table({name: [row[i] for row in rows] for i, name in enumerate(columns)})


def table() -> str:
    """Write R(f) of every layer of every network as CSV."""
    found = results("layers")
    rows = [
        (name, block, one.value, *one.interval, one.n)
        for name, blocks in (layers(found) if found else {}).items()
        for block, one in blocks.items()
    ]
    columns = ("network", "layer", "R", "low", "high", "n")
    return arrays.table({name: [row[i] for row in rows] for i, name in enumerate(columns)})


def script(recipe: StyleRecipe) -> str:
    """Write the Python program of a view."""
    if recipe.view == "transfer":
        return transfer.script(recipe)
    return to_python(
        recipe,
        ["from core.style.views import table"],
        """
        # To measure anew (needs CIFAR-10): python -m core.style measure layers
        print(table())
        """,
    )
