"""The scrubber in a real Chromium, on the synthetic trajectories of `scrubber_demo`."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.files.render import amplified, to_uint8
from core.words import percent
from tests.app_process import serving
from tests.browser.scrubber_demo import AXIS, FRAMES, rows
from tests.browser.tools import BEYOND, held, levels

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

DEMO = Path(__file__).with_name("scrubber_demo.py")
LARGE = 224  # pixels a side: each frame is a piece by itself
SETTLED_MS = 900  # longer than the keyboard's debounce and a run of the page


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running demo."""
    with serving(tmp_path_factory.mktemp("scrubber") / "server.log", DEMO) as url:
        yield f"{url}/"


class Lab:
    """One open page of the demo, and what a person can see and do on its first scrubber."""

    def __init__(self, page: "playwright.Page", nth: int = 0) -> None:
        self.page = page
        self.root = page.locator(".scrubber[data-ready]").nth(nth)
        self.range = self.root.locator(".range")
        self.root.wait_for(timeout=60_000)
        self.root.evaluate("el => { el.seen = []; el.addEventListener('frame', e => el.seen.push(e.detail)) }")

    @property
    def frame(self) -> int:
        return int(self.range.input_value())

    @property
    def runs(self) -> int:
        return int(re.search(r"runs (\d+)", self.page.locator("body").inner_text())[1])

    @property
    def seen(self) -> list[int]:
        return [each["frame"] for each in self.root.evaluate("el => el.seen")]

    def settle(self) -> None:
        self.page.wait_for_timeout(SETTLED_MS)

    def view(self, name: str) -> None:
        self.root.locator(f"[name=view][value={name}]").check(force=True)

    def rerun(self) -> None:
        before = self.runs
        self.page.get_by_role("button", name="rerun").click()
        self.page.get_by_text(f"runs {before + 1}", exact=True).wait_for()
        self.settle()

    def held(self, row: int) -> list[int]:
        """The frames whose pictures the browser has."""
        has = "(c, n) => Array.from({ length: n }, (_, f) => f).filter((f) => c.__pixels(f).length)"
        return self.root.locator(".current canvas").nth(row).evaluate(has, FRAMES)

    def wait_for_all(self) -> None:
        for row in range(self.root.locator(".row").count()):
            canvas = self.root.locator(".current canvas").nth(row).element_handle()
            whole = f"c => Array.from({{ length: {FRAMES} }}, (_, f) => f).every((f) => c.__pixels(f).length)"
            self.page.wait_for_function(whole, arg=canvas)

    def on_track(self, frame: int) -> tuple[float, float]:
        """Where the thumb's centre is at a frame."""
        box = self.range.bounding_box()
        return box["x"] + 11 + (box["width"] - 22) * frame / (FRAMES - 1), box["y"] + box["height"] / 2

    def drag(self, start: int, end: int) -> None:
        mouse = self.page.mouse
        mouse.move(*self.on_track(start))
        mouse.down()
        for frame in range(start, end + (1 if end > start else -1), 1 if end > start else -1):
            mouse.move(*self.on_track(frame))
            self.page.wait_for_timeout(30)


@pytest.fixture
def visit(browser, demo):
    """Open the demo with a query and options of the browser context; errors in the page fail the test."""
    contexts, errors = [], []

    def go(query: str = "", nth: int = 0, prepare=lambda page: None, **options) -> Lab:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 1000}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        prepare(page)
        page.goto(f"{demo}?{query}")
        return Lab(page, nth)

    yield go
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def large(visit):
    """Open the demo on large pictures, whose other frames are held back; what was asked for is told, too."""

    def go(query: str, *, broken: int = 0) -> tuple[Lab, "Pieces"]:
        made = []
        lab = visit(f"size={LARGE}&{query}", prepare=lambda page: made.append(Pieces(page, broken=broken)))
        return lab, made[0]

    return go


@pytest.mark.alone
def test_every_frame_is_seen_while_dragging_and_the_page_does_not_run(visit):
    lab = visit()
    before = lab.runs
    lab.drag(0, FRAMES - 1)
    assert {0, *lab.seen} == set(range(FRAMES))  # the first was there before
    lab.page.mouse.up()
    lab.settle()
    assert lab.runs == before
    assert lab.page.get_by_text("in sight None", exact=True).count() == 1


