"""The lessons' formulas, by their text.

A `$$` that shares its line opens a block of its own, and the rest is shown raw.
"""

import re

import pytest

from tests.app_process import ROOT

LESSONS = sorted((ROOT / "assets" / "lessons").glob("*.md"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_fences_of_formulas_stand_on_lines_of_their_own_and_in_pairs(path):
    lines = path.read_text("utf-8").split("\n")
    fences = [i for i, line in enumerate(lines, 1) if "$$" in line]
    assert [i for i in fences if lines[i - 1].strip() != "$$"] == [], "a formula shares the line of its fence"
    assert len(fences) % 2 == 0
    for opening, closing in zip(fences[::2], fences[1::2], strict=True):
        assert any(line.strip() for line in lines[opening : closing - 1]), f"an empty formula at line {opening}"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_braces_and_dollars_balance(path):
    text = path.read_text("utf-8")
    for formula in re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL):
        bare = formula.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}"), formula
    for paragraph in re.sub(r"\$\$.+?\$\$", "", text, flags=re.DOTALL).split("\n\n"):
        assert paragraph.replace(r"\$", "").count("$") % 2 == 0, paragraph
