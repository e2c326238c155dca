"""What several browser tests ask of a page."""

from urllib.parse import parse_qs, urlsplit


def address(page: "playwright.Page") -> dict[str, str]:  # noqa: F821 - an optional dependency
    """Read the query of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