def test_the_page_runs_once_on_release_if_it_asked_for_it(visit):
    lab = visit("report=1")
    before = lab.runs
    lab.drag(0, 12)
    lab.settle()
    assert lab.runs == before, "a run while the slider was held"
    lab.page.mouse.up()
    lab.page.get_by_text("in sight 12", exact=True).wait_for()
    lab.settle()
    assert lab.runs == before + 1
    assert lab.frame == 12
    lab.page.mouse.down()
    lab.page.mouse.up()
    lab.settle()
    assert lab.runs == before + 1, "a run although nothing moved"


def test_a_run_of_key_presses_is_one_report(visit):
    lab = visit("report=1")
    before = lab.runs
    lab.range.focus()
    for _ in range(5):
        lab.page.keyboard.press("ArrowRight")
    lab.page.get_by_text("in sight 5", exact=True).wait_for()
    lab.settle()
    assert lab.runs == before + 1


def test_keys_move_the_slider(visit):
    lab = visit()
    lab.range.focus()
    for key, frame in [
        *(("ArrowRight", 1), ("ArrowUp", 2), ("ArrowLeft", 1), ("End", FRAMES - 1), ("PageDown", FRAMES - 3)),
        *(("Home", 0), ("PageUp", 2), ("ArrowDown", 1)),
    ]:
        lab.page.keyboard.press(key)
        assert lab.frame == frame, key
        assert lab.root.locator(".value").inner_text() == f"ε = {AXIS.labels[frame]}"
        assert lab.range.get_attribute("aria-valuetext") == f"ε = {AXIS.labels[frame]}"


def test_space_plays_to_the_end_and_stops(visit):
    lab = visit()
    lab.range.focus()
    lab.page.keyboard.press("Space")
    assert lab.root.get_by_role("button", name="Pause").count() == 1
    lab.page.wait_for_function("el => el.seen.at(-1)?.frame === 16", arg=lab.root.element_handle())
    assert lab.root.get_by_role("button", name="Play").count() == 1
    assert {0, *lab.seen} == set(range(FRAMES))
    lab.page.keyboard.press("Space")
    lab.page.wait_for_function("el => el.seen.at(-1)?.frame === 3", arg=lab.root.element_handle())
    lab.page.keyboard.press("Space")
    paused = lab.frame
    lab.settle()
    assert lab.frame == paused


def test_buttons_step(visit):
    lab = visit()
    assert lab.root.get_by_role("button", name="Previous frame").is_disabled()
    lab.root.get_by_role("button", name="Next frame").click()
    lab.root.get_by_role("button", name="Next frame").click()
    lab.root.get_by_role("button", name="Previous frame").click()
    assert lab.frame == 1


def test_the_browser_holds_exactly_the_computed_pixels(visit):
    lab = visit()
    for i, row in enumerate(rows()):
        current, reference = (lab.root.locator(f".{name} canvas").nth(i) for name in ("current", "reference"))
        np.testing.assert_array_equal(held(current, *row.frames.shape), row.frames)
        clean = levels(reference, "c => c.__pixels()", *row.reference.shape)
        np.testing.assert_array_equal(clean, row.reference)


class Pieces:
    """What is asked for after the page, by name; held back until `let`."""

    def __init__(self, page: "playwright.Page", *, broken: int = 0) -> None:
        self.asked, self.held, self.open, self.broken = [], [], False, broken
        page.route("**/_pieces/*", self._came)

    def _came(self, route: "playwright.Route") -> None:
        self.asked.append(route.request.url.rpartition("/")[2])
        if self.asked.count(self.asked[-1]) <= self.broken:
            route.abort()
        elif self.open:
            route.continue_()
        else:
            self.held.append(route)

    def let(self) -> None:
        """Let through what was held back, and all that follows."""
        self.open, held, self.held = True, self.held, []
        for route in held:
            route.continue_()


