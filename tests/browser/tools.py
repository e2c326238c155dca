"""What several browser tests ask of a page."""

from urllib.parse import parse_qs, urlsplit


def address(page: "playwright.Page") -> dict[str, str]:  # noqa: F821 - an optional dependency
    """Read the query of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def settles(page: "playwright.Page | playwright.Locator", script: str, patience_ms: int = 15_000) -> object:  # noqa: F821
    """Evaluate until the result is empty or 0, for styles may come after what they style; return the last one.

    On a page, or on whatever a locator finds by then.
    """
    found = page.evaluate(script)
    for _ in range(patience_ms // 250):
        if not found:
            break
        getattr(page, "page", page).wait_for_timeout(250)
        found = page.evaluate(script)
    return found


def still(found: "playwright.Locator", patience_ms: int = 15_000) -> dict[str, float]:  # noqa: F821
    """Return the box of an element in sight once it no longer moves, for what is above may come later."""
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    for _ in range(patience_ms // 250):
        found.page.wait_for_timeout(250)
        before, box = box, found.bounding_box()
        if box == before:
            break
    return box
