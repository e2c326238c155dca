"""What the Usefulness page computes: which features are chosen, what one looks like, what a head makes of the rest.

    recipe = UsefulnessRecipe(brush="standard,0.2,1,-9,0,4")     # useful, but not robustly, at eps 0.25
    on = switched_on(recipe, "standard")                          # (D,) what a head may use
    seen = look(recipe, "standard")                               # a Look at one feature

The page and the script that it offers for copying call these same functions.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import goh, pictures, usefulness_atlas
from core.attacks import OnStep, descend, pgd
from core.balls import L2
from core.evaluate import RobustAccuracy, robust_accuracy
from core.inversion import UNLIMITED, noise_start, representation
from core.models import Classifier
from core.perturb import load as load_model
from core.rates import Rate
from core.recipes import UsefulnessRecipe, to_python
from core.rules import momentum
from core.types import Features, Images
from core.usefulness import Usefulness
from core.usefulness_atlas import SHIPPED, Atlas
from core.usefulness_head import attacked_pictures, clean_accuracy, head_of, rewired

SIDES = ("standard", "robust")
TOP = 8
CLIMB, STRIDE = 100, 0.05  # steps that maximise a feature, and the L2 length of the first, pixel units
PUSH = 20  # PGD steps of the worst move
ATTACKED = 100  # pictures on which a re-weighted head is attacked
ATTACK_STEPS = 10
MIXTURES = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)  # per mille
EPS = 0.25  # at which the linear constructions are judged
FIRST_FRAME = {"features": 4, "head": 4, "singular": 0, "ensemble": 34, "containment": 2}


@dataclass(frozen=True)
class Brush:
    """A rectangle of the scatter at one radius: it chooses features.

    Args:
        side: "standard" or "robust".
        box: rho from, rho to, gamma from, gamma to.
        frame: The radius's index; 0 is eps = 0.
    """

    side: str
    box: tuple[float, float, float, float]
    frame: int

    @staticmethod
    def parse(text: str) -> "Brush | None":
        """Read what `str` wrote; None where there is nothing that can be read."""
        side, _, rest = text.partition(",")
        try:
            a, b, c, d, frame = (float(part) for part in rest.split(","))
        except ValueError:
            return None
        if side not in SIDES or not all(map(math.isfinite, (a, b, c, d))) or frame not in range(51):
            return None
        return Brush(side, (a, b, c, d), int(frame))

    def __str__(self) -> str:
        return ",".join([self.side, *(f"{v:g}" for v in self.box), str(self.frame)])

    def covers(self, found: Usefulness) -> Tensor:
        """Tell which features lie in it (D)."""
        low, high, bottom, top = self.box
        gamma = gamma_at(found, self.frame)
        return (found.rho >= low) & (found.rho <= high) & (gamma >= bottom) & (gamma <= top)


def gamma_at(found: Usefulness, frame: int) -> Tensor:
    """Return the robust usefulness (D) at a frame of the slider; frame 0, eps = 0, is rho itself."""
    return found.gamma[min(frame, len(found.radii)) - 1] if frame > 0 else found.rho


def radius(atlas: Atlas, frame: int) -> float:
    """Return the radius at a frame of the slider, pixel units."""
    return (0.0, *atlas.radii)[min(frame, len(atlas.radii))]


def atlas_of(recipe: UsefulnessRecipe, side: str) -> Atlas:
    """Load the atlas of one side's model.

    Raises:
        core.data.DataError: If it has not been measured.
    """
    return usefulness_atlas.load(recipe.standard if side == "standard" else recipe.robust)


def chosen(recipe: UsefulnessRecipe, side: str) -> Tensor:
    """Tell which features of a side the brush chooses (D); none if it is in the other panel."""
    atlas = atlas_of(recipe, side)
    found, _ = usefulness_atlas.lookup(atlas, recipe.task, recipe.against)
    brush = Brush.parse(recipe.brush)
    return brush.covers(found) if brush is not None and brush.side == side else torch.zeros_like(found.rho).bool()


def switched_on(recipe: UsefulnessRecipe, side: str) -> Tensor:
    """Tell which features of a side's model stay on (D). A brush in one panel leaves the other model whole."""
    atlas = atlas_of(recipe, side)
    found, _ = usefulness_atlas.lookup(atlas, recipe.task, recipe.against)
    robust = gamma_at(found, recipe.frame) > 0
    brushed = chosen(recipe, side)
    everything = torch.ones_like(robust)
    brush = Brush.parse(recipe.brush)
    here = brush is not None and brush.side == side
    match recipe.keep:
        case "robust":
            return robust
        case "brittle":
            return ~robust
        case "without":
            return ~brushed if here else everything
        case "only":
            return brushed if here else everything
    return everything


