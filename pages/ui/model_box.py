"""The choice of a model, on every page the same: `model_box("Left model", recipe.standard, "standard")`."""

from collections.abc import Sequence

import streamlit as st

from core.models import checkpoints


def model_box(
    label: str, default: str, key: str, names: Sequence[str] | None = None, width: int | str = "stretch"
) -> str:
    """Show a choice among models and return one that is here.

    The options are names, not titles, because what is chosen also stands in the address.

    Args:
        label: What the model is for.
        default: The choice at first; the first model if it is not here.
        key: The recipe's field.
        names: The models; by default all in checkpoints/.
        width: Of the box, in CSS pixels, or "stretch".
    """
    options = list(names if names is not None else checkpoints.names())
    index = options.index(default) if default in options else 0
    if st.session_state.get(key, options[index]) not in options:  # a preset's, which is not here
        st.session_state[key] = options[index]
    return st.selectbox(label, options, index=index, key=key, bind="query-params", width=width)
