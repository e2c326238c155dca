"""Models: what each is, how well it does, how far its robustness can be believed; and one of your own."""

import json
from dataclasses import asdict

import streamlit as st

from core.models import card, checkpoints, plugins
from core.models.recipe import ModelsRecipe
from core.models.titles import title
from core.recipes.python import plugged
from core.train.published import BALLS
from core.train.robustness import BySteps
from core.worlds import World
from pages.models import cost, curve, plot, upload
from pages.models.controls import DEFAULTS, checking, controls, opening
from pages.models.words import PRESETS
from pages.ui import shell
from pages.ui.charts import show_chart
from pages.ui.escaped import Html, html_of
from pages.ui.exports import Bundle, downloads
from pages.ui.store import lesson
from pages.ui.tables import table
from pages.ui.world import current, has_models


def show_card(recipe: ModelsRecipe) -> None:
    """Show what is known of the model."""
    table(
        ["", title(recipe.model)],
        [[Html(f"<b>{html_of(label)}</b>"), text] for label, text in card.rows(recipe.model)],
        label=f"The card of {title(recipe.model)}",
    )


def numbers(names: tuple[str, ...]) -> dict[str, list[object]]:
    """Lay out all that was measured of all models."""
    columns: dict[str, list[object]] = {
        key: [] for key in ("model", "title", "stamp", "attack", "ball", "right", "low", "high", "n")
    }
    for name in names:
        about = checkpoints.header(name)
        for one in card.measured(about):
            stamp, rate = checkpoints.stamp(name), one.rate
            cells = (name, about.title, stamp, one.attack, one.ball, rate.value, *rate.interval, one.n)
            for column, cell in zip(columns.values(), cells, strict=True):
                column.append(cell)
    return columns


def script(recipe: ModelsRecipe, counted: BySteps | None) -> str:
    """Write the view as Python."""
    imports, before = plugged()
    lines = [
        *imports,
        *(["from core.models import card", before] if before else ["from core.models import card"]),
        f"for label, text in card.rows({recipe.model!r}):",
        '    print(f"{label}: {text}")',
    ]
    if counted is not None:
        eps = f"{curve.EPS['L2']}" if recipe.norm == "L2" else "8 / 255"
        lines += [
            "",
            "from core import worlds",
            "from core.attacks import balls",
            "from core.models import arrivals, checkpoints",
            "from core.train.robustness import by_steps",
            "",
            f"x, y = arrivals.specimens(worlds.get({recipe.world!r}), {recipe.pictures})",
            f'found = by_steps(checkpoints.load({recipe.model!r}), x, y, balls.make("{recipe.norm}", {eps}))',
            "print(found.says, *found.rates, sep='\\n')",
        ]
    return "\n".join(lines) + "\n"


def own_model(here: World, *, unfolded: bool = False) -> None:
    """Offer to bring a model of one's own."""
    with st.expander("A model of your own", expanded=unfolded, icon=":material/upload_file:", key="models-own"):
        upload.show(here)
        st.caption(lesson("models")["files"])


shell.header("Models", "What each model is, how well it does, and how far its robustness can be believed.", needs="")
for problem in plugins.found().problems:
    st.warning(problem[:1].upper() + problem[1:] + ".", icon=":material/extension_off:")
here = current()
everything = checkpoints.names(world=here.name)
shell.presets(
    [one for one in PRESETS if one.values["model"] in everything],
    key="models",
    defaults={**asdict(DEFAULTS), "model": opening(here)},
)
if not has_models():
    own_model(here, unfolded=True)
    st.stop()
shown = controls(here)
board = here.name == DEFAULTS.world  # what others have published is of that world
ours = plot.points(everything, shown.norm)
big, side = st.columns([3, 2])
with big:
    st.markdown(f"### Clean against robust, {BALLS[shown.norm]}")
    text = plot.sentence(ours, shown.norm, shown.model, published=board)
    chart = plot.figure(ours, shown.norm, shown.model, published=board)
    show_chart(chart, key="models-plot", alt=text, name="models")
    st.caption(text)
with side:
    st.markdown("### How it falls")
    shown = checking(shown)
    found = curve.show(shown, here)
st.markdown("### Its card")
show_card(shown)
if board:
    st.markdown(f"### What robustness costs, {BALLS[shown.norm]}")
    cost.show((*everything, *cost.elsewhere()), shown.norm, shown.model)
out = Bundle(shown)
out.table("Accuracies", "models.csv", lambda: numbers(everything), "Of all models, with intervals and stamps")
out.file("Card, JSON", "card.json", "application/json", lambda: json.dumps(dict(card.rows(shown.model)), indent=2))
downloads(out.files, key="models", script=script(shown, found))
own_model(here)
shell.glossary("models", ["clean accuracy", "robust accuracy", "masked gradients", "AutoAttack", "stamp"])
