"""Downloads, the same on every page: pictures, arrays, tables, animations, the recipe, and the view as Python."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Download:
    """A file that is made when it is asked for.

    Args:
        label: What the button says.
        name: File name.
        mime: Its type.
        make: Returns the contents.
        note: What to know about it.
    """

    label: str
    name: str
    mime: str
    make: Callable[[], bytes | str]
    note: str = ""


def downloads(files: list[Download], *, key: str, script: str) -> None:
    """Show the downloads and the script in a folded panel."""
    with st.expander("Save and share", icon=":material/download:", key=f"{key}-exports"):
        st.caption(
            "The address of this page is a link to exactly this view. Files are lossless; each carries the recipe."
        )
        with st.container(horizontal=True):
            for file in files:
                st.download_button(
                    file.label,
                    data=file.make,
                    file_name=file.name,
                    mime=file.mime,
                    help=file.note or None,
                    key=f"{key}-{file.name}",
                    on_click="ignore",
                    width="content",
                )
        st.markdown("**The same as Python**")
        st.code(script, language="python")
