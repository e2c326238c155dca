"""The pages: what each is called, its icon, and what one does there.

`app.py` and the home page list them in this order.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """A page.

    Args:
        name: Its address.
        title: In the navigation.
        icon: A Material symbol.
        says: What one does there, in a sentence.
        folder: Its topic, `pages/FOLDER/page.py`, where that is not the address.
        section: The heading under which it stands in the navigation; "" is the first level.
        door: Of the home page, through which one comes to it: a key of `DOORS`.
    """

    name: str
    title: str
    icon: str
    says: str
    folder: str = ""
    section: str = ""
    door: str = "see"

    @property
    def file(self) -> str:
        """Where it is, as Streamlit wants it."""
        return f"pages/{self.folder or self.name}/page.py"


@dataclass(frozen=True)
class Door:
    """One of the ways on from the home page: its title, and what is behind it in a sentence."""

    title: str
    says: str


DOORS = {
    "see": Door("See it", "Drag ε, hold a class, look at what a network keeps of a picture."),
    "do": Door("Do it", "Take the features apart, build the paper's data sets, and see what learns from them."),
    "argue": Door("Argue about it", "The replies to the paper: every claim beside what was measured here."),
}

ROOMS = (
    Room("perturb", "Perturb", ":material/tune:", "Fool a model, and fail to fool the other, under one slider."),
    Room(
        "frog",
        "Robust frog",
        ":material/auto_awesome:",
        "What each model remembers of a picture, made visible.",
        folder="inversion",
    ),
    Room("dial", "The dial", ":material/speed:", "Turn robustness up, and watch the frog appear."),
    Room("synthesis", "Synthesis", ":material/brush:", "Draw something, hold a class, and watch it become one."),
    Room("saliency", "Saliency", ":material/gradient:", "What the gradients show, method by method, with numbers."),
    Room("transfer", "Transfer", ":material/grid_on:", "Who else is fooled, and why: shared features."),
    Room(
        "datasets",
        "Datasets",
        ":material/dataset:",
        "The paper's data sets: labels that look wrong and teach.",
        door="do",
    ),
    Room(
        "usefulness",
        "Usefulness",
        ":material/scatter_plot:",
        "Every feature of a network: how useful, how robust.",
        section="Theory",
        door="do",
    ),
    Room(
        "gaussian",
        "Gaussian",
        ":material/bubble_chart:",
        "The theory, on a plane that can be dragged.",
        section="Theory",
        door="do",
    ),
    Room(
        "planted",
        "Sandbox",
        ":material/grid_view:",
        "A world whose features are known, because we planted them.",
        section="Theory",
        door="do",
    ),
    Room(
        "models",
        "Models",
        ":material/inventory_2:",
        "The card of every model, all in one plot, and one of yours.",
        door="do",
    ),
    Room(
        "debate",
        "Debate",
        ":material/forum:",
        "Nine claims on one line, measured; and you.",
        section="Debate",
        door="argue",
    ),
    Room(
        "bugs", "Just bugs?", ":material/bug_report:", "Fool a network and nobody else.", section="Debate", door="argue"
    ),
    Room(
        "frequency",
        "Beyond the ball",
        ":material/foggy:",
        "Waves, filters and fog: harm that nobody computed.",
        section="Debate",
        door="argue",
    ),
    Room(
        "errors", "Errors", ":material/error:", "Labels that are all wrong, and teach.", section="Debate", door="argue"
    ),
    Room("style", "Style", ":material/palette:", "Whose features paint.", section="Debate", door="argue"),
    Room(
        "lectures",
        "Lecture",
        ":material/co_present:",
        "Give the paper's talk from here, with a clicker; the room votes by phone.",
        section="In class",
        door="argue",
    ),
    Room(
        "exercises",
        "Exercises",
        ":material/school:",
        "Ten tasks that the app checks, and a report to hand in.",
        section="In class",
        door="do",
    ),
)


def sections() -> dict[str, list[Room]]:
    """Group the pages by section, in the order in which they stand."""
    return {name: [room for room in ROOMS if room.section == name] for name in dict.fromkeys(r.section for r in ROOMS)}
