"""The plane of the Gaussian page in a real Chromium: it computes what Python computes, and everything can be moved."""

import json
import math
from urllib.parse import parse_qs, urlsplit

import pytest
import torch

from core.gaussian import theory, views
from core.gaussian.recipe import GaussianRecipe
from core.recipes import from_query, to_query
from pages.gaussian import stage
from tests.browser.tools import settles, still

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
NUMBERS = ("slope", "angle", "kappa", "clean", "attacked", "loss", "attacked_loss")
STATES = [
    GaussianRecipe(),
    GaussianRecipe(eps=0.0),
    GaussianRecipe(eps=10.0, budget="average", angle=33.0, mu2=4.0),
    GaussianRecipe(mu1=10.0, mu2=2.4, var1=6.25, var2=0.04, eps=4.0, shape="ellipse"),
    GaussianRecipe(mu1=-3.0, mu2=7.5, var1=0.01, var2=100.0, eps=0.05, angle=-120.0, probe1=-8.0, probe2=-9.0),
    GaussianRecipe(var1=4.0, var2=4.0, eps=3.0, mu1=2.0, mu2=0.5),
]
WIDE = """() => [...document.querySelectorAll('[data-testid=stMain], html')].some(e => e.scrollWidth > e.clientWidth)"""


@pytest.fixture
def visit(open_page):
    """Open the page and wait for its plane."""

    def go(query: dict[str, str], width: int = 1280, **more) -> "playwright.Page":
        page = open_page("gaussian", query, width=width, height=1000, **more)
        page.locator(".gaussian[data-ready]").wait_for(timeout=WAIT_MS)
        return page

    return go


def numbers(page: "playwright.Page") -> dict:
    """What the plane shows now; for a moment after a preset the one before it is still there."""
    found = page.locator(".gaussian").last.evaluate("el => JSON.stringify(el.numbers)")
    return json.loads(found)


def until(page: "playwright.Page", holds) -> None:
    """Wait until something is true of the page."""
    for _ in range(600):
        if holds():
            return
        page.wait_for_timeout(100)
    assert holds()


def recipe_in_address(page: "playwright.Page") -> GaussianRecipe:
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    recipe, bad = from_query(GaussianRecipe, query)
    assert not bad
    return recipe


def probe_move(recipe: GaussianRecipe, model: torch.Tensor) -> torch.Tensor:
    """The worst move (2), in the plane, of the probe; its class is the one with the nearer mean."""
    x = torch.tensor([[recipe.probe1, recipe.probe2]], dtype=torch.float64)
    own = 1.0 if recipe.probe1 * recipe.mu1 + recipe.probe2 * recipe.mu2 >= 0 else -1.0
    return views.moves(recipe, model, x, torch.tensor([own], dtype=torch.float64))[0]


def expect_same(page: "playwright.Page", recipe: GaussianRecipe) -> None:
    shown = numbers(page)
    for name, side in views.sides(recipe).items():
        for number in NUMBERS:
            assert shown[name][number] == pytest.approx(getattr(side, number), rel=1e-9, abs=1e-9), (name, number)
        assert shown[name]["variances"] == pytest.approx(side.variances.tolist(), rel=1e-9)
        move = probe_move(recipe, side.variances)
        assert shown[name]["probe"] == pytest.approx(move.tolist(), rel=1e-7, abs=1e-7)


def test_the_browser_computes_what_python_computes(visit):
    """Six geometries in one visit: the plane takes whatever values it is given."""
    page = visit({"view": "paper"})
    for recipe in STATES:
        values = {name: getattr(recipe, name) for name in stage.DRAGGED}
        page.locator(".gaussian").evaluate(
            "(el, [values, fixed]) => { el.stage.values = values; el.stage.fixed = fixed; el.stage.draw(); }",
            [values, {"shape": recipe.shape, "budget": recipe.budget}],
        )
        expect_same(page, recipe)
    at = GaussianRecipe(eps=3.0)
    shown = page.locator(".gaussian").evaluate(
        "(el, values) => { Object.assign(el.stage, { attack: 1, fixed: { shape: 'gaussian', budget: 'each' }, values"
        " }); el.stage.draw(); return el.stage.panels.map(panel => panel.moved.deltas.flat()); }",
        {name: getattr(at, name) for name in stage.DRAGGED},
    )
    v = views.draws(at, (2, views.SHOWN, 2)).flatten(0, 1) * views.truth_of(at).sqrt()
    for deltas, side in zip(shown, views.sides(at).values(), strict=True):
        expected = theory.worst_move(v, side.variances, at.eps)
        torch.testing.assert_close(torch.tensor(deltas, dtype=torch.float64), expected, rtol=1e-7, atol=1e-9)


