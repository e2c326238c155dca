"""Measured numbers on pages: stale once their weights have changed, and a damaged file is told in a sentence."""

import pytest
from streamlit.testing.v1 import AppTest

from core.data.sets import DataError
from core.models import checkpoints
from pages.inversion import measured as inversion
from pages.saliency import measured as saliency
from pages.synthesis import measured as synthesis
from tests.pages.tools import ran, said

SHOWN = {
    "pages.inversion.measured": ("measured", "core.inversion measure"),
    "pages.saliency.measured": ("show", "core.saliency measure"),
    "pages.synthesis.measured": ("measured", "core.synthesis.measure measure"),
}


@pytest.mark.parametrize("module", SHOWN)
def test_numbers_of_changed_weights_are_told(module, checkpoint, monkeypatch):
    checkpoint("resnet9-l2")
    name, again = SHOWN[module]
    app = AppTest.from_string(f"from {module} import {name}\n{name}()", default_timeout=60)
    assert "changed since" not in said(ran(app))
    monkeypatch.setattr(checkpoints, "stamp", lambda *_: "another")
    text = said(ran(app))
    assert "Measured on weights that have changed since: " in text and "resnet9-l2" in text
    assert f"Measure again: python -m {again}" in text


@pytest.mark.parametrize(
    "read", [inversion.measured, saliency.results, synthesis.measured], ids=["inversion", "saliency", "synthesis"]
)
def test_a_damaged_file_is_told_in_a_sentence(read, tmp_path):
    path = tmp_path / "damaged.json"
    path.write_text('{"n": ')
    with pytest.raises(DataError, match=r"damaged.json is damaged .*; measure again with: python -m core"):
        read(path)
