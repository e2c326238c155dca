"""What stands in the address without being a widget's own text, and choices that have other words there.

Streamlit binds a widget to the address by the text that people read. Here a choice reads "Label it yourself" and the
address `view=quiz`, so that links outlive better words. And where an address says nothing (`norm=`), segments that
Streamlit binds have no value at all; here they have their default.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st

STALE_S = 10.0
_PUTS = "address-puts-"


def keep(
    name: str,
    default: str,
    usable: Callable[[str], bool],
    *,
    key: str = "",
    sticky: bool = False,
    stale_s: float | None = None,
) -> str:
    """Return a value that lives in the session and in the address: the address's if that is news, else the session's.

    Args:
        name: In the address; the default is left out there.
        default: The value where neither says anything that can be used.
        usable: Tells whether a text is a value.
        key: Where it lives in the session; by default under its name.
        sticky: An address without it says nothing: it outlives a change of page.
        stale_s: How long the browser may bring the address from before our last word; Back within that time is not
            told from it. By default `STALE_S`.
    """
    key = key or name
    written = st.session_state.get(f"{key}-written", default)
    asked = st.query_params.get(name, written if sticky else default)
    if st.session_state.get(f"{key}-told"):  # whatever address this run brought is from before that
        written = asked
    before, when = st.session_state.get(f"{key}-before", (None, 0.0))
    # Streamlit forgets a widget that a run did not show: then the page was away, and its address is a link.
    away = key not in st.session_state
    # A run that was asked for before the browser had our last word brings the address from before it.
    old = asked == before and time.monotonic() - when < (STALE_S if stale_s is None else stale_s)
    stale = old and puts(name) == st.session_state.get(f"{key}-puts", 0)
    if away or (asked != written and not stale):  # a link, or Back
        st.session_state[key] = asked if usable(asked) else default
    value = str(st.session_state.get(key, default))
    if not usable(value):
        value = default
    if value != written:
        st.session_state[f"{key}-before"] = (written, time.monotonic())
    st.session_state[f"{key}-written"] = value
    st.session_state[f"{key}-puts"] = puts(name)
    st.session_state.pop(f"{key}-told", None)
    _write(name, value if value != default else "")
    return value


def tell(key: str, value: str) -> None:
    """Take what a component of ours reports, in its callback: newer than the address, which `keep` then writes."""
    st.session_state[key], st.session_state[f"{key}-told"] = value, True


def put(name: str, word: str) -> None:
    """Write into the address what a callback decides, or take it out (""): it is news, even if it was there before."""
    st.session_state[_PUTS + name] = puts(name) + 1
    _write(name, word)


def _write(name: str, word: str) -> None:
    """Say it only where it is news: what a component has written there meanwhile would be overwritten each time."""
    if word and st.query_params.get(name) != word:
        st.query_params[name] = word
    elif not word and name in st.query_params:
        del st.query_params[name]


def puts(name: str) -> int:
    """Count how often that was put, for a component that keeps a name of its own in the address."""
    return int(st.session_state.get(_PUTS + name, 0))


def same(words: Iterable[str]) -> dict[str, str]:
    """Say for `choose` that the page calls each choice as the address does."""
    return {word: word for word in words}


def choose(label: str, words: Mapping[str, str], *, key: str, default: str, listed: bool = False, **more: Any) -> str:
    """Show a choice and return its word.

    Args:
        label: What is chosen.
        words: The word of each choice, as it stands in recipe and address, and how the page calls it.
        key: The recipe's field, which is also the name in the address.
        default: The word that is chosen at first.
        listed: As a drop-down list instead of segments.
        more: What the widget takes besides.
    """
    st.session_state[key] = keep(key, default, words.__contains__)
    if listed:
        return st.selectbox(label, list(words), key=key, format_func=words.__getitem__, **more)
    chosen = st.segmented_control(
        label, list(words), key=key, format_func=words.__getitem__, required=True, **{"wrap": True, **more}
    )
    return chosen or default
