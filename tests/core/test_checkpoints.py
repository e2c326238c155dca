"""Weights on disk: what was written comes back, and whatever else it may be is refused with a sentence."""

import json
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.models import checkpoints, ready
from core.models.checkpoints import CheckpointError, Header, annotate, header, load, names, path_of, read, save
from core.train.zoo import declared
from tests.helpers import draws, images, tiny

ABOUT = Header(
    arch="resnet9",
    args={"width": 4},
    title="Tiny",
    recipe={"epochs": 3, "inner": {"norm": "L2", "eps": 0.5}},
    measured={"clean": {"hits": 9, "n": 10}},
)


@pytest.fixture
def path(tmp_path) -> Path:
    """The file of a good checkpoint named "tiny"."""
    path = path_of("tiny", tmp_path)
    save(path, tiny().state_dict(), ABOUT)
    return path


def rewrite(path: Path, tensors=None, **about: object) -> None:
    """Write a checkpoint past `save`: with other tensors or another header."""
    tensors = load_file(path) if tensors is None else tensors
    save_file(tensors, path, metadata={"robust_frog": json.dumps({**asdict(ABOUT), **about})})


def test_weights_come_back_as_they_were_but_for_fp16_rounding(path):
    """w -> fp16(w): relative error at most 2^-11; whole numbers exactly."""
    model, about = read(path)
    for name, value in tiny().state_dict().items():
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(model.state_dict()[name], expected), name
    assert about == ABOUT
    assert model.head.weight.dtype == torch.float32
    x = images(4, size=16)
    torch.testing.assert_close(model(x), tiny()(x), rtol=0.02, atol=0.02)


def test_a_second_round_trip_changes_nothing(path, tmp_path):
    """fp16(fp16(w)) = fp16(w), bit for bit."""
    model, about = read(path)
    save(tmp_path / "again.safetensors", model.state_dict(), about)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_a_loaded_model_is_frozen_and_evaluates(path):
    """eval mode in every module, no gradients on weights."""
    model = load("tiny", folder=path.parent)
    assert not any(module.training for module in model.modules())
    assert not any(p.requires_grad for p in model.parameters())


def test_the_header_is_read_on_its_own(path):
    """Title, recipe and measured accuracies without building the model."""
    assert header("tiny", path.parent) == ABOUT


def test_a_header_can_be_replaced_without_touching_the_weights(path):
    """annotate."""
    before = load_file(path)
    annotate(path, replace(ABOUT, title="Measured"))
    assert header("tiny", path.parent).title == "Measured"
    after = load_file(path)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.fixture
def reordered(path, tmp_path) -> Path:
    """The same weights as those of `path`, with the logits in another order, and with names from the tutorials."""
    order = torch.randperm(10, generator=draws()).tolist()
    tensors = load_file(path)
    tensors = {key: v[order].contiguous() if key.startswith("head.") else v for key, v in tensors.items()}
    names = {"airplane": "plane", "automobile": "car"}
    there = tmp_path / "reordered.safetensors"
    rewrite(there, tensors, classes=[names.get(ABOUT.classes[k], ABOUT.classes[k]) for k in order])
    return there


def test_cifar10s_classes_may_come_in_any_order_and_are_asked_by_name(path, reordered, tmp_path):
    model, about = read(reordered)
    assert about == header("reordered", tmp_path) == ABOUT
    x = images(4, size=16)
    assert torch.equal(model(x), read(path)[0](x))
    assert checkpoints.stamp("reordered", tmp_path) == checkpoints.stamp("tiny", tmp_path)


def test_a_header_that_is_replaced_keeps_names_and_logits_together(path, reordered, tmp_path):
    annotate(reordered, replace(header("reordered", tmp_path), title="Mine"))
    x = images(4, size=16)
    assert torch.equal(read(reordered)[0](x), read(path)[0](x))


def test_a_file_that_is_no_checkpoint_takes_none_of_the_others_away(path, tmp_path, caplog):
    (tmp_path / "pointer.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 3\n")
    save(
        tmp_path / "two.safetensors",
        tiny(classes=2).state_dict(),
        replace(ABOUT, args={"width": 4, "classes": 2}, classes=("a", "b")),
    )
    save(tmp_path / "student-x.safetensors", tiny().state_dict(), ABOUT)
    assert checkpoints.knowing(ABOUT.classes, tmp_path) == ("student-x", "tiny")
    assert checkpoints.knowing(ABOUT.classes, tmp_path, students=False) == ("tiny",)
    assert "left out: pointer.safetensors is not a Robust Frog checkpoint" in caplog.text


