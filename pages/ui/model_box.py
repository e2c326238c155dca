"""The choice of a model, on every page the same: `model_box("Left model", recipe.standard, "standard")`."""

from collections.abc import Callable, Sequence

from core.models import checkpoints
from core.models.titles import title
from pages.ui.address import choose
from pages.ui.world import current


def model_box(
    label: str,
    default: str,
    key: str,
    names: Sequence[str] | None = None,
    width: int | str = "stretch",
    called: Callable[[str], str] = title,
) -> str:
    """Show a choice among models by their titles and return the name of one that is here.

    Args:
        label: What the model is for.
        default: The choice at first; the first model if it is not here.
        key: The recipe's field, which has the name in the address.
        names: The models; by default all of the world in sight.
        width: Of the box, in CSS pixels, or "stretch".
        called: How a model is called.
    """
    options = list(names if names is not None else checkpoints.names(world=current().name))
    shown = [called(name) for name in options]
    words = {
        name: text if shown.count(text) == 1 else f"{text} ({name})" for name, text in zip(options, shown, strict=True)
    }
    return choose(label, words, key=key, default=default if default in words else options[0], listed=True, width=width)