def feature_of(recipe: UsefulnessRecipe, side: str) -> int:
    """Return the coordinate of a side that is looked at.

    It is the recipe's on the recipe's side; otherwise the most useful one of those that the brush chooses, or of all.

    Raises:
        ValueError: If the model has no such coordinate.
    """
    atlas = atlas_of(recipe, side)
    if recipe.side == side and recipe.feature >= 0:
        if recipe.feature >= len(atlas.centre):
            raise ValueError(f"{atlas.name} has features 0 to {len(atlas.centre) - 1}, and no {recipe.feature}")
        return recipe.feature
    found, _ = usefulness_atlas.lookup(atlas, recipe.task, recipe.against)
    among = chosen(recipe, side)
    rho = torch.where(among, found.rho, -1.0) if bool(among.any()) else found.rho
    return int(rho.argmax())


@dataclass(frozen=True)
class Look:
    """One feature, turned so that it speaks for its class, in standard deviations from its mean.

    Args:
        index: Which coordinate of g.
        sign: -1 if it was turned.
        label: The class that it is judged by.
        rho: Its usefulness for that class.
        gamma: Its robust usefulness at the recipe's radius.
        eps: That radius, pixel units.
        ids: Pictures that excite it most (T).
        x: Those pictures (T, C, H, W).
        values: Its values for them (T).
        seen: How many pictures were looked at.
        made: A picture made to excite it (1, C, H, W), started at noise.
        made_value: Its value there.
        typical_id: A picture of the class whose value is nearest to the class's mean.
        typical: That picture (1, C, H, W).
        typical_value: Its value there.
        gradient: Of the feature at the typical picture (1, C, H, W).
        moved: The typical picture, moved within the ball so as to lower the feature most (1, C, H, W).
        moved_value: Its value there.
    """

    index: int
    sign: int
    label: int
    rho: float
    gamma: float
    eps: float
    ids: tuple[str, ...]
    x: Images
    values: Tensor
    seen: int
    made: Tensor
    made_value: float
    typical_id: str
    typical: Tensor
    typical_value: float
    gradient: Tensor
    moved: Tensor
    moved_value: float


