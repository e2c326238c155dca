"""What the Usefulness page says: its views, its claims, what each world tries first, and the words to explain."""

from pages.ui import shell

CLAIM = (
    "Almost every feature of a standard model is useful, and at ε = 0.25, too little to see, almost none is robustly"
    " useful. A robust model's features withstand it."
)
IN_GENERAL = (  # of worlds in which somebody else has measured
    "A feature is useful if it goes along with the class, and robustly useful if it still does after the worst small"
    " change."
)
VIEWS = {"features": "Every feature", "head": "Switch features off", "linear": "Made by hand"}
CLAIMS = {
    "features": (
        "Each point is one number that a model computes of a picture. Drag ε: how many still help when an adversary may"
        " move the picture by so much?"
    ),
    "head": (
        "Switch features off, and see what a head can do with the others. What is left of the accuracy, clean and"
        " attacked?"
    ),
    "linear": "Two features made by hand, with nothing but linear algebra: useful, and not robust.",
}
WORDS = {
    "features": ["feature", "useful", "robustly useful", "useful, non-robust", "one class against the rest"],
    "head": ["switched off", "refit", "attacked accuracy"],
    "linear": ["linear feature", "singular vector", "ensemble", "containment"],
}
PRESETS = [
    shell.Preset(
        "The cloud sinks",
        "Drag ε from 0 to 0.5. At 0 all points lie on the diagonal, γ = ρ. The standard model's cloud falls through"
        " zero at an ε that you cannot see; the robust model's stays up.",
        {"useful-frame": 4},
    ),
    shell.Preset(
        "Live on what is robust",
        "At ε = 0.15 about half of the standard model's features are still robustly useful. A head that may use only"
        " those keeps its clean accuracy; does it withstand the attack?",
        {"view": "head", "keep": "robust", "useful-frame": 3},
    ),
    shell.Preset(
        "Accuracy entirely from non-robust features",
        "Only the features that are not robustly useful at ε = 0.25 stay on. The standard model's head still gets most"
        " clean pictures right with them; then look at the attacked accuracy.",
        {"view": "head", "keep": "brittle", "useful-frame": 4},
    ),
    shell.Preset(
        "Hide a robust direction",
        "Drag α from 0. Two thousandths of a robust direction make a useless one as useful as the robust one, and no"
        " less brittle: Goh's containment.",
        {"view": "linear", "linear": "containment"},
    ),
]
ELSEWHERE = {
    "planted": (
        "What the standard network computes falls with the faint weaves that we planted: at ε = 0.25 almost none of it"
        " is robustly useful. The robust network's features stay up with the shapes."
    )
}
PLANTED = [
    shell.Preset(
        "The cloud sinks with the weave",
        "Drag ε from 0 to 0.5. × are the planted weaves, + the planted shapes: where they lie is known, because we drew"
        " them. The standard network's cloud falls as the weaves do, the robust network's as the shapes do.",
        {"useful-frame": 4},
    ),
    shell.Preset(
        "Live on what is robust",
        "Only features with γ > 0 at ε = 0.25 stay on. The standard network has hardly any, and loses most of its"
        " accuracy with the others; the robust network keeps all of its own, and withstands the attack.",
        {"view": "head", "keep": "robust", "useful-frame": 4},
    ),
    shell.Preset(
        "Accuracy entirely from non-robust features",
        "Only features with γ ≤ 0 at ε = 0.25 stay on. The standard network's head gets clean pictures right with them;"
        " then look at the attacked accuracy. The robust network has none, and guesses.",
        {"view": "head", "keep": "brittle", "useful-frame": 4},
    ),
]
IN_OTHERS = [
    shell.Preset(
        "How far the cloud sinks",
        "Drag ε from 0: there all points lie on the diagonal, γ = ρ. How many are still above 0 at an ε that you cannot"
        " see?",
        {"useful-frame": 4},
    )
]
HERE = {"cifar10": PRESETS, "planted": PLANTED}  # what each world tries first
