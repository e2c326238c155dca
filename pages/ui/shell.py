"""The frame of every page: claim, presets, views, glossary, presenter mode, and where a problem is shown."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st

from core import worlds
from core.problems import UserError
from core.worlds import World
from pages.ui import stage, work, world
from pages.ui.address import choose, put
from pages.ui.escaped import plain
from pages.ui.folded import folded
from pages.ui.store import lesson

log = logging.getLogger(__name__)

ARTICLE = """<style>
div[data-testid="stMainBlockContainer"] { max-width: 1480px; padding: 3.9rem 1.6rem 4rem; }
div[data-testid="stMainBlockContainer"] h1 { font-size: 2rem; padding: 0; letter-spacing: -0.02em; }
div[data-testid="stMainBlockContainer"] h2 { font-size: 1.2rem; padding-top: 0; }
</style>"""


# One outline on every page: title, claim, sections. Captions in full contrast (4.5 : 1 and more), light and dark.
READABLE = """<style>
div[data-testid="stMainBlockContainer"] h2 { line-height: 1.35; padding-bottom: 0.5rem; }
div[data-testid="stMainBlockContainer"] h3 { font-size: 1.2rem; }
div[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.8; }
div[data-testid="stCaptionContainer"] p { color: inherit; }
div[data-testid="stCaptionContainer"] code { font-size: 0.8rem; }
[class*="st-key-work-row"]:has([data-stale="true"]) { display: none; }
@media (max-width: 640px) {
  [class*="-presets"]:not([class*="-preset-"]) { flex-wrap: nowrap !important; overflow-x: auto; scrollbar-width: none;
    }
  [class*="-presets"]:not([class*="-preset-"]) > * { flex: none; }
}
</style>"""


# The accent is dark enough to carry white on a button; as text on dark paper the links' colour takes its place. The
# browser decides which of the two it is: Streamlit gives the app a `color-scheme`, and changes it while a page is open.
# Streamlit's own colours of a script are too pale to read on light paper.
ACCENT = """<style>
[data-testid="stSliderThumbValue"] p, button[data-variant][data-selected="true"] p {
  color: light-dark(currentColor, #6cc5d6);
}
[data-testid="stHtml"] a { color: light-dark(#0b6e80, #6cc5d6); }
[data-testid^="stBaseButton-primary"] {
  background-color: light-dark(#0b6e80, #17707f); border-color: light-dark(#0b6e80, #17707f);
}
.stCode .token { color: light-dark(#1c262d, #e3e8ec) !important; }
.stCode .token:is(.comment, .punctuation) { color: light-dark(#55616b, #9fabb6) !important; }
.stCode .token.string { color: light-dark(#0b6e80, #6cc5d6) !important; }
.stCode .token:is(.keyword, .operator) { color: light-dark(#582e8c, #bfbbda) !important; }
.stCode .token:is(.number, .boolean) { color: light-dark(#8a4605, #fdc57f) !important; }
</style>"""


@dataclass(frozen=True)
class Preset:
    """A starting point worth trying.

    Args:
        label: What the button says.
        look_for: What to look for, said once it is pressed.
        values: What it sets, by widget key.
        address: What it sets of the address: where a slider of ours stands ("frame"), or how it shows ("look", "gain").
    """

    label: str
    look_for: str
    values: Mapping[str, Any]
    address: Mapping[str, str] = field(default_factory=dict)


def dress() -> bool:
    """Give the page its look, that of an article or that of a stage; return whether it is a stage."""
    on = stage.presenting()
    st.html(READABLE + ACCENT + (stage.STYLE if on else ARTICLE))
    return on


def header(
    title: str,
    claim: str,
    *,
    needs: str | None = None,
    alone: str = "",
    elsewhere: str = "",
    of: Mapping[str, str] | None = None,
    served: Callable[[World], bool] | None = None,
    get: Callable[[World], str] | None = None,
) -> None:
    """Open a page with its title, its claim in one sentence, its world, and the switch for presenter mode.

    Args:
        title: Of the page.
        claim: What it shows.
        needs: What of a world it needs that only the first world has; "" where it works in every world; None where it
            is not about a world.
        elsewhere: Its title in other worlds, where the one in the first names a class.
        alone: What it shows in a world without a robust network, where the claim is about one.
        served: Tells whether a world has what the page needs; by default only the first one has.
        get: Says how a world comes by what it lacks; by default that there is no way but to look at the first one.
        of: What it shows in some worlds, by their names, where the claim is not true of their networks.
    """
    on = dress()
    work.desk().begin()
    if needs is None:
        world.leave()
    else:
        world.follow()
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        named = title if needs is None or not elsewhere or world.current() == worlds.get() else elsewhere
        st.title(named, anchor=False, width="stretch")
        if needs is not None:
            world.switch()
        stage.switch(on)
    if needs is not None:
        claim = (of or {}).get(world.current().name) or (alone if alone and not world.pair().robust else claim)
    st.markdown(f"## {claim}")
    if needs and not (served and served(world.current())):
        world.serves(title, needs, get)


def presets(
    choices: list[Preset], *, key: str, defaults: Mapping[str, Any], address: Mapping[str, str] | None = None
) -> None:
    """Show the presets as a row of buttons, and one that sets everything back; a pressed preset says what to look for.

    Args:
        choices: The presets.
        key: Prefix of the buttons' keys.
        defaults: The value of every control of the page, by key.
        address: What the address says at first of what presets set there; "" is nothing.
    """

    def apply(preset: Preset) -> None:
        st.session_state[f"{key}-look-for"] = preset.look_for
        for name, value in {**defaults, **preset.values}.items():
            st.session_state[name] = value
        for name, word in {**(address or {}), **preset.address}.items():
            put(name, word)

    if st.session_state.pop(world.ENTERED, False):  # the browser would go on showing the values of the world before
        st.session_state.update(defaults)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-presets"):
        st.markdown("**Try this**", width="content")
        for i, preset in enumerate([*choices, Preset("Reset", "", {})]):
            kind: Literal["secondary", "tertiary"] = "secondary" if i < len(choices) else "tertiary"
            st.button(preset.label, key=f"{key}-preset-{i}", on_click=apply, args=(preset,), type=kind, width="content")
    if text := st.session_state.get(f"{key}-look-for"):
        st.info(text, icon=":material/visibility:")


def views(claims: Mapping[str, str], default: str, called: Mapping[str, str] | None = None) -> str:
    """Show the choice among the page's views with the claim of the chosen one below it, and return that view.

    A view that this page does not have, left behind by another page or asked for by the address, is the default one.

    Args:
        claims: What each view shows, by its name: a word of the recipe, because it also stands in the address.
        default: The view that the page opens with.
        called: How the page calls each view, where that is not its word.
    """
    view = choose(
        "View",
        {word: (called or {}).get(word, word) for word in claims},
        key="view",
        default=default,
        label_visibility="collapsed",
        on_change=lambda: put("frame", ""),  # another view's frames are others
    )
    st.markdown(claims[view])
    return view


def glossary(name: str, words: list[str]) -> None:
    """Show one popover for each word, with its text from the page's lesson."""
    texts = lesson(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("What is", width="content")
        for word in words:
            with st.popover(word, type="tertiary", width="content"):
                st.markdown(texts[word])


def mathematics(name: str, part: str = "mathematics") -> None:
    """Show what a page's lesson says of its mathematics, folded."""
    folded("The mathematics", lambda: st.markdown(lesson(name)[part]), key=f"{name}-mathematics")


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn the errors that a visitor can mend into one sentence on the page, and end the run there."""
    try:
        yield
    except UserError as problem:
        st.error(plain(problem), icon=":material/error:")
        st.stop()


@contextmanager
def guarded() -> Iterator[None]:
    """Do what `user_errors` does around the whole app.

    Of a fault of ours say that it is one, and log where it happened.
    """
    with user_errors():
        try:
            yield
        except UserError:
            raise
        except Exception:
            log.exception("a page ended in an error")
            st.error(
                "This page met a fault of the program itself; the server's log says where. Reload it, or press"
                " *Reset*.",
                icon=":material/error:",
            )
            st.stop()
