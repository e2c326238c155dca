"""What each experiment of the paper consists of: students, and the sets that they learn from.

A student is a network that is trained the ordinary way on a set. `PLANS` names the students of each experiment; a
profile (`scales`) says how many pictures, steps and epochs. The training settings are those of the paper's table 3 as
far as they are printed: SGD with momentum 0.9 and weight decay 5e-4, batch 128, rate 0.1 with shifts and flips; for
D_det no augmentation. Two things differ. The rate follows one cycle, which suits short trainings; the paper drops it
in steps. And students of perturbed sets see whitened pixels (`core.models.normalization.Whiten`): without, a network
needs twenty epochs before it finds anything in D_rand (the paper's figure 10), at a rate of 0.01, which only the
profile `full` can afford.
"""

from dataclasses import dataclass, replace

from core.datasets.construct import ConstructRecipe
from core.datasets.experiments.scales import ARCHITECTURES, SCALES, Scale
from core.problems import InputError
from core.train import TrainRecipe

STANDARD, ROBUST = "resnet9-standard", "resnet9-l2"


@dataclass(frozen=True)
class Student:
    """A network and the set it learns from.

    Args:
        name: Also the name of its checkpoint.
        title: For people.
        made: How its set is constructed; None trains on the original pictures.
        train: How it is trained.
        classes: The original classes it is about; empty is all. Others are left out, labels are counted anew, and the
            source model is asked about these alone (unless subset is "unseen").
        subset: "" all pictures of the set, "moved" only those whose new label is not their own, "unseen" only pictures
            of other classes that were given the label of one of `classes`.
        keep: Put its weights among the checkpoints.
    """

    name: str
    title: str
    made: ConstructRecipe | None
    train: TrainRecipe
    classes: tuple[str, ...] = ()
    subset: str = ""
    keep: bool = False


def plan(experiment: str, profile: str) -> list[Student]:
    """Return the students of an experiment.

    Raises:
        ValueError: If there is no such experiment or profile.
    """
    if experiment not in PLANS:
        raise InputError(f"no experiment {experiment!r}; have {', '.join(PLANS)}")
    if profile not in SCALES:
        raise InputError(f"no profile {profile!r}; have {', '.join(SCALES)}")
    return PLANS[experiment](SCALES[profile])


def _train(scale: Scale, epochs: int, seed: int, **fields: object) -> TrainRecipe:
    base = TrainRecipe(
        arch=scale.arch, args=scale.args, epochs=epochs, lr=0.1, batch_size=scale.batch_size, seed=100 + seed
    )
    return replace(base, **fields)  # type: ignore[arg-type]


def _of_perturbed(scale: Scale, seed: int, **fields: object) -> TrainRecipe:
    return _train(scale, scale.epochs, seed, args={**scale.args, "whiten": scale.whiten}, **fields)


def _plain(student: Student) -> TrainRecipe:
    """Return a student's training without the whitening."""
    return replace(student.train, args={**student.train.args, "whiten": 0})


def _named(name: str, seed: int) -> str:
    return name if seed == 0 else f"{name}-{seed}"


def _inverted(scale: Scale, kind: str, source: str) -> ConstructRecipe:
    return ConstructRecipe(kind, source=source, n=scale.inverted, **scale.inversion)  # type: ignore[arg-type]


def _perturbed(scale: Scale, kind: str, source: str = STANDARD, **fields: object) -> ConstructRecipe:
    return ConstructRecipe(kind, source=source, n=scale.perturbed, **{**scale.perturbation, **fields})  # type: ignore[arg-type]


def _figure2(scale: Scale) -> list[Student]:
    students = []
    for seed in scale.inverted_seeds:
        train = _train(scale, scale.inverted_epochs, seed)
        for kind, source, title in (
            ("robust", ROBUST, "D_R: robust features only"),
            ("nonrobust", STANDARD, "D_NR: the standard model's features"),
        ):
            made = _inverted(scale, kind, source)
            students.append(Student(_named(f"student-{kind}", seed), title, made, train, keep=seed == 0))
        students.append(Student(_named("student-original", seed), f"{scale.inverted:,} original pictures", None, train))
    return students


def _rand(scale: Scale, seed: int) -> Student:
    return Student(
        _named("student-rand", seed),
        "D_rand: labels at random",
        _perturbed(scale, "rand"),
        _of_perturbed(scale, seed, lr=scale.rand_lr),
        keep=seed == 0,
    )


def _det(scale: Scale, seed: int) -> Student:
    return Student(
        _named("student-det", seed),
        "D_det: labels one further",
        _perturbed(scale, "det", shifts=True, steps=scale.shifted, step_size=0.1),
        _of_perturbed(scale, seed, augment=False),
        keep=seed == 0,
    )


def _table1(scale: Scale) -> list[Student]:
    return [make(scale, seed) for seed in scale.seeds for make in (_rand, _det)]


def _figure3(scale: Scale) -> list[Student]:
    """One student of D_det for each architecture; ResNet-9's is the one of table 1."""
    det = _det(scale, 0)
    return [
        det,
        *(
            replace(
                det,
                name=f"figure3-{arch}",
                title=f"D_det, learnt by a {arch}",
                train=replace(det.train, arch=arch, args={**ARCHITECTURES[arch], "whiten": scale.whiten}),
                keep=False,
            )
            for arch in scale.architectures
        ),
    ]


def _controls(scale: Scale) -> list[Student]:
    rand = _rand(scale, 0)
    leak = ConstructRecipe("leak", n=scale.perturbed)
    controls = [
        replace(rand, name="control-moved", title="D_rand without its own class", subset="moved", keep=False),
        Student("control-leak", "D_rand without adversarial features", leak, rand.train),
        Student(
            "control-robust-source", "D_rand made with a robust model", _perturbed(scale, "rand", ROBUST), rand.train
        ),
    ]
    if scale.whiten:
        controls.append(
            replace(rand, name="control-plain", title="D_rand, pixels only normalised", train=_plain(rand), keep=False)
        )
    return controls


def _cats_vs_dogs(scale: Scale) -> list[Student]:
    """All ten thousand cats and dogs, made as D_det is; beside it what whitening does here, and who never saw either.

    The last is ours: the pictures of D_rand that are neither cats nor dogs and were labelled so.
    """
    det = _det(scale, 0)
    assert det.made is not None
    student = replace(
        det,
        name="student-cats-vs-dogs",
        title="Cats that look like dogs to a network, labelled dogs; and dogs, cats",
        made=replace(det.made, n=min(10_000, scale.perturbed)),
        train=replace(det.train, epochs=scale.pair_epochs, args={**det.train.args, "classes": 2}),
        classes=("cat", "dog"),
        keep=False,
    )
    rand = _rand(scale, 0)
    unseen = replace(
        rand,
        name="student-unseen",
        title="Neither cats nor dogs, made to look like them to a network and labelled so",
        train=replace(rand.train, epochs=scale.unseen_epochs, args={**rand.train.args, "classes": 2}),
        classes=("cat", "dog"),
        subset="unseen",
        keep=False,
    )
    if not scale.whiten:
        return [student, unseen]
    plain = replace(student, name="control-cats-vs-dogs-plain", title="The same, pixels only normalised")
    return [student, replace(plain, train=_plain(student)), unseen]


PLANS = {
    "figure2": _figure2,
    "table1": _table1,
    "figure3": _figure3,
    "controls": _controls,
    "cats-vs-dogs": _cats_vs_dogs,
}
