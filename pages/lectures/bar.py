"""The bar of a lecture, on every page: where it stands, what the clicker does, the question before the view.

    if bar.stands_back():           # in app.py, before the page
        page.run()

The address carries it: `?lecture=paper&step=7` asks the question of step 7 if it has one, `&shown=true` shows its view.
Such a link needs nothing else; whoever wanders off to another page keeps the lecture until they end it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import segno
import streamlit as st

from core.lectures import Lecture, Step, shelf
from core.lectures.answers import answer
from core.lectures.links import HOME
from core.lectures.recipe import MINE
from core.lectures.room import Talk
from core.problems import UserError
from pages.lectures import shown
from pages.lectures.routes import rooms
from pages.lectures.talk import TALK, base, begun, unreachable, way_in
from pages.ui import mine, shell, stage
from pages.ui.component import component
from pages.ui.escaped import plain
from pages.ui.rooms import ROOMS

AT = "lecture-at"  # in the session: the place where the lecture stands
PROBLEM = "lecture-problem"
NAMES = ("lecture", "step", "shown")  # in the address
CARRIED = ("present", "embed")  # in the address, from step to step; assets/lectures/bar.js carries them, too
_mount = component("lectures")
# Whatever stands at the foot of a page can be scrolled above the bar.
QUESTION = '<style>section[data-testid="stSidebar"] { display: none; }</style>'
ROOM_BELOW = '<style>div[data-testid="stMainBlockContainer"] { padding-bottom: 6rem !important; }</style>'
# On a stage the bar says what the page is called, and the answer stands where its title was.
ON_STAGE = """<style>
html { --stage-taken: 60; }
html:not([data-controls]) div[data-testid="stLayoutWrapper"]:has(> .st-key-page-head) {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
</style>"""


@dataclass(frozen=True)
class Place:
    """Where a lecture stands.

    Args:
        lecture: Its name.
        step: Counted from 1.
        shown: Whether the view is shown; else its question is asked.
    """

    lecture: str
    step: int
    shown: bool

    @property
    def query(self) -> dict[str, str]:
        """What the address says of it."""
        return {"lecture": self.lecture, "step": str(self.step)} | ({"shown": "true"} if self.shown else {})


def found(name: str) -> Lecture:
    """Return a lecture by its name, the visitor's own included."""
    return mine.lecture() if name == MINE else shelf.get(name)


def link(place: Place, step: Step) -> str:
    """Return the address of a place, below that of the app."""
    return f"{step.path}?{urlencode({**step.query, **place.query})}"


def places(name: str, lecture: Lecture) -> Iterator[tuple[Place, Step]]:
    """Yield all places in order: a step with a question is two."""
    for i, step in enumerate(lecture.steps, 1):
        if step.question is not None:
            yield Place(name, i, shown=False), step
        yield Place(name, i, shown=True), step


def place() -> tuple[Place, Lecture] | None:
    """Return where the lecture stands: as the address says, else as the session does.

    Raises:
        UserError: If there is no such lecture.
    """
    asked = st.query_params.get("lecture", "")
    before: Place | None = st.session_state.get(AT)
    if asked:
        lecture, raw = found(asked), st.query_params.get("step", "1")
        at = min(max(int(raw), 1), len(lecture.steps)) if raw.isdecimal() and len(raw) < 5 else 1
        shown = st.query_params.get("shown") == "true" or lecture.steps[at - 1].question is None
        now = Place(asked, at, shown)
    elif before is None:
        return None
    else:
        now, lecture = before, found(before.lecture)
        for name, value in now.query.items():
            st.query_params[name] = value
    st.session_state[AT] = now
    return now, lecture


def stands_back(page: str) -> bool:
    """Show the bar of the lecture that is on, if any; return whether the page itself is to be shown.

    Args:
        page: The address of the page that is open.
    """
    st.session_state[mine.PAGE] = page
    try:
        now = place()
    except UserError as problem:
        leave()
        # A page that computes runs again, and its address no longer asks.
        st.session_state[PROBLEM] = (page, str(problem))
        now = None
    if now is None:
        there, text = st.session_state.get(PROBLEM, (page, ""))
        if text and there == page:
            st.error(plain(text), icon=":material/error:")
        return True
    at, lecture = now
    step = lecture.steps[at.step - 1]
    opened = st.session_state.get("lecture-opened")
    st.session_state["lecture-opened"] = at
    if opened is None and page != step.path:  # a link to the lecture alone
        kept = {name: st.query_params[name] for name in CARRIED if name in st.query_params}
        st.switch_page(file_of(step), query_params={**step.query, **at.query, **kept})
    talk = give(at, lecture, step)
    _mount(key="lecture-bar", data=data(at, lecture, step, talk), on_act_change=act)
    st.html(ROOM_BELOW + (ON_STAGE if at.shown and stage.presenting() else ""))
    if not at.shown:
        shell.dress()
        st.html(QUESTION)
    return at.shown


def file_of(step: Step) -> str:
    """Return the script of a step's page.

    Raises:
        UserError: If this app has no such page.
    """
    if step.page == HOME:
        return "pages/home/page.py"
    room = next((room for room in ROOMS if room.name == step.page), None)
    if room is None:
        raise UserError(f"this lecture shows the page {step.page!r}, which is not here")
    return room.file


def leave() -> None:
    """End the lecture, not the page."""
    for name in (AT, "lecture-opened"):
        st.session_state.pop(name, None)
    for name in NAMES:
        st.query_params.pop(name, None)


def act() -> None:
    """Do what a button of the bar says."""
    talk = st.session_state[TALK]
    match st.session_state["lecture-bar"].get("act"):
        case "end":
            leave()
        case "open":
            rooms().invite(talk)
        case "close":
            rooms().end(talk)


def give(at: Place, lecture: Lecture, step: Step) -> Talk:
    """Tell the talk where it stands; it is this browser's, also after a reload."""
    talk = begun()
    asked, right = step.question, answer(step.question) if step.question else None
    after = lecture.steps[at.step].title if at.step < len(lecture.steps) else ""
    notes = {
        "lecture": lecture.title,
        "step": at.step,
        "steps": len(lecture.steps),
        "title": step.title,
        "say": step.say,
        "look_for": step.look_for,
        "question": asked.ask if asked else "",
        "answer": " ".join(filter(None, (f"{right.says}." if right else "", asked.because))) if asked else "",
        "next": after,
    }
    talk.go(at.lecture, at.step, None if at.shown else asked, notes, () if at.shown else shown.urls(asked))
    if at.shown and at.step < len(lecture.steps):
        shown.ahead(lecture.steps[at.step].question)
    return talk


def data(at: Place, lecture: Lecture, step: Step, talk: Talk) -> dict[str, Any]:
    """Make what the browser needs; the answer only once it may be seen."""
    every = list(places(at.lecture, lecture))
    right = answer(step.question) if at.shown and step.question else None
    return {
        "name": at.lecture,
        "steps": len(lecture.steps),
        "at": next(i for i, (place, _) in enumerate(every) if place == at),
        "slides": [
            {"link": link(p, s), "view": s.link, "step": p.step, "asking": not p.shown, "title": s.title}
            for p, s in every
        ],
        "asking": not at.shown,
        "look_for": step.look_for,
        "question": _question(step, at),
        "answer": asdict(right) if right else None,
        "pictures": shown.urls(step.question),
        "said": shown.said(step.question) if at.shown and step.question else [],
        "base": base(),
        "key": talk.key,
        "room": _room(talk) if talk.code else None,
        "unreachable": unreachable(),
    }


def _question(step: Step, at: Place) -> Mapping[str, Any] | None:
    if step.question is None:
        return None
    shown = {name: getattr(step.question, name) for name in ("ask", "choices", "low", "high", "unit")}
    return {**shown, "choices": list(step.question.choices), "because": step.question.because if at.shown else ""}


def _room(talk: Talk) -> dict[str, str]:
    url = way_in(talk)
    return {"code": talk.code, "url": url, "qr": segno.make(url, error="m").svg_data_uri(scale=8, border=2)}