def test_a_dragged_mean_moves_the_numbers_at_once_and_the_address_when_let_go(visit):
    page = visit(to_query(GaussianRecipe(view="paper", budget="average")))
    plane = page.locator(".panel[data-model=robust] svg")
    box = still(plane)
    unit = box["width"] / 40
    page.mouse.move(box["x"] + 30 * unit, box["y"] + 11 * unit)  # (10, -1)
    page.mouse.down()
    page.mouse.move(box["x"] + 26 * unit, box["y"] + 5 * unit, steps=8)  # (6, 5)
    robust = views.sides(GaussianRecipe(mu1=6.0, mu2=5.0))["robust"]
    assert numbers(page)["robust"]["angle"] == pytest.approx(robust.angle, abs=1)
    assert "mu1" not in page.url
    page.mouse.up()
    until(page, lambda: "mu1=" in page.url and "mu2=" in page.url)  # one is written after the other
    recipe = recipe_in_address(page)
    assert (recipe.mu1, recipe.mu2) == (pytest.approx(6, abs=0.2), pytest.approx(5, abs=0.2))
    assert recipe.budget == "average"
    page.get_by_role("spinbutton", name="Mean, x₁").wait_for()
    until(page, lambda: float(page.get_by_role("spinbutton", name="Mean, x₁").input_value()) == recipe.mu1)
    expect_same(page, recipe)


def test_the_end_of_an_axis_sets_variance_and_angle(visit):
    page = visit({"view": "paper"})
    box = still(page.locator(".panel[data-model=standard] svg"))
    unit = box["width"] / 40
    page.mouse.move(box["x"] + 37.5 * unit, box["y"] + 11 * unit)  # 1.5 deviations of 5 to the right of the mean
    page.mouse.down()
    page.mouse.move(box["x"] + 30 * unit, box["y"] + 5 * unit, steps=8)  # 6 above the mean
    page.mouse.up()
    until(page, lambda: "angle=" in page.url and "var1=" in page.url)
    recipe = recipe_in_address(page)
    assert recipe.var1 == pytest.approx(16, rel=0.1)
    assert recipe.angle == pytest.approx(90, abs=2)
    assert recipe.var2 == 0.5
    expect_same(page, recipe)


def test_the_keyboard_moves_everything_and_a_preset_takes_it_back(visit):
    page = visit({"view": "paper"})
    mean = page.get_by_role("slider", name="Mean of the positive class").first
    mean.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    page.get_by_role("slider", name="Variance along axis 1").focus()
    page.keyboard.press("PageUp")
    page.locator(".range").focus()
    page.keyboard.press("ArrowRight")
    moved = GaussianRecipe(view="paper", mu1=9.9, mu2=-0.5, angle=5.0, eps=1.05)
    until(page, lambda: recipe_in_address(page) == moved)
    expect_same(page, moved)
    page.get_by_role("button", name="Figure 4, ε = 10").click()
    until(page, lambda: math.isclose(numbers(page)["robust"]["slope"], 5.997, abs_tol=1e-3))
    until(page, lambda: page.locator(".gaussian").count() == 1)


HUES = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const seen = { warm: 0, cold: 0, clear: 0 };
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 100) seen.clear += 1;
    else if (data[i] > data[i + 2] + 15) seen.warm += 1;
    else if (data[i + 2] > data[i] + 15) seen.cold += 1;
  }
  return seen;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_have_the_colours_of_their_classes(visit, scheme):
    """A canvas takes black for a colour that it cannot read."""
    page = visit({}, color_scheme=scheme)
    for plane in page.locator(".gaussian .plane canvas").all():
        seen = plane.evaluate(HUES)
        assert seen["clear"], "what lies behind the points is a tint"
        assert seen["warm"] > 500, seen
        assert seen["cold"] > 500, seen


def test_a_phone_is_wide_enough_and_the_plane_works_in_the_dark(visit):
    page = visit({"view": "paper"}, width=390, color_scheme="dark", reduced_motion="reduce")
    page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
    assert page.locator(".gaussian[data-theme=dark]").count() == 1
    page.get_by_role("button", name="Attack all points").click()
    page.wait_for_function("() => true")
    assert not settles(page, WIDE)
    inside = (
        "el => Math.max(...[...el.querySelectorAll('.toolbar *, .readouts *, .plane')].map(e =>"
        " e.getBoundingClientRect().right))"
    )
    assert page.locator(".gaussian").evaluate(inside) <= 390
