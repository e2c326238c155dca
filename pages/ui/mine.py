"""The lecture that a visitor puts together, view by view: it lives in the session, and leaves it as a file."""

from collections.abc import Callable

import streamlit as st

from core.lectures import Lecture, Step, files, recipe_kind
from core.lectures.links import HOME, opened
from core.problems import InputError, UserError
from core.recipes import from_query
from pages.ui.escaped import plain
from pages.ui.rooms import ROOMS

KEY = "lecture-mine"
PAGE = "page-open"  # in the session: the address of the page that is open
TITLE = "My lecture"


def lecture() -> Lecture:
    """Return it.

    Raises:
        InputError: If there is none in this session.
    """
    found: Lecture | None = st.session_state.get(KEY)
    if found is None:
        raise InputError("your own lecture lives in the tab where you made it; upload its file on the page Lecture")
    return found


def known() -> bool:
    """Tell whether there is one."""
    return KEY in st.session_state


def keep(found: Lecture) -> None:
    """Make a lecture this visitor's own."""
    st.session_state[KEY] = found


def add(step: Step) -> int:
    """Add a step at the end, and return how many there are.

    Raises:
        InputError: If there are as many as a file may hold.
    """
    before = lecture() if known() else None
    steps = before.steps if before is not None else ()
    if len(steps) >= files.MOST_STEPS:
        raise InputError(f"a lecture has at most {files.MOST_STEPS} steps")
    new = (
        Lecture(TITLE, (step,))
        if before is None
        else Lecture(before.title, (*steps, step), before.about, before.minutes)
    )
    keep(new)
    return len(new.steps)


def step_in_sight(recipe: str | None) -> Step:
    """Make a step of the view that is open.

    Args:
        recipe: The view's recipe, as JSON; without one the address tells it.

    Raises:
        InputError: If no page takes it.
    """
    if recipe is not None:
        page, found = opened(recipe)
    else:
        page = st.session_state.get(PAGE) or HOME
        found, _ = from_query(recipe_kind(page), st.query_params.to_dict())
    title = next((room.title for room in ROOMS if room.name == page), page.capitalize())
    view = getattr(found, "view", "")
    return Step(f"{title}: {view}" if view else title, page, found)


def offer(recipe: Callable[[], bytes | str] | None, *, key: str) -> None:
    """Show the button that adds the view to the visitor's lecture.

    Args:
        recipe: Makes the view's recipe as JSON, where there is one.
        key: Prefix of the button's key.
    """

    def take() -> None:
        try:
            number = add(step_in_sight(None if recipe is None else str(recipe())))
        except UserError as problem:
            st.toast(plain(problem), icon=":material/error:")
        else:
            st.toast(f"Step {number} of your lecture; see the page *Lecture*.", icon=":material/playlist_add_check:")

    st.button(
        "Add to my lecture",
        icon=":material/playlist_add:",
        key=f"{key}-to-lecture",
        on_click=take,
        width="content",
        help="This very view as a step; the page Lecture has your steps, as a file to edit and download.",
    )
