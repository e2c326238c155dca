"""What the Debate page says of its numbers, and what it lets out."""

from collections.abc import Callable, Sequence

from core.debate.claims import CLAIMS
from core.debate.measured import Number, measured
from core.debate.recipe import DebateRecipe
from core.errors import learnt
from core.files import arrays
from core.recipes.python import to_python

CHANCE = 0.1


def reading(claim: str, numbers: Sequence[Number]) -> str:
    """Say what our numbers make of a claim, in a sentence that is chosen by the numbers; "" where they say nothing."""
    rule = READINGS.get(claim)
    return rule(numbers) if rule is not None else ""


def _leakage(numbers: Sequence[Number]) -> str:
    rand, det, *controls = numbers
    if rand.low > CHANCE:
        text = "Here too D_rand leaks"
        text += ", and D_det does not." if det.high < CHANCE else ", and D_det is not clearly below chance."
    elif controls and controls[0].low <= CHANCE:
        text = (
            "Not decided here: what robust features learn from D_rand is not above chance, but neither is what they"
            f" learn from a set that leaks by construction ({100 * controls[0].value:.1f} %). This measurement is too"
            " small to see a leak."
        )
    else:
        text = "We found otherwise: what robust features learn from D_rand is not above chance here"
        text += ", as little as from D_det." if det.high < CHANCE else "."
    if len(controls) > 1:
        text += (
            " The last number is a network's on such a set: pictures that drew their own class stay as they are, the"
            " others get one fixed noise pattern a class. It has no adversarial feature, and its student does as well"
            " as the one of D_rand: at our size the accuracy on D_rand alone is weak evidence."
        )
    return text


def _wallace(numbers: Sequence[Number]) -> str:
    student = numbers[0]
    if student.low <= CHANCE:
        return "We found otherwise: our student is not above chance."
    text = f"Every label it saw was wrong, and it gets {100 * student.value:.0f} % right."
    controls = {number.label: number for number in numbers[1:]}
    for label, number in controls.items():
        text += f" Control, {label}: {100 * number.value:.0f} %."
    return text


def _shamir(numbers: Sequence[Number]) -> str:
    standard, robust, _, random = numbers
    if standard.above(random):
        times = standard.value / random.value
        return (
            f"Otherwise than a right angle: the standard network's perturbations have {times:.1f} times the share of a"
            f" random direction along the data, the robust network's {robust.value / random.value:.1f} times. Most of"
            " their length is off these directions all the same."
        )
    text = "As the dimples predict of the standard network: no more along the data than a random direction."
    if robust.above(random):
        text += (
            f" Not so of the robust one: its perturbations have {robust.value / random.value:.0f} times the share of a"
            " random direction along the data."
        )
    return text


def _nakano(numbers: Sequence[Number]) -> str:
    ordinary, robust = (_sees_more(*numbers[i : i + 2]) for i in (0, 2))
    if ordinary == robust == "robust":
        return "It holds at this size: both judges see more of the style in what the robust network painted."
    if robust == "robust":
        seen = {"standard": "sees it the other way round", "": "sees no difference"}[ordinary]
        return (
            "It depends on who looks: the robust judge sees much more of the style in what the robust network painted,"
            f" the standard judge {seen}. What a standard network paints convinces another standard one, and no robust"
            " one."
        )
    if "standard" in (ordinary, robust):
        return "We found otherwise: a judge sees more of the style in what the standard network painted."
    return "The judges' numbers do not tell the two apart at this size; look at the pictures."


def _sees_more(standard: Number, robust: Number) -> str:
    """Say in whose pictures a judge sees more of the style: less of the distance is left."""
    return "robust" if standard.above(robust) else "standard" if robust.above(standard) else ""


def _li(numbers: Sequence[Number]) -> str:
    robust, nonrobust = (learnt.change(*numbers[i : i + 2]) for i in (2, 4))
    without, untrained = numbers[5], numbers[6]
    text = learnt.verdict(robust, nonrobust)
    if without.above(untrained):
        return f"{text} Still, what it found in D_NR is more than a network has that was not taught at all."
    return f"{text} On D_NR it is no better than a network that was not taught at all."


READINGS: dict[str, Callable[[Sequence[Number]], str]] = {
    "goh-leakage": _leakage,
    "wallace": _wallace,
    "shamir": _shamir,
    "li": _li,
    "nakano": _nakano,
}


def table() -> str:
    """Write all numbers of all claims as CSV."""
    rows = [
        (key, claim.who, number.label, number.value, number.low, number.high, number.n, number.counted, number.theirs)
        for key, claim in CLAIMS.items()
        for number in measured(key)
    ]
    heads = ("claim", "who", "measured", "value", "low", "high", "n", "of", "source_value")
    return arrays.table({name: [row[i] for row in rows] for i, name in enumerate(heads)})


def script(recipe: DebateRecipe) -> str:
    """Write the Python program that prints what was measured of every claim."""
    return to_python(
        recipe,
        ["from core.debate.claims import CLAIMS", "from core.debate.measured import measured"],
        """
        for key, claim in CLAIMS.items():
            print(f"{claim.who}: {claim.title}{' (open)' if key == recipe.claim else ''}")
            for number in measured(key):
                print(f"    {number.label}: {number}")
        """,
    )
