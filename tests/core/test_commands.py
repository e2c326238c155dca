"""What commands do with a problem, and with arguments, before any work begins."""

import argparse
import ast
from pathlib import Path

import pytest

from core.commands import command, number, output, parsed, results_options, whole
from core.data.decode import PictureError
from core.data.sets import DataError
from core.models.checkpoints import CheckpointError
from core.problems import InputError, UserError
from core.train.loop import Diverged
from tests.app_process import ROOT


@pytest.mark.parametrize("problem", [InputError, DataError, PictureError, CheckpointError, Diverged])
def test_a_problem_that_says_what_to_do_ends_the_command_with_its_words(problem):
    @command
    def main(arguments):
        raise problem(f"give more than {len(arguments)} words")

    assert issubclass(problem, UserError)
    with pytest.raises(SystemExit, match=r"^give more than 2 words$"):
        main(["a", "b"])


def test_a_wrong_setting_is_still_a_value_error_for_callers_in_python():
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize("mistake", [AttributeError, ValueError, RuntimeError])
def test_a_mistake_of_ours_keeps_its_traceback(mistake):
    @command
    def main(arguments):
        raise mistake

    with pytest.raises(mistake):
        main([])


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    @command
    def main(arguments):
        (tmp_path / "file" / arguments[0]).write_text("")

    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SystemExit, match=r"^cannot read or write .*/file/inside: Not a directory$"):
        main(["inside"])


def test_ctrl_c_ends_a_command_in_a_line(capsys):
    @command
    def main(arguments):
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 130
    assert capsys.readouterr().err.strip() == "stopped"


def parser_of(*names: str, **options: object) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument(*names, **options)  # type: ignore[arg-type]
    return parser


@pytest.mark.parametrize("text", ["0", "-5", "101", "2.5", "two", "nan", "1e3"])
def test_a_whole_number_out_of_range_is_refused_in_a_line(text, capsys):
    with pytest.raises(SystemExit) as ended:
        parser_of("--n", type=whole(1, 100)).parse_args(["--n", text])
    assert ended.value.code == 2
    assert f"argument --n: must be a whole number, 1 to 100, got {text}" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["-0.1", "nan", "inf", "x"])
def test_a_number_out_of_range_is_refused_in_a_line(text, capsys):
    with pytest.raises(SystemExit):
        parser_of("--eps", type=number(0)).parse_args([f"--eps={text}"])
    assert "must be a number, 0 or more, got" in capsys.readouterr().err


def test_the_ends_of_a_range_belong_to_it_unless_it_is_above():
    assert [parser_of("--n", type=whole(0, 3)).parse_args(["--n", t]).n for t in ("0", "3")] == [0, 3]
    assert parser_of("--eps", type=number(0, 1)).parse_args(["--eps", "0"]).eps == 0
    with pytest.raises(SystemExit):
        parser_of("--lr", type=number(0, above=True)).parse_args(["--lr", "0"])


@pytest.mark.parametrize("given", [["--out"], []], ids=["given", "default"])
def test_an_output_is_tried_when_arguments_are_read(tmp_path, given, capsys):
    """Not after hours of work; a default as well as what is given."""
    (tmp_path / "file").write_text("")
    for path, wrong in ((tmp_path, "is a folder"), (tmp_path / "file" / "x.json", "cannot be written")):
        parser = argparse.ArgumentParser()
        results_options(parser, path if not given else tmp_path / "good.json")
        with pytest.raises(SystemExit):
            parser.parse_args([*given, str(path)] if given else [])
        assert wrong in capsys.readouterr().err


def test_trying_an_output_makes_its_folder_and_leaves_no_file(tmp_path):
    assert output(str(tmp_path / "new" / "x.json")) == tmp_path / "new" / "x.json"
    assert list((tmp_path / "new").iterdir()) == []


def test_names_may_stand_behind_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--n", type=whole(1))
    for order in (
        ["measure", "--n", "4", "a", "b"],
        ["measure", "a", "b", "--n", "4"],
        ["measure", "a", "--n", "4", "b"],
    ):
        assert vars(parsed(parser, order)) == {"action": "measure", "names": ["a", "b"], "n": 4}


def mains(path: Path) -> list[ast.FunctionDef]:
    return [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef) and node.name == "main"
    ]


def test_every_command_is_one():
    found = {path: mains(path) for path in sorted((ROOT / "core").rglob("*.py"))}
    assert sum(map(len, found.values())) > 10
    for path, functions in found.items():
        for main in functions:
            assert [ast.unparse(d) for d in main.decorator_list] == ["command"], path
