"""What is measured of the networks themselves, for `python -m core.train.zoo refresh`."""

from functools import partial

from core.models import checkpoints
from core.results import Part, read
from core.train import speedrun, zoo

SPEEDRUN = ("core.train.speedrun", "--minutes", "30")  # its networks are trained for it; none that ships takes part


def parts() -> tuple[Part, ...]:
    """Declare the accuracies of each network that the pages offer, and of those others that were measured."""
    known = read(zoo.RESULTS, zoo.AGAIN) or {}
    offered = [name for name in zoo.declared() if "/" not in name and checkpoints.path_of(name).is_file()]
    names = dict.fromkeys((*offered, *known))
    trials = Part("train", "recipes at equal cost", speedrun.RESULTS, SPEEDRUN, 360, tuple, (("runs",),))
    return trials, *(
        Part(
            "train",
            name,
            zoo.RESULTS,
            ("core.train.zoo", "measure", name),
            12,
            partial(tuple, [name]),
            ((name,),),
        )
        for name in names
    )
