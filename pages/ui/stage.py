"""Presenter mode: a stage. No navigation, no sidebar, no buttons, until a key or the edge of the screen brings them.

Where it ends, and whether it is on, is in the address on every page: `?present=true`.
"""

import streamlit as st

from pages.ui import luggage
from pages.ui.address import keep
from pages.ui.component import component

# Custom properties reach into components, which ask whether there is a stage by --stage.
STYLE = """<style>
html {
  font-size: 20px;
  --stage: 1; --stage-tools: none; --stage-muted: 88%; --stage-rule: 30%; --stage-side: 25rem; --stage-purple: #b794ff;
    --stage-duel: 29rem; --stage-orange: #ffa01f;
}
html[data-controls] { --stage-tools: flex; }
div[data-testid="stMainBlockContainer"] { max-width: none; padding: 1rem 2rem 2rem; }
div[data-testid="stMainBlockContainer"] h1 { font-size: 1.6rem; padding: 0; }
div[data-testid="stMainBlockContainer"] h2 { font-size: 1.2rem; font-weight: 500; padding-top: 0; }
header[data-testid="stHeader"] {
  position: fixed; inset: 0 0 auto; transform: translateY(-100%); visibility: hidden;
  background: var(--background, Canvas); box-shadow: 0 1px 8px rgb(0 0 0 / 20%);
}
section[data-testid="stSidebar"] {
  position: fixed !important; inset: 0 auto 0 0; z-index: 1000; height: 100vh !important; width: 22rem !important;
  min-width: 22rem !important; transform: translateX(-105%) !important; visibility: hidden;
    box-shadow: 0 0 16px rgb(0 0 0 / 30%);
}
html[data-controls] header[data-testid="stHeader"] { transform: none; visibility: visible; }
html[data-controls] section[data-testid="stSidebar"] { transform: none !important; visibility: visible; }
html[data-controls] div[data-testid="stMainBlockContainer"] { padding-top: 4rem; }
html[data-controls]:has(section[data-testid="stSidebar"]) div[data-testid="stMainBlockContainer"] { padding-left: 24rem;
  }
.st-key-stage { min-width: 7rem; flex: none; }
html:not([data-controls]) :is([class*="st-key-stage-tools"], .st-key-world-box, [class~="st-key-view"],
  [class$="-presets"], [class*="-presets "]) { display: none; }
div[data-testid="stMainBlockContainer"]::after {
  content: "Key M, or the edge of the screen: controls"; position: fixed; z-index: 900; right: 1rem; bottom: 1rem;
  padding: 0.2rem 0.7rem; border-radius: 1rem; background: #1c262d; color: #fff; font-size: 0.8rem;
    pointer-events: none;
  animation: stage-hint 7s steps(1) forwards;
}
@keyframes stage-hint { to { visibility: hidden; } }
html[data-controls] div[data-testid="stMainBlockContainer"]::after { display: none; }
</style>"""

LEFT = "stage-left"  # in the session: the word under which its luggage is put aside
_mount = component("stage")


def presenting() -> bool:
    """Tell whether presenter mode is on; leaving a page does not end it."""
    return keep("present", "false", ("true", "false").__contains__, key="presenting", sticky=True) == "true"


def switch(on: bool) -> None:
    """Show the switch of presenter mode, and what the stage needs in the browser."""
    st.session_state["present"] = on
    with st.container(horizontal=True, vertical_alignment="center", width="content", key="stage-tools"):
        st.toggle(
            "Presenter",
            key="present",
            on_change=_switched,
            help="A stage for a projector: pictures only. Key M, or the edge of the screen, brings the controls.",
            width="content",
        )
        _mount(
            key="stage",
            data={"on": on, "left": st.session_state.get(LEFT, "")},
            width="content",
            on_leaving_change=_leaving,
        )


def _switched() -> None:
    st.session_state["presenting"] = "true" if st.session_state["present"] else "false"


def _leaving() -> None:
    if word := str(st.session_state["stage"].get("leaving") or ""):
        luggage.put_aside(word)
        st.session_state[LEFT] = word
