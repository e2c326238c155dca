"""The world that the page in sight is in: its classes, its pictures, its models.

It is in the address on every page that is about one, as `?world=imagenet`, and goes along from page to page. Where only
one is installed there is nothing to choose and nothing is shown.
"""

from collections.abc import Callable

import streamlit as st

from core import worlds
from core.data import pictures
from core.models import checkpoints
from core.models.pair import Pair, opening
from core.worlds import World
from pages.ui.address import keep, put
from pages.ui.escaped import plain

KEY = (  # in the session; the box that shows it has a key of its own, because Streamlit forgets boxes out of sight
    "world-here"
)
ENTERED = "world-entered"  # in the session: the page has not put its controls to this world's defaults yet
# Controls whose values are of one world: they are forgotten when another is entered.
OF_ONE = (
    *("picture", "source", "class", "number", "label", "cut", "target", "second", "only", "towards", "away", "start"),
    *("standard", "robust", "third", "norm", "reach", "at", "frame", "block", "feature", "method"),
)

OURS = ("picture", "start", "frame", "standard", "robust", "third")  # those that we write to the address ourselves


def current() -> World:
    """Return the world of this visitor; outside a run of a page, the first."""
    name = st.session_state.get(KEY, worlds.DEFAULT)
    return worlds.get(name if name in worlds.names() else worlds.DEFAULT)


def pair() -> Pair:
    """Return the two networks with which this world opens."""
    return opening(current())


def has_models() -> bool:
    """Tell whether there is a network of this world; where there is none, say how to get one."""
    world = current()
    if checkpoints.names(world=world.name):
        return True
    st.warning(
        "There are no trained models in checkpoints/. Make them with: make zoo" if world == worlds.get() else world.how
    )
    return False


def follow() -> None:
    """Enter the world that the address asks for; say in a sentence if it is not installed."""
    asked = st.query_params.get("world", "")
    there = worlds.names()
    before = current().name
    name = keep("world", worlds.DEFAULT, there.__contains__, key=KEY, sticky=True)
    if name != before:
        _forget()
    if asked and asked not in there:
        known = asked in worlds.known()
        st.session_state["world-missing"] = (
            worlds.get(asked).how if known else f"There is no world called “{plain(asked[:40])}”."
        )
    elif asked:
        st.session_state.pop("world-missing", None)
    if problem := st.session_state.get("world-missing"):
        st.warning(f"{problem} What you see is {current().title}.", icon=":material/public:")


def leave() -> None:
    """Go back to the first world, on a page that is about none: what it says of classes and links to is of that one."""
    if current() != worlds.get():
        for key in (KEY, f"{KEY}-written", f"{KEY}-before"):
            st.session_state.pop(key, None)
        _forget()


def switch() -> None:
    """Show in which world the page is, and let one enter another."""
    there = worlds.names()
    if len(there) < 2:
        return
    st.session_state["world-box"] = current().name
    st.selectbox(
        "World",
        there,
        key="world-box",
        format_func=lambda name: worlds.get(name).title,
        width=150,
        label_visibility="collapsed",
        on_change=_entered,
        help="Which pictures, classes and models.",
    )


def serves(title: str, needs: str, get: Callable[[World], str] | None = None) -> None:
    """End the page here, where the world in sight has not what it needs: say what that is, and how to get it."""
    world, first = current(), worlds.get()
    if not needs or world == first:
        return
    how = get(world) if get else f"Only {first.title} has these, made and measured by this project: look at it there."
    st.info(
        f"**{title} has nothing to show of {world.title} yet.** It needs {needs}. {how} {world.more}",
        icon=":material/public:",
    )
    st.button(f"Show it for {first.title}", type="primary", on_click=enter, args=(first.name,))
    st.stop()


def _entered() -> None:
    enter(st.session_state["world-box"])


def enter(name: str) -> None:
    """Go to a world."""
    st.session_state[KEY] = name
    st.session_state.pop("world-missing", None)
    st.session_state[ENTERED] = True
    _forget()
    for word in OURS:
        put(word, "")


def _forget() -> None:
    """Put what is of one world back to its default."""
    for key in list(st.session_state):
        name = str(key).removeprefix("picture-").removesuffix("-written").removesuffix("-before")
        if name in OF_ONE or name.endswith(("-look-for", "-scrubber", "-frame")):
            st.session_state.pop(key, None)
    if "picture-bytes" in st.session_state:  # what somebody said is on it, too: an index in the classes before
        data, name = st.session_state["picture-bytes"]
        st.session_state["picture-upload"] = pictures.from_upload(data, name, side=current().side)
