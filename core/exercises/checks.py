"""The checks: each recomputes what was handed in and says whether it meets the exercise, and what was measured."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from core import perturb
from core.attacks import OnStep
from core.attacks.balls import L2
from core.data import pictures
from core.exercises.answers import Answer, pixels
from core.exercises.catalog import Exercise
from core.files.render import from_uint8
from core.gaussian import views as gaussian
from core.gaussian.recipe import GaussianRecipe
from core.inversion.emergence import emerge
from core.inversion.recipe import InvertRecipe
from core.models import checkpoints, ready
from core.models.titles import title, titles
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.types import Images
from core.usefulness import choice, views
from core.usefulness.atlas import lookup
from core.usefulness.recipe import UsefulnessRecipe

GEOMETRY = ("mu1", "mu2", "var1", "var2", "angle", "shape", "budget")
Limits = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Args:
        passed: Whether the exercise is solved.
        says: One sentence: what was measured, and what is missing.
        score: What may be compared among those who solved it, smaller is better, or None.
    """

    passed: bool
    says: str
    score: float | None = None


def check(exercise: Exercise, answer: Answer, on_step: OnStep | None = None) -> Verdict:
    """Recompute an answer and judge it.

    Raises:
        core.problems.UserError: If it cannot be recomputed here: a picture or a model is missing, or it is of another
        kind. core.attacks.Stop: If `on_step` asked for it.
    """
    return CHECKS[exercise.check](answer, exercise.limits, on_step)


def models(exercise: Exercise) -> tuple[str, ...]:
    """List the models that a check asks, for the stamps of its report."""
    named = [value for key, value in exercise.limits.items() if key in ("fooled", "spared", "model")]
    return tuple(dict.fromkeys([*named, *exercise.limits.get("models", ()), *exercise.choices]))


# --- pictures
# ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A changed picture: the original (1, C, H, W), the changed one, and the class."""

    x: Images
    x_adv: Images
    y: int

    @property
    def norm(self) -> float:
        return float((self.x_adv - self.x).flatten().norm())


def _made(answer: Answer, on_step: OnStep | None) -> Iterator[Made]:
    """Yield the picture that was handed in, or each column's picture at the recipe's frame."""
    recipe = answer.of(PerturbRecipe)
    picture = pictures.get(recipe.picture)
    if picture.label is None:
        raise InputError("nobody knows the class of this picture; choose one with a label")
    if answer.picture:
        seen = from_uint8(pixels(answer)[None])
        if seen.shape != picture.x.shape:
            raise InputError("hand in the picture pixel for pixel (“Save and share”, “Picture”), not the sheet")
        yield Made(picture.x, seen, picture.label)
        return
    for name in dict.fromkeys((recipe.standard, recipe.robust)):
        found, at = _attacked(recipe, name, picture, on_step)
        yield Made(picture.x, found.x_adv[at : at + 1], picture.label)


def _attacked(
    recipe: PerturbRecipe, name: str, picture: pictures.Picture, on_step: OnStep | None
) -> tuple[Trajectory, int]:
    """Attack as far as the recipe's frame needs; return the frames and where it is."""
    if recipe.axis == "steps":
        found = perturb.attack(recipe, name, picture=picture, on_step=on_step)
        return found, min(recipe.frame, len(found.x_adv) - 1)
    parts = perturb.parts(recipe)
    frame = min(recipe.frame, parts[-1][-1])
    part = next(i for i, frames in enumerate(parts) if frame in frames)
    found = perturb.attack(recipe, name, picture=picture, part=part, on_step=on_step)
    return found, parts[part].index(frame)


def _says(name: str, x: Images) -> int:
    return int(ready.asked(_model(name), x).argmax())


def _model(name: str) -> nn.Module:
    return ready.load(name)


def _class(name: str, k: int) -> str:
    return checkpoints.header(name).classes[k]