def test_the_frame_in_sight_of_large_pictures_is_there_before_any_other(large):
    lab, pieces = large("frame=8&report=1")
    for i, row in enumerate(rows(size=LARGE)):
        np.testing.assert_array_equal(_drawn(lab.root.locator(".current canvas").nth(i)), row.frames[8])
        expected = to_uint8(amplified(row.delta[8:9], 10.0))[0].astype(int)
        assert np.abs(_drawn(lab.root.locator(".delta canvas").nth(i)).astype(int) - expected).max() <= 1
    assert lab.held(0) == [8]
    pieces.let()
    lab.wait_for_all()
    for i, row in enumerate(rows(size=LARGE)):
        current = lab.root.locator(".current canvas").nth(i)
        np.testing.assert_array_equal(held(current, *row.frames.shape), row.frames)
    assert len(pieces.asked) == len(set(pieces.asked)), "asked for twice"


def test_a_frame_that_is_still_on_its_way_is_faint_until_it_comes(large):
    lab, pieces = large("frame=8&report=1")
    lab.range.focus()
    lab.page.keyboard.press("End")
    assert lab.frame == FRAMES - 1
    waiting = lab.root.locator(".row[data-waiting]")
    assert waiting.count() == 2
    assert lab.root.locator(".row .percent").first.inner_text() != ""
    row = rows(size=LARGE)[0]
    np.testing.assert_array_equal(_drawn(lab.root.locator(".current canvas").first), row.frames[8])
    pieces.let()
    waiting.first.wait_for(state="detached")
    lab.wait_for_all()
    assert waiting.count() == 0
    np.testing.assert_array_equal(_drawn(lab.root.locator(".current canvas").first), row.frames[-1])


def test_playing_waits_for_frames_on_their_way(large):
    lab, pieces = large("frame=8&report=1")
    lab.root.get_by_role("button", name="Play").click()
    lab.settle()
    assert lab.frame == 8 and lab.root.locator(".row[data-waiting]").count() == 0
    pieces.let()
    lab.page.wait_for_function(f"r => Number(r.value) === {FRAMES - 1}", arg=lab.range.element_handle())


def test_a_rerun_and_a_slider_that_was_let_go_fetch_nothing_again(large):
    lab, pieces = large("frame=8&report=1")
    pieces.let()
    lab.wait_for_all()
    asked = len(pieces.asked)
    lab.rerun()
    lab.drag(8, 3)
    lab.page.mouse.up()
    lab.page.get_by_text("in sight 3", exact=True).wait_for()
    lab.settle()
    assert lab.frame == 3 and len(pieces.asked) == asked
    assert lab.held(0) == list(range(FRAMES))


def test_a_trajectory_of_large_pictures_grows_by_what_is_new(large):
    lab, pieces = large("frame=2&partial=1")
    pieces.let()
    lab.page.wait_for_timeout(SETTLED_MS)
    assert lab.held(0) == list(range(6))
    before = set(pieces.asked)
    lab.page.get_by_text("grown").click()
    lab.root.locator(".pending").wait_for(state="hidden")
    lab.wait_for_all()
    assert len(pieces.asked) == len(set(pieces.asked)) and len(set(pieces.asked) - before) == 2 * (FRAMES - 6)


def test_what_was_lost_on_its_way_is_asked_for_again(large):
    lab, pieces = large("frame=8&report=1", broken=1)
    pieces.let()
    lab.wait_for_all()
    assert {pieces.asked.count(name) for name in pieces.asked} == {2}


def _drawn(canvas: "playwright.Locator") -> np.ndarray:
    """Read what a canvas shows now."""
    rgba = levels(canvas, "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data", -1)
    return rgba.reshape(-1, canvas.evaluate("c => c.width"), 4)[..., :3]


def test_the_canvases_show_the_frame_and_its_amplified_perturbation(visit):
    lab = visit()
    lab.range.focus()
    row = rows()[1]
    for gain, key, frame in [(10, "End", FRAMES - 1), (50, "PageDown", FRAMES - 3)]:
        lab.root.locator(f"[name=gain][value='{gain}']").check(force=True)
        lab.range.focus()
        lab.page.keyboard.press(key)
        np.testing.assert_array_equal(_drawn(lab.root.locator(".current canvas").nth(1)), row.frames[frame])
        expected = to_uint8(amplified(row.delta[frame : frame + 1], float(gain)))[0].astype(int)
        shown = _drawn(lab.root.locator(".delta canvas").nth(1)).astype(int)
        assert np.abs(shown - expected).max() <= 1
        assert lab.root.locator(".pill.gain").nth(1).inner_text() == f"×{gain}"


