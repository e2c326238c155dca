"""What stands in the address: a link is news where the page was away, and an answer to our own word is not."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.tools import ran

WORDS = {"any": "Any", "truck": "A truck", "frog": "A frog"}


def page(words: dict[str, str]) -> None:
    """Show a choice, unless another page is open."""
    import streamlit as st

    from pages.ui.address import choose

    if not st.session_state.get("away"):
        st.session_state["got"] = choose("Class", words, key="target", default="any")


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(page, args=(WORDS,))
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


def moved() -> None:
    """Show a value that a component of ours reports and that a preset may set."""
    import streamlit as st

    from pages.ui.address import keep, put, tell

    st.button("report 2", on_click=tell, args=("slider", "2"))
    st.button("report 1", on_click=tell, args=("slider", "1"))
    st.button("preset", on_click=put, args=("frame", ""))
    st.session_state["got"] = keep("frame", "0", str.isdecimal, key="slider")


def turned(app: AppTest, **query: str) -> str:
    """Open another page, then this one again by a link."""
    app.session_state["away"] = True
    ran(app)
    app.session_state["away"] = False
    app.query_params.clear()
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app).session_state["got"]


@pytest.mark.parametrize("word", ["truck", "frog", "any"])
def test_a_link_is_followed_also_to_what_was_shown_before(word):
    """Streamlit forgets the state of a widget that a run did not show; what we wrote last is not forgotten."""
    app = opened(target="truck")
    assert app.session_state["got"] == "truck"
    assert turned(app, **({} if word == "any" else {"target": word})) == word


def test_a_name_without_a_value_is_no_choice():
    assert opened(target="").session_state["got"] == "any"


def test_a_link_is_followed_also_right_after_another_choice():
    """Within seconds of a choice an address from before it is old, on the same page; not where the page was away."""
    app = opened(target="truck")
    ran(app.segmented_control[0].set_value("frog"))
    assert app.session_state["got"] == "frog"
    assert turned(app, target="truck") == "truck"


def test_a_choice_outlives_an_address_from_before_it():
    app = opened(target="truck")
    ran(app.segmented_control[0].set_value("frog"))
    app.query_params["target"] = "truck"  # this run was asked for before the browser had our word
    assert ran(app).session_state["got"] == "frog"


def test_what_is_no_word_is_the_default():
    assert opened(target="zebra").session_state["got"] == "any"


def test_what_a_component_reports_is_newer_than_the_address_and_a_preset_newer_still():
    app = ran(AppTest.from_function(moved))
    for label, frame in (("report 2", "2"), ("report 1", "1"), ("report 2", "2"), ("preset", "0"), ("report 2", "2")):
        app.query_params["frame"] = "1"  # an old address
        ran(next(button for button in app.button if button.label == label).click())
        assert (app.session_state["got"], app.query_params.get("frame", ["0"])[0]) == (frame, frame), label
