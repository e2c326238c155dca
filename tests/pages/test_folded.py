"""A folded panel costs nothing until it is opened."""

from streamlit.testing.v1 import AppTest

from tests.pages.tools import ran, said


def page():
    import streamlit as st

    from pages.ui import shell
    from pages.ui.folded import folded

    folded("More", lambda: st.markdown("made"), key="more")
    shell.mathematics("gaussian")
    st.markdown("below")


def test_its_content_is_made_once_it_is_open():
    app = ran(AppTest.from_function(page))
    assert [panel.label for panel in app.expander] == ["More", "The mathematics"]
    assert [text.value for text in app.markdown] == ["below"]
    app.session_state["more"] = True
    assert [text.value for text in ran(app).markdown] == ["made", "below"]
    assert [text.value for text in app.expander[0].markdown] == ["made"]


def test_the_mathematics_is_of_the_pages_lesson():
    app = AppTest.from_function(page)
    app.session_state["gaussian-mathematics"] = True
    assert "$" in said(ran(app))
