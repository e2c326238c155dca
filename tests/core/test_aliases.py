"""Names of modules and commands before each topic had a folder."""

import importlib
import runpy
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path

import pytest

from core import aliases, recipes

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    "core.construct",
    "core.emergence",
    "core.evaluate",
    "core.experiments",
    "core.gallery",
    "core.goh",
    "core.synthesis_results",
    "core.zoo",
)


@pytest.mark.parametrize(("old", "new"), aliases.OLD.items())
def test_an_old_name_is_the_same_module(old: str, new: str):
    module = importlib.import_module(old)
    assert module is importlib.import_module(new)
    assert module.__spec__ is not None
    assert module.__spec__.name == new


@pytest.mark.parametrize("name", aliases.RECIPES)
def test_a_recipe_is_still_found_where_copied_scripts_look(name: str):
    assert getattr(recipes, name).__module__ == aliases.RECIPES[name]


def test_what_never_was_a_name_is_not_found():
    assert aliases.today("core.ballsy") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("core.nowhere")
    with pytest.raises(AttributeError, match="NoRecipe"):
        recipes.NoRecipe  # noqa: B018


def test_an_old_command_runs_the_present_one_in_a_process_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "core.zoo", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: python -m core.train.zoo ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_old_command_runs_the_present_one(name: str, monkeypatch, capsys):
    """Found, loaded and run as `python -m` does it."""
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    for loaded in (name, f"{name}.__main__"):  # or runpy warns that it runs twice
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    assert not ended.value.code
    assert capsys.readouterr().out.startswith("usage: python -m core.")


def test_what_tests_compile_is_not_taken_for_the_module_itself(tmp_path, monkeypatch):
    """With its checks a module can be run in a process that has loaded them, and in no other."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    checking = find_spec("core.words").loader
    (tmp_path / "made.py").write_text("def f(x: int) -> int:\n    return x\n")
    one = type(checking)("made", str(tmp_path / "made.py"), typechecker=checking._typechecker)
    one.get_code("made")  # as runpy does
    assert not list(tmp_path.rglob("*.pyc"))
    one.exec_module(module_from_spec(spec_from_loader("made", one)))  # as import does
    assert ["jaxtyping" in made.name for made in tmp_path.rglob("*.pyc")] == [True]