def look(
    recipe: UsefulnessRecipe, side: str, *, model: Classifier | None = None, on_step: OnStep | None = None
) -> Look:
    """Show what a feature is about: pictures that excite it, one made for it, its gradient, and its worst enemy.

    Args:
        recipe: What to look at.
        side: "standard" or "robust".
        model: The loaded model, if the caller has it.
        on_step: See `core.attacks.descend`; `CLIMB + PUSH` steps in all. Stopping keeps what was reached.

    Raises:
        ValueError: If there is no such feature.
        core.pictures.PictureError, core.data.DataError: If pictures or atlas are not there.
    """
    atlas = atlas_of(recipe, side)
    ready = model if model is not None else _ready(atlas.name)
    found, labels = usefulness_atlas.lookup(atlas, recipe.task, recipe.against)
    k = feature_of(recipe, side)
    sign = int(found.sign[k])
    eps = radius(atlas, recipe.frame)
    centre, deviation = float(atlas.centre[k]), float(atlas.deviation[k])

    def value(x: Images) -> Tensor:
        return sign * (ready.features(x)[:, k] - centre) / deviation

    source = source_of(recipe)
    there, known, z = _seen(atlas, source, ready)
    excited = sign * (z[:, k] - centre) / deviation
    best = excited.topk(min(TOP, len(excited)))
    ids = tuple(there[i] for i in best.indices.tolist())
    x = _placed(torch.cat([pictures.get(id).x for id in ids]), ready)
    own = [i for i, label in enumerate(known) if label == labels[k]] or list(range(len(known)))
    middle = own[int((excited[own] - excited[own].mean()).abs().argmin())]
    typical = _placed(pictures.get(there[middle]).x, ready)
    start = _placed(noise_start((1, 3, 32, 32), torch.Generator().manual_seed(k)), ready)
    decay = [STRIDE * (1 + math.cos(math.pi * i / CLIMB)) / 2 for i in range(CLIMB)]
    made = descend(
        lambda images: -value(images), start, UNLIMITED,
        steps=CLIMB, rule=momentum(UNLIMITED, decay), best=True, on_step=on_step,
    )  # fmt: skip
    gradient = torch.zeros_like(typical)

    def watch(i: int, state: object) -> bool | None:
        nonlocal gradient
        if i == 0:
            gradient = state.grad  # type: ignore[attr-defined]
        return on_step(CLIMB + i, state) if on_step is not None else None  # type: ignore[arg-type]

    moved = pgd(value, typical, L2(eps), steps=PUSH, step_size=2.5 * eps / PUSH, best=True, on_step=watch)
    with torch.no_grad():
        made_value, typical_value, moved_value = (float(value(images)) for images in (made, typical, moved))
    return Look(
        index=k, sign=sign, label=labels[k], rho=float(found.rho[k]), gamma=float(gamma_at(found, recipe.frame)[k]),
        eps=eps, ids=ids, x=x, values=best.values, seen=len(excited), made=made, made_value=made_value,
        typical_id=there[middle], typical=typical, typical_value=typical_value,
        gradient=gradient, moved=moved, moved_value=moved_value,
    )  # fmt: skip


def source_of(recipe: UsefulnessRecipe) -> str:
    """Return the source of pictures: the recipe's if it is there, else the best there is."""
    there = pictures.available()
    return recipe.source if recipe.source in there else there[0]


def left_over(
    recipe: UsefulnessRecipe, side: str, *, model: Classifier | None = None
) -> tuple[Classifier, nn.Linear, Rate]:
    """Return the re-weighted model of a side, its head, and its clean accuracy on the atlas's pictures."""
    atlas = atlas_of(recipe, side)
    ready = model if model is not None else _ready(atlas.name)
    head = head_of(recipe.head, ready, atlas, switched_on(recipe, side))
    return rewired(ready, head), head, clean_accuracy(atlas, head)


def attacked(
    recipe: UsefulnessRecipe,
    side: str,
    *,
    model: Classifier | None = None,
    on_batch: Callable[[int], bool | None] | None = None,
) -> RobustAccuracy:
    """Attack the re-weighted model of a side: PGD knows the new head.

    Args:
        recipe: Its frame is the radius, its source the pictures: of CIFAR-10's test set, or of the generated gallery.
        side: "standard" or "robust".
        model: The loaded model, if the caller has it.
        on_batch: Called with the number of pictures done; returning True stops and reports those.
    """
    rewritten, _, _ = left_over(recipe, side, model=model)
    atlas, source = atlas_of(recipe, side), source_of(recipe)
    if source == "cifar10":
        x, y = attacked_pictures(atlas, ATTACKED)
    else:
        known = [picture for picture in map(pictures.get, pictures.ids(source)) if picture.label is not None][:ATTACKED]
        x = torch.cat([picture.x for picture in known])
        y = torch.tensor([picture.label for picture in known])
    x = _placed(x, rewritten)
    y = y.to(x.device)
    ball = L2(radius(atlas, recipe.frame))
    return robust_accuracy(rewritten, x, y, ball, steps=ATTACK_STEPS, batch_size=20, on_batch=on_batch)


@dataclass(frozen=True)
class Path:
    """One of Goh's constructions, step by step along its slider.

    Args:
        labels: What the slider says at each frame (F).
        vectors: Unit vectors in pixel space (F, 3, 32, 32).
        features: Their usefulness (F).
    """

    labels: tuple[str, ...]
    vectors: Tensor
    features: tuple[goh.Linear, ...]


