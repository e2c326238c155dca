"""Networks that are Python: taken apart at the last layer, listed in their world, a sentence for all that is wrong."""

import os
import runpy
import sys

import pytest
import torch

from core import worlds
from core.models import card, checkpoints, plugins
from core.models.checkpoints import CheckpointError
from core.perturb import PerturbRecipe, attack
from core.perturb.views import script
from core.recipes.python import PLUGINS
from tests.helpers import images

HEAD = """
import torch
from torch import nn
from core.models.plugins import network

torch.manual_seed(0)

class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv, self.drop, self.fc = nn.Conv2d(3, 8, 3), nn.Dropout(), nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(self.drop(self.conv(x).relu().mean((2, 3))))

class Sum(nn.Sequential):
    def forward(self, x):
        return sum(part(x) for part in self)
"""
MINE = (
    HEAD
    + """
@network("mine", title="My network", mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))
def mine():
    return Net().train()
"""
)


@pytest.fixture
def plug(tmp_path, monkeypatch):
    """A function that starts the program with a file of that text."""

    def begin(text: str, name: str = "mine.py") -> plugins.Found:
        (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.setenv(PLUGINS, "")
        monkeypatch.setattr(plugins, "_known", {})
        plugins.begin(["--plugin", str(tmp_path / name)])
        return plugins.found()

    return begin


def test_it_is_a_model_of_its_world_like_any_other(plug):
    found = plug(MINE)
    assert found.problems == ()
    assert "mine" in checkpoints.names() and "mine" not in checkpoints.names(world="planted")
    model, about = checkpoints.load("mine"), checkpoints.header("mine")
    assert (about.title, about.classes) == ("My network", worlds.get().classes)
    x, theirs = images(3, size=32), found.networks["mine"].model
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert model.features(x).shape == (3, 8) and model.blocks == ("network",)
    plain = theirs.body[0]
    pixels = (x - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / 0.2
    by_hand = model.head(plain.conv(pixels).relu().mean((2, 3)))
    torch.testing.assert_close(model(x), by_hand)
    assert len(checkpoints.stamp("mine")) == 12 and checkpoints.stamp("mine") == checkpoints.stamp("mine")
    rows = dict(card.rows("mine"))
    assert rows["Made"] == "made by mine.py, pixels minus 0.5 0.4 0.3, divided by 0.2 0.2 0.2."
    assert "Net of mine.py" in rows["Is"] and "guess" in rows["Doctor"] and "Size" not in rows


def test_every_caller_has_a_copy_of_its_own(plug):
    plug(MINE)
    with torch.no_grad():
        checkpoints.load("mine").head.weight.zero_()
    assert bool(checkpoints.load("mine").head.weight.any())


def test_other_weights_are_another_stamp_and_another_file(plug):
    plug(MINE)
    stamp, file = checkpoints.stamp("mine"), checkpoints.path_of("mine").read_bytes()
    plug(MINE.replace("manual_seed(0)", "manual_seed(1)"))
    assert checkpoints.stamp("mine") != stamp and checkpoints.path_of("mine").read_bytes() != file


def test_nothing_compiled_is_left_beside_a_plugin_nor_taken_for_it(plug, tmp_path, monkeypatch):
    """Two files of one length within a second: to what Python keeps compiled they are the same one."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    plug(MINE)
    stamp = checkpoints.stamp("mine")
    plug(MINE.replace("manual_seed(0)", "manual_seed(1)"))
    assert checkpoints.stamp("mine") != stamp
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_script_made_from_it_runs_by_itself(plug, tmp_path, monkeypatch):
    plug(MINE)
    recipe = PerturbRecipe(picture="photo/chelsea", standard="mine", robust="mine", steps=2)
    assert attack(recipe, "mine").x_adv.shape[1:] == (3, 32, 32)
    text = script(recipe)
    assert f"os.environ.setdefault('{PLUGINS}'" in text.replace('"', "'")
    monkeypatch.delenv(PLUGINS)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made.py").write_text(text, encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", dict(os.environ))
        runpy.run_path("made.py")
    monkeypatch.setenv(PLUGINS, "")
    assert "mine" not in checkpoints.names()


@pytest.mark.parametrize(
    ("body", "blocks", "features"),
    [
        ("nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))", 3, 8),
        ("nn.Sequential(Net(), nn.Softplus())", 1, 10),
        ("Sum(Net(), Net())", 1, 10),
        ("nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))", 1, 3072),
    ],
    ids=["by its layers", "no last linear layer", "two last layers", "linear"],
)
def test_what_comes_before_the_last_linear_layer_is_the_representation(body, blocks, features, plug):
    found = plug(f"{HEAD}\nmade = {body}\nnetwork('mine')(lambda: made)\n")
    model = checkpoints.load("mine")
    x = images(2, size=32)
    whole = runpy.run_path(os.environ[PLUGINS])["made"].eval()
    torch.testing.assert_close(model(x), whole(x))
    assert (len(model.blocks), model.features(x).shape[1]) == (blocks, features)
    assert ("note" in found.networks["mine"].recipe) == (features == 10)


def test_logits_in_another_order_are_brought_into_the_worlds(plug):
    names = tuple(reversed(worlds.get().classes))
    straight, turned = plug(MINE), plug(MINE.replace('"mine", ', f'"mine", classes={names}, '))
    x = images(2, size=32)
    torch.testing.assert_close(turned.networks["mine"].model(x), straight.networks["mine"].model(x).flip(1))


def offering(makes: str, more: str = "") -> str:
    return f"{HEAD}\n@network('a'{more})\ndef a():\n    {makes}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(:", "mine.py ended in an error, so its networks are not here: SyntaxError: "),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = 1", "mine.py offers no network: write @network"),
        (offering("raise ValueError('no file')"), "'a' of mine.py could not be made: ValueError: no file"),
        (offering("return 7"), "'a' of mine.py is a int, not an nn.Module"),
        (offering("return Net(7)"), "gives 7 logits, and CIFAR-10 has 10 classes (airplane, "),
        (offering("return Net(7)", ", classes='abc'"), "gives 7 logits, and it names 3 classes"),
        (offering("return Net()", ", classes='abcdefghij'"), "knows other classes than CIFAR-10: a, b"),
        (offering("return nn.Linear(5, 10)"), "cannot take pictures of 32 pixels: RuntimeError: "),
        (offering("return nn.Conv2d(3, 10, 3)"), "returns shape [4, 10, 30, 30] where logits"),
        (offering("return Net()", ", std=(1.0, 0.0, 1.0)"), "std above 0"),
        (offering("return Net()", ", world='mars'"), "lives in 'mars'; the worlds are cifar10, planted"),
        (offering("return Net()").replace("'a'", "'A b'"), "needs a name of up to 48 small letters"),
        (offering("return Net()").replace("'a'", "'vgg-l2'"), "has the name of a checkpoint"),
        (MINE + MINE.removeprefix(HEAD), "mine.py has a second network 'mine'"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_the_log_has_the_rest(text, says, plug, caplog, checkpoint):
    checkpoint("vgg-l2")
    (problem,) = plug(text).problems
    assert says in problem and "\n" not in problem
    assert problem in caplog.text
    if "Error: " in says:
        assert "Traceback" in caplog.text


def test_a_bad_file_does_not_keep_a_good_one_out(plug, tmp_path, monkeypatch):
    plug(MINE)
    monkeypatch.setenv(PLUGINS, os.pathsep.join([str(tmp_path / "none.py"), os.environ[PLUGINS]]))
    assert "there is no plugin" in plugins.found().problems[0] and "mine" in checkpoints.names()


def test_a_file_may_ask_for_our_networks_while_it_is_run(plug, checkpoint):
    checkpoint("vgg-l2")
    text = (
        "from core.models import checkpoints\n"
        + HEAD
        + "@network('twin')\ndef f(): return checkpoints.load('vgg-l2')\n"
    )
    assert plug(text).problems == ()
    twin, vgg = checkpoints.load("twin"), checkpoints.load("vgg-l2")
    assert twin.blocks == vgg.blocks
    torch.testing.assert_close(twin(images(2, size=32)), vgg(images(2, size=32)), msg="its own normalisation stays")


def test_a_command_line_that_is_none_ends_the_start(capsys):
    with pytest.raises(SystemExit):
        plugins.begin(["--plugin"])
    assert "expected one argument" in capsys.readouterr().err


def test_without_a_file_there_is_nothing(monkeypatch):
    monkeypatch.delenv(PLUGINS, raising=False)
    assert plugins.found() == plugins.Found()
    with pytest.raises(CheckpointError):
        checkpoints.load("mine")
