"""Lecture: choose one, give it, change it, or put one together."""

import streamlit as st

from core.lectures import Lecture, files, read, shelf, write
from core.lectures.recipe import MINE, LecturesRecipe
from pages.lectures import bar, choice
from pages.ui import mine, shell
from pages.ui.address import choose
from pages.ui.escaped import Html, html_of
from pages.ui.hosting import read_only
from pages.ui.tables import table

DEFAULT = LecturesRecipe().shelf
VIEWS = {"talk": "Give a lecture", "choice": "Two pictures, briefly"}
CLAIMS = {
    "talk": "Choose a lecture, give it, change it, or put one together.",
    "choice": (
        "An experiment on yourself, or on a room, after Gaziv, Lee and DiCarlo (2023): both pictures come from one"
        " original that is neither a cat nor a dog; one was pushed toward *cat*, the other toward *dog*. By the robust"
        " model, by the standard model, or at random, always equally far. Whose changes can people read?"
    ),
}


def titles() -> dict[str, str]:
    """Return what each lecture is called, the visitor's own last."""
    found = {name: shelf.get(name).title for name in shelf.names()}
    return {**found, MINE: mine.lecture().title} if mine.known() else found


def begin(name: str, lecture: Lecture) -> None:
    """Show the ways into a lecture."""
    first = lecture.steps[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Give this lecture", type="primary", icon=":material/play_arrow:"):
            at, step = next(bar.places(name, lecture))
            st.switch_page(bar.file_of(step), query_params={**step.query, **at.query})
        st.download_button(
            "Download, TOML",
            write(lecture),
            f"{name}.toml",
            "application/toml",
            icon=":material/download:",
            on_click="ignore",
        )
        if name != MINE:
            st.button(
                "Make it mine",
                icon=":material/edit:",
                on_click=take,
                args=(lecture,),
                help="A copy that you may change.",
            )
    st.caption(
        f"{len(lecture.steps)} steps"
        + (f", about {lecture.minutes} minutes" if lecture.minutes else "")
        + f". It opens with “{first.title}”. Page down and Page up, the keys of every clicker, go on and back; at a"
        " step with a question the room predicts before the view is shown. *Notes* opens what to say in a second"
        " window that follows, *Room* a vote on phones, and the key b blanks the screen."
    )


def take(lecture: Lecture) -> None:
    """Make a lecture the visitor's own and open it."""
    mine.keep(lecture)
    st.session_state["shelf"] = MINE


def steps(name: str, lecture: Lecture) -> None:
    """List the steps, each a link."""
    at = {place.step: bar.link(place, step) for place, step in reversed(list(bar.places(name, lecture)))}
    table(
        ["", "Step", "Page", "Question", "What to look for"],
        [
            [
                str(i),
                Html(f'<a href="{html_of(at[i])}" target="_self">{html_of(step.title)}</a>'),
                step.page,
                step.question.ask if step.question else "",
                step.look_for,
            ]
            for i, step in enumerate(lecture.steps, 1)
        ],
        label=f"The steps of {lecture.title}",
    )


def own() -> None:
    """Upload a lecture, or change the own one."""
    given = None
    if not read_only():
        given = st.file_uploader(
            "A lecture's file", ["toml"], key="lecture-file", help=f"TOML, at most {files.MOST_BYTES // 1024} kB."
        )
    if given is not None and given.file_id != st.session_state.get("lecture-file-taken"):
        found = read(given.getvalue())
        st.session_state["lecture-file-taken"] = given.file_id
        mine.keep(found)
        st.query_params["shelf"] = MINE
        st.rerun()
    if not mine.known():
        st.caption("Or collect views: *Save and share* on every page has *Add to my lecture*.")
        return
    st.caption(
        "Your own lecture lives in this tab. Download it before you close it; its links work for whoever has uploaded"
        " its file."
    )
    text = st.text_area("As text", write(mine.lecture()), height=420, key=f"lecture-text-{hash(mine.lecture())}")
    if st.button("Take these changes"):
        take_text(text)


def take_text(text: str) -> None:
    """Read the text and make it the own lecture."""
    mine.keep(read(text))
    st.query_params["shelf"] = MINE
    st.rerun()


def talks() -> None:
    """Show the lectures."""
    names = titles()
    name = choose("Lecture", names, key="shelf", default=DEFAULT)
    lecture = bar.found(name)
    st.markdown(lecture.about)
    begin(name, lecture)
    steps(name, lecture)
    st.markdown("### Your own")
    with shell.user_errors():
        own()


shell.header(
    "Lecture",
    "A talk from this app alone: views in an order, questions to predict before each answer, notes, and a room that"
    " votes.",
)
view = shell.views(CLAIMS, LecturesRecipe().view, VIEWS)
with shell.user_errors():
    if view == "choice":
        choice.show()
    else:
        talks()