def _best(found: list[Verdict]) -> Verdict:
    return min(found, key=lambda one: (not one.passed, one.score if one.score is not None else 0.0))


def _fool_one(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:
    fooled, spared, most = limits["fooled"], limits["spared"], limits["norm"]
    called = titles(fooled, spared)

    def judge(made: Made) -> Verdict:
        said = {name: _says(name, made.x_adv) for name in (fooled, spared)}
        passed = said[fooled] != made.y == said[spared] and _within(made.norm, most)
        text = (
            f"The {called[0]} predicts {_class(fooled, said[fooled])}, the {called[1]} {_class(spared, said[spared])};"
            f" the class is {_class(fooled, made.y)}. The change measures {made.norm:.3f}, and {most:g} are allowed."
        )
        return Verdict(passed, text, made.norm)

    return _best([judge(made) for made in _made(answer, on_step)])


def _fool_all(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:
    names, most = limits["models"], limits["norm"]

    def judge(made: Made) -> Verdict:
        said = [_says(name, made.x_adv) for name in names]
        passed = all(k != made.y for k in said) and _within(made.norm, most)
        heard = " and ".join(
            f"the {head} predicts {_class(n, k)}" for head, n, k in zip(titles(*names), names, said, strict=True)
        )
        text = (
            f"{heard[:1].upper()}{heard[1:]}; the class is {_class(names[0], made.y)}. The change measures"
            f" {made.norm:.3f}, and {most:g} are allowed."
        )
        return Verdict(passed, text, made.norm)

    return _best([judge(made) for made in _made(answer, on_step)])


def _make_class(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:
    name, wanted, most = limits["model"], limits["wanted"], limits["norm"]

    def judge(made: Made) -> Verdict:
        said = _class(name, _says(name, made.x_adv))
        real = _class(name, made.y)
        passed = said == wanted != real and _within(made.norm, most)
        text = (
            f"Of the {real} the {titles(name)[0]} predicts {said}. The change measures {made.norm:.3f}, and {most:g}"
            " are allowed."
        )
        return Verdict(passed, text, made.norm)

    return _best([judge(made) for made in _made(answer, on_step)])


def _noise_spares(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:
    name, least, recipe = limits["model"], limits["norm"], answer.of(PerturbRecipe)
    picture = pictures.get(recipe.picture)
    if recipe.standard != name:
        raise InputError(f"the left model must be {title(name)}; it is {title(recipe.standard)}")
    found, at = _attacked(recipe, name, picture, on_step)
    control = perturb.noise(recipe, name, found)
    norm = float(L2(1.0).norm(found.x_adv[at : at + 1] - found.x))
    fooled, spared = bool(found.success[at]), not bool(control.success[at])
    text = (
        f"At size {norm:.2f} the attack {'fools' if fooled else 'does not fool'} the model, and noise of that size"
        f" {'does not' if spared else 'does, too'}; the size must be {least:g} or more."
    )
    return Verdict(fooled and spared and norm >= least - 1e-3, text)


def _within(norm: float, most: float) -> bool:
    return norm <= most + 1e-4  # a projection rounds


# --- representations, the plane, features
# ------------------------------------------------------------------------------


def _inverted_near(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:
    recipe = answer.of(InvertRecipe)
    if recipe.view != "emergence":
        raise InputError("hand in the view of one picture")
    made = emerge(recipe, limits["model"], picture=pictures.get(recipe.picture), on_step=on_step)
    near, start = float(made.pixel_distance[-1]), float((made.x0 - made.x).norm())
    text = (
        f"The inversion of {recipe.block} ends {near:.1f} from the wanted picture, and {limits['pixels']:g} are"
        f" allowed; it started at {start:.1f}."
    )
    return Verdict(near <= limits["pixels"] < start, text, near)


def _aligned(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:  # noqa: ARG001 - as all checks
    recipe, blank = answer.of(GaussianRecipe), GaussianRecipe()
    if moved := [name for name in GEOMETRY if getattr(recipe, name) != getattr(blank, name)]:
        return Verdict(False, f"The classes of figure 4 must stay as they are; this view changes {', '.join(moved)}.")
    robust = gaussian.sides(recipe)["robust"]
    text = (
        f"At ε = {recipe.eps:g} the robust gradient stands {robust.angle:.1f}° from the line between the classes (at"
        f" most {limits['angle']:g}°), and {100 * robust.attacked:.1f} % are right under attack (at least"
        f" {100 * limits['attacked']:g} %)."
    )
    return Verdict(robust.angle <= limits["angle"] and robust.attacked >= limits["attacked"], text)


def _perfect(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:  # noqa: ARG001
    recipe = answer.of(GaussianRecipe)
    both = gaussian.sides(recipe)
    standard, robust = both["standard"].attacked, both["robust"].attacked
    text = (
        f"At ε = {recipe.eps:g} (at least {limits['eps']:g}) the standard model is right under attack for"
        f" {100 * standard:.1f} % (below {100 * limits['standard']:g} %), the robust one for {100 * robust:.1f} % (at"
        f" least {100 * limits['robust']:g} %)."
    )
    enough = recipe.eps >= limits["eps"] and standard < limits["standard"] and robust >= limits["robust"]
    return Verdict(enough, text)


def _robust_feature(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:  # noqa: ARG001
    recipe, eps = answer.of(UsefulnessRecipe), limits["eps"]
    if recipe.feature < 0:
        raise InputError("choose one feature: click its point, or write its number")
    if getattr(recipe, recipe.side) != limits["model"]:
        raise InputError(f"the feature must be one of {title(limits['model'])}")
    atlas = choice.atlas_of(recipe, recipe.side)
    found, labels = lookup(atlas, recipe.task, recipe.against)
    if recipe.feature >= len(labels):
        raise InputError(f"this model has {len(labels)} features, numbered from 0")
    at = list(atlas.radii).index(eps)
    gamma, half = float(found.gamma[at, recipe.feature]), float(found.gamma_half[at, recipe.feature])
    text = f"Feature {recipe.feature} at ε = {eps:g}: robust usefulness γ = {gamma:.2f} ± {half:.2f}."
    return Verdict(gamma - half > 0, text)


def _brittle_accuracy(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:  # noqa: ARG001
    try:
        said = float(answer.said.rstrip(" %").replace(",", "."))
    except ValueError as error:
        raise InputError(f"the answer is a number of per cent, got {answer.said[:40]!r}") from error
    recipe = UsefulnessRecipe(view="head", keep="brittle", frame=limits["frame"], standard=limits["model"])
    clean = views.left_over(recipe, "standard")[2]
    near = abs(said - 100 * clean.value) <= limits["within"]
    return Verdict(near, f"It is {clean}; you said {said:g} %." if near else f"{said:g} % is not what comes out.")


def _shifted_student(answer: Answer, limits: Limits, on_step: OnStep | None) -> Verdict:  # noqa: ARG001
    if answer.said not in checkpoints.names():
        raise InputError(f"there is no student {answer.said[:40]!r} here")
    made = checkpoints.header(answer.said).recipe.get("set", {})
    right = made.get("kind") == limits["kind"]
    text = f"{title(answer.said)} was trained on D_{made.get('kind')}, n = {made.get('n', 0):,}."
    return Verdict(right, text if right else f"{text} Its labels were not one further each time.")


CHECKS: dict[str, Callable[[Answer, Limits, OnStep | None], Verdict]] = {
    "fool_one": _fool_one,
    "fool_all": _fool_all,
    "make_class": _make_class,
    "noise_spares": _noise_spares,
    "inverted_near": _inverted_near,
    "aligned": _aligned,
    "perfect": _perfect,
    "robust_feature": _robust_feature,
    "brittle_accuracy": _brittle_accuracy,
    "shifted_student": _shifted_student,
}
