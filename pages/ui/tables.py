"""A table that scrolls inside itself where it is wider than the page."""

import re
from collections.abc import Iterable, Sequence

import streamlit as st

from pages.ui.escaped import Html, html_of

CELL = (
    "padding: 0.3rem 0.7rem; border-bottom: 1px solid rgba(128, 128, 128, 0.3); text-align: left; vertical-align: top"
)
UNBROKEN = re.compile(r"(?<=\d) (?=%)|(?<=\d,) (?=-?\d)")  # the spaces in "74.1 % [73.3, 75.0]" where no line may break
NBSP = "\u00a0"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, label: str) -> None:
    """Show a table; a cell is shown as it stands, unless it is `Html`.

    The style stands in the elements: a style sheet of its own may reach the browser later than the table.

    Args:
        heads: Column titles.
        rows: Cells; the first of each row is its title.
        label: What the table is, for screen readers.
    """
    head = "".join(f'<th scope="col" style="{CELL}">{html_of(text)}</th>' for text in heads)
    body = "".join(f"<tr>{_row(cells)}</tr>" for cells in rows)
    st.html(
        f'<div role="region" tabindex="0" aria-label="{html_of(label)}" style="overflow-x: auto; font-size: 0.9rem">'
        f'<table style="border-collapse: collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def strong(number: str, more: str = "") -> Html:
    """Let the value stand out in a number with its interval: "74.1 % [73.3, 75.0]", and say more behind it."""
    value, bracket, interval = number.partition(" [")
    return Html(f"<b>{html_of(value)}</b>{html_of(bracket, interval, more)}")


def _row(cells: Sequence[str]) -> str:
    title, *others = cells
    return f'<th scope="row" style="{CELL}; font-weight: 500">{html_of(title)}</th>' + "".join(
        f'<td style="{CELL}">{UNBROKEN.sub(NBSP, html_of(cell))}</td>' for cell in others
    )