def construction(recipe: UsefulnessRecipe, known: goh.Known | None = None) -> Path:
    """Compute the recipe's construction.

    Raises:
        core.data.DataError: If the statistics are not there.
    """
    known = known if known is not None else goh.load()
    match recipe.linear:
        case "singular":
            labels = tuple(str(i) for i in known.shown)
            return Path(labels, known.vectors, tuple(known.single(i) for i in known.shown))
        case "ensemble":
            labels = tuple(f"{m:,}" for m in known.sizes)
            return Path(labels, known.ensembles, tuple(known.ensemble(m) for m in known.sizes))
    strong, weak = known.nearest(recipe.strong), known.nearest(recipe.weak)
    if strong == weak:
        raise ValueError("the containment needs two different directions")
    shares = [share / 1000 for share in MIXTURES]
    vectors = torch.stack([known.containment_vector(strong, weak, share) for share in shares])
    return Path(
        tuple(f"{share:g}" for share in shares),
        vectors,
        tuple(known.containment(strong, weak, share) for share in shares),
    )


def essential(recipe: UsefulnessRecipe) -> UsefulnessRecipe:
    """Put everything the recipe's view does not depend on to its default: what results are kept under."""
    ignored = {
        "features": ("keep", "head", "linear", "strong", "weak"),
        "head": ("feature", "side", "linear", "strong", "weak"),
        "linear": ("standard", "robust", "task", "against", "brush", "feature", "side", "keep", "head", "source"),
    }[recipe.view]
    blank = UsefulnessRecipe()
    return replace(recipe, **{name: getattr(blank, name) for name in ignored})


def script(recipe: UsefulnessRecipe) -> str:
    """Write the Python program that computes the recipe's view."""
    imports, body = _SCRIPTS[recipe.view]
    return to_python(recipe, imports, body)


_DRAWS = ["from pathlib import Path", "from core import render"]
_SCRIPTS = {
    "features": (
        [*_DRAWS, "from core.usefulness_views import look"],
        """
        for side in ("standard", "robust"):
            seen = look(recipe, side)
            print(f"{side}, feature {seen.index}: rho = {seen.rho:.3f}, gamma = {seen.gamma:.3f} at eps {seen.eps:g}")
            Path(f"{side}-feature-{seen.index}.png").write_bytes(render.png(render.to_uint8(seen.made)[0]))
        """,
    ),
    "head": (
        ["from core.usefulness_views import attacked, left_over"],
        """
        for side in ("standard", "robust"):
            _, _, clean = left_over(recipe, side)
            print(f"{side}: clean {clean}; attacked {attacked(recipe, side).rate}")
        """,
    ),
    "linear": (
        [*_DRAWS, "from core.usefulness_views import construction"],
        """
        path = construction(recipe)
        frame = min(recipe.frame, len(path.labels) - 1)
        print(path.labels[frame], path.features[frame])
        vector = path.vectors[frame : frame + 1]
        picture = 0.5 + 0.5 * vector / vector.abs().max()
        Path("direction.png").write_bytes(render.png(render.to_uint8(picture)[0]))
        """,
    ),
}


def _seen(atlas: Atlas, source: str, model: Classifier) -> tuple[tuple[str, ...], tuple[int | None, ...], Features]:
    """Return the names and classes of the pictures that a feature is shown on, and the features of them."""
    if source == "cifar10":
        return tuple(f"cifar10/{name}" for name in atlas.pictures), tuple(atlas.y.tolist()), atlas.z
    shown = [pictures.get(id) for id in pictures.ids(source)[:SHIPPED]]
    z = representation(model, _placed(torch.cat([picture.x for picture in shown]), model))
    return tuple(picture.id for picture in shown), tuple(picture.label for picture in shown), z.cpu()


def _ready(name: str) -> Classifier:
    model = load_model(name)
    assert isinstance(model, Classifier)
    return model


def _placed(x: Images, model: Classifier) -> Images:
    return x.to(next(model.parameters()).device).contiguous(memory_format=torch.channels_last)
