"""One picture, perturbed twice."""

from functools import partial

import streamlit as st
from torch import Tensor

from core.bugs import ensemble, views
from core.bugs.recipe import BugsRecipe
from core.bugs.views import KINDS, Loaded
from core.data.pictures import Picture
from core.files import render
from core.files.playable import Scene, scrubbing
from core.files.trajectory import Row
from core.models.titles import stamped
from core.perturb import Trajectory
from core.perturb.scene import row
from core.words import percent
from pages.bugs.exports import files
from pages.ui import crisp, work
from pages.ui.escaped import Html, html_of, plain
from pages.ui.exports import downloads
from pages.ui.guess import predicted
from pages.ui.scrubber import Axis, frame_in_sight, scrubber
from pages.ui.store import model, stamp
from pages.ui.tables import table
from pages.ui.world import current

TITLES = {"feature": "Feature", "bug": "Bug"}
CLAIM = "The same picture perturbed twice: once as usual, and once so that the other networks are spared."
Verdicts = dict[str, dict[str, Tensor]]  # kind -> network -> logits (F, K)


def show(recipe: BugsRecipe, picture: Picture) -> None:
    """Show both perturbations under one slider, and what the networks that took no part say of them."""
    stage, working, below = st.container(), st.container(), st.container()
    with working:
        found = compute(recipe, picture)
    judges = tuple(stamp(name) for name in ensemble.judges(recipe.victim))
    said = {
        kind: work.kept((key(recipe, kind), judges), partial(judge_predictions, recipe, one), own=picture.private)
        for kind, one in found.items()
    }
    last = len(recipe.eps_values) - 1
    at = min(frame_in_sight("bugs-scrubber", last), last)
    with stage:
        if not predict_first(recipe, said, views.target_of(recipe, found["bug"].y), last):
            return
        columns = rows(recipe, found, said)
        scrubber(columns, axis(recipe), key="bugs-scrubber", own=picture.private, frame=at, gain="auto", report=True)
    with below:
        st.markdown(sentence(recipe, found, said, at))
        jury(recipe, found, said, at)
        changes(found, at)

        def played() -> Scene:
            return scrubbing(
                columns,
                axis(recipe),
                frame=at,
                gain="auto",
                title="Just bugs?",
                claim=CLAIM,
                models=stamped(recipe.victim),
            )

        downloads(files(recipe, found, said, at, played), key="bugs", script=views.script(recipe))


def key(recipe: BugsRecipe, kind: str) -> tuple[object, ...]:
    """Return what one perturbation depends on."""
    members = recipe.members if kind == "bug" else 0
    stamps = tuple(stamp(name) for name in (recipe.victim, *ensemble.MEMBERS[:members]))
    return ("bugs", kind, recipe.picture, recipe.victim, recipe.target, recipe.norm, recipe.steps, members, stamps)


def compute(recipe: BugsRecipe, picture: Picture) -> dict[str, Trajectory]:
    """Compute what is missing, both kinds side by side."""
    loaded = Loaded(model(recipe.victim), [model(name) for name in ensemble.MEMBERS[: recipe.members]])

    def piece(kind: str) -> work.Piece[Trajectory]:
        return work.Piece(
            key(recipe, kind),
            lambda on_step: views.made(recipe, kind, picture=picture, loaded=loaded, on_step=on_step),
            recipe.steps,
            picture.private,
        )

    found = work.wanted([piece(kind) for kind in KINDS], text="Perturbing the picture twice…")
    return dict(zip(KINDS, found, strict=True))


def judge_predictions(recipe: BugsRecipe, found: Trajectory) -> dict[str, Tensor]:
    """Ask the networks that took no part."""
    return views.verdicts(recipe, found.x_adv, {name: model(name) for name in ensemble.judges(recipe.victim)})


def axis(recipe: BugsRecipe) -> Axis:
    """Describe the slider."""
    unit = "ℓ₂, pixels in [0, 1]" if recipe.norm == "L2" else "ℓ∞, grey levels of 255"
    return Axis("ε", recipe.eps_values, recipe.eps_labels, unit)


