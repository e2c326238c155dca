"""What the Datasets page says: its views, its claims, the sets, and what each world tries first."""

from core import worlds
from core.data.planted import drawn
from core.datasets import student as students
from pages.ui import shell
from pages.ui.world import current

VIEWS = {
    "build": "Build a set",
    "live": "Train on wrong labels, live",
    "quiz": "Label it yourself",
    "results": "What networks learnt",
    "student": "Meet a student",
}
CLAIMS = {
    "build": (
        "Make a few pictures of each set as the paper does. What do you see, and what is the label that a network is"
        " given?"
    ),
    "live": "A set of wrong labels is built, and a network learns from it and nothing else, before your eyes.",
    "quiz": "Label the pictures of D_rand yourself. The network that was trained on them had nothing else to go by.",
    "results": "What networks learnt from each set, on ordinary test pictures: ours beside the paper's.",
    "student": (
        "Let a network that learnt from such a set alone look at any picture, beside one that learnt from ordinary"
        " ones."
    ),
}
KINDS = {
    "inverted": (
        "**D_NR and D_R.** Each picture is replaced by another that the model represents alike. The label stays."
    ),
    "rand": (
        "**D_rand.** Each picture is moved, within ε, toward a class drawn at random; that class becomes its label (for"
        " one in {classes} it is its own)."
    ),
    "det": "**D_det.** Each picture is moved, within ε, toward the *next* class; that class becomes its label.",
}
SETS = {"inverted": "D_NR and D_R", "rand": "D_rand", "det": "D_det"}
OFFERED = [
    shell.Preset(
        "Labels that look wrong",
        "Left, through the standard model: nothing visible changes, and yet that model predicts nearly every new label"
        " (the count is below the sheet). Right, within the same ε, the robust model can hardly be moved.",
        {"kind": "rand"},
    ),
    shell.Preset(
        "Only robust features",
        "Right: what a robust model keeps of each picture, D_R. Left: what a standard model keeps, D_NR; the start"
        " pictures hardly change. Both sets have the right labels.",
        {"kind": "inverted", "steps": 40},
    ),
    shell.Preset(
        "Every label wrong, live",
        "Predict first. Then a set is built in which no label is right, a network is trained on it here and now, and"
        " clean pictures examine it after each pass.",
        {"view": "live"},
    ),
    shell.Preset(
        "A robust model as the source",
        "Within a large ε the robust model (right) cannot be moved without visible change: its perturbations look like"
        " the new class.",
        {"kind": "det", "eps": 300},
    ),
]
TWO_STUDENTS = shell.Preset(
    "Two students",
    "Both were trained in the ordinary way, without any adversary: the left one on D_R, the right one on D_NR. What"
    " does each hold of the picture?",
    {"view": "student", "student": "student-robust", "beside": "student-nonrobust"},
)
PLANTED = [
    OFFERED[0],
    shell.Preset(
        "Only robust features",
        "Left, D_NR: the standard network is content with another weave, and the start pictures hardly change. Right,"
        " D_R: the robust network asks for the shape, which is drawn over the start picture. Both sets have the right"
        " labels.",
        {"kind": "inverted", "steps": 40},
    ),
    OFFERED[2],
    shell.Preset(
        "Two ways to write a class",
        "Within a large ε the standard network's perturbations (left) are the weave of the next class, all over the"
        " picture; the robust network's (right) begin to draw its shape over the old one.",
        {"kind": "det", "eps": 300},
    ),
]


def offered() -> list[shell.Preset]:
    """List what this world tries first; those of the first world tell of its students, where they are."""
    if current().name == drawn.NAME:
        return PLANTED
    if current() != worlds.get():
        return [one for one in OFFERED if one.values.get("view", "build") in here()]
    there = {"student-robust", "student-nonrobust"} <= set(students.names())
    return [*OFFERED, TWO_STUDENTS] if there else OFFERED


def here() -> dict[str, str]:
    """Return the views of this world with their claims: what was measured of students was of the first one's."""
    if current() == worlds.get():
        return CLAIMS
    lesson = ("live",) if current().name == drawn.NAME else ()
    return {view: CLAIMS[view] for view in ("build", *lesson, "quiz")}


def elsewhere() -> str:
    """Say what of this page is of the first world alone."""
    first = worlds.get().title
    return (
        f"*{VIEWS['results']}* and *{VIEWS['student']}* are of {first}, where whole sets were built and students"
        f" trained on them. {current().more}"
    )
