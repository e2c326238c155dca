"""One Stop is on a page at a time, whatever was interrupted before."""

from pathlib import Path

import pytest

from tests.app_process import serving

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

DEMO = Path(__file__).with_name("stop_demo.py")


def test_the_stop_of_a_run_that_was_interrupted_is_not_shown_beside_the_next(browser, tmp_path):
    with serving(tmp_path / "server.log", DEMO) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("Working, first…").wait_for(timeout=60_000)
        stop = page.get_by_role("button", name="Stop", exact=True)
        playwright.expect(stop).to_have_count(1)
        page.get_by_text("again", exact=True).click()
        page.get_by_text("Working, again…").wait_for()
        playwright.expect(stop).to_have_count(1)
        assert page.get_by_text("Working, first…").is_hidden()
        page.wait_for_timeout(1000)
        assert page.locator("[class*=st-key-work-row]").count() == 2, "the old one is still there, and hidden"
        playwright.expect(stop).to_have_count(1)
        stop.click()
        playwright.expect(stop).to_have_count(0)
        page.close()
