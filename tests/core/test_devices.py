"""What leaves a topic is on the CPU, whatever device computed it; on the way tensors of two devices do not meet."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core import compute, data, perturb
from core.attacks import pgd
from core.bugs import craft, ensemble, students
from core.bugs import measure as bugs_measure
from core.bugs import views as bugs
from core.bugs.recipe import BugsRecipe
from core.data import labelled, pictures
from core.datasets import live, student
from core.datasets import wrong as dataset_wrong
from core.datasets.experiments import SCALES
from core.datasets.experiments.run import measure as examined
from core.datasets.recipe import DatasetsRecipe
from core.dial import measure as dial_measure
from core.dial import views as dial
from core.dial.recipe import DialRecipe
from core.errors import leakage, learners, manifold, wrong
from core.errors import measure as errors
from core.frequency import measure as frequency_measure
from core.frequency import views as frequency
from core.frequency.recipe import FrequencyRecipe
from core.inversion import measure as inversion
from core.inversion.between import between
from core.inversion.emergence import emerge
from core.inversion.feature import feature
from core.inversion.gallery import gallery
from core.inversion.invert import FAST, SETTINGS, Setting
from core.inversion.recipe import InvertRecipe
from core.lectures import choice
from core.models import Classifier, checkpoints, ready
from core.perturb.duel import Chase
from core.perturb.recipe import PerturbRecipe
from core.perturb.scene import others
from core.saliency import measure as saliency_measure
from core.saliency import views as saliency
from core.saliency.classes import Means, contrast
from core.saliency.recipe import SaliencyRecipe
from core.style import measure as style
from core.style.recipe import StyleRecipe
from core.style.transfer import transfer
from core.synthesis import measure as synthesis
from core.synthesis.morph import links
from core.synthesis.recipe import SynthesisRecipe
from core.synthesis.studio import studio
from core.train import TrainRecipe, evaluate, fit, loop, speedrun, timing, zoo
from core.transfer import measure as transfer_measure
from core.transfer import views as crossing
from core.transfer.recipe import TransferRecipe
from core.transfer.results import Setting as Matrix
from core.usefulness import atlas, heads
from core.usefulness import feature as usefulness
from core.usefulness import measure as features
from core.usefulness.recipe import UsefulnessRecipe
from tests.far import FAR, Far, Generator, left_behind, there
from tests.helpers import images, noise_pictures, tiny

NAME = "resnet9-standard"
PHOTO = "photo/chelsea"


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    """Compute on a device that is not the CPU."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(compute, "device", lambda: FAR)
    with Far():
        yield


@pytest.fixture
def load(checkpoint: Callable[[str], Classifier]) -> Callable[[str], Classifier]:
    """A function that prepares a model that ships, there."""

    def prepared(name: str = NAME) -> Any:
        checkpoint(name)
        return there(compute.for_inference(checkpoints.load(name)))

    return prepared


def stop(*_: object) -> bool:
    """End a loop after its first step."""
    return True