def test_pages_refuse_a_model_of_other_classes_by_its_name_and_theirs(monkeypatch):
    """A command may know it; on a page its logits would be called airplane and automobile."""
    monkeypatch.setattr(checkpoints, "header", lambda _: Header("resnet9", classes=("cat", "dog")))
    monkeypatch.setattr(checkpoints, "load", lambda _: tiny(classes=2))
    with pytest.raises(
        CheckpointError, match="mine knows other classes than CIFAR-10: it knows cat, dog, and the world"
    ):
        ready.load("mine")


def test_other_classes_stay_as_they_are(tmp_path):
    mine = ("car", "dog", "ant")
    save(
        tmp_path / "mine.safetensors",
        tiny(classes=3).state_dict(),
        replace(ABOUT, args={"width": 4, "classes": 3}, classes=mine),
    )
    assert header("mine", tmp_path).classes == read(tmp_path / "mine.safetensors")[1].classes == mine


def test_names_are_the_files_in_order(path):
    """Sorted; other files do not count; a folder that is not there has none."""
    save(path_of("b-model", path.parent), tiny().state_dict(), ABOUT)
    (path.parent / "zoo.toml").write_text("")
    (path.parent / "x.safetensors.part").write_text("")
    assert names(path.parent) == ("b-model", "tiny")
    assert names(path.parent / "nowhere") == ()


def test_a_missing_model_is_refused_with_the_remedy(path):
    """Name what there is and the command that makes the rest."""
    with pytest.raises(
        CheckpointError,
        match=r"no model 'robust' in .*; have: tiny. Make it with: python -m core.train.zoo build robust",
    ):
        load("robust", folder=path.parent)
    with pytest.raises(CheckpointError, match="have: none"):
        load("robust", folder=path.parent / "nowhere")
    with pytest.raises(CheckpointError, match="no model 'robust'"):
        header("robust", path.parent)


def test_a_missing_tensor_is_refused(path):
    """Never strict=False."""
    tensors = load_file(path)
    del tensors["head.bias"]
    rewrite(path, tensors)
    with pytest.raises(CheckpointError, match=r"1 tensors differ, first head.bias \(expected \(10,\), found None\)"):
        read(path)


def test_a_tensor_too_many_is_refused(path):
    """Never strict=False."""
    rewrite(path, {**load_file(path), "extra": torch.zeros(2)})
    with pytest.raises(CheckpointError, match=r"first extra \(expected None, found \(2,\)\)"):
        read(path)


