"""The talk is given: a clicker's keys through all steps, notes that follow, a room of sixty phones that votes."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from core.lectures import shelf
from core.lectures.shown import MODELS
from tests.app_process import serving
from tests.browser.costs import Wire, cpu_of
from tests.browser.tools import BEYOND, address, settles

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
PATIENCE_MS = 180_000
KNOWN = re.compile(r"/_stcore/(health|host-config)$")
STATE = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState"
PHONES = 60
MOST_CPU_S, MOST_BYTES = 1.0, 1_500_000  # of a view that was computed before the key was pressed


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """The app without CIFAR-10."""
    folder = tmp_path_factory.mktemp("lectures")
    with serving(folder / "server.log", CIFAR10_DIR=str(folder)) as url:
        yield url


@pytest.fixture
def tab(browser, offline):
    """A function that opens an address; errors on the page and anything from another machine fail the test."""
    contexts, problems = [], []

    def go(path: str, *, width: int = 1440, height: int = 900, beside: object = None):
        if beside is None:
            contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        page = (beside.context if beside is not None else contexts[-1]).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(f"page: {error}"))
        page.on("request", lambda asked: _ours(asked.url, problems))
        page.on("response", lambda said: _found(said, problems))
        page.goto(f"{offline}/{path}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert not problems


def _ours(url: str, problems: list[str]) -> None:
    if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1":
        problems.append(f"asked another machine: {url}")


def _found(said, problems: list[str]) -> None:
    if said.status >= 400 and not KNOWN.search(said.url):
        problems.append(f"{said.status}: {said.url}")


def rest(page) -> None:
    """Wait until the server rests."""
    page.wait_for_function(
        f"() => {{ const now = performance.now(); if ({STATE} !== 'notRunning') window.__busy = now;"
        " window.__busy ??= now; return now - window.__busy > 400; }",
        timeout=PATIENCE_MS,
        polling=50,
    )
    page.evaluate("delete window.__busy")


def at(page) -> str:
    return page.locator(".bar .at").inner_text()


@pytest.mark.slow
def test_the_paper_in_15_minutes_is_given_with_a_clicker(tab, offline, record_property):
    """All of it, offline: no step is empty, no error, each opens the view of its link.

    What the server computes and sends for each is bounded; the times, which depend on what else the machine does, are
    recorded.
    """
    lecture, times, costs = shelf.get("paper"), [], []
    page = tab("?lecture=paper&step=1")
    page.locator(".bar").wait_for()
    wire, cpu = Wire(page), cpu_of(offline)
    for number, step in enumerate(lecture.steps, 1):
        if number > 1:
            page.locator(".ready[data-ready=true]").wait_for(state="attached")
            page.keyboard.press("PageDown")
        if step.question is not None:
            page.locator(".ask .question", has_text=step.question.ask).wait_for()
            assert page.locator(".ask .answers").inner_text() or page.locator(".ask input").count()
            assert page.get_by_role("heading", level=1).count() == 0, "the view is to be seen after the vote only"
            page.locator(".ready[data-ready=true]").wait_for(state="attached")
            page.keyboard.press("PageDown")
        began, wire.bytes, before = time.monotonic(), 0, cpu()
        page.wait_for_function("n => new URLSearchParams(location.search).get('step') === n", arg=str(number))
        page.get_by_role("heading", level=1).first.wait_for()
        first = time.monotonic() - began
        rest(page)
        if number > 1:
            costs.append((step.title, round(cpu() - before, 2), wire.bytes))
        times.append((number, step.title, round(first, 2), round(time.monotonic() - began - 0.4, 2)))
        assert at(page) == f"{number} / {len(lecture.steps)}"
        assert urlsplit(page.url).path == f"/{step.path}"
        assert step.question is None or address(page)["shown"] == "true"
        assert address(page).items() >= step.query.items()
        assert page.locator("[data-testid=stAlertContentError], [data-testid=stException]").count() == 0
        assert page.locator("canvas, svg, img, table").count() > 3, "an empty step"
    record_property("seconds to the view, and to rest", json.dumps(times))
    record_property("CPU seconds of the server, and bytes", json.dumps(costs))
    assert [cost for cost in costs if cost[1] > MOST_CPU_S or cost[2] > MOST_BYTES] == []
    page.keyboard.press("PageDown")
    page.wait_for_timeout(300)
    assert at(page) == f"{len(lecture.steps)} / {len(lecture.steps)}", "the last step is the last"


def test_on_a_stage_the_answer_leaves_room_for_both_verdicts(tab):
    page = tab("perturb?lecture=paper&step=2&shown=true&target=truck&attack=FGSM&present=true", width=1920, height=1080)
    page.locator(".verdict .right", has_text="the standard model").wait_for()
    page.locator(".row .verdict").first.wait_for()
    rest(page)
    low = page.evaluate(LOWEST)
    assert low["words"] <= low["bar"], low
    assert min(low["wide"]) >= 480


LOWEST = """() => {
  const found = [];
  const walk = (root) => root.querySelectorAll('*').forEach((e) => { found.push(e);
    if (e.shadowRoot) walk(e.shadowRoot); });
  walk(document);
  const rows = found.filter((e) => e.matches('.row')).slice(0, 2);
  return {
    words: Math.max(...rows.map((r) => r.querySelector('.verdict').getBoundingClientRect().bottom)),
    wide: rows.map((r) => r.querySelector('.current canvas').getBoundingClientRect().width),
    bar: found.find((e) => e.matches('nav.bar')).getBoundingClientRect().top,
  };
}"""


def test_page_up_goes_back_and_presenter_mode_stays(tab):
    """Three times: once the views are computed, a second key overtakes the run of the first."""
    page = tab("gaussian?lecture=paper&step=16&shown=true&eps=0&present=true")
    page.locator(".bar").wait_for()
    rest(page)
    for _ in range(3):
        page.keyboard.press("PageDown")
        page.locator(".ask .question").wait_for()
        page.keyboard.press("PageDown")
        page.locator(".verdict .right", has_text="from one class to the other").wait_for()
        assert address(page) | {"lecture": "paper", "step": "17", "shown": "true", "present": "true"} == address(page)
        assert address(page)["eps"] == "10"
        page.keyboard.press("PageUp")
        page.keyboard.press("PageUp")
        page.wait_for_function("() => location.search.includes('step=16')")
        rest(page)
        assert at(page) == "16 / 19"
        assert address(page)["step"] == "16"
        assert address(page).get("eps", "0") in ("0", "0.0")


def test_a_connection_that_ended_for_good_does_not_end_the_lecture(tab):
    page = tab("gaussian?lecture=paper&step=16&shown=true&eps=0&present=true")
    page.locator(".bar").wait_for()
    rest(page)
    page.evaluate("""() => {
        window.same = true;
        document.querySelector("[data-testid=stApp]").dataset.testConnectionState = "DISCONNECTED_FOREVER";
    }""")
    page.keyboard.press("PageDown")
    page.locator(".ask .question").wait_for()
    assert at(page) == "17 / 19"
    assert page.evaluate("window.same") is None, "it was loaded anew"


def test_whoever_wanders_off_keeps_the_lecture_until_they_end_it(tab):
    page = tab("gaussian?lecture=paper&step=16&shown=true&eps=0")
    page.locator(".bar").wait_for()
    rest(page)
    page.get_by_role("link", name="Home").first.click()  # the last pages of the navigation may be folded away
    page.get_by_role("heading", name="Robust Frog", exact=True).wait_for()
    rest(page)
    assert at(page) == "16 / 19"
    page.locator(".bar .end").click()
    page.locator(".bar").wait_for(state="detached")
    rest(page)
    assert "lecture" not in address(page)


def test_the_notes_follow_and_their_clicker_leads(tab):
    page = tab("gaussian?lecture=paper&step=16&shown=true&eps=0")
    page.locator(".bar").wait_for()
    rest(page)
    steps = shelf.get("paper").steps
    notes = tab("notes", beside=page)
    notes.get_by_role("heading", name=steps[15].title).wait_for()
    assert steps[15].look_for in notes.locator(".look").inner_text()
    notes.keyboard.press("PageDown")
    notes.get_by_role("heading", name=steps[16].title).wait_for()
    assert steps[16].question.ask in notes.locator(".question").inner_text()
    page.locator(".ask .question", has_text=steps[16].question.ask).wait_for()
    page.bring_to_front()
    page.keyboard.press("PageUp")
    notes.get_by_role("heading", name=steps[15].title).wait_for()
    stranger = tab("notes")
    stranger.wait_for_timeout(1000)
    assert stranger.get_by_role("heading", level=1).inner_text() == "Waiting for a lecture"


class Phone:
    """A phone without its screen: what assets/lectures/windows/join.html says and hears."""

    def __init__(self, url: str, code: str) -> None:
        from websockets.sync.client import connect

        self.opened = connect(f"{url.replace('http', 'ws')}/_room/{code}?phone=", open_timeout=60)
        self.socket = self.opened.__enter__()
        self.word = self.hear("welcome")["phone"]

    def hear(self, kind: str, wanted=lambda told: True) -> dict:
        until = time.monotonic() + 60
        while True:
            told = json.loads(self.socket.recv(timeout=until - time.monotonic()))
            if told["is"] == kind and wanted(told):
                return told

    def vote(self, value: float) -> None:
        """Vote, and wait until it is counted."""
        self.socket.send(json.dumps({"vote": value}))
        self.hear("state", lambda told: told["voted"] == value)


def test_sixty_phones_vote_once_each_and_no_vote_is_lost_when_the_lecturers_tab_reloads(tab, offline, record_property):
    pytest.importorskip("websockets")
    page = tab("gaussian?lecture=paper&step=16&shown=true&eps=0")
    page.locator(".bar .room").click()
    page.locator(".open").click()
    page.locator(".opened .code").wait_for()
    code = page.locator(".opened .code").inner_text()
    page.locator(".shut").click()
    page.keyboard.press("PageDown")
    page.locator(".ask .question").wait_for()
    with ThreadPoolExecutor(PHONES) as pool:
        phones = list(pool.map(lambda _: Phone(offline, code), range(PHONES)))
        assert len({phone.word for phone in phones}) == PHONES
        list(pool.map(lambda one: one.hear("state", lambda told: told["question"] is not None), phones))
        half = PHONES // 2
        list(pool.map(lambda one: one.vote(1), phones[:half]))
        page.locator(".ask .count", has_text=f"{half} of {PHONES} phones voted").wait_for()
        assert page.locator(".votes .row").count() == 0, "nobody sees votes before the answer"
        page.reload()
        page.locator(".ask .count", has_text=f"{half} of {PHONES} phones voted").wait_for()
        assert page.locator(".bar .room").inner_text().startswith(code)
        began = time.monotonic()
        list(pool.map(lambda one: one.vote(2), phones))  # the first half changes its mind: still one vote each
        page.locator(".ask .count", has_text=f"{PHONES} of {PHONES} phones voted").wait_for()
        record_property("seconds for all votes to be counted and told", round(time.monotonic() - began, 2))
    page.keyboard.press("PageDown")
    page.locator(".votes .n", has_text=f"n = {PHONES}").wait_for()
    assert page.locator(".votes .row").all_inner_texts()[1].split()[-1] == str(PHONES)
    assert [row.split()[-1] for row in page.locator(".votes .row").all_inner_texts()] == ["0", str(PHONES), "0"]
    with page.expect_download() as saved:
        page.locator(".bar .room").click()
        page.locator(".csv").click()
    table = saved.value.path().read_text().splitlines()
    assert table[0] == "lecture,step,question,answer,votes,n"
    assert [line.rsplit(",", 2)[1:] for line in table[1:]] == [["0", "60"], ["60", "60"], ["0", "60"]]
    page.locator(".close-room").click()
    assert all("ended" in phone.hear("over")["text"] for phone in phones[:3])
    for phone in phones:
        phone.opened.__exit__(None, None, None)


def test_a_phone_votes_at_390_pixels(tab):
    page = tab("gaussian?lecture=paper&step=17")
    page.locator(".bar .room").click()
    page.locator(".open").click()
    page.locator(".opened .code").wait_for()
    code = page.locator(".opened .code").inner_text()
    page.locator(".shut").click()
    phone = tab(f"join?room={code}", width=390, height=844)
    phone.get_by_role("button", name="from one class to the other").click()
    phone.get_by_text("Counted: from one class to the other.").wait_for()
    assert not settles(phone, "document.documentElement.scrollWidth > innerWidth")
    page.locator(".ask .count", has_text="1 of 1 phone voted").wait_for()
    phone.reload()
    phone.get_by_text("Counted: from one class to the other.").wait_for()
    page.locator(".ask .count", has_text="1 of 1 phone voted").wait_for()
    page.keyboard.press("PageDown")
    phone.get_by_text("Look at the screen.").wait_for()


def test_a_code_that_nobody_has_is_told(tab):
    phone = tab("join?room=ZZZZ", width=390, height=844)
    phone.get_by_text("There is no room with this code now.").wait_for()
    phone.get_by_label("The code on the screen").wait_for()


def test_a_lecture_that_there_is_not_is_told(tab):
    page = tab("gaussian?lecture=nothing&step=2")
    page.get_by_text("there is no lecture 'nothing'").wait_for()
    page.get_by_role("heading", name="Gaussian", exact=True).wait_for()


def test_the_room_labels_a_picture_and_then_hears_what_the_models_say(tab, checkpoint):
    for name in MODELS:
        checkpoint(name)
    steps = shelf.get("paper").steps
    number = next(i for i, step in enumerate(steps, 1) if step.question and len(step.question.shows) == 1)
    page = tab(f"{steps[number - 1].path}?lecture=paper&step={number}&view=quiz", width=1920, height=1080)
    page.locator(".ask .shown img").wait_for()
    assert page.locator(".ask .shown img").bounding_box()["width"] > 300
    assert page.locator(".ask .shown figcaption").count() == 0, "the models speak after the vote"
    page.locator(".bar .room").click()
    page.locator(".open").click()
    page.locator(".opened .code").wait_for()
    code = page.locator(".opened .code").inner_text()
    page.locator(".shut").click()
    phone = tab(f"join?room={code}", width=390, height=844)
    seen = phone.locator(".shown img")
    seen.wait_for()
    assert seen.evaluate("e => [e.naturalWidth, e.src.slice(0, 15)]") == [32, "data:image/png;"], "lossless"
    assert seen.get_attribute("src") == page.locator(".ask .shown img").get_attribute("src")
    assert not settles(phone, "document.documentElement.scrollWidth > innerWidth")
    phone.get_by_role("button", name="frog").click()
    phone.get_by_text("Counted: frog.").wait_for()
    page.keyboard.press("PageDown")
    page.locator(".votes .n", has_text="n = 1").wait_for()
    rows = page.locator(".votes .row").all_inner_texts()
    assert [row.split()[0] for row in rows if "ResNet-9" in row] == ["frog", "truck"]
    assert "Standard ResNet-9: truck" in page.locator(".verdict .shown figcaption").inner_text()
    phone.get_by_text("Look at the screen.").wait_for()
    assert phone.locator(".shown img").count() == 0


def test_which_of_two_pictures_was_attacked(tab, checkpoint):
    for name in MODELS:
        checkpoint(name)
    page = tab("perturb?lecture=paper&step=3&norm=Linf", width=390, height=844)
    page.locator(".ask .shown img").nth(1).wait_for()
    assert page.locator(".ask .shown figcaption").all_inner_texts() == ["left", "right"]
    assert not settles(page, BEYOND)
    page.locator(".answers button", has_text="left").click()
    page.keyboard.press("PageDown")
    page.locator(".verdict .guess", has_text="you said: left.").wait_for()
    left, right = page.locator(".verdict .shown figcaption").all_inner_texts()
    assert "Standard ResNet-9: dog" in left
    assert "Standard ResNet-9: cat" in right
