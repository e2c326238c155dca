"""The duel in a real Chromium whose camera is a film: keys, Stop, two tabs, a line that breaks, a camera that fails."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

from core.perturb.recipe import PerturbRecipe
from tests.browser.conftest import QUIET
from tests.browser.tools import BEYOND, address, settles

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
ASKED = """const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.streams = [];
navigator.mediaDevices.getUserMedia = async (what) => {
  await window.until;
  const stream = await real(what);
  window.streams.push(stream);
  return stream;
};
null"""  # what was handed out, once it may be
QUERY = {"view": "duel", "picture": "photo/chelsea"}
PIXELS = """both => both.map(canvas => Array.from(
  canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data))"""


@pytest.fixture(scope="module", autouse=True)
def models(checkpoint) -> None:
    for name in (PerturbRecipe().standard, PerturbRecipe().robust):
        checkpoint(name)


def film() -> bytes:
    """Return two seconds of a hand-held camera before a cat: 640 by 480, with its noise, as motion JPEG."""
    cat, draws, out = Image.fromarray(photographs.chelsea()), np.random.default_rng(0), io.BytesIO()
    for turn in np.linspace(0, 2 * np.pi, 40, endpoint=False):
        x, y = 60 + 50 * np.sin(turn), 40 + 30 * np.cos(turn)
        view = cat.crop((int(x), int(y), int(x) + 320, int(y) + 240)).resize((640, 480)).rotate(4 * np.sin(turn))
        noisy = np.clip(np.asarray(view) + draws.normal(0, 4, (480, 640, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory):
    """A Chromium whose camera shows that film."""
    shown = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    shown.write_bytes(film())
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", *QUIET, *CAMERA, f"--use-file-for-fake-video-capture={shown}"],
        )
        yield running
        running.close()


@pytest.fixture
def visit(open_page):
    def go(query: dict[str, str] = QUERY, **context) -> "playwright.Page":
        page = open_page("perturb", query, **{"width": 1440, **context})
        page.locator(".duel[data-frames]").wait_for(timeout=WAIT_MS)
        return page

    return go


def frames(page: "playwright.Page") -> int:
    return int(page.locator(".duel").get_attribute("data-frames"))


def some_more(page: "playwright.Page", n: int = 3) -> None:
    """Wait until so many further frames have come back."""
    at = frames(page)
    for _ in range(WAIT_MS // 100):
        if frames(page) >= at + n:
            return
        page.wait_for_timeout(100)
    pytest.fail("no frame comes back")


def camera(page: "playwright.Page") -> None:
    page.get_by_role("button", name="Use the camera").click()
    page.locator(".duel[data-camera]").wait_for(timeout=WAIT_MS)
    some_more(page)


def pixels(page: "playwright.Page") -> np.ndarray:
    """What both canvases show at one moment: (2, 32, 32, 3)."""
    return np.array(page.locator(".duel .big").evaluate_all(PIXELS)).reshape(2, 32, 32, 4)[..., :3]


def test_it_opens_with_a_picture_that_moves_and_is_attacked(visit):
    page = visit()
    before = pixels(page)
    some_more(page, 6)
    assert (pixels(page) != before).any()
    assert page.locator(".duel[data-attacking]").count() == 1
    assert page.get_by_text("Nothing leaves this machine").is_visible()
    for k in range(2):
        assert "of the last" in page.locator(".duel .tally").nth(k).inner_text()
    box = page.locator(".duel .frame").first.bounding_box()
    assert box["width"] >= 300
    assert page.locator(".duel .tally").last.bounding_box()["y"] < 900, "the stage fits on the screen"


def test_the_camera_first_and_then_one_key(visit):
    page = visit()
    camera(page)
    assert page.locator(".duel .source figcaption").inner_text() == "the camera"
    assert page.locator(".duel .clean").first.inner_text() == "not attacked"
    page.keyboard.press("Space")
    page.locator(".duel[data-attacking]").wait_for()
    some_more(page)
    assert page.locator(".duel .clean").first.inner_text().startswith("without the attack: ")
    assert not np.array_equal(*pixels(page)), "each model has a perturbation of its own"
    page.keyboard.down("o")  # the clean picture is the same on both sides
    some_more(page, 2)
    np.testing.assert_array_equal(*pixels(page))
    page.keyboard.up("o")
    page.keyboard.press("Space")
    page.locator(".duel:not([data-attacking])").wait_for()


def test_keys_choose_target_and_radius_and_the_address_says_so(visit):
    page = visit()
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('target=truck') && location.search.includes('at=0.6')")
    assert page.locator(".duel .aim").inner_text() == "toward truck"
    some_more(page)
    again = visit(address(page))
    assert again.locator(".duel .eps").inner_text() == "ε = 0.6"
    assert again.locator(".duel .targets [aria-pressed=true]").inner_text().startswith("truck")
    page.keyboard.press("a")
    page.wait_for_function("!location.search.includes('target=')")


def test_stop_gives_the_camera_back_and_sends_nothing(visit):
    page = visit()
    camera(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".duel[data-halted]:not([data-camera])").wait_for()
    page.wait_for_timeout(1000)
    at = frames(page)
    page.wait_for_timeout(1000)
    assert frames(page) == at
    page.get_by_role("button", name="Go on").click()
    some_more(page)


def test_two_tabs_go_on_side_by_side(visit):
    one, other = visit(), visit()
    camera(one)
    some_more(one)
    some_more(other)


def test_a_line_that_breaks_comes_back(open_page):
    lines = []
    page = open_page("perturb", {}, width=1440)
    page.route_web_socket("**/_duel/**", lambda line: (line.connect_to_server(), lines.append(line)))
    page.goto(page.url.partition("?")[0] + "?view=duel&picture=photo/chelsea")
    page.locator(".duel[data-frames]").wait_for(timeout=WAIT_MS)
    lines[-1].close(code=1001)
    page.get_by_text("The connection is gone; trying again").wait_for()
    some_more(page)
    assert page.locator(".duel .problem").is_hidden()


def test_a_camera_that_is_refused_is_told_in_a_sentence(visit):
    page = visit()
    page.evaluate(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError')); null"
    )
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text("The browser was not allowed to use the camera.").wait_for()
    some_more(page)  # the picture moves on
    assert page.locator(".duel .problem").is_visible()


def test_a_machine_without_a_camera_says_so_and_the_picture_moves_on(visit):
    page = visit()
    page.evaluate(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError')); null"
    )
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text("There is no camera on this machine.").wait_for()
    some_more(page)


def test_a_camera_that_is_unplugged_or_falls_silent_is_told_in_a_sentence(visit):
    page = visit()
    page.evaluate(ASKED)
    camera(page)
    track = "window.streams.at(-1).getVideoTracks()[0]"
    page.evaluate(f"{track}.dispatchEvent(new Event('mute'))")
    page.get_by_text("The camera sends no picture any more").wait_for()
    page.evaluate(f"{track}.dispatchEvent(new Event('unmute'))")
    playwright.expect(page.locator(".duel .problem")).to_be_hidden()
    page.evaluate(f"{track}.stop(); {track}.dispatchEvent(new Event('ended'))")
    page.get_by_text("The camera has gone.").wait_for()
    page.locator(".duel:not([data-camera])").wait_for()
    some_more(page)  # the picture moves on, and the sentence stays
    assert page.locator(".duel .problem").is_visible()
    camera(page)
    assert page.locator(".duel .problem").is_hidden()


def test_a_question_that_nobody_answers_is_told_and_whoever_asks_twice_has_one_camera(visit):
    page = visit()
    page.evaluate("window.until = new Promise((done) => (window.allow = done)); null")
    page.evaluate(ASKED)
    button = page.get_by_role("button", name="Use the camera")
    button.click()
    page.get_by_text("Waiting for the camera.").wait_for()
    some_more(page)  # the picture moves on
    page.get_by_role("button", name="Stop", exact=True).click()
    playwright.expect(page.locator(".duel .problem")).to_be_hidden()
    button.click()
    button.click()
    page.evaluate("window.allow()")
    page.locator(".duel[data-camera]").wait_for()
    some_more(page)
    page.wait_for_function("window.streams.length === 3")
    live = "window.streams.map((stream) => stream.getVideoTracks()[0].readyState)"
    assert sorted(page.evaluate(live)) == ["ended", "ended", "live"]
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function(f"{live}.every((state) => state === 'ended')")


def test_a_tab_that_is_hidden_sends_nothing_and_goes_on_when_it_is_back(visit):
    page = visit()
    camera(page)
    hide = """is => {
      Object.defineProperty(document, 'hidden', { value: is, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(1000)
    at = frames(page)
    page.wait_for_timeout(1000)
    assert frames(page) == at
    page.evaluate(hide, False)
    some_more(page)
    assert page.locator(".duel[data-camera]").count() == 1


@pytest.mark.alone
def test_eight_frames_a_second_of_a_film_are_attacked(visit):
    page = visit()
    camera(page)
    page.keyboard.press("Space")
    page.wait_for_timeout(5000)
    assert float(page.locator(".duel").get_attribute("data-rate")) >= 8


def test_a_phone_is_wide_enough(visit):
    page = visit(width=390, reduced_motion="reduce")
    assert not settles(page, BEYOND), "what reaches beyond the right edge"


def test_a_stage_has_large_pictures_and_no_tools(visit):
    page = visit({**QUERY, "present": "true"}, width=1920, height=1080)
    assert page.locator(".duel .frame").first.bounding_box()["width"] >= 480
    assert not page.locator(".duel .tools").is_visible()
    assert page.locator(".duel .tally").last.bounding_box()["y"] < 1080