def test_a_tensor_of_another_shape_is_refused(path):
    """Also one that could be broadcast."""
    rewrite(path, {**load_file(path), "head.bias": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"first head.bias \(expected \(10,\), found \(1,\)\)"):
        read(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_numbers_that_are_not_finite_are_refused(path, value):
    """One is enough."""
    tensors = load_file(path)
    tensors["head.weight"][3, 5] = value
    rewrite(path, tensors)
    with pytest.raises(CheckpointError, match="not finite"):
        read(path)


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.3, 0.999], ids=str)
def test_a_truncated_file_is_refused(path, keep):
    """A download that broke off."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(CheckpointError, match=r"tiny.safetensors is not a Robust Frog checkpoint"):
        read(path)


class Bomb:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        return Path.write_text, (self.victim, "executed")


@pytest.mark.parametrize(
    "write", [lambda b, p: p.write_bytes(pickle.dumps(b)), torch.save], ids=["pickle", "torch.save"]
)
def test_a_pickle_in_disguise_is_refused_and_never_executed(path, tmp_path, write):
    """The suffix proves nothing, and no code runs."""
    write(Bomb(tmp_path / "victim"), path)
    with pytest.raises(CheckpointError, match="not a Robust Frog checkpoint"):
        read(path)
    with pytest.raises(CheckpointError):
        header("tiny", tmp_path)
    assert not (tmp_path / "victim").exists()


def test_safetensors_of_somebody_else_are_refused(path):
    """No header of ours, no checkpoint of ours."""
    save_file(load_file(path), path)
    with pytest.raises(CheckpointError, match="not a Robust Frog checkpoint"):
        read(path)
    save_file(load_file(path), path, metadata={"robust_frog": "{not json"})
    with pytest.raises(CheckpointError, match="not a Robust Frog checkpoint"):
        read(path)


@pytest.mark.parametrize("text", ["[]", "null", "3", '{"arch": "resnet9"}', '{"classes": ["a"]}'])
def test_headers_of_another_form_are_refused(path, text):
    """JSON, but not ours."""
    save_file(load_file(path), path, metadata={"robust_frog": text})
    with pytest.raises(CheckpointError, match=r"tiny.safetensors"):
        read(path)


def test_a_header_from_a_later_version_is_refused(path):
    """A field this version does not know may change what the numbers mean."""
    rewrite(path, patch_size=4)
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors .*patch_size"):
        read(path)


def test_an_unknown_architecture_is_refused(path):
    """With the names there are."""
    rewrite(path, arch="alexnet")
    with pytest.raises(CheckpointError, match=r"tiny.safetensors: no architecture 'alexnet'; have resnet9"):
        read(path)


@pytest.mark.parametrize("args", [{"height": 4}, {"width": "wide"}], ids=str)
def test_arguments_that_the_architecture_does_not_take_are_refused(path, args):
    """A TypeError inside is not for users."""
    rewrite(path, args=args)
    with pytest.raises(CheckpointError, match=r"tiny.safetensors"):
        read(path)


@pytest.mark.parametrize("width", [-1, 2**40])
def test_impossible_widths_are_refused(path, width):
    """A header from elsewhere must neither crash nor allocate: compare shapes on the meta device first."""
    rewrite(path, args={"width": width})
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors"):
        read(path)


def test_as_many_class_names_as_logits_are_wanted(path):
    """Two names for ten logits end in an index error on a page."""
    rewrite(path, classes=["a", "b"])
    with pytest.raises(CheckpointError, match="class"):
        read(path)


def test_weights_of_another_width_are_refused(path):
    """The architecture in the header decides."""
    rewrite(path, args={"width": 8})
    with pytest.raises(CheckpointError, match=r"does not fit resnet9: .* tensors differ"):
        read(path)


def test_a_failed_save_leaves_the_old_file_and_no_rest(path, monkeypatch):
    """Atomic: either the new file or the old one, never half of one."""
    before = path.read_bytes()

    def fail(_: object, part: str, **__: object) -> None:
        Path(part).write_bytes(b"half a file")
        raise OSError("disk full")

    monkeypatch.setattr(checkpoints, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save(path, tiny(seed=1).state_dict(), ABOUT)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_save_leaves_one_readable_file(path):
    """No .part beside it, folders are made, everybody may read it."""
    deep = path.parent / "a" / "b" / "tiny.safetensors"
    save(deep, tiny().state_dict(), ABOUT)
    assert [p.name for p in deep.parent.iterdir()] == ["tiny.safetensors"]
    assert deep.stat().st_mode & 0o777 == 0o644
    assert deep.stat().st_size < 0.6 * sum(4 * v.numel() for v in tiny().state_dict().values()) + 20_000


def test_saving_does_not_change_the_weights_it_is_given(path):
    """fp16 is for the file."""
    model = tiny()
    save(path, model.state_dict(), ABOUT)
    assert all(
        torch.equal(a, b) for a, b in zip(model.state_dict().values(), tiny().state_dict().values(), strict=True)
    )


@pytest.mark.parametrize(
    "name", sorted({name for name, entry in declared().items() if "cpu" in entry.profiles} | {*names()})
)
def test_shipped_checkpoints_can_be_read_and_say_what_they_are(name, checkpoint):
    """Every declared model loads strictly, and has as many class names as logits."""
    model, about = checkpoint(name), header(name)
    assert model(images(1, size=32)).shape == (1, len(about.classes))
    assert about.recipe


def test_a_listing_sees_what_comes_and_goes(path):
    folder = path.parent
    os.utime(folder, (1e9, 1e9))
    assert names(folder) == names(folder) == ("tiny",)
    save(path_of("other", folder), tiny().state_dict(), ABOUT)
    assert names(folder) == ("other", "tiny")
    path.unlink()
    assert names(folder) == ("other",)
    assert names(folder / "none") == ()


def test_a_new_header_leaves_single_precision_as_it_was(tmp_path):
    path, wide = tmp_path / "wide.safetensors", torch.tensor([1e5, 1 + 2**-20])  # neither is a number of fp16
    save(path, {"w": wide}, ABOUT, half=False)
    annotate(path, replace(ABOUT, title="Measured"))
    assert torch.equal(load_file(path)["w"], wide)
