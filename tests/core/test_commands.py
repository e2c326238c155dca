"""What commands do with a problem."""

import ast
from pathlib import Path

import pytest

from core.commands import command
from core.data.sets import DataError
from core.models.checkpoints import CheckpointError
from tests.app_process import ROOT


@pytest.mark.parametrize("problem", [ValueError, DataError, CheckpointError, FloatingPointError])
def test_a_problem_that_says_what_to_do_ends_the_command_with_its_words(problem):
    @command
    def main(arguments):
        raise problem(f"give more than {len(arguments)} words")

    with pytest.raises(SystemExit, match=r"^give more than 2 words$"):
        main(["a", "b"])


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    @command
    def main(arguments):
        (tmp_path / "file" / arguments[0]).write_text("")

    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SystemExit, match=r"^cannot read or write .*/file/inside: Not a directory$"):
        main(["inside"])


def test_a_mistake_of_ours_keeps_its_traceback():
    @command
    def main(arguments):
        return arguments.nothing

    with pytest.raises(AttributeError):
        main([])


def mains(path: Path) -> list[ast.FunctionDef]:
    return [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef) and node.name == "main"
    ]


def test_every_command_is_one():
    """All but that of core.data, below which this room cannot lie."""
    found = {path: mains(path) for path in sorted((ROOT / "core").rglob("*.py")) if path.name != "data.py"}
    assert sum(map(len, found.values())) > 10
    for path, functions in found.items():
        for main in functions:
            assert [ast.unparse(d) for d in main.decorator_list] == ["command"], path
