"""What leaves a topic is on the CPU, whatever device computed it; on the way tensors of two devices do not meet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from core import compute, perturb
from core.bugs import views as bugs
from core.bugs.recipe import BugsRecipe
from core.data import pictures
from core.datasets import live, student
from core.datasets.recipe import DatasetsRecipe
from core.dial import views as dial
from core.dial.recipe import DialRecipe
from core.frequency import views as frequency
from core.frequency.recipe import FrequencyRecipe
from core.inversion.between import between
from core.inversion.emergence import emerge
from core.inversion.feature import feature
from core.inversion.gallery import gallery
from core.inversion.recipe import InvertRecipe
from core.lectures import choice
from core.models import Classifier, checkpoints, ready
from core.perturb.duel import Chase
from core.perturb.recipe import PerturbRecipe
from core.perturb.scene import others
from core.saliency import views as saliency
from core.saliency.classes import contrast
from core.saliency.recipe import SaliencyRecipe
from core.style.recipe import StyleRecipe
from core.style.transfer import transfer
from core.synthesis.recipe import SynthesisRecipe
from core.synthesis.studio import studio
from core.transfer import views as crossing
from core.transfer.recipe import TransferRecipe
from core.usefulness import feature as usefulness
from core.usefulness.recipe import UsefulnessRecipe
from tests.far import FAR, Far, Generator, left_behind, there
from tests.helpers import images, tiny

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
