"""What Transfer offers to begin with, in each world."""

from pages.ui import shell

PRESETS = [
    shell.Preset(
        "It travels",
        "ResNet-9's perturbations, shown to a VGG that took no part: compare its column with the noise. Nobody told the"
        " two networks what to look at; both learned it from the same data.",
        {"source": "resnet9-standard", "target": "vgg-standard"},
    ),
    shell.Preset(
        "Noise does not",
        "The same lengths, random directions. The matrix goes dark: what fools the other networks is the direction.",
        {"show": "noise"},
    ),
    shell.Preset(
        "It even names the class",
        "Now the attack wants one particular wrong class. That the *other* network says this very class is what a bug"
        " of one network could not explain.",
        {"goal": "targeted", "eps": "1"},
    ),
    shell.Preset(
        "One way only",
        "Compare the robust network's row with its column. What is made for it fools the standard networks, more often"
        " than itself; what is made for them hardly reaches it. It uses features that they use as well, but not the"
        " other way round.",
        {"eps": "1", "source": "resnet9-l2", "target": "resnet9-standard"},
    ),
]
HERE = {  # what each world tries first; presets of other worlds name models that this one has not
    "cifar10": PRESETS,
    "planted": [
        shell.Preset(
            "It travels",
            "Two standard networks that differ in their seed alone read the same weave, so what is written for one is"
            " read by the other. Compare with the noise.",
            {"source": "planted-features-standard", "target": "planted-seed-standard"},
        ),
        PRESETS[1],
        shell.Preset(
            "Not to who reads the shape",
            "The robust network hardly looks at the weave: what is made for the others does not reach it.",
            {"source": "planted-features-standard", "target": "planted-features-robust"},
        ),
    ],
}


def offered(world: str) -> list[shell.Preset]:
    """Return what that world tries first."""
    return HERE.get(world, PRESETS[1:2])
