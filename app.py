"""Robust Frog: see that adversarial examples are features. Start with `make app`, or `streamlit run app.py`."""

import streamlit as st

from pages.lectures import bar
from pages.ui import doors, luggage
from pages.ui.rooms import sections
from pages.ui.shell import guarded

if __name__ == "app":  # the server imports this file for its routes, and then runs it as a script for every visit
    import sys

    from streamlit.runtime.pages_manager import PagesManager

    from core.models import plugins
    from pages.lectures import routes as lectures
    from pages.perturb import live as perturb
    from pages.synthesis import live as synthesis
    from pages.ui import warm
    from pages.ui.scrubber import route as scrubber

    # A folder called pages/ makes Streamlit look for a legacy multipage app until st.navigation has run once; whoever
    # comes first, by a link to a page, would read "page not found".
    PagesManager.uses_pages_directory = False
    plugins.begin(sys.argv[1:])  # what stands after `--`
    app = st.App(
        "app.py",
        routes=[*perturb.ROUTES, *synthesis.ROUTES, *lectures.ROUTES, *scrubber.ROUTES],
        lifespan=warm.beside_the_server,
    )
else:
    st.set_page_config(page_title="Robust Frog", page_icon="🐸", layout="wide")
    home = st.Page("pages/home/page.py", title="Home", icon=":material/home:", default=True)
    pages = {
        name: [st.Page(room.file, title=room.title, icon=room.icon, url_path=room.name) for room in rooms]
        for name, rooms in sections().items()
    }
    with guarded(), doors.inside():
        luggage.claim()
        page = st.navigation({**pages, "": [home, *pages[""]]}, position="top")
        if bar.stands_back(page.url_path):
            page.run()
