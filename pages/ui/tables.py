"""A table that scrolls inside itself where it is wider than the page."""

import re
from collections.abc import Iterable, Sequence

import streamlit as st

CELL = (
    "padding: 0.3rem 0.7rem; border-bottom: 1px solid rgba(128, 128, 128, 0.3); text-align: left; vertical-align: top"
)
UNBROKEN = re.compile(r"(?<=\d) (?=%)|(?<=\d,) (?=-?\d)")  # the spaces in "74.1 % [73.3, 75.0]" where no line may break
NBSP = "\u00a0"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, label: str) -> None:
    """Show a table of HTML cells.

    The style stands in the elements: a style sheet of its own may reach the browser later than the table.

    Args:
        heads: Column titles.
        rows: Cells, as HTML; the first of each row is its title.
        label: What the table is, for screen readers.
    """
    head = "".join(f'<th scope="col" style="{CELL}">{text}</th>' for text in heads)
    body = "".join(f"<tr>{_row(cells)}</tr>" for cells in rows)
    st.html(
        f'<div role="region" tabindex="0" aria-label="{label}" style="overflow-x: auto; font-size: 0.9rem">'
        f'<table style="border-collapse: collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def strong(number: str, before: str = "<b>", after: str = "</b>") -> str:
    """Let the value stand out in a number with its interval: "74.1 % [73.3, 75.0]", by default as HTML."""
    value, bracket, interval = number.partition(" [")
    return f"{before}{value}{after}{bracket}{interval}"


def _row(cells: Sequence[str]) -> str:
    title, *others = cells
    return f'<th scope="row" style="{CELL}; font-weight: 500">{title}</th>' + "".join(
        f'<td style="{CELL}">{UNBROKEN.sub(NBSP, cell)}</td>' for cell in others
    )
