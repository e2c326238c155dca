"""A recipe is the whole input of a view: cache key, URL, metadata in an exported picture, and the header of a script.

A recipe is a frozen dataclass whose fields are strings, whole numbers, booleans or tuples of strings, each declared with
`option(...)`: its default and what is allowed. From that alone follow

    to_query(recipe)            {"eps": "8"}: only what differs from the default
    from_query(Recipe, params)  the recipe, and the names of the parameters that were not usable and fell back
    to_json / from_json         everything, for files
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

R = TypeVar("R")


def option(
    default: Any, *, among: tuple[Any, ...] | None = None, low: int | None = None, high: int | None = None
) -> Any:
    """Declare a field of a recipe.

    Args:
        default: Its value when the URL does not name it.
        among: The allowed values (for a tuple: of its members); None allows any.
        low: Smallest allowed whole number.
        high: Largest allowed whole number.
    """
    return field(default=default, metadata={"among": among, "low": low, "high": high})


def to_query(recipe: Any) -> dict[str, str]:
    """Write a recipe as query parameters, leaving out what is at its default."""
    return {
        f.name: _write(getattr(recipe, f.name))
        for f in dataclasses.fields(recipe)
        if getattr(recipe, f.name) != f.default
    }


def from_query(kind: type[R], params: Mapping[str, str]) -> tuple[R, tuple[str, ...]]:
    """Read a recipe from query parameters; whatever is missing or not allowed takes its default.

    Args:
        kind: The recipe's class.
        params: Query parameters; unknown ones are ignored.

    Returns:
        The recipe and the names of the parameters that fell back.
    """
    values, bad = {}, []
    for f in dataclasses.fields(kind):  # type: ignore[arg-type]
        if f.name not in params:
            continue
        try:
            values[f.name] = _checked(f, _read(f, params[f.name]))
        except ValueError:
            bad.append(f.name)
    return kind(**values), tuple(bad)


def to_json(recipe: Any) -> str:
    """Write the whole recipe, with its kind, as JSON."""
    return json.dumps({"kind": type(recipe).__name__, **dataclasses.asdict(recipe)}, indent=2, ensure_ascii=False)


def from_json(kind: type[R], text: str) -> R:
    """Read what `to_json` wrote.

    Raises:
        ValueError: If it is not such a recipe, with the field that is wrong.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"a recipe is a JSON file, and this is not one ({error})") from error
    if not isinstance(values, dict) or values.pop("kind", None) != kind.__name__:
        raise ValueError(f"this is not a {kind.__name__}")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = values.keys() - fields.keys()
    if unknown:
        raise ValueError(f"a {kind.__name__} has no {', '.join(sorted(unknown))}")
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind(**{name: _checked(fields[name], value) for name, value in frozen.items()})


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(f: Any, text: str) -> Any:
    if isinstance(f.default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{f.name} must be true or false")
        return text.lower() == "true"
    if isinstance(f.default, int):
        return int(text)
    if isinstance(f.default, tuple):
        return tuple(part for part in text.split(",") if part)
    return text


def _checked(f: Any, value: Any) -> Any:
    if type(value) is not type(f.default):
        raise ValueError(f"{f.name} must be a {type(f.default).__name__}, got {value!r}")
    among, low, high = f.metadata.get("among"), f.metadata.get("low"), f.metadata.get("high")
    members = value if isinstance(value, tuple) else (value,)
    if among is not None and any(member not in among for member in members):
        raise ValueError(f"{f.name} must be one of {', '.join(map(str, among))}, got {value!r}")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"{f.name} must be {low} to {high}, got {value}")
    return value


# The radii that a sweep can reach, as they stand in the URL: (norm, reach) -> (largest eps, number of intervals).
# Linf counts in 1/255, so that an 8-bit picture keeps the perturbation exactly.
REACHES: dict[str, dict[str, tuple[float, int]]] = {
    "Linf": {"8/255": (8 / 255, 16), "20/255": (20 / 255, 20), "40/255": (40 / 255, 20)},
    "L2": {"0.5": (0.5, 20), "2": (2.0, 20), "5": (5.0, 20)},
}
DEFAULT_REACH = {"Linf": "20/255", "L2": "2"}