PERTURB = PerturbRecipe(picture=PHOTO, steps=2)
INVERT = InvertRecipe(picture=PHOTO)
Load = Callable[..., Any]
# What each topic gives away, by a network of ours that is there.
GIVEN: dict[str, Callable[[Load], object]] = {
    "perturb, radii": lambda load: perturb.attack(PERTURB, NAME, model=load(), part=1),
    "perturb, steps": lambda load: perturb.attack(replace(PERTURB, axis="steps"), NAME, model=load()),
    "perturb, random start": lambda load: perturb.attack(
        replace(PERTURB, random_start=True), NAME, model=load(), part=1
    ),
    "perturb, what was not attacked": lambda load: others(
        PERTURB, *[perturb.attack(PERTURB, NAME, model=load(), part=1) for _ in range(2)], (load(), load())
    ),
    "perturb, closest": lambda load: perturb.closest(PERTURB, NAME, steps=2, model=load())[0],
    "perturb, duel": lambda load: Chase(load(), "fp32").follow(
        pictures.get(PHOTO).x, norm="L2", eps=0.5, target=None, steps=1
    ),
    "bugs": lambda load: [
        bugs.made(BugsRecipe(picture=PHOTO, steps=1), kind, loaded=bugs.Loaded(load(), [load()])) for kind in bugs.KINDS
    ],
    "bugs, verdicts": lambda load: bugs.verdicts(BugsRecipe(), images(2, size=32), {"judge": load()}),
    "frequency": lambda load: frequency.look(FrequencyRecipe(picture=PHOTO), ["one"], models={"one": load()}),
    "inversion": lambda load: emerge(INVERT, NAME, model=load(), on_step=stop),
    "inversion, between": lambda load: between(INVERT, NAME, model=load(), on_step=stop),
    "inversion, gallery": lambda load: gallery(INVERT, NAME, model=load(), on_step=stop),
    "inversion, feature": lambda load: feature(INVERT, NAME, model=load(), on_step=stop),
    "saliency": lambda load: saliency.explain(SaliencyRecipe(picture=PHOTO), NAME, "gradient", model=load()),
    "saliency, along": lambda load: saliency.along(SaliencyRecipe(picture=PHOTO), NAME, model=load(), on_step=stop),
    "saliency, classes": lambda load: contrast(SaliencyRecipe(picture=PHOTO), NAME, model=load()),
    "datasets": lambda load: [
        live.watch(DatasetsRecipe(kind=kind, n=4, steps=1), NAME, model=load()) for kind in ("inverted", "rand")
    ],
    "datasets, student": lambda load: student.look(DatasetsRecipe(picture=PHOTO), NAME, model=load(), on_step=stop),
    "dial": lambda load: [
        dial.position(DialRecipe(view=view, picture=PHOTO), "dial/l2-0", model=load(), on_step=on_step)
        for view, on_step in (("inversion", stop), ("gradient", None), ("paint", stop))
    ],
    "synthesis": lambda load: studio(SynthesisRecipe(picture=PHOTO), NAME, model=load(), on_step=stop),
    "style": lambda load: transfer(StyleRecipe(side=32), NAME, model=load(), on_step=stop),
    "usefulness": lambda load: usefulness.look(UsefulnessRecipe(), "standard", model=load(), on_step=stop),
    "transfer, examples": lambda load: crossing.examples(
        TransferRecipe(source=NAME, target=NAME, steps=1), loaded={NAME: load()}
    ),
    "lectures, two pictures": lambda load: choice.moved(load(), images(2, size=32), (3, 5), 1.0, stop),
}


@pytest.mark.parametrize("topic", GIVEN)
def test_what_leaves_a_topic_is_on_the_cpu(topic, far, load, monkeypatch):
    monkeypatch.setattr(torch, "Generator", Generator)
    assert left_behind(GIVEN[topic](load)) == []


def test_a_model_is_asked_wherever_the_pictures_are(far):
    model, x = there(tiny()), images(2, size=16)
    here, away = ready.asked(model, x), ready.asked(model, ready.placed(x, model))
    assert left_behind((here, away)) == [] and torch.equal(here, away)


# Measuring


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Every checkpoint is here, a small network with random weights; the pictures are noise, and few."""
    seeds: dict[str, int] = {}

    def drawn(name: str, *_: object, **__: object) -> Classifier:
        return tiny(seed=seeds.setdefault(name, len(seeds)))

    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(checkpoints, "load", drawn)
    monkeypatch.setattr(checkpoints, "of_its_world", lambda _: None)
    monkeypatch.setattr(checkpoints, "stamp", lambda *_: "stamp")
    monkeypatch.setattr(checkpoints, "path_of", lambda *_: Path(__file__))
    monkeypatch.setattr(checkpoints, "names", lambda **_: ("a",))
    header = checkpoints.Header("resnet9", {"width": 4}, "a", data.CIFAR10_CLASSES)
    monkeypatch.setattr(checkpoints, "header", lambda *_: header)
    monkeypatch.setattr(checkpoints, "annotate", lambda *_: None)
    monkeypatch.setattr(data, "cifar10", noise)
    monkeypatch.setattr(labelled, "load", lambda _, split: noise(split))
    for settings in (SETTINGS, inversion.SETTINGS):
        monkeypatch.setitem(settings, "fast", Setting(1, FAST.make_rule))
        monkeypatch.setitem(settings, dial.SETTING, Setting(1, FAST.make_rule))
    return monkeypatch


def noise(split: str = "test", n: int = 40) -> data.Pictures:
    """Make pictures of noise, 16 pixels high, with CIFAR-10's ten classes, each of them as often."""
    made = noise_pictures(n, 10, 16, seed=len(split))
    return replace(made, labels=np.arange(n) % 10, classes=data.CIFAR10_CLASSES)