def rows(recipe: BugsRecipe, found: dict[str, Trajectory], said: Verdicts) -> list[Row]:
    """Build the two columns: the victim's verdict in bars, the others' as lines."""
    titles = views.titles([recipe.victim, *ensemble.judges(recipe.victim)])
    made = {"feature": "an ordinary attack on", "bug": f"spares {recipe.members} other networks; fools"}
    return [
        row(
            TITLES[kind],
            found[kind],
            subtitle=f"{made[kind]} the {titles[recipe.victim]}",
            norm=recipe.norm,
            axis=recipe.eps_labels,
            classes=current().classes,
            others=[(titles[name], logits) for name, logits in said[kind].items()],
        )
        for kind in KINDS
    ]


def predict_first(recipe: BugsRecipe, said: Verdicts, target: int, last: int) -> bool:
    """Ask before showing; return whether the answer may be shown."""
    if not st.session_state.get("predict"):
        return True
    n, wanted = len(said["bug"]), plain(current().classes[target])
    guess = predicted(
        f"five networks took no part. How many of them will call the *bug* a {wanted} at the largest ε?",
        list(range(n + 1)),
        about=tuple(key(recipe, kind) for kind in KINDS),
        then="the pictures appear",
    )
    if guess is None:
        return False
    counts = {kind: views.agreeing(said[kind], target, last) for kind in KINDS}
    st.success(
        f"You said {guess}; it is **{counts['bug']} of {n}**. Of the *feature* it is {counts['feature']} of {n}."
    )
    return True


def sentence(recipe: BugsRecipe, found: dict[str, Trajectory], said: Verdicts, at: int) -> str:
    """Say in words what is in sight: whom each change fools, and how alike the two are."""
    target = views.target_of(recipe, found["bug"].y)
    fooled = [TITLES[kind].lower() for kind in KINDS if bool(found[kind].success[at])]
    whom = {
        2: "both fool the network they were made for",
        1: f"only the {fooled[0] if fooled else ''} fools its network",
    }
    counts = {kind: f"{views.agreeing(said[kind], target, at)} of {len(said[kind])}" for kind in KINDS}
    return (
        f"**At ε = {recipe.eps_labels[at]}, {whom.get(len(fooled), 'neither fools its network yet')}.** Of the networks"
        f" that took no part, {counts['feature']} call the feature a *{current().classes[target]}*, and {counts['bug']}"
        f" the bug. The cosine between the two changes is {views.likeness(found['feature'], found['bug'], at):.2f}."
    )


def jury(recipe: BugsRecipe, found: dict[str, Trajectory], said: Verdicts, at: int) -> None:
    """Show the verdicts at the frame in sight as a table."""
    target, names = views.target_of(recipe, found["bug"].y), ensemble.judges(recipe.victim)
    titles = views.titles([recipe.victim, *names])

    def cell(logits: Tensor) -> str:
        p = logits[at].softmax(0)
        best = int(p.argmax())
        words = f"{current().classes[best]} {percent(float(p[best]))}"
        return Html(f"<b>{html_of(words)}</b>, as wanted") if best == target else words

    lines = [[f"{titles[recipe.victim]}, attacked", *(cell(found[kind].logits) for kind in KINDS)]]
    lines += [[titles[name], *(cell(said[kind][name]) for kind in KINDS)] for name in names]
    table(["What it says of", "the feature", "the bug"], lines, label="Verdicts at this ε")


def changes(found: dict[str, Trajectory], at: int) -> None:
    """Show both changes and their difference, amplified alike."""
    deltas = {kind: found[kind].x_adv[at : at + 1] - found[kind].x for kind in KINDS}
    difference = deltas["bug"] - deltas["feature"]
    largest = max(float(d.abs().max()) for d in (*deltas.values(), difference))
    gain = 0.5 / largest if largest else 1.0
    cells = [
        crisp.figure(render.amplified(d, gain), f"{words}, amplified", (words, line))
        for words, line, d in (
            ("The feature's change", "what other networks may see too", deltas["feature"]),
            ("The bug's change", "what its network alone shall see", deltas["bug"]),
            ("Bug minus feature", "what sparing the others has changed", difference),
        )
    ]
    grid = "grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); max-width: 980px"
    st.html(f'{crisp.STYLE}<div class="crisp" style="{grid}">{"".join(cells)}</div>')
    st.caption(f"Each around mid-grey, {gain:.3g} times amplified.")
