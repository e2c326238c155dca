"""Every lesson on one page, for the browser to typeset: a formula that fails is red on any page that shows it."""

import streamlit as st

from core.models import checkpoints
from pages.ui.store import lesson

FOLDER = checkpoints.FOLDER.parent / "assets" / "lessons"


def main() -> None:
    for path in sorted(FOLDER.glob("*.md")):
        for title, text in lesson(path.stem).items():
            with st.container(key=f"{path.stem}-{title}"):
                st.markdown(text)
    st.text("all shown")


if __name__ == "__main__":
    main()