Patch = pytest.MonkeyPatch
TRAIN = TrainRecipe(args={"width": 4}, epochs=1, batch_size=16, augment=False, precision="fp32")


def measured_inversions(out: Path, patch: Patch) -> object:
    return [inversion.measure("a", ("b",), 2, 0, "fast", start) for start in ("picture", "noise")]


def measured_features(out: Path, patch: Patch) -> object:
    for name, value in {"RADII": (0.1,), "CHECKED_AT": (0.1,), "CHECKED": 1}.items():
        patch.setattr(features, name, value)
    features.measure(["a"], 20, 0, "fp32", out / "work", out)
    made = atlas.load("a", out)
    heads_of = {"load": lambda _: made, "KEPT": (8,), "EPS": (0.1,), "RANKED_AT": made.radii[0]}
    heads_of["attacked_pictures"] = lambda *_: (noise().x(range(4)), noise().y(range(4)))
    for name, value in heads_of.items():
        patch.setattr(heads, name, value)
    return made, heads.measure("a", 4, 1, 0, "fp32")


def measured_transfer(out: Path, patch: Patch) -> object:
    settings = (Matrix("L2", "1"), Matrix("L2", "1", "targeted"))
    return transfer_measure.measure(
        ("a", "b"), noise(), n=4, steps=1, settings=settings, out=out / "transfer.json", kept=out
    )


def measured_synthesis(out: Path, patch: Patch) -> object:
    patch.setattr(synthesis, "LIMITS", {6.0: 1})
    patch.setattr(synthesis, "DRAWN", (("sea", "ship"),))
    patch.setattr(links, "MOST_STEPS", 1)
    found = list(synthesis.measure(["a"], ["a", "b"], 1, 0, {6.0: 1}))
    return found, synthesis.cpu_seconds("a"), synthesis.sheet(["a"], 0)


def measured_bugs(out: Path, patch: Patch) -> object:
    patch.setattr(craft, "STEPS", 1)
    patch.setattr(bugs_measure, "SETTINGS", craft.SETTINGS[:1])
    patch.setattr(ensemble, "MEMBERS", ensemble.MEMBERS[:1])
    patch.setattr(ensemble, "JUDGES", ensemble.JUDGES[:1])
    bugs_measure.main(["measure", "attacks", "--n", "2", "--out", str(out / "bugs.json"), "--work", str(out)])
    lessons = students.Lessons(16, members=ensemble.MEMBERS, train=TRAIN)
    return [students.student(kind, lessons, noise("train"), noise(), out) for kind in bugs_measure.KINDS]


def measured_dial(part: str) -> Callable[[Path, Patch], object]:
    """Return what measures that part of the dial."""

    def measured(out: Path, patch: Patch) -> object:
        for name, value in {"EPS": (0.5,), "PUSHED": (0.1,), "LIMITS": {dial_measure.PAINTED: 1}}.items():
            patch.setattr(dial_measure, name, value)
        patch.setattr(dial_measure, "SOURCED", dict(list(dial_measure.SOURCED.items())[-1:]))
        patch.setattr(dial_measure, "SOURCE_STEPS", 1)
        patch.setattr(dial_measure, "TARGETS", ("a",))
        patch.setattr(dial_measure, "judges", lambda: ("a",))
        patch.setattr(dial_measure, "means_of", lambda *_: Means(images(10, size=16), ""))
        said = evaluate.predict(checkpoints.load("a"), noise().x()).argmax(1).numpy()
        of_target = replace(noise(), labels=said) if part == "transfer" else noise()
        return dial_measure.MEASURES[part].measure("b", of_target, 4 if part == "accuracy" else 20)

    return measured


def measured_frequencies(out: Path, patch: Patch) -> object:
    patch.setattr(frequency_measure, "TRADED", frequency_measure.TRADED[:1])
    patch.setattr(frequency_measure, "robust_accuracy", partial(few_steps, frequency_measure.robust_accuracy))
    patch.setattr(frequency_measure, "CUTS", {"low": frequency_measure.CUTS["low"][:1]})
    file = out / "frequency.json"
    frequency_measure.measure_heat(["a"], noise(), 2, out, file)
    frequency_measure.measure_weather(["a"], noise(), 2, file)
    frequency_measure.measure_students(noise(), 2, file)
    frequency_measure.measure_trades(["a"], noise(), 2, file)
    return json.loads(file.read_text("utf-8"))


