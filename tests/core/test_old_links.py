"""Links, recipe files and programs from the time when each page had one file still open, and mean the same.

The texts here were written by the program as it was then. They stay as they are.
"""

import dataclasses
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from core import recipes
from core.datasets.recipe import DatasetsRecipe
from core.gaussian.recipe import GaussianRecipe
from core.inversion.recipe import InvertRecipe
from core.lectures.links import opened
from core.perturb.recipe import PerturbRecipe
from core.recipes import from_json, from_query, to_json
from core.saliency.recipe import SaliencyRecipe
from core.synthesis.recipe import SynthesisRecipe
from core.transfer.recipe import TransferRecipe
from core.usefulness.recipe import UsefulnessRecipe
from tests.helpers import run_alone

LINKS = {
    "picture=cifar10%2F7630&reach=5&target=second&steps=40": PerturbRecipe(
        "cifar10/7630", reach="5", target="second", steps=40
    ),
    "picture=photo%2Fchelsea&norm=Linf&reach=8%2F255&attack=FGSM&random_start=true&axis=steps&at=4%2F255&seed=2": (
        PerturbRecipe(
            "photo/chelsea",
            norm="Linf",
            reach="8/255",
            attack="FGSM",
            random_start=True,
            axis="steps",
            at="4/255",
            seed=2,
        )
    ),
    "picture=gallery%2F0&view=gallery&only=frog&seed=1": InvertRecipe("gallery", "gallery/0", only="frog", seed=1),
    "view=between&canvas=fade&block=res1&setting=paper&start=grey": InvertRecipe(
        "between", canvas="fade", block="res1", setting="paper", start="grey"
    ),
    "view=attack&norm=Linf&at=4%2F255&channel=colour&absolute=true&third=vgg-standard&window=8": SaliencyRecipe(
        "attack", norm="Linf", at="4/255", channel="colour", absolute=True, third="vgg-standard", window=8
    ),
    "start=sketch%2Fface&holds=cat%3A30%2Cdog%3A40%2Ccat%3A40&reach=none": SynthesisRecipe(
        start="sketch/face", holds=("cat:30", "dog:40", "cat:40"), reach="none"
    ),
    "view=studio&task=inpaint&region=upper+half&coarse=4&eps=none&share=30": SynthesisRecipe(
        "studio", task="inpaint", region="upper half", coarse="4", eps="none", share=30
    ),
    "numbers=live&n=16&models=resnet9-standard%2Cvgg-standard&ensemble=true&goal=targeted&of=all": TransferRecipe(
        numbers="live", n=16, models=("resnet9-standard", "vgg-standard"), ensemble=True, goal="targeted", of="all"
    ),
    "view=head&keep=only&head=refit&brush=standard%2C0.1%2C0.6%2C-2%2C0%2C4&source=photo": UsefulnessRecipe(
        "head", keep="only", head="refit", brush="standard,0.1,0.6,-2,0,4", source="photo"
    ),
    "view=student&student=student-robust&beside=student-nonrobust&kind=det&eps=300": DatasetsRecipe(
        "student", "det", student="student-robust", beside="student-nonrobust", eps=300
    ),
    "mu1=10&mu2=2.4&var1=6.25&var2=0.04&eps=4&shape=ellipse&view=paper": GaussianRecipe(
        mu2=2.4, var1=6.25, var2=0.04, eps=4.0, shape="ellipse", view="paper"
    ),
}
PERTURB = """{
  "kind": "PerturbRecipe",
  "picture": "photo/chelsea",
  "standard": "resnet9-standard",
  "robust": "resnet9-l2",
  "norm": "L2",
  "reach": "",
  "attack": "PGD",
  "steps": 9,
  "target": "any",
  "random_start": true,
  "axis": "steps",
  "frame": 8,
  "at": "0.6",
  "seed": 2
}"""
CONSTANT = {"schedule": "constant", "precision": "fp32"}  # no attack did anything else then
CHELSEA = PerturbRecipe("photo/chelsea", steps=9, random_start=True, axis="steps", at="0.6", seed=2, **CONSTANT)
DATASETS = """{
  "kind": "rand",
  "view": "build",
  "standard": "resnet9-standard",
  "robust": "resnet9-l2",
  "n": 5,
  "eps": 100,
  "steps": 3,
  "frame": 200,
  "seed": 8,
  "picture": "",
  "student": "student-rand",
  "beside": "resnet9-standard"
}"""
SYNTHESIS = """{
  "kind": "SynthesisRecipe",
  "view": "morph",
  "standard": "resnet9-standard",
  "robust": "resnet9-l2",
  "start": "sketch/face",
  "picture": "",
  "holds": [
    "cat:30",
    "dog:40"
  ],
  "reach": "6",
  "task": "generate",
  "target": "each",
  "second": "dog",
  "share": 50,
  "region": "centre",
  "coarse": "8",
  "feature": 0,
  "eps": "6",
  "steps": 40,
  "seed": 0,
  "frame": 30
}"""
FILES = {
    PERTURB: ("perturb", CHELSEA),
    DATASETS: ("datasets", DatasetsRecipe(n=5, eps=100, steps=3, seed=8)),
    SYNTHESIS: ("synthesis", SynthesisRecipe(start="sketch/face", holds=("cat:30", "dog:40"))),
}
HEAD = "from pathlib import Path\nfrom core import render\nfrom core.compute import setup_cpu\n"
SHEET = "Path(f'{name}.png').write_bytes(render.png(render.sheet(list(render.to_uint8(made.frames[-1])), 6)))"
PROGRAMS = {
    "perturb": f"""{HEAD}from core.perturb import attack
from core.recipes import PerturbRecipe
recipe = PerturbRecipe(
    picture='photo/chelsea',
    standard='resnet9-standard',
    robust='resnet9-l2',
    norm='L2',
    reach='',
    attack='PGD',
    steps=9,
    target='any',
    random_start=True,
    axis='steps',
    frame=8,
    at='0.6',
    seed=2,
)
found = attack(recipe, recipe.standard)
frame = min(recipe.frame, len(found.x_adv) - 1)
print(f"fooled from frame {{found.threshold}}, |delta| = {{float(found.norm[frame]):.4f}}")
Path("fooled.png").write_bytes(render.png(render.to_uint8(found.x_adv[frame : frame + 1])[0]))
""",
    "datasets": f"""{HEAD}from core.construct.live import watch
from core.recipes import DatasetsRecipe
recipe = DatasetsRecipe(view='build', kind='rand', n=4, eps=50, steps=1)
for name in (recipe.standard,):
    made = watch(recipe, name)
    hits = int((made.says[-1].cpu() == made.labels).sum())
    print(f"{{name}}: says the set's label of {{hits}}; mean L2 {{float(made.delta[-1].mean()):.3f}}")
    {SHEET}
""",
    "morph": f"""{HEAD}from core.morph import Act, Board, replay, start
from core.perturb import load
from core.render import png, to_uint8
origin = anchor = Board.of(start('sketch/meadow'), 2).pictures
acts = [  # class, steps, L2 distance allowed, length of a step
    Act(7, 2, 6.0, 0.2),  # horse
]
names = ('resnet9-standard', 'resnet9-l2')
pictures = replay(origin, anchor, acts, [load(name) for name in names])
for name, picture in zip(names, to_uint8(pictures)):
    Path(f"{{name}}-morph.png").write_bytes(png(picture))
""",
    "gaussian": f"""{HEAD}from core.gaussian_fit import Estimate
from core.gaussian_views import experiment, sides
from core.recipes import GaussianRecipe
recipe = GaussianRecipe(mu1=10.0, mu2=-1.0, var1=25.0, var2=0.5, eps=1.0)
for name, side in sides(recipe).items():
    print(f"{{name}}: angle {{side.angle:.2f}} degrees, attacked {{side.attacked:.4f}}")
for budget, fit in experiment(recipe).items():
    print(f"by gradient descent, budget {{budget}}: angle {{Estimate.of(fit.angles)}} degrees")
""",
    # What these compute takes too long for a test; that they find it does not.
    "inversion": f"{HEAD}from core.emergence import emerge\n"
    "from core.inversion_views import between, feature, gallery\nfrom core.recipes import InvertRecipe\n",
    "saliency": f"{HEAD}from core.saliency.rows import rows\nfrom core.recipes import SaliencyRecipe\n",
    "student": f"{HEAD}from core.saliency.maps import limits\nfrom core.students import look, map_of\n",
    "synthesis": f"{HEAD}from core.synthesis_views import studio\nfrom core.recipes import SynthesisRecipe\n",
    "transfer": "from core.transfer import results, similarity, views\nfrom core.recipes import TransferRecipe\n",
    "usefulness": f"{HEAD}from core.usefulness.feature import look\n"
    "from core.usefulness.views import attacked, construction, left_over\nfrom core.recipes import UsefulnessRecipe\n",
}


