"""A stranger's weights: what they are is read, what they want to run is not, what they are not is said."""

import collections
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from core.data.admitted import Refused
from core.models import build, foreign, pickles
from core.models.fitting import fit, stated_normalisation, swap_colours
from core.problems import InputError
from tests.helpers import images, tiny


@dataclass
class Payload:
    """Unpickled by `pickle.load`, it leaves a file behind."""

    trace: Path

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


class Meter:
    """An object of the training script that somebody left in a checkpoint."""

    def __init__(self) -> None:
        self.average = 0.5


def state() -> dict[str, torch.Tensor]:
    return tiny().state_dict()


def saved(content: object, **settings: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **settings)
    return file.getvalue()


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name.replace("__", "/").replace("_pkl", ".pkl"), data)
    return file.getvalue()


def safetensors_of(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def edited(content: bytes, name: str, data: bytes | None, *, compress: bool = False) -> bytes:
    """Replace or drop one part of a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for entry in old.infolist():
            part = old.read(entry)
            if entry.filename.endswith(name):
                if data is None:
                    continue
                part = data
            new.writestr(entry.filename, part, zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED)
    return file.getvalue()


def tensor_pickle(count: int, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """A zip of torch whose one tensor claims to be larger than what is stored."""

    class Piece:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (Storage(), offset, size, stride, False, collections.OrderedDict())

    class Storage:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(obj, Storage) else None

    file = io.BytesIO()
    Pickler(file, 2).dump({"w": Piece()})
    return zipped(archive__data_pkl=file.getvalue(), archive__data__0=bytes(4 * count))


# Loops of a stack machine: each would take hours or all memory if it were run as it stands.
DOUBLED = b"\x80\x02" + b"]q\x00" + b"".join(b"h\x00h\x00\x86q\x00" for _ in range(60)) + b"}q\x01h\x00K\x01s."
MEMO_BOMB = b"\x80\x02K\x01r\xff\xff\xff\x7f."
LONG_LIST = b"\x80\x02(" + b"K\x01" * 200_000 + b"l." + b""
COPIES = b"\x80\x02cbuiltins\nlist\nq\x00(" + b"K\x01" * 50_000 + b"lq\x01" + b"h\x00h\x01\x85R0" * 5_000 + b"."
ENORMOUS = 2**60
HOSTILE: dict[str, tuple[object, str]] = {
    # name: (bytes, or a function of the path of the trace; what the sentence says)
    "empty.pt": (b"", "empty"),
    "zeros.pt": (bytes(1000), "neither safetensors nor a file of PyTorch"),
    "noise.pth": (np.random.default_rng(0).bytes(5000), "neither safetensors nor"),
    "page.pth": (b"<!DOCTYPE html><html>404</html>", "web page"),
    "denied.pth": (b"\n  <?xml version='1.0'?><Error>AccessDenied</Error>", "web page"),
    "notes.pt": (b"epoch 3, loss 0.1\n" * 40, "text, not weights"),
    "pointer.safetensors": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS"),
    "keras.h5": (b"\x89HDF\r\n\x1a\n" + bytes(500), "HDF5"),
    "keras.keras": (zipped(**{"config.json": b"{}", "model.weights.h5": b"x"}), "Keras"),
    "llama.gguf": (b"GGUF" + bytes(500), "GGUF"),
    "array.npy": (b"\x93NUMPY" + bytes(200), "NumPy array"),
    "arrays.npz": (zipped(**{"w.npy": b"x"}), "NumPy arrays"),
    "document.zip": (zipped(**{"word.xml": b"x"}), "zip archive"),
    "packed.pth.gz": (b"\x1f\x8b" + bytes(200), "gzip"),
    "bundle.tar": (bytes(257) + b"ustar" + bytes(300), "tar archive"),
    "program.pt": (b"\x7fELF" + bytes(200), "program"),
    "picture.pt": (b"\x89PNG\r\n" + bytes(200), "picture"),
    "renamed.pt": (lambda trace: pickle.dumps(Payload(trace)), "nothing in it was run"),
    "renamed-0.pt": (lambda trace: pickle.dumps(Payload(trace), 0), "not weights"),
    "renamed.safetensors": (lambda trace: pickle.dumps(Payload(trace)), "header"),
    "payload.pt": (lambda trace: saved(Payload(trace)), "mkdir"),
    "payload-old.pt": (lambda trace: saved(Payload(trace), _use_new_zipfile_serialization=False), "mkdir"),
    "module.pt": (lambda _: saved(nn.Conv2d(1, 1, 1)), "Conv2d"),
    "numbers.pt": (lambda _: saved([1, 2, 3]), "not weights"),
    "no-tensors.pt": (lambda _: saved({"state_dict": {"w": 3}}), "not weights"),
    "arrays.pt": (lambda _: saved({"w": np.zeros(3)}), "numpy"),
    "script.pt": (
        zipped(archive__data_pkl=pickle.dumps({}), archive__code__x=b"def forward(self): ..."),
        "TorchScript",
    ),
    "cut.pt": (lambda _: saved(state())[:20_000], "cut off"),
    "cut-old.pt": (lambda _: saved(state(), _use_new_zipfile_serialization=False)[:20_000], "cut off"),
    "cut-pickle.pt": (lambda _: saved(state(), _use_new_zipfile_serialization=False)[:2_000], "pickle"),
    "part-missing.pt": (lambda _: edited(saved(state()), "data/0", None), "missing"),
    "part-short.pt": (lambda _: edited(saved(state()), "data/0", b"12"), "cut off"),
    "compressed.pt": (lambda _: edited(saved(state()), "x", b"", compress=True), "larger than it can be"),
    "other-order.pt": (lambda _: edited(saved(state()), "byteorder", b"big"), "byte order"),
    "damaged-pickle.pt": (lambda _: edited(saved(state()), "data.pkl", b"\x80\x02}q\x00("), "pickle"),
    "beyond.pt": (tensor_pickle(4, (1000,), (1,)), "reaches beyond"),
    "offset.pt": (tensor_pickle(4, (2,), (1,), offset=3), "reaches beyond"),
    "expanded.pt": (tensor_pickle(4, (10**6, 10**6), (0, 0)), "reaches beyond"),
    "negative.pt": (tensor_pickle(4, (2,), (-1,)), "no PyTorch writes"),
    "doubled.pt": (edited(saved({}), "data.pkl", DOUBLED), "not weights"),
    "memo.pt": (edited(saved({}), "data.pkl", MEMO_BOMB), "not weights"),
    "copies.pt": (edited(saved({}), "data.pkl", COPIES), "steps"),
    "list.pt": (edited(saved({}), "data.pkl", LONG_LIST), "not weights"),
    "nan.pt": (lambda _: saved({"w": torch.tensor([1.0, float("nan")])}), "not finite"),
    "infinite.pt": (lambda _: saved({"w": torch.tensor([1.0, float("inf")], dtype=torch.float16)}), "not finite"),
    "complex.pt": (lambda _: saved({"w": torch.zeros(2, dtype=torch.complex64)}), "ComplexFloat"),
    "huge-header.safetensors": (struct.pack("<Q", ENORMOUS) + b"{" + bytes(100), "header"),
    "cut-header.safetensors": (struct.pack("<Q", 5000) + b'{"a": ', "header"),
    "json.safetensors": (safetensors_of(b"{nonsense}"), "damaged"),
    "overlap.safetensors": (
        safetensors_of({n: {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} for n in "ab"}, bytes(16)),
        "damaged",
    ),
    "outside.safetensors": (
        safetensors_of({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 1600]}}, bytes(16)),
        "damaged",
    ),
    "shape.safetensors": (
        safetensors_of({"a": {"dtype": "F32", "shape": [ENORMOUS], "data_offsets": [0, 16]}}, bytes(16)),
        "damaged",
    ),
    "none.safetensors": (safetensors_of({}), "no tensors"),
    "short.safetensors": (b"{}", "header"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_one_sentence_and_runs_nothing(name, tmp_path):
    """In time and memory that a server can spare."""
    content, says = HOSTILE[name]
    trace, path = tmp_path / "trace", tmp_path / name
    path.write_bytes(content(trace) if callable(content) else content)
    begun = time.process_time()
    with pytest.raises(InputError) as told:
        foreign.read(path)
    assert says in str(told.value), told.value
    assert name in str(told.value) and "\n" not in str(told.value) and len(str(told.value)) < 400
    assert not trace.exists(), "the file ran its own code"
    assert time.process_time() - begun < 10


def test_the_payload_of_these_tests_would_leave_a_trace(tmp_path):
    """pickle.load runs it: so its absence above means something."""
    pickle.loads(pickle.dumps(Payload(tmp_path / "trace")))
    assert (tmp_path / "trace").exists()


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(saved(state()))
    with pytest.raises(InputError, match=r"MB, more than"):
        foreign.read(path, most_bytes=1000)
    with pytest.raises(InputError, match="there is no file"):
        foreign.read(tmp_path / "nothing.pt")
    with pytest.raises(InputError, match="is a folder"):
        foreign.read(tmp_path)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("under", ["", "state_dict", "model"])
def test_a_state_dict_is_read_as_torch_reads_it(tmp_path, new, under):
    """torch.load(weights_only=True), today's format and that before 1.6.

    A view, a transpose and whole numbers included.
    """
    plain = {**state(), "view": torch.arange(12.0)[4:8], "turned": torch.arange(6.0).reshape(2, 3).T}
    plain |= {"half": torch.randn(3).half(), "bf16": torch.randn(3).bfloat16(), "yes": torch.tensor([True, False])}
    path = tmp_path / "w.pt"
    torch.save({under: plain, "epoch": 3} if under else plain, path, _use_new_zipfile_serialization=new)
    found = foreign.read(path)
    expected = torch.load(path, weights_only=True)
    expected = expected[under] if under else expected
    assert list(found.tensors) == list(expected)
    assert all(torch.equal(found.tensors[name], value) for name, value in expected.items())
    assert found.refused == () and found.ordered


def test_what_stands_beside_the_weights_is_left_out_and_named(tmp_path):
    """A payload, an object of a training script, and parameters: the weights come out, and nothing is run."""
    trace, path = tmp_path / "trace", tmp_path / "w.ckpt"
    beside = {"meter": Meter(), "hyper": {"a": Payload(trace)}, "optimizer": {"state": {0: {"m": torch.zeros(3)}}}}
    weights = {f"model.{k}": nn.Parameter(v) if v.is_floating_point() else v for k, v in state().items()}
    torch.save({"pytorch-lightning_version": "2.5", "state_dict": weights, **beside}, path)
    found = foreign.read(path)
    assert found.kind == "a checkpoint of Lightning"
    assert not trace.exists()
    assert any("Meter" in name for name in found.refused) and any("mkdir" in name for name in found.refused)
    assert all(torch.equal(found.tensors[f"model.{k}"], v) for k, v in state().items())


def test_a_refused_object_is_inert():
    """Nothing that a pickle can do to it makes it call, hold or set anything."""
    program = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00echo\x85R}X\x01\x00\x00\x00aK\x01sb."
    tree = pickles.read(io.BytesIO(program))
    assert tree == Refused("os.system")
    # BUILD with slots is how a pickle sets attributes of what it got hold of: of a class of torch, say.
    pollute = b"\x80\x02ctorch\nFloatStorage\nN}X\x05\x00\x00\x00dtypeK\x01s\x86b."
    pickles.read(io.BytesIO(pollute))
    assert "dtype" not in vars(torch.FloatStorage) or vars(torch.FloatStorage)["dtype"] != 1


def test_reading_a_pickle_imports_nothing(tmp_path):
    """A name in a file is a text."""
    path = tmp_path / "w.pt"
    torch.save({"w": torch.zeros(2)}, path)
    path.write_bytes(edited(path.read_bytes(), "data.pkl", b"\x80\x02cthis\ns\n)R."))
    script = (
        "import sys\nfrom pathlib import Path\nfrom core.models import foreign\ntry:\n   "
        f" foreign.read(Path({str(path)!r}))\nexcept ValueError as e:\n    print(e)\nprint('this' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "this.s" in done.stdout and done.stdout.endswith("False\n")


# ---------------------------------------------------------------------------------------------------- fitting


def as_madry(model) -> dict[str, torch.Tensor]:
    """The keys of MadryLab's CIFAR ResNets (kuangliu's names), as DataParallel(AttackerModel) saves them."""
    renamed = {}
    for name, value in model.state_dict().items():
        if name.startswith(("body.", "head.")):
            renamed[f"module.model.{name.replace('body.', 'net_').replace('head', 'linear')}"] = value
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2023, 0.1994, 0.2010])
    own = {"module.normalizer.new_mean": mean[:, None, None], "module.normalizer.new_std": std[:, None, None]}
    copy = {k.replace("module.model.", "module.attacker.model."): v for k, v in renamed.items()}
    return own | renamed | copy


def test_the_papers_checkpoints_become_ours_by_order(tmp_path):
    """A dill pickle of DataParallel(AttackerModel) of a CIFAR ResNet-50, beside it what nobody should unpickle."""
    model, path = tiny("resnet50", 8), tmp_path / "cifar_l2_0_5.pt"
    trace = tmp_path / "trace"
    torch.save(
        {"model": as_madry(model), "schedule": Payload(trace), "epoch": 150}, path, _use_new_zipfile_serialization=False
    )
    found = foreign.read(path)
    fitted = fit(found, build("resnet50", width=2), "resnet50")
    other = build("resnet50", width=2)
    other.load_state_dict(fitted.state, strict=False)
    x = images(2, size=32)
    assert torch.equal(other.eval()(x), model(x))
    assert found.kind == "a checkpoint of MadryLab's robustness" and fitted.by_order and not trace.exists()
    mean, std = stated_normalisation(found)
    assert mean == pytest.approx((0.4914, 0.4822, 0.4465)) and std == pytest.approx((0.2023, 0.1994, 0.2010))


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module.model.", "net.backbone."])
@pytest.mark.parametrize(
    "arch", ["torchvision/resnet18", "timm/test_resnet", "timm/test_vit", "torchvision/mobilenet_v3_small"]
)
def test_weights_of_another_library_fit_under_any_prefix(tmp_path, arch, prefix):
    """The wrapped network computes what the library's own does, and its head reads its features."""
    library, _, name = arch.partition("/")
    module = pytest.importorskip(library)
    torch.manual_seed(1)
    made = (
        module.create_model(name, num_classes=7) if library == "timm" else module.models.get_model(name, num_classes=7)
    )
    side = 160 if "vit" in name else 64
    path = tmp_path / "w.safetensors"
    save_file({prefix + k: v for k, v in made.state_dict().items()}, path)
    model = build(arch, classes=7, side=side)
    with torch.device("meta"):
        shapes = build(arch, classes=7, side=side)
    model.load_state_dict(fit(foreign.read(path), shapes, arch).state, strict=False)
    x = images(2, size=side)
    torch.testing.assert_close(model.eval()(x), made.eval()(x))
    torch.testing.assert_close(model.head(model.features(x)), model(x))


