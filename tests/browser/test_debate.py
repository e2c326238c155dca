"""What the pages of the debate draw arrives in the browser, which strips SVG from HTML."""

import pytest

pytestmark = pytest.mark.browser


def test_the_planes_are_seen(open_page):
    page = open_page("errors", {})
    planes = page.locator(".planes img")
    planes.nth(2).wait_for()
    assert planes.count() == 3
    for plane in planes.all():
        page.wait_for_function("(img) => img.complete && img.naturalWidth >= 100", arg=plane.element_handle())
        assert plane.bounding_box()["width"] > 200


def test_measured_numbers_are_drawn_to_scale(open_page):
    page = open_page("debate", {"claim": "wallace"})
    scale = page.locator(".bars .scale").first
    scale.wait_for()
    whole, value = scale.bounding_box(), scale.locator(".value").bounding_box()
    said = float(page.locator(".bars .of").first.inner_text().split(" %")[0])
    assert value["width"] / whole["width"] == pytest.approx(said / 100, abs=0.01)
