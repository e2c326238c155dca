"""A Chromium and pages of the running app, for all files here."""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest

PATIENCE_MS = 60_000
# A whole Chromium loads two pages more for every window: what opens below its address bar, in which nobody types.
# It heeds the last such list alone; what playwright turns off is therefore here, too.
OFF = (
    "AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,"
    "HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,MediaRouter,NetworkTimeServiceQuerying,"
    "OptimizationHints,PaintHolding,PreconnectToSearch,ThirdPartyStoragePartitioning,"
    "WebUIOmniboxAimPopup,WebUIOmniboxPopup"
)
QUIET = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    f"--disable-features={OFF}",
    "--no-zygote",  # a page's process that starts from nothing uses a fifth less than one forked from a prepared one
)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator["playwright.Browser"]:  # noqa: F821 - an optional dependency
    """A running Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *QUIET])
        yield running
        running.close()


@pytest.fixture
def open_page(browser, app_server) -> Iterator[Callable[..., "playwright.Page"]]:  # noqa: F821
    """A function that opens a path of the app in a context of its own; an error in any of its pages fails the test."""
    contexts, problems = [], []

    def go(path: str, query: dict[str, str], *, width: int = 1280, height: int = 900, **context):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **context))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{app_server}/{path}?{urlencode(query)}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert not problems
