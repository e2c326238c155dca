"""What Saliency offers to begin with, in each world."""

from pages.ui import shell

PRESETS = [
    shell.Preset(
        "Noise and outline",
        "Look at *Log-odds gradient*: the standard model's is grain, the robust model's has the animal's outline in it."
        " Then at *SmoothGrad*: by sizes alone (switch on *Sizes only*) the two now look much alike.",
        {},
    ),
    shell.Preset(
        "Ask for a truck",
        "The same maps for a class that is not in the picture. Which of them change? A map that stays the same does not"
        " explain the answer.",
        {"target": "truck"},
    ),
    shell.Preset(
        "Along an attack",
        "Press play and read *cosine with step 0*: the standard model's gradient soon turns away, the robust model's"
        " keeps its shape.",
        {"view": "attack"},
    ),
    shell.Preset(
        "From truck to frog",
        "Averaged over many frogs, the robust model's gradient leans towards the difference of the two class means; the"
        " standard model's hardly does. Read the cosines.",
        {"view": "classes"},
    ),
]
ANYWHERE = [  # in a world of which nothing is known but its size
    shell.Preset(
        "What it predicts",
        "Each model's own prediction is explained, whether it is right or not.",
        {"target": "prediction"},
    ),
    shell.Preset(
        "Along an attack",
        "Press play and read *cosine with step 0*: how soon is the gradient another one?",
        {"view": "attack"},
    ),
    shell.Preset(
        "One of each class",
        "One method on a picture of each class: what is the rule and what is the exception?",
        {"view": "pictures"},
    ),
]
HERE = {  # what each world tries first; presets of other worlds name classes that this one has not
    "cifar10": PRESETS,
    "imagenet": [
        shell.Preset(
            "Grain and outline",
            "Look at *Log-odds gradient*: grain, all over the picture. *Integrated Gradients* average it and show eyes"
            " and nose; but they multiply by each pixel's distance from grey, so part of what you see is the picture.",
            {},
        ),
        shell.Preset(
            "Ask for an airliner",
            "The same maps for a class that is not in the picture. Which of them change? A map that stays the same does"
            " not explain the answer.",
            {"target": "airliner"},
        ),
        shell.Preset(
            "Along an attack",
            "Press play and read *cosine with step 0*: after a few steps too small to see, the gradient is another"
            " one.",
            {"view": "attack"},
        ),
        shell.Preset(
            "Several photographs",
            "One method, DeepLift, on each of the photographs: in which of them does it find what the answer names?",
            {"view": "pictures", "method": "deep_lift"},
        ),
    ],
    "planted": [
        shell.Preset(
            "Which feature does it read?",
            "Read below the *Log-odds gradient*: of the standard network's, most lies on the weaves that we planted,"
            " and less on the shape than its area; the robust network's is where the shape is.",
            {},
        ),
        shell.Preset(
            "A map of the picture",
            "Compare *in the shape* of *Integrated Gradients* and *DeepLift* with the log-odds gradient. Both multiply"
            " by the picture, so they show its shape, although the standard network reads the weave.",
            {"picture": "planted/10"},
        ),
        ANYWHERE[1],
        shell.Preset(
            "From class to class",
            "What would make this more of one class and less of another? Read the cosines with the difference of the"
            " two class means, and how much of each gradient lies on the weaves.",
            {"view": "classes"},
        ),
    ],
}


def offered(world: str) -> list[shell.Preset]:
    """Return what that world tries first."""
    return HERE.get(world, ANYWHERE)