def few_steps(attacked: Callable[..., Any], *given: Any, **settings: Any) -> Any:
    """Attack with one step."""
    return attacked(*given, **{**settings, "steps": 1})


def measured_style(out: Path, patch: Patch) -> object:
    patch.setattr(style, "LAYERED", ("a",))
    patch.setattr(style, "STEPS", 1)
    return style.pairs(1, StyleRecipe(side=16, steps=1)), style.layers(2, 0)


def measured_saliency(out: Path, patch: Patch) -> object:
    means = images(10, size=16)
    return saliency_measure.measure("a", noise().x(range(2)), noise().y(range(2)), means, seed=0, samples=1)


def measured_errors(out: Path, patch: Patch) -> object:
    patch.setattr(errors, "SIZES", {"quick": (4, 1, 2)})
    patch.setattr(wrong, "SCALES", {"quick": wrong.Scale(32, TRAIN, TRAIN, (("errors", 0),))})
    for module in (leakage, learners):
        patch.setattr(module, "fit_linear", partial(leakage.fit_linear, steps=1))
    patch.setattr(leakage, "EPOCHS", 1)
    patch.setattr(errors, "pgd", partial(few_steps, pgd))
    patch.setattr(manifold, "DIRECTIONS", (2,))
    patch.setattr(manifold, "local", partial(manifold.local, k=5, axes=4))
    patch.setattr(loop, "RunState", partial(forgotten, loop.RunState))
    kept: list[object] = []
    errors.pictures("quick", noise("train"), noise(), out, kept.append)
    found = errors.leaks("quick", noise("train"), noise(), out, 0, out / "weights.npz")
    scale = learners.Scale(16, TRAIN, TRAIN)
    sets = (noise("train"), noise("train"), noise())
    taught = [learners.run(scale, learner, 0, *sets, out / learner) for learner in ("supervised", "contrastive")]
    return kept, found, taught, errors.dimples("quick", noise("train"), noise(), 0)


def forgotten(kept: Callable[..., Any], _: object, *others: object) -> Any:
    """Keep nothing of a run: what lies on the device of pretence is in no file."""
    return kept(None, *others)


def measured_lessons(out: Path, patch: Patch) -> object:
    patch.setattr(dataset_wrong, "cifar10", lambda split, _: noise(split))
    photo = pictures.get(PHOTO)
    patch.setattr(dataset_wrong.one_by_one, "get", lambda _: photo)
    patch.setattr(dataset_wrong, "RENEWED", 20)
    recipe = replace(dataset_wrong.SET, n=20, steps=1)
    scale = replace(SCALES["quick"], tested=4, steps=1)
    made = dataset_wrong.learn(recipe, ready.load("a"), training=TRAIN, tested=4)
    return made, examined(tiny(), noise("train"), noise(), scale)


def measured_training(out: Path, patch: Patch) -> object:
    patch.setattr(zoo, "record", lambda *_: None)
    patch.setattr(zoo, "MEASURED_BALLS", zoo.MEASURED_BALLS[:1])
    patch.setattr(zoo, "MEASURED_STEPS", 1)
    patch.setattr(speedrun, "STEPS", 1)
    patch.setattr(evaluate, "CHECKED", 2)
    evaluate.main(["a", "--n", "2", "--steps", "1", "--restarts", "1", "--ball", "L2:0.5"])
    return zoo.measure("a", 2, precision="fp32"), speedrun.measured(tiny(), noise(), 2, 0)


MEASURED: dict[str, Callable[[Path, Patch], object]] = {
    "inversion": measured_inversions,
    "usefulness": measured_features,
    "transfer": measured_transfer,
    "synthesis": measured_synthesis,
    "bugs": measured_bugs,
    **{f"dial, {part}": measured_dial(part) for part in dial_measure.MEASURES},
    "frequency": measured_frequencies,
    "style": measured_style,
    "saliency": measured_saliency,
    "errors": measured_errors,
    "datasets": measured_lessons,
    "train": measured_training,
}


