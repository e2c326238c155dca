"""Just bugs?: the same picture perturbed twice, so that other networks see it too, and so that nobody else does."""

from dataclasses import replace

import streamlit as st

from core.bugs import ensemble, results
from core.bugs.recipe import BugsRecipe
from pages.bugs import controls, measured, pair, squares, verdict
from pages.ui import shell
from pages.ui.picker import pick_picture

CLAIMS = {
    "pair": "Left: an ordinary attack. Right: one that also keeps other networks right while it is made. Drag ε.",
    "measured": "Whom the two kinds fool, and what a student learns from each, beside the numbers of the discussion.",
    "squares": (
        "Black or white, and labels that are sometimes wrong: there is no subtle feature here to be found, and yet."
    ),
}
VIEWS = {"pair": "Feature and bug", "measured": "Measured", "squares": "Squares"}
WORDS = {
    "pair": ["feature", "bug", "ensemble", "who judges"],
    "measured": ["feature", "bug", "transfer", "D_det"],
    "squares": ["the squares", "the linear rule", "label noise"],
}
PRESETS = [
    shell.Preset(
        "A feature and a bug",
        "Both changes stay within one radius and both fool the small network. Compare the lines of the five others"
        " below the pictures.",
        {},
    ),
    shell.Preset(
        "Nobody to keep right",
        "With an empty ensemble the right attack is the left one again: what made it a bug were the networks that it"
        " spared.",
        {"members": 0},
    ),
    shell.Preset(
        "A wide network's bug leaks",
        "Now the network that is fooled is four times as wide as those that the bug spares. They cannot see all that it"
        " sees, and so the bug may keep features of which they know nothing. Look at its twin, the first of the five.",
        {"victim": ensemble.WIDE, "target": "bird"},
    ),
    shell.Preset(
        "Learnt by heart",
        "A network that knows the label of every square, the wrong ones included, is fooled by a change of a"
        " two-hundredth of the way from black to white.",
        {"view": "squares"},
    ),
    shell.Preset(
        "Stop in time",
        "The same squares after a single round of training: the vulnerability is not there yet.",
        {"view": "squares", "rounds": 1},
    ),
]

shell.header(
    "Just bugs?",
    "Two changes within one radius fool the same network: one may use what every network sees, the other was made so"
    " that only its victim falls for it.",
    needs="an ensemble of networks that the bug leaves alone",
)
shell.presets(PRESETS, key="bugs", defaults=controls.defaults())
verdict.before()
view = shell.views(CLAIMS, controls.DEFAULTS.view, VIEWS)
with shell.user_errors():
    match view:
        case "measured":
            measured.show(BugsRecipe(view=view), results.read())
        case "squares":
            with st.sidebar:
                recipe = controls.of_squares()
            squares.show(recipe)
        case _:
            if absent := ensemble.missing():
                st.warning(
                    f"Some networks are not here. Make them with: python -m core.train.zoo build {' '.join(absent)}"
                )
            else:
                with st.sidebar:
                    st.session_state.setdefault("picture", controls.PICTURE)
                    picture = pick_picture(key="picture")
                    recipe = replace(controls.of_pair(), picture=picture.id)
                pair.show(recipe, picture)
verdict.after()
shell.glossary("bugs", WORDS[view])
shell.mathematics("bugs")