@dataclass(frozen=True)
class PerturbRecipe:
    """One picture, two models, and one attack on each of them.

    Args:
        picture: Picture id, see `core.pictures.get`.
        standard: Checkpoint of the left column.
        robust: Checkpoint of the right column.
        norm: "L2" or "Linf".
        reach: Largest eps of the sweep, a key of `REACHES[norm]`; anything else means the norm's default.
        attack: "PGD", or "FGSM": one step of length eps.
        steps: PGD steps.
        target: "any" (untargeted), "second" (most likely of the other classes), "least" (likely), or a class name.
        random_start: Start PGD at a uniform draw from the ball instead of at the picture.
        axis: "eps" sweeps the radius; "steps" shows the iterates at one radius.
        frame: Which radius (axis "eps") or iterate (axis "steps") is in view; the default is far enough for a standard
            model to be fooled.
        at: The radius whose iterates axis "steps" shows, one of `eps_labels`; anything else means the sixth of them.
        seed: Of the random start and of the noise control.
    """

    picture: str = option("")
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    norm: str = option("L2", among=("L2", "Linf"))
    reach: str = option("")
    attack: str = option("PGD", among=("PGD", "FGSM"))
    steps: int = option(20, low=1, high=200)
    target: str = option("any")
    random_start: bool = option(default=False)
    axis: str = option("eps", among=("eps", "steps"))
    frame: int = option(8, low=0, high=200)
    at: str = option("")
    seed: int = option(0, low=0, high=2**31 - 1)

    @property
    def eps_values(self) -> tuple[float, ...]:
        """All radii of the sweep, 0 first, in pixel units."""
        reaches = REACHES[self.norm]
        largest, intervals = reaches.get(self.reach, reaches[DEFAULT_REACH[self.norm]])
        return tuple(largest * i / intervals for i in range(intervals + 1))

    @property
    def eps_labels(self) -> tuple[str, ...]:
        """The radii as people write them: 8/255, or 0.5."""
        if self.norm == "L2":
            return tuple(f"{eps:.3g}" for eps in self.eps_values)
        return tuple(f"{eps * 255:.3g}/255" if eps else "0" for eps in self.eps_values)

    @property
    def at_index(self) -> int:
        """Where in the sweep the radius of axis "steps" stands."""
        return self.eps_labels.index(self.at) if self.at in self.eps_labels else 5


@dataclass(frozen=True)
class InvertRecipe:
    """Representations in two models, each inverted from the same start.

    Args:
        view: "emergence" of one picture, a "gallery" of several, one "feature", or the way "between" two pictures.
        picture: The picture whose representation is wanted, see `core.pictures.get`.
        standard: Checkpoint of the left column.
        robust: Checkpoint of the right column.
        start: "picture" (another one, drawn independently of the label), "noise" or "grey".
        block: Which representation: a name of `Classifier.blocks`; "pool" is g(x), the penultimate one.
        setting: "fast", or "paper": 1000 steps of 0.1.
        frame: Which iterate (emergence) or point (between) is in view, as index into the frames kept.
        seed: Decides which other picture, which gallery, and the noise.
        only: The class of the gallery's pictures; "" is one of each.
        feature: Which coordinate of g(x); -1 is the one in which the picture stands out most.
        canvas: Where the views "feature" and "between" start: "noise", "grey", or (only the latter) the "fade" of pixels.
    """

    view: str = option("emergence", among=("emergence", "gallery", "feature", "between"))
    picture: str = option("")
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    start: str = option("picture", among=("picture", "noise", "grey"))
    block: str = option("pool")
    setting: str = option("fast", among=("fast", "paper"))
    frame: int = option(40, low=0, high=200)
    seed: int = option(0, low=0, high=2**31 - 1)
    only: str = option("")
    feature: int = option(-1, low=-1, high=4095)
    canvas: str = option("noise", among=("noise", "grey", "fade"))
