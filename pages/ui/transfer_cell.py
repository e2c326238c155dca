"""One cell of the matrix: its rates in a sentence, and pictures: what the source saw, what the target says."""

import streamlit as st

from core.data import CIFAR10_CLASSES
from core.recipes import TransferRecipe
from core.render import amplified
from core.transfer.outcome import Cell
from core.transfer.results import Measured
from core.transfer.views import Examples
from pages.ui import crisp
from pages.ui.trajectories import size, verdicts
from pages.ui.transfer_names import title
from pages.ui.transfer_work import examples

STYLE = """<style>
.transfer { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.4rem 2.2rem; }
.transfer .one { display: grid; grid-template-columns: repeat(3, minmax(0, 9rem)); gap: 0.3rem 0.7rem; }
.transfer .said { grid-column: 1 / span 3; font-size: 0.85rem; line-height: 1.45; }
.transfer .said span { opacity: 0.75; }
@media (max-width: 800px) { .transfer { grid-template-columns: minmax(0, 1fr); } }
</style>"""


def sentence(recipe: TransferRecipe, cell: Cell, measured: Measured | None) -> str:
    """Say what was counted in a cell: both denominators, and the noise."""
    source, target = (title(name, measured) for name in (recipe.source, recipe.target))
    targeted = recipe.goal == "targeted"
    does = "says the wanted class of" if targeted else "is wrong about"
    who = "itself" if recipe.source == recipe.target else target
    attack, noise = (cell.rate(show, "both", recipe.goal) for show in ("attack", "noise"))
    of_all = cell.rate("attack", "all", recipe.goal)
    right = "it gets" if source == target else "both get"
    text = (
        f"Made for **{source}**, shown to **{who}** ({recipe.norm} ε = {recipe.radius[0]}, {recipe.goal}). Of the pictures that "
        f"{right} right, {target} {does} **{attack}**. Random noise of the same size instead: {noise}. "
        f"Of all pictures, right or not: {of_all}."
    )
    if targeted:
        text += f" Counting any wrong answer: {cell.fooled}."
    return text


def pictures(recipe: TransferRecipe, measured: Measured | None) -> Examples:
    """Show a few pictures of the cell, attacked now; return them."""
    found = examples(recipe)
    gain = 0.5 / max(1e-6, float((found.x_adv - found.x).abs().max()))
    source, target = (title(name, measured) for name in (recipe.source, recipe.target))
    said = {
        who: verdicts(logits, CIFAR10_CLASSES)
        for who, logits in (("source", found.of_source), ("target", found.of_target), ("noise", found.noise_of_target))
    }
    cards = []
    for i, y in enumerate(found.y.tolist()):
        name = CIFAR10_CLASSES[y]
        one = slice(i, i + 1)
        goal = name if found.wanted is None else CIFAR10_CLASSES[int(found.wanted[i])]
        fooled = _fooled(said["target"][i], goal, targeted=found.wanted is not None)
        figures = (
            crisp.figure(found.x[one], f"{name}, the clean picture", (name,))
            + crisp.figure(
                amplified(found.x_adv[one] - found.x[one], gain),
                f"The perturbation of the {name}, made for {source}, {gain:.0f} times amplified",
                (f"perturbation ×{gain:.0f}", f"‖δ‖ = {size(float(found.norm[i]), recipe.norm)}"),
            )
            + crisp.figure(
                found.x_adv[one],
                f"The {name} with the perturbation; {source} says {said['source'][i]}, {target} says {said['target'][i]}",
                ("both together",),
            )
        )
        wanted = f"<div><span>wanted:</span> {goal}</div>" if found.wanted is not None else ""
        own = f"<div><span>{source}, for which it was made:</span> {said['source'][i]}</div>"
        other = f"<div><span>{target} says:</span> <b>{said['target'][i]}</b> · {fooled}</div>"
        noise = f"<div><span>{target}, of noise of that size:</span> {said['noise'][i]}</div>"
        lines = wanted + ("" if recipe.source == recipe.target else own) + other + noise
        cards.append(f'<div class="one">{figures}<div class="said">{lines}</div></div>')
    st.html(f'{STYLE}{crisp.STYLE}<div class="crisp transfer">{"".join(cards)}</div>')
    return found


def _fooled(verdict: str, goal: str, *, targeted: bool) -> str:
    agrees = verdict.startswith(f"{goal} ")
    if targeted:
        return "the wanted class" if agrees else "not the wanted class"
    return "not fooled" if agrees else "fooled"
