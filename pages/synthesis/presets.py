"""What Synthesis offers to begin with, in each world."""

from pages.ui import shell

PRESETS = [
    shell.Preset(
        "A drawing becomes a horse",
        "Drag the film back to its first frames: the standard model, on the left, is sure after about three of the"
        " forty steps, the robust one after about seven. From then on the robust model draws legs, a mane and a meadow;"
        " the standard model draws a vaguer horse under coloured noise. Then hold another class.",
        {"view": "morph", "morph-start": "sketch/meadow", "morph-holds": ("horse:40",)},
    ),
    shell.Preset(
        "Cat, dog, cat again",
        "One face, three holds. The robust model redraws what makes the difference: ears, muzzle, stripes.",
        {"view": "morph", "morph-start": "sketch/face", "morph-holds": ("cat:30", "dog:40", "cat:40")},
    ),
    shell.Preset(
        "Sixteen out of nothing",
        "Each starts as a blur drawn from its class's mean and covariance. Drag the slider and watch features arrive.",
        {"view": "studio", "task": "generate", "target": "each"},
    ),
    shell.Preset(
        "Half cat, half dog",
        "The loss asks for half a cat and half a dog. Some look like one, some like the other, a few like both.",
        {"view": "studio", "task": "mix", "target": "cat", "second": "dog"},
    ),
]
ANYWHERE = [  # in a world of which nothing is known but its pictures
    shell.Preset(
        "Out of nothing",
        "Nothing to start from but smooth noise: what you see in the end was put there by the gradient alone.",
        {"view": "studio", "task": "generate", "target": "each"},
    ),
    shell.Preset(
        "Turn the picture",
        "The same picture again and again, each turned into another class. Where in it does the network paint?",
        {"view": "studio", "task": "turn", "target": "each"},
    ),
]
PLANTED = [
    shell.Preset(
        "Out of an empty picture",
        "There is no shape in it and no weave. Hold *cross*: the standard network soon is sure and has painted a weave;"
        " watch what the robust one draws. Then hold another class.",
        {"view": "morph", "morph-start": "seed/disc/0", "morph-holds": ("cross:40",)},
    ),
    shell.Preset(
        "Sixteen out of nothing",
        "Drag the slider, and read *on the weaves*: how much of what each network paints is what we planted?",
        {"view": "studio", "task": "generate", "target": "each"},
    ),
    shell.Preset(
        "Turn the disc",
        "A disc, turned into each class. On the left the disc stays and a texture comes; on the right the disc itself"
        " is redrawn.",
        {"view": "studio", "task": "turn", "target": "each"},
    ),
]
HERE = {"cifar10": PRESETS, "planted": PLANTED}  # presets of other worlds name classes that this one has not
