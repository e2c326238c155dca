"""Predict first: a question that is asked before its answer is shown.

    guess = predicted("which gives in first?", names, about=job.group, then="the slider appears")
    if guess is None:
        return False

Each question has an answer of its own.
"""

import hashlib
from collections.abc import Hashable, Sequence
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
LABEL = "Your prediction"


def predicted(question: str, options: Sequence[T], *, about: Hashable, then: str) -> T | None:
    """Ask; return what was chosen, or None while nothing is.

    Args:
        question: Without "Predict:", as Markdown.
        options: What can be chosen.
        about: What the answer depends on besides the words of the question: whoever changes that is asked anew.
        then: What happens once something is chosen.
    """
    st.markdown(f"**Predict:** {question}")
    asked = hashlib.blake2b(repr((question, tuple(options), about)).encode(), digest_size=8).hexdigest()
    key = f"guess-{asked}"
    guess = st.radio(LABEL, options, index=None, horizontal=True, key=key, label_visibility="collapsed")
    if guess is None:
        st.caption(f"Choose, and {then}.")
    return guess