def test_a_timm_network_is_split_where_timm_splits_it():
    """features(x) is forward_head(forward_features(x), pre_logits=True)."""
    timm = pytest.importorskip("timm")
    made = timm.create_model("test_convnext", num_classes=5).eval()
    model = build("timm/test_convnext", classes=5).eval()
    theirs = {model.theirs[name]: value for name, value in made.state_dict().items()}
    model.load_state_dict(theirs, strict=False)
    x = images(2, size=64)
    expected = made.forward_head(made.forward_features(x), pre_logits=True)
    torch.testing.assert_close(model.features(x), expected)


@pytest.mark.parametrize(
    ("arch", "args", "says"),
    [
        ("resnet9", {"width": 8}, "wider or narrower"),
        ("resnet9", {"width": 4, "classes": 7}, "10 classes apart, and 7"),
        ("vgg", {"width": 4}, "does not fit vgg"),
        ("torchvision/resnet18", {"classes": 10}, "does not fit torchvision/resnet18"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_a_sentence(tmp_path, arch, args, says):
    path = tmp_path / "w.safetensors"
    save_file(state(), path)
    with pytest.raises(InputError, match=says):
        fit(foreign.read(path), build(arch, **args), arch)


def test_more_weights_than_the_network_has_are_another_network(tmp_path):
    """Else a ResNet-34 would pass for a ResNet-18."""
    torchvision = pytest.importorskip("torchvision")
    path = tmp_path / "w.pt"
    torch.save(torchvision.models.resnet34(num_classes=10).state_dict(), path)
    with pytest.raises(InputError, match=r"does not have, first layer1\.2"):
        fit(foreign.read(path), build("torchvision/resnet18", classes=10), "torchvision/resnet18")


@pytest.mark.parametrize(
    ("arch", "says"),
    [
        ("timm/resnet81", "timm has no network 'resnet81'; like it are"),
        ("timm/hf-hub:somebody/theirs", "timm has no network"),
        ("torchvision/resnet_18", "torchvision has no classifier"),
        ("keras/resnet", "begin with timm/ or torchvision/"),
        ("resnet99", "no architecture"),
        ("torchvision/squeezenet1_0", "one linear layer"),
    ],
)
def test_an_unknown_architecture_is_named_with_what_is_like_it(arch, says):
    with pytest.raises(InputError, match=says):
        build(arch, classes=10)


def test_colours_can_be_turned():
    """f_swapped(x in RGB) = f(x in BGR), normalisation included."""
    model, turned = tiny(), tiny()
    swap_colours(turned)
    x = images(2, size=16)
    torch.testing.assert_close(turned(x), model(x.flip(1)))
    assert not torch.allclose(model(x), model(x.flip(1)))


def test_a_missing_library_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setattr("core.models.wrapped.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install timm"):
        build("timm/resnet18", classes=10)
