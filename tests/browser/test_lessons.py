"""The formulas of the lessons, typeset in a real Chromium."""

from pathlib import Path

import pytest

from tests.app_process import serving

pytestmark = pytest.mark.browser


def test_no_formula_fails_or_stays_raw(browser, tmp_path: Path):
    with serving(tmp_path / "server.log", Path(__file__).with_name("lessons_demo.py")) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("all shown", exact=True).wait_for(timeout=60_000)
        page.locator(".katex").first.wait_for()
        failed = page.evaluate("Array.from(document.querySelectorAll('.katex-error'), node => node.textContent)")
        assert failed == []
        typeset = page.evaluate("document.querySelectorAll('.katex-display').length")
        raw = page.evaluate(
            "Array.from(document.querySelectorAll('p')).filter(p => p.textContent.includes('$$')).length"
        )
        assert typeset >= 10
        assert raw == 0
        page.close()
