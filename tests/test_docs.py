"""What the documentation tells people to type works as it stands there."""

import ast
import re
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"python -m ((?:core|bench)[\w.]*)")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_python_page_runs_in_one_namespace(checkpoint):
    for name in ("resnet9-standard", "resnet9-l2"):
        checkpoint(name)
    names = {}
    for block in PYTHON.findall((ROOT / "docs" / "use-it-from-python.md").read_text("utf-8")):
        exec(compile(block, "use-it-from-python.md", "exec"), names)  # noqa: S102 - our own examples
    moved = (names["x_adv"] - names["x"]).flatten(1).norm(dim=1)
    assert 0 < float(moved) <= 0.5 + 1e-5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_there(page: Path):
    for name in set(COMMAND.findall(page.read_text("utf-8"))):
        path = ROOT / name.rstrip(".").replace(".", "/")
        there = path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
        assert there, f"{page.name}: python -m {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_is_there(page: Path):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_variable_that_the_program_reads_is_explained():
    read = {
        name
        for folder in ("core", "pages")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"\"(ROBUST_FROG_[A-Z_]+)\"", path.read_text("utf-8"))
    }
    told = "".join(page.read_text("utf-8") for page in PAGES)
    assert len(read) >= 8
    assert sorted(name for name in read if name not in told) == []


CODE = re.compile(r"(from \w[\w.]* import |import \w|[a-z_][\w, ]* = [\w.]+\()")


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_examples_in_the_docstrings_of_modules_are_python(path: Path):
    """An indented example is code that parses; one that lost its indentation reads as prose and rots."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8")), clean=False) or ""
    assert [line for line in text.splitlines() if CODE.match(line)] == [], "indent the example by four"
    for block in re.findall(r"(?:^(?: {4}.*)?\n?)+", text, re.MULTILINE):
        code = dedent(block).strip()
        if CODE.match(code) and "\n\n" not in code:
            compile(code.replace("…", "..."), str(path), "exec")


def test_the_table_of_rooms_is_that_of_the_tree():
    """Written by `python -m tests.rooms`."""
    from tests.rooms import DESIGN, TABLE, table

    written = TABLE.search(DESIGN.read_text("utf-8"))
    assert written is not None
    assert written.group() == table(), "write it anew: python -m tests.rooms"


def test_the_table_of_networks_is_that_of_their_headers():
    """Written by `python -m core.train.zoo table`."""
    from core.train import board

    found = board.TABLE.search(board.README.read_text("utf-8"))
    assert found is not None
    assert found.group() == board.table(), "write it anew: python -m core.train.zoo table"


def test_the_map_names_what_there_is():
    """Every file or folder of ours that docs/design.md names is there."""
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    named = re.findall(r"`((?:core|pages|assets|tests|docs|checkpoints)/[\w./-]*\w)`", text)
    assert [
        name for name in named if "TOPIC" not in name and not ((ROOT / name).exists() or (ROOT / f"{name}.py").exists())
    ] == []
