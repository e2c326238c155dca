"""axe-core on every page, light and dark: nothing of serious impact, and nothing that only some people miss."""

import pytest

from pages.ui.rooms import ROOMS
from tests.browser.tools import settles

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = pytest.mark.browser

RESTS = """() => {
    const busy = document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'notRunning'
        || document.querySelector('[data-testid=stSkeleton]');
    const now = performance.now();
    if (busy) window.__busy = now;
    window.__busy ??= now;
    return now - window.__busy > 1000;
}"""
WAIT_MS = 180_000
GROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
CLOSED = ".stMain details:not([open]) > summary"
GRAVE = ("serious", "critical")
# What is switched off may be pale; axe knows that of a control, not of Streamlit's label above it.
OPTIONS = {"resultTypes": ["violations"]}
OFF = "[data-testid=stWidgetLabel][disabled]"


# These pages open on a phone in tests of their own, in every view.
ON_A_PHONE = {"perturb", "frog", "saliency", "synthesis", "transfer", "usefulness", "datasets"}
TOO_WIDE = "Math.max(0, document.querySelector('[data-testid=stMain]').scrollWidth - 390)"


@pytest.mark.parametrize("name", ["", *(room.name for room in ROOMS)])
def test_axe_finds_nothing_serious_in_light_and_dark_and_the_page_fits_a_phone(open_page, name):
    page = open_page(name, {"picture": "photo/chelsea"}, color_scheme="light", reduced_motion="reduce")
    page.wait_for_function(RESTS, timeout=WAIT_MS, polling=100)
    while page.locator(CLOSED).count():
        page.locator(CLOSED).first.click()
    page.wait_for_function(RESTS, timeout=WAIT_MS, polling=100)
    assert grave(page) == []
    bright = page.evaluate(GROUND)
    page.emulate_media(color_scheme="dark")  # an open page follows its system
    page.wait_for_function(f"bright => {GROUND} !== bright", arg=bright)
    page.evaluate(DRAWN)  # our components have their colour with the next frame
    assert grave(page) == [], "with no run of the page, which may have been left as it is"
    assert page.locator(".katex-error").count() == 0, "a formula that does not render"
    if name not in ON_A_PHONE:
        page.set_viewport_size({"width": 390, "height": 844})
        assert settles(page, TOO_WIDE) == 0


def grave(page: "playwright.Page") -> list[str]:  # noqa: F821 - an optional dependency
    """What axe-core finds of serious impact."""
    found = axe.Axe().run(page, context={"exclude": [[OFF]]}, options=OPTIONS).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]
