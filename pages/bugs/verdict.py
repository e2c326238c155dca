"""What the visitor thinks, before and after."""

import streamlit as st

OPINIONS = ("features", "bugs", "both")
BEFORE, AFTER = "bugs-before", "bugs-after"


def before() -> None:
    """Ask for a first opinion; it stays in this session and in no address."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Before you look:** adversarial examples are", width="content")
        st.segmented_control("Before", OPINIONS, key=BEFORE, label_visibility="collapsed", width="content")


def after() -> None:
    """Ask again at the end, and put both answers beside each other."""
    st.markdown("### Your verdict")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Now that you have held one of each: adversarial examples are", width="content")
        st.segmented_control("After", OPINIONS, key=AFTER, label_visibility="collapsed", width="content")
    if text := compared(st.session_state.get(BEFORE), st.session_state.get(AFTER)):
        st.info(text, icon=":material/how_to_vote:")


def compared(first: str | None, second: str | None) -> str:
    """Say what has become of an opinion; nothing while there is no second one."""
    if second is None:
        return ""
    if first is None:
        return f"You say **{second}**. You had not said anything before."
    if first == second:
        return f"You said **{first}** before, and you say so still."
    return f"You said **{first}** before, and say **{second}** now."
