"""Nine claims on one line from bugs to features: the paper, its six responses, and two later papers.

All texts are our own words; where a claim stands on the line is our reading of it. Sources: the Distill discussion
(2019) with the authors' replies, https://distill.pub/2019/advex-bugs-discussion/, and the papers named.
"""

from dataclasses import dataclass

DISTILL = "https://distill.pub/2019/advex-bugs-discussion/"


@dataclass(frozen=True)
class Claim:
    """One voice of the debate.

    Args:
        who: Its authors and year.
        title: The claim in a few words.
        at: Where it stands, 0 (bugs) to 100 (features).
        says: The claim.
        predicts: What one should measure if it holds.
        unit: What the numbers of `core.debate.measured` are.
        reply: What the authors of the paper answered; "" where they did not.
        source: Where it is.
        page: Address of the experiment here.
        view: The view of that page, or "".
        trend: What of it the dial has measured, see `core.dial.recipe`, or "".
    """

    who: str
    title: str
    at: int
    says: str
    predicts: str
    unit: str
    reply: str
    source: str
    page: str
    view: str = ""
    trend: str = ""


CLAIMS = {
    "nakkiran": Claim(
        "Nakkiran (2019)",
        "Some are just bugs",
        6,
        "There are adversarial examples that are no features at all: one can craft perturbations that fool one network,"
        " but neither other networks nor anybody who learns from them.",
        "Perturbations made to leave an ensemble undisturbed still fool their network; they do not transfer, and a"
        " student of them learns nothing about true labels.",
        "how often others are hit; accuracy of students",
        "The thesis needs features to exist, not bugs to be absent. Perturbations that do not transfer and teach"
        " nothing are what the paper's own figure 3 expects at its origin.",
        f"{DISTILL}response-5/",
        "bugs",
    ),
    "shamir": Claim(
        "Shamir, Melamed, BenShmuel (2021)",
        "Dimples beside the data",
        20,
        "Networks bend their decision boundary close along the data and make shallow dimples at each picture."
        " Adversarial perturbations leave the data at a right angle: they show how boundaries bend, not what classes"
        " look like.",
        "A perturbation has no more of its length along the data's own directions than a random direction has.",
        "share of the squared length along 50 local directions of the data",
        "",
        "https://arxiv.org/abs/2106.10151",
        "errors",
        "manifold",
    ),
    "li": Claim(
        "Li, Wang, Guo, Wang (2023)",
        "Not real features",
        29,
        "What serves one way of learning and no other is a shortcut of that way, not a feature of the data. Non-robust"
        " features serve who learns from labels; they hardly serve who learns without. Robust ones serve both.",
        "A network that learns from D_NR without labels is worth little under a linear probe, however good a student"
        " with labels is. From D_R it keeps more of its worth.",
        "accuracy of a linear probe, taught by the set itself, on clean test pictures (chance: 10 %)",
        "",
        "https://arxiv.org/abs/2310.18936",
        "errors",
        "learners",
    ),
    "wallace": Claim(
        "Wallace (2019)",
        "Errors teach as well",
        38,
        "That a network learns from perturbed, wrongly labelled pictures is one case of something broader: a network's"
        " errors carry what it knows, perturbed or not. Training on them is distillation.",
        "A student that sees only another network's errors on plain pictures, every label wrong, still classifies.",
        "accuracy on rightly labelled test pictures (chance: 10 %)",
        "They agree that errors distil features, and read it as support: what passes between different architectures"
        " can only be features of the data. That it must be a quality of the data is also seen in perturbations that"
        " teach nothing.",
        f"{DISTILL}response-6/",
        "errors",
        "pictures",
    ),
    "gilmer": Claim(
        "Gilmer, Hendrycks (2019)",
        "One of many shifts",
        50,
        "Small perturbations are one case of a shift between training and test pictures. Training against them trades"
        " one superficial statistic for another.",
        "An adversarially trained network gains under attack and loses elsewhere: in fog, in low frequencies.",
        "accuracy on test pictures",
        "They agree: a wider set of perturbations would uncover more non-robust features, of which small ones are the"
        " start.",
        f"{DISTILL}response-1/",
        "frequency",
        trend="shifts",
    ),
    "goh-leakage": Claim(
        "Goh (2019), first response",
        "Robust features leak",
        64,
        "Part of what a student of D_rand learns may be robust features that the construction let slip in, so its"
        " accuracy is no clean evidence. D_det does not leak.",
        "A linear classifier that sees robust features alone beats chance when D_rand teaches it, and does not when"
        " D_det does.",
        "accuracy on clean test pictures (chance: 10 %)",
        "A fair point, and the reason why the paper has D_det: there robust features point to the wrong label, and a"
        " student that used them would do worse than chance.",
        f"{DISTILL}response-2/",
        "errors",
        "leakage",
    ),
    "goh-features": Claim(
        "Goh (2019), second response",
        "Useful and brittle, by hand",
        78,
        "One can write down features that are useful and not robust without any network: sum many weak directions, or"
        " hide a robust one in a brittle one. Single directions of the data are not like that.",
        "A mixture of two linear directions is useful on test pictures, and an invisible adversary takes all of it"
        " away.",
        "usefulness ρ on test pictures, and the ε at which an adversary has taken it away",
        "Such mixtures fit the definition. They would not pass the experiment with D_det, because nothing learnt from"
        " them alone would carry over to clean pictures.",
        f"{DISTILL}response-3/",
        "usefulness",
        "linear",
    ),
    "nakano": Claim(
        "Nakano (2019)",
        "Robust features paint",
        86,
        "Style transfer, which only ever worked well with VGG networks, works with a ResNet once it is adversarially"
        " trained: what a robust network sees is closer to what we see.",
        "The robust network's picture has more of the style in the eyes of a network that took no part.",
        "distance to the style left, of the content's own (0 is the style)",
        "They measured how far each layer is moved by a perturbation: layers that are hard to move are those that paint"
        " well. Whose layers give the style matters much, whose give the content little.",
        f"{DISTILL}response-4/",
        "style",
    ),
    "ilyas": Claim(
        "Ilyas et al. (2019), the paper",
        "Features, not bugs",
        97,
        "Adversarial examples are there because the data have features that predict well and break easily, and networks"
        " use them.",
        "Perturbed pictures whose labels look wrong to people (in D_rand nine times in ten) teach a fresh network to"
        " classify clean ones.",
        "accuracy on clean test pictures (chance: 10 %)",
        "",
        "https://arxiv.org/abs/1905.02175",
        "datasets",
    ),
}
