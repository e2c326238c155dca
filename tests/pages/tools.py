"""What several page tests do with a page under Streamlit's AppTest."""

import re
from typing import Protocol

from streamlit.testing.v1 import AppTest

SPOKEN = ("markdown", "caption", "info", "warning", "error", "success", "title")


class Runs(Protocol):
    """A page, or a widget that was moved."""

    def run(self) -> AppTest: ...


def ran(page_or_moved_widget: Runs) -> AppTest:
    """Run the page; an exception in it fails the test."""
    app = page_or_moved_widget.run()
    assert not app.exception, app.exception[0].value
    return app


def said(app: AppTest) -> str:
    """All text on the page, but for HTML."""
    return "\n".join(element.value for kind in SPOKEN for element in getattr(app, kind))


def html(app: AppTest) -> str:
    """All HTML on the page, with ordinary spaces where no line may break."""
    return "\n".join(element.proto.body for element in app.get("html")).replace("\u00a0", " ")


def rows(app: AppTest) -> list[list[str]]:
    """All rows of all tables on the page, a string of HTML for each cell."""
    found = re.findall(r"<tr>(.*?)</tr>", html(app))
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]
