"""What the Models page suggests to try first, each a model that has to be here."""

from pages.ui import shell

PRESETS = [
    shell.Preset(
        "The robust one",
        "It gives up a few points of clean accuracy and, like the robust VGG, stands far above every network here that"
        " met no adversary. Its curve falls slowly.",
        {"model": "resnet9-l2"},
    ),
    shell.Preset(
        "Accurate and helpless",
        "The diamond lies on the floor of the plot: better on clean pictures than the robust model, and nearly nothing"
        " left at a change of 0.5.",
        {"model": "resnet9-standard"},
    ),
    shell.Preset(
        "Robust by its data alone",
        "Nobody attacked this network while it learnt. It saw pictures that hold only what the robust model uses, and"
        " stands above every other ordinarily trained network.",
        {"model": "student-robust"},
    ),
    shell.Preset(
        "The one that reads the shape",
        "It gets all clean pictures right, as the standard network does, and at a change of 0.5 nearly all of them"
        " still: so little does not redraw a shape.",
        {"model": "planted-features-robust"},
    ),
    shell.Preset(
        "The one that reads the weave",
        "All clean pictures right, and none at a change of 0.5: the weave is 0.35 long, and a perturbation writes"
        " another one over it.",
        {"model": "planted-features-standard"},
    ),
]
