"""What Perturb offers to begin with, in each world."""

from dataclasses import replace

from core.models import checkpoints
from pages.ui import shell
from pages.ui.duel import STUDENTS

PRESETS = [
    shell.Preset(
        "A frog, or a truck?",
        "Drag ε from 0. On the left the standard model says *truck* long before you can see any change. On the right,"
        " the same attack on the robust model needs many times as much.",
        {"target": "truck"},
        {"frame": "0"},
    ),
    shell.Preset(
        "The robust model changes the picture instead",
        "With a larger budget the robust model gives in as well. Look at its picture, and hold *D* for the difference:"
        " to fool it, the attack had to draw something that you can see.",
        {"reach": "5", "target": "truck", "steps": 40},
        {"frame": "11"},
    ),
    shell.Preset(
        "Noise does nothing",
        "The third picture carries random noise of exactly the same size. It is as visible as the attack, and the model"
        " does not mind: what fools it is the direction, not the size.",
        {"norm": "Linf", "reach": "20/255"},
    ),
    shell.Preset(
        "Step by step",
        "One fixed ε, and the slider is now the attack's own steps, all of one length as in the paper: how few of them"
        " does the standard model survive?",
        {"axis": "steps", "schedule": "constant", "steps": 20},
        {"frame": "0"},
    ),
    shell.Preset(
        "Two students",
        "Both learnt in the ordinary way; only their pictures differ. The left one saw pictures whose labels"
        " only non-robust features explain, the right one pictures made of robust features. See at which ε each of them"
        " gives in.",
        dict(STUDENTS),
        {"frame": "0"},
    ),
    shell.Preset(
        "The webcam duel",
        "Press *Use the camera* and hold up a toy, a cup or your face; then press Space. Which model changes its mind?"
        " Turn ε up until the other one follows, and hold D to see what it took.",
        {"view": "duel"},
    ),
]
DISC = "planted/19"
OPENING = shell.Preset(
    "A cat, or an airliner?",
    "A well-known example of the authors' is a pig that a network takes for an airliner; here it is a cat. Drag ε"
    " from 0 to 2/255: no pixel moves by more than two of 255 grey levels.",
    {"picture": "photo-224/chelsea", "norm": "Linf", "reach": "2/255", "target": "airliner", "steps": 30},
    {"frame": "20"},
)
PLANTED = [
    shell.Preset(
        "What does the attack write?",
        "At this ε the standard network says *cross*, and you see nothing. Hold *D*: what was added is a weave, and it"
        " is the one that we planted in all crosses; the fourth picture is that weave alone. Below stands how much of"
        " each perturbation lies on it.",
        {"picture": DISC, "target": "cross"},
        {"frame": "4"},
    ),
    shell.Preset(
        "The robust network is redrawn",
        "Three times as far, the robust network gives in as well. Hardly anything of its perturbation is weave: much of"
        " it lies on the two shapes, about a hundred times as much as of random noise. Hold *D*: do you see a cross?",
        {"picture": DISC, "target": "cross"},
        {"frame": "13"},
    ),
    *PRESETS[2:4],
]
HERE = {  # what each world tries first; presets of other worlds name models and classes that this one has not
    "cifar10": PRESETS,
    "planted": PLANTED,
    "imagenet": [
        OPENING,
        shell.Preset(
            "Any other answer",
            "Nobody asks for a class now; the attack takes whichever comes first. How much less does it need?",
            {"target": "any", "norm": "L2", "reach": "1"},
            {"frame": "0"},
        ),
        *(replace(preset, values={**preset.values, "reach": "8/255"}) for preset in PRESETS[2:3]),
        PRESETS[3],
    ],
}


def offered(world: str) -> list[shell.Preset]:
    """Return what that world tries first, without presets whose models are not here."""
    absent = set(STUDENTS.values()) - set(checkpoints.names())
    return [preset for preset in HERE.get(world, PRESETS[2:4]) if absent.isdisjoint(preset.values.values())]
