"""The controls of the Style page: what is painted, in what style, by whom; and pictures of a visitor's own."""

from dataclasses import asdict, dataclass, replace

import streamlit as st

from core import worlds
from core.data.decode import FORMATS, MAX_BYTES, PictureError
from core.style import pictures
from core.style.recipe import SIDES, StyleRecipe
from core.types import Images
from core.worlds import World
from pages.ui.address import choose, same
from pages.ui.escaped import plain
from pages.ui.hosting import read_only
from pages.ui.model_box import model_box
from pages.ui.world import current, pair

FIRST = StyleRecipe()
ROLES = {"content": pictures.CONTENTS, "style": pictures.STYLES}


@dataclass(frozen=True)
class Given:
    """The two pictures that a page shows, whoever brought them.

    Args:
        content: (1, 3, side, side) in [0, 1].
        style: Likewise.
        said: What each is, by its role.
        private: Whether one of them is a visitor's own.
    """

    content: Images
    style: Images
    said: dict[str, str]
    private: bool


def opening() -> StyleRecipe:
    """Return the recipe with which this world opens; without a robust network both columns are of one."""
    world, first = current(), pair()
    if world == worlds.get():
        return FIRST
    side = FIRST.side if FIRST.side in sides(world) else world.side
    return replace(FIRST, world=world.name, standard=first.standard, robust=first.right, side=side)


def sides(world: World) -> tuple[int, ...]:
    """List the sides at which its networks paint: several where they live on small pictures, else their own."""
    return SIDES if world.side <= SIDES[-1] else (world.side,)


def controls() -> tuple[StyleRecipe, Given]:
    """Show the controls and return the recipe that they make (without the frame), and its pictures."""
    first = opening()
    asked = {role: _choice(role) for role in ROLES}
    words = same(map(str, sides(current())))
    side = int(choose("Side, pixels", words, key="side", default=str(first.side)))
    strength = st.slider(
        "Weight of the style, power of ten",
        -2.0,
        4.0,
        FIRST.strength,
        0.5,
        key="strength",
        bind="query-params",
        help="Against the content: at -2 the content hardly changes, at 4 hardly anything of it is left.",
    )
    with st.expander("More"):
        standard = model_box("Left model", first.standard, "standard")
        robust = model_box("Right model", first.robust, "robust")
        steps = st.slider("Steps of L-BFGS", 10, 400, FIRST.steps, 10, key="steps", bind="query-params")
    recipe = replace(first, content=asked["content"], style=asked["style"], standard=standard, robust=robust)
    recipe = replace(recipe, side=side, strength=float(strength), steps=int(steps))
    return recipe, _given(recipe)


def defaults() -> dict[str, object]:
    """Return what each control shows before anybody has touched it, by the widget's key."""
    plain = {name: value for name, value in asdict(opening()).items() if name not in ("frame", "world")}
    return {**plain, "side": str(plain["side"])}


def _choice(role: str) -> str:
    words = {name: text.partition(",")[0].capitalize() for name, text in ROLES[role].items()}
    if not read_only():
        words["upload"] = "A picture of yours"
    chosen = choose(role.capitalize(), words, key=role, default=getattr(FIRST, role), listed=True)
    if chosen == "upload":
        st.file_uploader(
            f"Your {role}",
            [*map(str.lower, FORMATS), "jpg"],
            key=f"style-{role}-file",
            max_upload_size=MAX_BYTES // 2**20,
            on_change=_receive,
            args=(role,),
        )
        if problem := st.session_state.get(f"style-{role}-error"):
            st.error(plain(problem))
    return chosen


def _receive(role: str) -> None:
    """Keep somebody's picture in this session; one that cannot be read is refused in a sentence."""
    file = st.session_state[f"style-{role}-file"]
    st.session_state.pop(f"style-{role}-error", None)
    if file is None:  # taken away again: the picture stays until another is chosen
        return
    try:
        pictures.from_upload(file.getvalue(), SIDES[0])
    except PictureError as problem:
        st.session_state[f"style-{role}-error"] = str(problem)
    else:
        st.session_state[f"style-{role}-upload"] = file.getvalue()


def _given(recipe: StyleRecipe) -> Given:
    made, said, private = {}, {}, False
    for role, known in ROLES.items():
        name = getattr(recipe, role)
        data = st.session_state.get(f"style-{role}-upload") if name == "upload" else None
        if data is not None:
            made[role], said[role], private = pictures.from_upload(data, recipe.side), "a picture of yours", True
            continue
        name = getattr(FIRST, role) if name == "upload" else name  # until one comes
        made[role] = getattr(pictures, role)(name, recipe.side)
        said[role] = known[name]
    return Given(made["content"], made["style"], said, private)