@pytest.mark.parametrize("topic", MEASURED)
def test_what_is_measured_meets_on_the_device(topic, far, small, monkeypatch, tmp_path):
    monkeypatch.setattr(torch, "Generator", Generator)
    assert left_behind(MEASURED[topic](tmp_path, small)) == []


@pytest.mark.gpu
@pytest.mark.parametrize("topic", MEASURED)
def test_what_is_measured_meets_on_a_card(topic, small, tmp_path):
    assert MEASURED[topic](tmp_path, small) is not None


def test_the_seconds_of_a_core_are_not_those_of_a_device(far, small, monkeypatch):
    painted: list[bool] = []
    monkeypatch.setattr(synthesis, "painted", lambda model, *_: painted.append(bool(left_behind(model.state_dict()))))
    synthesis.cpu_seconds("a")
    assert painted == [False] * 3


def test_steps_are_timed_where_the_training_runs(far, small, monkeypatch):
    """Else the minutes that fit into a run, and those in a header, are those of another device."""
    asked = []

    def spy(*given: Any, device: object = "cpu", **more: Any) -> Classifier:
        asked.append(device)
        return fit(*given, device="cpu", **more)

    monkeypatch.setattr(timing, "fit", spy)
    assert timing.timed(TRAIN, noise("train", 200))
    assert asked == [FAR]


# The device of pretence itself


def test_there_is_another_device(far):
    x = images(2, size=16)
    away = x.to(FAR)
    assert (x.device.type, away.device) == ("cpu", FAR)
    assert torch.zeros(3, device=away.device).device == (away + 1).device == FAR
    assert left_behind({"a": [x, away], "b": (away.cpu(),)}) == ["['a'][1]"]
    for meets in (lambda: away - x, lambda: torch.cat([x, away]), lambda: there(tiny())(x)):
        with pytest.raises(RuntimeError, match="expected all tensors to be on the same device"):
            meets()


def test_what_a_real_device_refuses_besides(far):
    """Rows picked by an index from there, values put into rows of the other device, arrays, another device's draws."""
    x, rows = images(3, size=4), torch.arange(2)
    away = x.to(FAR)
    assert away[rows].device == FAR and x[rows.to(FAR)[0]].device.type == "cpu", "indices from here, and numbers"
    for meets in (
        lambda: x[rows.to(FAR)],
        lambda: x.__setitem__(rows, away[:2]),
        lambda: away.__setitem__(rows, x[:2]),
    ):
        with pytest.raises(RuntimeError, match="expected all tensors to be on the same device"):
            meets()
    with pytest.raises(TypeError, match="becomes no array"):
        away.numpy()
    here, there_ = Generator().manual_seed(0), Generator(FAR).manual_seed(0)
    assert torch.equal(torch.rand(2, generator=here), torch.rand(2, generator=there_, device=FAR).cpu())
    for draws, device in ((here, FAR), (there_, "cpu")):
        with pytest.raises(RuntimeError, match="the generator is for"):
            torch.rand(2, generator=draws, device=device)


def test_a_model_goes_there_and_comes_back_and_its_copy_is_where_it_was(far):
    model, x = tiny(), images(2, size=16)
    expected = model(x)
    away = model.to(FAR, memory_format=torch.channels_last)
    assert left_behind(away.state_dict()) == [f"[{key!r}]" for key in away.state_dict()]
    torch.testing.assert_close(deepcopy(away)(x.to(FAR)).cpu(), expected)
    assert left_behind(away.cpu().state_dict()) == []


def test_it_computes_what_the_cpu_computes(far):
    model, x = tiny(), images(2, size=16).contiguous(memory_format=torch.channels_last)
    expected = model(x)
    torch.testing.assert_close(there(model)(x.to(FAR)).cpu(), expected, rtol=0, atol=0)


# Arriving


@dataclass(frozen=True)
class Found:
    """A result as topics have them."""

    x: Tensor
    parts: tuple[Tensor, ...]
    by_name: dict[str, Tensor]
    n: int = 3


def test_a_result_arrives_with_all_that_is_in_it(far):
    x = images(1, size=4)
    found = compute.arrived(Found(x.to(FAR), (x.to(FAR), x), {"one": x.to(FAR)}))
    assert left_behind(found) == [] and torch.equal(found.by_name["one"], x)
    assert found.parts[1] is x, "what is here stays what it is"