def test_auto_gain_fills_the_grey_range(visit):
    lab = visit("frame=8")
    lab.root.locator("[name=gain][value=auto]").check(force=True)
    shown = _drawn(lab.root.locator(".delta canvas").first)
    assert (shown.min(), shown.max()) == (0, 255)
    largest = max(float(row.delta[8].abs().max()) for row in rows())
    assert lab.root.locator(".pill.gain").first.inner_text() == f"×{0.5 / largest:.1f}"


def test_pictures_are_crisp_and_a_whole_multiple_of_their_size(visit):
    lab = visit()
    for canvas in lab.root.locator("canvas").all():
        assert canvas.evaluate("c => getComputedStyle(c).imageRendering") == "pixelated"
        assert canvas.bounding_box()["width"] % 32 == pytest.approx(0, abs=1e-3)


def test_a_rerun_leaves_position_view_and_gain_alone(visit):
    lab = visit()
    lab.view("difference")
    lab.root.locator("[name=gain][value='20']").check(force=True)
    lab.range.focus()
    for _ in range(7):
        lab.page.keyboard.press("ArrowRight")
    lab.rerun()
    assert lab.frame == 7
    assert lab.root.get_attribute("data-view") == "difference"
    assert lab.root.locator(".pill.gain").first.inner_text() == "×20"
    assert set(lab.seen) <= set(range(8)), "it jumped"


def test_a_scrubber_that_left_the_page_stops_and_comes_back_where_it_was(visit):
    lab = visit("hide=1&frame=4")
    lab.view("split")
    lab.page.keyboard.press("Tab")
    lab.root.get_by_role("button", name="Play").click()
    gone = lab.root.element_handle()
    lab.page.get_by_text("hide", exact=True).click()
    lab.page.get_by_text("hidden", exact=True).wait_for()
    lab.settle()
    drawn = gone.evaluate("el => el.seen.length")
    lab.settle()
    assert gone.evaluate("el => el.seen.length") == drawn, "it still plays"
    lab.page.get_by_text("hide", exact=True).click()
    back = Lab(lab.page)
    assert back.root.get_attribute("data-view") == "split"
    assert back.frame >= 4
    assert back.root.locator(".row").count() == 2
    back.range.focus()
    back.page.keyboard.press("Home")
    assert back.frame == 0


def test_a_growing_trajectory_keeps_the_position_and_frees_the_track(visit):
    lab = visit("partial=1")
    assert lab.root.locator(".pending").is_visible()
    assert lab.root.locator(".unit").inner_text() == f"6 of {FRAMES} computed"
    lab.range.focus()
    lab.page.keyboard.press("End")
    assert lab.frame == 5
    lab.drag(5, 12)
    lab.page.mouse.up()
    assert lab.frame == 5, "beyond what is computed"
    lab.page.get_by_text("grown").click()
    lab.root.locator(".pending").wait_for(state="hidden")
    assert lab.frame == 5
    lab.range.focus()
    lab.page.keyboard.press("End")
    assert lab.frame == FRAMES - 1


def test_a_frame_still_being_computed_is_reached_when_it_comes(visit):
    lab = visit("partial=1&frame=9")
    assert lab.frame == 5
    lab.page.get_by_text("grown").click()
    lab.root.locator(".pending").wait_for(state="hidden")
    assert lab.frame == 9


def test_one_frame_is_drawn_and_cannot_be_moved(visit):
    lab = visit("lone=1")
    assert lab.range.is_disabled()
    assert lab.root.get_by_role("button", name="Play").is_disabled()
    np.testing.assert_array_equal(_drawn(lab.root.locator(".current canvas").first), rows()[0].frames[0])


def test_two_scrubbers_do_not_disturb_each_other(visit):
    lab = visit("two=1")
    other = Lab(lab.page, nth=1)
    assert (lab.root.get_attribute("data-view"), other.root.get_attribute("data-view")) == ("side", "split")
    lab.range.focus()
    lab.page.keyboard.press("End")
    assert (lab.frame, other.frame) == (FRAMES - 1, 0)
    other.range.focus()
    lab.page.keyboard.press("ArrowRight")
    assert (lab.frame, other.frame) == (FRAMES - 1, 1)
    other.view("flicker")
    assert lab.root.get_attribute("data-view") == "side"


