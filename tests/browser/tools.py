"""What several browser tests ask of a page."""

import base64
from urllib.parse import parse_qs, urlsplit

import numpy as np

TO_TEXT = """(made) => { let text = "";
  for (let i = 0; i < made.length; i += 32768) text += String.fromCharCode(...made.subarray(i, i + 32768));
  return btoa(text); }"""

# What makes the page or its main part scroll sideways: each element beyond the edge, with its place. Streamlit scrolls
# in its main part, so the document itself is never too wide; our components live in shadow trees, which a selector of
# the page does not see.
BEYOND = """() => {
  const wide = [...document.querySelectorAll('[data-testid=stMain], html')].some(e => e.scrollWidth > e.clientWidth);
  const edge = document.documentElement.clientWidth + 1;
  const name = e => `${e.tagName}.${e.dataset?.testid || e.getAttribute('class')}`.slice(0, 60);
  const all = root => [...root.querySelectorAll('*')].flatMap(e => e.shadowRoot ? [e, ...all(e.shadowRoot)] : [e]);
  return !wide ? [] : ['it scrolls sideways', ...all(document).map(e => [e, e.getBoundingClientRect()])
    .filter(([e, r]) => r.right > edge)
    .map(([e, r]) => `${name(e)} ${Math.round(r.left)}-${Math.round(r.right)}`).slice(0, 12)];
}"""


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


def levels(of: "playwright.Locator", script: str, *shape: int, argument: object = None) -> np.ndarray:  # noqa: F821
    """Evaluate what returns an array of bytes; it comes as text, since as a list a megabyte takes seconds.

    Args:
        of: The element that the script is given.
        script: JavaScript, (element, argument) => bytes.
        shape: Of the result; -1 as in numpy.
        argument: The script's second one.
    """
    text = of.evaluate(f"(element, argument) => ({TO_TEXT})(({script})(element, argument))", argument)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


def held(canvas: "playwright.Locator", *shape: int) -> np.ndarray:  # noqa: F821
    """Return all frames (F, H, W, 3) of a canvas, as the component holds them."""
    frames = [levels(canvas, "(c, f) => c.__pixels(f)", *shape[1:], argument=f) for f in range(shape[0])]
    return np.stack(frames)
