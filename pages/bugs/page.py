"""Just bugs?: the same picture perturbed twice, so that other networks see it too, and so that nobody else does."""

from dataclasses import fields, replace

import streamlit as st

from core.bugs import ensemble, results
from core.bugs.recipe import NEXT, BugsRecipe
from pages.bugs import measured, pair, squares, verdict
from pages.ui import shell
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.store import lesson
from pages.ui.world import current

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
DEFAULTS = BugsRecipe()
# The cat, a photograph that is always there: a feature of another class fools most networks on it.
PICTURE = "photo/chelsea"
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


def controls_of_pair() -> BugsRecipe:
    """Show the controls of the two perturbations and return the recipe they make (without picture and frame)."""
    norm = st.segmented_control(
        "Norm", ["L2", "Linf"], default=DEFAULTS.norm, key="norm", bind="query-params", required=True
    )
    target = st.selectbox(
        "Make it predict",
        (NEXT, *current().classes),
        key="target",
        bind="query-params",
        help="“next” is the class after its own.",
    )
    members = st.slider(
        "Networks that the bug spares",
        0,
        len(ensemble.MEMBERS),
        DEFAULTS.members,
        key="members",
        bind="query-params",
        help="Small ones: a ResNet-9, a VGG, another ResNet-9, a ConvMixer, in this order.",
    )
    victim = model_box("Network that is fooled", DEFAULTS.victim, "victim", (ensemble.VICTIM, ensemble.WIDE))
    steps = st.slider("Steps", 1, 50, DEFAULTS.steps, key="steps", bind="query-params")
    st.toggle("Predict first", key="predict", bind="query-params", help="Ask the room before showing the answer.")
    return BugsRecipe(norm=norm, target=target, members=int(members), victim=victim, steps=int(steps))


def controls_of_squares() -> BugsRecipe:
    """Show the controls of the squares and return the recipe they make."""

    def slider(label: str, name: str, low: float, high: float, step: float, words: str) -> float:
        return st.slider(label, low, high, getattr(DEFAULTS, name), step, key=name, bind="query-params", help=words)

    return BugsRecipe(
        view="squares",
        pixel_noise=float(
            slider(
                "Pixel noise", "pixel_noise", 0.0, 0.5, 0.05, "Largest change of a pixel; black and white are 2 apart."
            )
        ),
        label_noise=float(slider("Label noise", "label_noise", 0.0, 0.4, 0.05, "Chance that a label is wrong.")),
        n=int(slider("Squares", "n", 100, 2000, 100, "To learn from.")),
        rounds=int(
            slider(
                "Rounds of training", "rounds", 1, 30, 1, "Five quasi-Newton steps each. Few of them: early stopping."
            )
        ),
        seed=int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params")),
    )


shell.header(
    "Just bugs?",
    "Two changes within one radius fool the same network: one may use what every network sees, the other was made so"
    " that only its victim falls for it.",
    needs="the ensemble of small networks that the bug leaves alone",
)
shell.presets(
    PRESETS,
    key="bugs",
    defaults={
        "picture": PICTURE,
        **{
            name: getattr(DEFAULTS, name)
            for name in (f.name for f in fields(BugsRecipe) if f.name not in ("picture", "frame"))
        },
    },
)
verdict.before()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
with shell.user_errors():
    match view:
        case "measured":
            measured.show(BugsRecipe(view=view), results.read())
        case "squares":
            with st.sidebar:
                recipe = controls_of_squares()
            squares.show(recipe)
        case _:
            if absent := ensemble.missing():
                st.warning(
                    f"Some networks are not here. Make them with: python -m core.train.zoo build {' '.join(absent)}"
                )
            else:
                with st.sidebar:
                    st.session_state.setdefault("picture", PICTURE)
                    picture = pick_picture(key="picture")
                    recipe = replace(controls_of_pair(), picture=picture.id)
                pair.show(recipe, picture)
verdict.after()
shell.glossary("bugs", WORDS[view])
with st.expander("The mathematics"):
    st.markdown(lesson("bugs")["mathematics"])