def test_the_split_follows_pointer_and_keys_in_all_rows(visit):
    lab = visit("frame=16")
    lab.view("split")
    dividers = lab.root.get_by_role("slider", name="Position of the split")
    box = lab.root.locator(".current canvas").first.bounding_box()
    mouse = lab.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 4, box["y"] + 5, steps=5)
    mouse.up()
    assert [each.get_attribute("aria-valuenow") for each in dividers.all()] == ["25", "25"]
    line = dividers.first.bounding_box()
    assert line["x"] + line["width"] / 2 == pytest.approx(box["x"] + box["width"] / 4, abs=1)
    for key, position in [("ArrowRight", 27), ("PageDown", 17), ("Home", 0), ("ArrowLeft", 0), ("End", 100)]:
        lab.page.keyboard.press(key)
        assert dividers.last.get_attribute("aria-valuenow") == str(position), key
    assert lab.frame == FRAMES - 1


def test_flicker_alternates_and_says_what_it_shows(visit):
    lab = visit("frame=16")
    lab.view("flicker")
    showing = lab.root.locator(".showing")
    lab.root.locator(":scope[data-side=a]").wait_for()
    assert showing.inner_text() == "A  clean"
    assert lab.root.locator(".reference canvas").first.is_visible()
    assert not lab.root.locator(".current canvas").first.is_visible()
    lab.root.locator(":scope[data-side=b]").wait_for()
    assert showing.inner_text() == "B  ε = 8/255"
    lab.root.get_by_role("button", name="Alternate").click()
    lab.settle()
    assert lab.root.get_attribute("data-side") == "b"


def test_holding_a_key_compares(visit):
    lab = visit()
    lab.view("flicker")
    lab.root.get_by_role("button", name="Hold to compare").focus()
    lab.page.keyboard.down("Space")
    lab.settle()
    assert lab.root.get_attribute("data-side") == "a"
    lab.page.keyboard.up("Space")
    assert lab.root.get_attribute("data-side") == "b"


def test_nothing_flickers_by_itself_for_those_who_asked_for_less_motion(visit):
    lab = visit(reduced_motion="reduce")
    lab.view("flicker")
    lab.settle()
    assert lab.root.get_attribute("data-side") == "b"
    assert lab.root.get_by_role("button", name="Alternate").get_attribute("aria-pressed") == "false"


def test_what_the_page_says_follows_the_frame(visit):
    lab = visit()
    standard = rows()[0]
    lab.range.focus()
    lab.page.keyboard.press("End")
    assert lab.root.locator(".current canvas").first.get_attribute("aria-label") == standard.alt[-1]
    lab.settle()
    spoken = lab.root.get_by_role("status").text_content()
    assert spoken.startswith("ε = 8/255. Standard: ")
    assert all(row.alt[-1].rstrip(".") in spoken for row in rows())
    verdict = lab.root.locator(".verdict").first
    p = np.asarray(standard.probabilities)[-1]
    assert re.sub(r"\s+", " ", verdict.inner_text()) == f"dog {percent(float(p.max()))} ◆ fooled"
    assert lab.root.locator(".readouts dd").first.inner_text() == standard.readouts[0][1][-1]


def test_the_threshold_is_marked_on_slider_and_curve(visit):
    lab = visit()
    for i, row in enumerate(rows()):
        label = AXIS.labels[row.threshold]
        assert lab.root.locator(".threshold-name").nth(i).text_content() == f"fooled from ε = {label}"
    assert lab.root.locator(".mark").all_inner_texts() == ["Standard fooled", "Robust fooled"]
    mark = lab.root.locator(".mark").first.bounding_box()
    assert mark["x"] == pytest.approx(lab.on_track(rows()[0].threshold)[0], abs=1.5)


