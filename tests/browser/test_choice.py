"""The forced choice in a browser: alone with the keyboard, and with a phone in the room."""

import pytest

from tests.browser.tools import BEYOND, settles

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
WATCH = """(root) => {
  window.seen = [];
  new MutationObserver(() => {
    const covers = [...root.querySelectorAll('.cover')].map((e) => getComputedStyle(e).visibility);
    window.seen.push(`${'seen' in root.dataset} ${covers}`);
  }).observe(root, { attributes: true, attributeFilter: ['data-seen'] });
}"""


def test_one_person_answers_a_series_and_sees_what_came_out(open_page):
    page = open_page("lectures", {"view": "choice", "trials": "12", "length": "2"}, width=390, height=844)
    page.locator(".choice").evaluate(WATCH)
    page.get_by_role("button", name="Begin").click()
    for number in range(1, 13):
        page.locator(".choice .count", has_text=f"{number} / 12").wait_for()
        page.locator(".choice button.left:enabled").wait_for()
        page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name="Whose perturbation do people follow?").wait_for()
    assert page.evaluate("seen") == ["true hidden,hidden", "false visible,visible"] * 12, "seen briefly, then covered"
    assert not settles(page, BEYOND)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Answers, CSV").click()
    table = saved.value.path().read_text().splitlines()
    assert table[0] == "trial,original,condition,asked,answer,moved_toward_it,chosen"
    assert len(table) == 13
    assert {line.split(",")[4] for line in table[1:]} == {"left"}
    page.get_by_role("button", name="Another round").click()
    page.get_by_role("button", name="Begin").wait_for()
    page.get_by_role("heading", name="Whose perturbation do people follow?").wait_for(state="detached")


def test_a_room_answers_by_phone(open_page):
    page = open_page("lectures", {"view": "choice", "trials": "12", "who": "room"})
    page.get_by_role("button", name="Open a room").click()
    page.get_by_role("button", name="Begin").wait_for()
    code = page.evaluate(
        "() => [...document.querySelectorAll('h2')].map((h) => h.innerText.trim()).find((t) => /^[A-Z]{4}$/.test(t))"
    )
    phone = page.context.new_page()
    phone.goto(page.url.split("/lectures")[0] + f"/join?room={code}")
    page.get_by_role("button", name="Begin").click()
    for number in range(1, 13):
        phone.bring_to_front()
        phone.get_by_role("heading", name=f"{number} / 12: Which is more like a").wait_for()
        phone.get_by_role("button", name="right").click()
        phone.get_by_text("Counted: right.").wait_for()
        page.bring_to_front()
        page.locator(".choice .count", has_text=f"{number} / 12 · 1 of 1 phones").wait_for()
        page.get_by_role("button", name="Finish" if number == 12 else "Next").click()
    page.get_by_role("heading", name="Whose perturbation do people follow?").wait_for()
    assert page.get_by_text("n = 4 answers").count() == 3