@pytest.mark.parametrize(("link", "recipe"), LINKS.items())
def test_an_old_link_means_the_same(link: str, recipe: object):
    assert from_query(type(recipe), dict(parse_qsl(link))) == (recipe, ())


@pytest.mark.parametrize(("text", "of"), FILES.items())
def test_an_old_file_means_the_same(text: str, of: tuple[str, object]):
    """Also where it does not name what an attack of today may do otherwise."""
    page, recipe = of
    assert from_json(type(recipe), text) == recipe
    assert opened(text) == (page, recipe)


def test_a_file_of_today_means_what_it_says():
    for recipe in (PerturbRecipe(), DatasetsRecipe(), CHELSEA, dataclasses.replace(CHELSEA, schedule="cosine")):
        assert from_json(type(recipe), to_json(recipe)) == recipe


@pytest.mark.parametrize("text", ["{}", '{"kind": "PerturbRecipe"}', '{"kind": "low"}', '{"kind": ["rand"]}'])
def test_what_never_was_a_file_of_datasets_is_refused(text: str):
    with pytest.raises(ValueError, match="not a DatasetsRecipe"):
        from_json(DatasetsRecipe, text)


def test_programs_copied_then_still_run_and_mean_the_same(tmp_path: Path):
    """One after the other in a process of its own, because there nothing checks types that were looser then."""
    check = "assert (recipe.schedule, recipe.precision) == ('constant', 'fp32')\n"
    told = run_alone("\n".join([PROGRAMS["perturb"] + check, *PROGRAMS.values()]), tmp_path)
    assert told.count("\n") == 2 + 1 + 2 + 2
    assert {path.name for path in tmp_path.glob("*.png")} == {
        *("fooled.png", "resnet9-standard.png", "resnet9-standard-morph.png", "resnet9-l2-morph.png")
    }


def test_a_class_for_programs_from_then_can_do_what_the_class_of_today_can():
    assert isinstance(recipes.PerturbRecipe(), PerturbRecipe)
    assert from_json(recipes.PerturbRecipe, PERTURB) == CHELSEA
    assert recipes.PerturbRecipe(steps=3, schedule="cosine").schedule == "cosine"
    assert recipes.DatasetsRecipe is DatasetsRecipe