@pytest.mark.parametrize("width", [390, 1000, 1280, 1440])
def test_what_a_curve_says_of_its_mark_stays_in_its_column(visit, width):
    lab = visit("rows=3", viewport={"width": width, "height": 900})
    for row in lab.root.locator(".row").all():
        if row.locator(".threshold-name").count():
            words, curve = row.locator(".threshold-name").bounding_box(), row.locator(".curve").bounding_box()
            assert words["x"] >= curve["x"] - 1
            assert words["x"] + words["width"] <= curve["x"] + curve["width"] + 1


def test_the_name_of_a_mark_stays_on_a_phone(visit):
    lab = visit("rows=2&named", viewport={"width": 390, "height": 844})
    mark = lab.page.locator(".mark").filter(has_text="trained among noise")
    box, at = mark.locator("span").bounding_box(), mark.bounding_box()["x"]
    assert 0.5 * 390 < at < 0.75 * 390, "the mark that this is about"
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert lab.page.evaluate(BEYOND) == []


@pytest.mark.parametrize("view", ["side", "split", "flicker", "difference"])
def test_a_phone_needs_no_sideways_scrolling(visit, view):
    lab = visit("rows=3", viewport={"width": 390, "height": 844}, has_touch=True)
    lab.view(view)
    assert lab.page.evaluate(BEYOND) == []
    assert (
        max(
            lab.root.evaluate(
                "el => [...el.querySelectorAll('.toolbar *, .transport')].map(e => e.getBoundingClientRect().right)"
            )
        )
        <= 390
    )
    first = lab.root.locator(".row").first.bounding_box()
    assert first["x"] >= 0 and first["x"] + first["width"] <= 390


def test_a_phone_has_the_gain_where_the_difference_is_large(visit):
    lab = visit("rows=2", viewport={"width": 390, "height": 844}, has_touch=True)
    gain = lab.root.get_by_role("group", name="Gain")
    assert not gain.is_visible()
    lab.root.locator(".views label", has_text="Difference").click()
    gain.locator("label", has_text="×50").click()
    assert lab.root.locator(".pill.gain").first.inner_text() == "×50"
    assert lab.page.evaluate(BEYOND) == []


def test_on_a_phone_a_model_has_its_name_in_lines_that_end_between_words(visit):
    lab = visit("rows=3", viewport={"width": 390, "height": 844}, has_touch=True)
    lines = lab.root.locator(".names span").evaluate_all("all => all.map((one) => one.getClientRects().length)")
    assert len(lines) > 3 and set(lines) == {1}
    assert lab.root.locator(".names button").all_text_contents() == lab.root.locator(".row .title").all_text_contents()


def test_on_a_phone_the_next_model_is_a_swipe_or_a_button_away(visit):
    lab = visit("rows=3", viewport={"width": 390, "height": 844}, has_touch=True)
    assert lab.root.locator(".current canvas").first.bounding_box()["width"] >= 320
    lab.root.locator(".names button").nth(1).click()
    lab.page.wait_for_function(
        "el => Math.abs(el.querySelectorAll('.row')[1].getBoundingClientRect().left -"
        " el.getBoundingClientRect().left) < 2",
        arg=lab.root.element_handle(),
    )
    assert [b.get_attribute("aria-pressed") for b in lab.root.locator(".names button").all()] == [
        "false",
        "true",
        "false",
    ]


def test_the_slider_stays_in_sight_while_the_rows_scroll(visit):
    lab = visit(viewport={"width": 390, "height": 844})
    assert lab.root.get_attribute("data-stuck") is None
    lab.root.locator(".row").nth(1).locator(".readouts").scroll_into_view_if_needed()
    lab.root.locator(":scope[data-stuck]").wait_for()
    assert 0 <= lab.range.bounding_box()["y"] < 300


def test_rows_stand_side_by_side_and_pictures_grow_with_the_room(visit):
    widths = []
    for width in (1000, 1920):
        lab = visit(viewport={"width": width, "height": 1080})
        left, right = (row.bounding_box() for row in lab.root.locator(".row").all())
        assert left["y"] == right["y"]
        widths.append(lab.root.locator(".current canvas").first.bounding_box()["width"])
    assert widths[1] >= 384 > widths[0] >= 288


