"""Features measured on the page: where no command has measured a network of somebody's own world, a button does.

On few pictures (`core.usefulness.live`). What is complete is kept for everybody under the stamp of the weights; what
was stopped is the session's own.
"""

from collections.abc import Iterator, Mapping

import streamlit as st

from core.data import own
from core.models.titles import title
from core.usefulness import live
from core.usefulness.atlas import Atlas
from core.usefulness.recipe import UsefulnessRecipe
from pages.ui import work
from pages.ui.store import loaded
from pages.ui.world import current

ASKED, STOPPED = "usefulness-asked", "usefulness-stopped"  # in the session: what is wanted; what was stopped
Key = tuple[str, str, str]


def possible() -> bool:
    """Tell whether features are measured on the page: in a world of somebody's own."""
    return current().name in own.declared()


def in_full() -> str:
    """Return the command that measures the features of this world's networks on all pictures."""
    return f"python -m core.usefulness measure --world {current().name}"


def atlases(recipe: UsefulnessRecipe) -> Mapping[str, Atlas] | None:
    """Return what was measured here of those networks of a recipe that no command has measured.

    None where that is still to be asked for, which a button does.
    """
    pieces = {name: _piece(name) for name in live.missing(recipe)}
    asked, stopped = st.session_state.setdefault(ASKED, set()), st.session_state.setdefault(STOPPED, {})
    keys = {name: piece.key for name, piece in pieces.items()}
    have = {name: found for name, piece in pieces.items() if (found := work.known(piece) or stopped.get(piece.key))}
    todo = {name: piece for name, piece in pieces.items() if name not in have}
    if any(key not in asked for name, key in keys.items() if name in todo):
        _offer(todo)
        return None
    if not todo:
        return have
    outcomes = work.ask(list(todo.values()), group=(ASKED, *keys.values()), text="Measuring features…")
    for (name, key), outcome in zip(((name, keys[name]) for name in todo), outcomes, strict=True):
        if outcome.value is not None:
            have[name] = outcome.value
        if outcome.stopped is not None:
            asked.discard(key)
            if outcome.value is not None:
                stopped[key] = outcome.value
    if len(have) < len(pieces):
        _offer({name: piece for name, piece in todo.items() if name not in have}, "Stopped before it was done. ")
        return None
    return have


def say(have: Mapping[str, Atlas]) -> None:
    """Say below the scatter on how little it rests, and offer the rest of what was stopped."""
    texts = {}
    for name, atlas in have.items():
        about = atlas.about
        texts[name] = (
            f"ρ of all {len(atlas.centre):,} features is from {about['n']:,} test pictures, γ of {about['searched']:,}"
            f" from {about['n_pushed']} of these. You see those {about['searched']:,}: the most useful one of each"
            " class, and others drawn at random."
        )
    for names, text in _together(texts):
        st.caption(f"**Measured on this page, on a part** ({names}): {text} All of it: `{in_full()}`")
    left = [key for key, atlas in st.session_state.get(STOPPED, {}).items() if atlas.name in have]
    if left:
        st.button("Measure the rest of what was stopped", key="usefulness-rest", on_click=_want, args=(left,))


def _offer(pieces: Mapping[str, work.Piece[Atlas]], before: str = "") -> None:
    """Say what there is to measure, and show the button that does."""
    texts = {}
    for name in pieces:
        todo = live.plan(current().name, loaded(name).model)
        texts[name] = (
            f"ρ of all {todo.of:,} features from {todo.seen:,} labelled test pictures, and γ of {todo.features:,} of"
            f" them from {todo.around} of these pictures"
        )
    for names, text in _together(texts):
        st.markdown(
            f"{before}The features of {names} have not been measured yet. A click does it here, on a part: {text}."
        )
    st.button(
        "Measure the features",
        key="usefulness-measure",
        type="primary",
        on_click=_want,
        args=([piece.key for piece in pieces.values()],),
    )
    st.caption(f"About half a minute for a small network on two cores. All pictures and features: `{in_full()}`")


def _together(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each text once, after the titles of the networks of which it is true."""
    for text in dict.fromkeys(texts.values()):
        yield " and ".join(title(name) for name, said in texts.items() if said == text), text


def _want(keys: list[Key]) -> None:
    st.session_state[ASKED] = {*st.session_state.get(ASKED, ()), *keys}
    st.session_state[STOPPED] = {k: v for k, v in st.session_state.get(STOPPED, {}).items() if k not in keys}
    work.desk().go_on()


def _piece(name: str) -> work.Piece[Atlas]:
    one = loaded(name)

    def make(on_step: work.Step) -> Atlas:
        return live.measure(name, model=one.model, on_step=on_step)

    return work.Piece(("atlas", name, one.stamp), make, live.plan(current().name, one.model).steps)
