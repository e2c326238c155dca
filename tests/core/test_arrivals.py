"""A stranger's model becomes a checkpoint: the command, its sentences, and what every page then offers."""

import pytest
import torch
from safetensors.torch import save_file

from core import worlds
from core.models import arrivals, build, checkpoints, foreign
from core.models.__main__ import main
from core.problems import InputError
from tests.helpers import images

CLASSES = worlds.get().classes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of checkpoints of its own."""
    made = tmp_path / "checkpoints"
    monkeypatch.setattr(checkpoints, "FOLDER", made)
    return made


@pytest.fixture
def theirs(checkpoint, tmp_path):
    """A healthy model as its maker would have saved it: no header, its own names, pixels to be normalised outside."""
    model = checkpoint("mobilenet-standard")
    path = tmp_path / "theirs.safetensors"
    save_file({f"module.{k}": v.clone() for k, v in model.state_dict().items() if not k.startswith("normalize")}, path)
    return path


NORM = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}


def test_a_healthy_model_arrives_as_it_was(theirs, checkpoint):
    """Same logits but for the sixth digit of the normalisation; the doctor has nothing to say; fp16 suffices."""
    arrived = arrivals.receive(theirs, "mobilenet", **NORM)
    x = images(4, size=32)
    torch.testing.assert_close(arrived.model(x), checkpoint("mobilenet-standard")(x), rtol=1e-3, atol=1e-3)
    assert arrived.findings == () and arrived.half
    assert "prefix module. was taken off" in " ".join(arrived.notes)
    assert arrived.header.recipe["added"] == "theirs.safetensors" and len(arrived.header.recipe["sha256"]) == 64


def test_the_command_adds_it_and_every_page_offers_it(theirs, folder, capsys):
    """A checkpoint like any other: read, stamped, listed in its world."""
    options = ["--mean", *map(str, NORM["mean"]), "--std", *map(str, NORM["std"])]
    main(["add", str(theirs), "--arch", "mobilenet", "--name", "my-net", "--title", "Mine", *options])
    assert "finds nothing wrong" in capsys.readouterr().out
    assert checkpoints.names(folder) == ("my-net",)
    model, about = checkpoints.read(checkpoints.path_of("my-net", folder))
    assert about.title == "Mine" and about.classes == CLASSES and about.world == "cifar10"
    assert checkpoints.stamp("my-net", folder) and model(images(1, size=32)).shape == (1, 10)
    with pytest.raises(SystemExit, match="already"):
        main(["add", str(theirs), "--arch", "mobilenet", "--name", "my-net", *options])


def test_a_sick_model_is_not_written_unless_asked_for(theirs, folder, capsys):
    """Without its normalisation the doctor says which one to give, and with it, it is healthy."""
    with pytest.raises(SystemExit, match="nothing was written"):
        main(["add", str(theirs), "--arch", "mobilenet"])
    out = capsys.readouterr().out
    assert "! It seems to expect pixels normalised as for" in out and "Add --mean" in out
    assert not folder.exists()
    main(["add", str(theirs), "--arch", "mobilenet", "--anyway"])
    assert "normalised as for" in checkpoints.header("theirs", folder).recipe["doctor"][0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"arch": "resnet99"}, "no architecture"),
        ({"arch": "vgg"}, "does not fit vgg"),
        ({"world": "mars"}, "no world 'mars'"),
        ({"classes": ["pig", *CLASSES[1:]]}, "it has pig, and lacks airplane"),
        ({"classes": CLASSES[:4]}, "10 classes apart, and 4 class names"),
        ({"std": (1.0, 0.0, 1.0)}, "std above 0"),
        ({"width": 64}, "wider or narrower"),
        ({"most_bytes": 1000}, "MB, more than"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(theirs, change, says):
    with pytest.raises(InputError, match=says):
        arrivals.receive(theirs, **{"arch": "mobilenet", **NORM, **change})


@pytest.mark.parametrize("name", ["", "../evil", "My Net", "a/b", ".hidden", "x" * 60])
def test_a_name_is_no_path(theirs, folder, name):
    arrived = arrivals.receive(theirs, "mobilenet", **NORM)
    with pytest.raises(InputError, match="a model's name"):
        arrivals.keep(arrived, name)


def test_classes_in_another_order_are_brought_into_the_worlds(theirs, checkpoint, tmp_path):
    """The head's rows are permuted by name, whatever case or underscores the names have."""
    turned = [*CLASSES[3:], *CLASSES[:3]]
    tensors = foreign.read(theirs).tensors
    rows = [CLASSES.index(name) for name in turned]
    path = tmp_path / "turned.safetensors"
    save_file({k: v[rows].contiguous() if ".head." in k else v.clone() for k, v in tensors.items()}, path)
    arrived = arrivals.receive(path, "mobilenet", **NORM, classes=[name.upper() for name in turned])
    x = images(3, size=32)
    torch.testing.assert_close(arrived.model(x), checkpoint("mobilenet-standard")(x), rtol=1e-3, atol=1e-3)
    assert arrived.findings == ()
    assert [f.fault for f in arrivals.receive(path, "mobilenet", **NORM).findings] == ["order"]


def test_weights_that_half_precision_cannot_hold_stay_whole(tmp_path, theirs):
    """A running variance of 1e6 would become infinite."""
    tensors = dict(foreign.read(theirs).tensors)
    name = next(key for key in tensors if key.endswith("running_var"))
    path = tmp_path / "their-large.safetensors"
    save_file({**{k: v.clone() for k, v in tensors.items()}, name: tensors[name] * 0 + 1e6}, path)
    arrived = arrivals.receive(path, "mobilenet", **NORM)
    assert not arrived.half
    kept = checkpoints.read(arrivals.keep(arrived, "large", tmp_path))[0]
    assert torch.equal(kept(images(2, size=32)), arrived.model(images(2, size=32)))


def test_a_timm_network_comes_back_from_its_checkpoint(tmp_path):
    """Architecture and side in the header; a header that names a place to download from is refused."""
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    made = timm.create_model("test_vit", num_classes=10, img_size=32)
    path = tmp_path / "vit.pt"
    torch.save(made.state_dict(), path)
    arrived = arrivals.receive(path, "timm/test_vit")
    assert [f.fault for f in arrived.findings] == ["chance"]
    kept = arrivals.keep(arrived, "vit", tmp_path)
    model, about = checkpoints.read(kept)
    assert about.args == {"classes": 10, "side": 32}
    torch.testing.assert_close(model(images(2, size=32)), made.eval()(images(2, size=32)), rtol=0.02, atol=0.02)


def test_examine_speaks_of_models_that_are_here(checkpoint, capsys):
    checkpoint("mobilenet-standard")
    main(["examine", "mobilenet-standard"])
    assert "nothing wrong with mobilenet-standard" in capsys.readouterr().out


def test_the_networks_of_this_project_need_no_side():
    assert build("resnet9", classes=4).head.out_features == 4