def test_holding_a_key_or_the_picture_shows_the_original_and_the_difference_in_its_place(visit):
    lab = visit("frame=9")
    large = lab.root.locator(".current canvas").first.bounding_box()
    for key, name in (("o", "reference"), ("d", "delta")):
        lab.page.keyboard.down(key)
        assert lab.root.locator(f".{name} canvas").first.bounding_box() == large
        lab.page.keyboard.up(key)
        assert lab.root.locator(".current canvas").first.bounding_box() == large
    lab.page.mouse.move(large["x"] + 9, large["y"] + 9)
    lab.page.mouse.down()
    assert lab.root.locator(".reference canvas").first.bounding_box() == large
    lab.page.mouse.up()
    assert lab.root.locator(".current canvas").first.bounding_box() == large


def test_view_and_gain_are_in_the_link_of_a_scrubber_that_reports(visit):
    lab = visit("report=1&frame=3")
    lab.view("difference")
    lab.root.locator("[name=gain][value='50']").check(force=True)
    assert "look=difference" in lab.page.url and "gain=50" in lab.page.url
    other = visit(lab.page.url.partition("?")[2])
    assert other.root.get_attribute("data-view") == "difference"
    assert other.root.locator(".pill.gain").first.inner_text() == "×50"
    other.view("side")
    other.root.locator("[name=gain][value='10']").check(force=True)
    other.rerun()
    assert "look" not in other.page.url and "gain" not in other.page.url


def test_slider_and_address_agree_after_every_kind_of_move(visit):
    """Also where it goes back to the frame that the slider reported last."""
    lab = visit("report=1&frame=3")

    def agrees(frame: int) -> None:
        lab.page.get_by_text(f"in sight {frame}", exact=True).wait_for()
        playwright.expect(lab.range).to_have_value(str(frame))
        lab.page.wait_for_function(
            "frame => new URLSearchParams(location.search).get('frame') === frame", arg=str(frame)
        )
        lab.settle()
        assert lab.frame == frame

    agrees(3)
    for frame in (4, 5):
        lab.range.focus()
        lab.page.keyboard.press("ArrowRight")
        agrees(frame)
    lab.page.wait_for_timeout(2000)  # sooner, Back is taken for an address on its way
    lab.page.go_back()
    agrees(4)
    lab.page.keyboard.press("ArrowRight")
    agrees(5)
    lab.view("difference")
    lab.page.get_by_role("button", name="preset").click()
    agrees(3)
    assert lab.root.get_attribute("data-view") == "side"
    lab.range.focus()
    lab.page.keyboard.press("ArrowRight")
    agrees(4)
    lab.page.reload()
    agrees(4)


def test_the_dark_theme_is_followed(visit):
    lab = visit(color_scheme="dark")
    assert lab.root.get_attribute("data-theme") == "dark"


@pytest.mark.alone
def test_drawing_a_frame_takes_no_time(visit):
    lab = visit()
    lab.drag(0, FRAMES - 1)
    lab.page.mouse.up()
    assert np.median([each["ms"] for each in lab.root.evaluate("el => el.seen")]) < 4


OUTSIDE = """el => {
  const found = [];
  for (const row of el.querySelectorAll('.row')) {
    const { left, right } = row.getBoundingClientRect();
    for (const node of row.querySelectorAll('.frame, .stage, .verdict, .badge, .bars li, .curve, .readouts > div')) {
      const box = node.getBoundingClientRect();
      if (box.width && (box.left < left - 1 || box.right > right + 1)) 
        found.push(`${node.className || node.tagName} ${box.left}-${box.right}`);
    }
  }
  return found;
}"""
WIDTHS = "el => Array.from(el.querySelectorAll('.frame'), frame => frame.getBoundingClientRect().width)"


@pytest.mark.parametrize("width", [390, 1280, 1440, 1920])
def test_there_and_back_through_every_view_nothing_leaves_its_column(visit, width):
    lab = visit("rows=3&frame=9", viewport={"width": width, "height": 900})
    before = lab.root.evaluate(WIDTHS)
    for view in ("split", "side", "flicker", "side", "difference", "split", "difference", "flicker", "side"):
        lab.view(view)
        assert lab.root.evaluate(OUTSIDE) + lab.page.evaluate(BEYOND) == [], view
    assert lab.root.evaluate(WIDTHS) == before
