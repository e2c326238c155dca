"""The gallery of the Robust frog page: several pictures with their inversions, and the quiz "which is which?"."""

from dataclasses import dataclass

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from core.data import pictures
from core.files import render
from core.inversion import gallery, starts, views
from core.inversion.gallery import Grid
from core.inversion.recipe import InvertRecipe
from core.inversion.views import cache_key
from core.models.titles import titles
from core.rates import Rate
from core.words import verdicts
from pages.ui import crisp, work
from pages.ui.address import put
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.judge import logits_of
from pages.ui.world import current

STYLE = """<style>
.st-key-frog-grid, .st-key-frog-pair { display: grid; gap: 1.6rem 1rem;
  grid-template-columns: repeat(5, minmax(0, 1fr)); }
.st-key-frog-pair { grid-template-columns: repeat(2, minmax(0, 16rem)); }
.card { grid-template-columns: 1fr; gap: 0.6rem; }
@media (max-width: 800px) { .st-key-frog-grid { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
</style>"""


def show(recipe: InvertRecipe) -> None:
    """Show the controls of the view and then the grid, or the quiz."""
    st.html(STYLE + crisp.STYLE)
    live = st.empty()
    standard, robust = work.both(
        recipe,
        lambda name, ready, on_step: gallery.gallery(recipe, name, model=ready, on_step=on_step),
        steps=starts.setting_of(recipe).steps,
        show=lambda states: _so_far(live, [state.x for state in states.values()]),
        key=cache_key(recipe),
    )
    live.empty()
    if st.session_state.get("quiz"):
        quiz(recipe, standard, robust)
    else:
        grid(recipe, standard, robust)
    downloads(files(recipe, standard, robust), key="frog-gallery", script=views.script(recipe))


def only() -> str:
    """Show the class filter and the switch of the quiz; return the class, or ""."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Class",
            current().classes,
            index=None,
            placeholder="one of each",
            key="only",
            bind="query-params",
            width=180,
        )
        st.toggle("Quiz: which is which?", key="quiz", bind="query-params", help="Guess before you see the answers.")
    return chosen or ""


def grid(recipe: InvertRecipe, standard: Grid, robust: Grid) -> None:
    """Show a card for each picture: the original, robustified, non-robustified, and what both models say of them."""
    third = [logits_of(recipe.standard, robust.made), logits_of(recipe.robust, standard.made)]
    called = titles(recipe.standard, recipe.robust)
    summary(called, robust.labels, *third)
    said = [verdicts(g.logits, current().classes) for g in (robust, standard)]
    heard = [verdicts(logits, current().classes) for logits in third]
    with st.container(key="frog-grid"):
        for i, id in enumerate(robust.ids):
            label = robust.labels[i]
            name = _name(id, label)
            figures = [
                crisp.figure(robust.x[i : i + 1], f"{name}, the original", (name, "wanted")),
                crisp.figure(robust.x0[i : i + 1], "What both inversions of it start from", ("start",)),
            ]
            for k, (by, other, made) in enumerate(((called[1], called[0], robust), (called[0], called[1], standard))):
                lines = (
                    f"through {by}",
                    f"{other} predicts {marked(heard[k][i], name)}",
                    f"{by} itself: {marked(said[k][i], name)}",
                )
                figures.append(crisp.figure(made.made[i : i + 1], f"{name}, {'; '.join(lines)}", lines))
            with st.container(gap="xsmall"):
                st.html(f'<div class="crisp card">{"".join(figures)}</div>')
                st.button("Watch it emerge", key=f"open-{id}", on_click=_open, args=(id,), type="tertiary")


def summary(
    called: tuple[str, ...], labels: tuple[int | None, ...], of_robust: torch.Tensor, of_standard: torch.Tensor
) -> None:
    """Say how many of these the other model gets right: a small sample, so with its interval."""
    known = [i for i, label in enumerate(labels) if label is not None]
    if len(known) < 5:  # too few to count
        return
    y = torch.tensor([labels[i] for i in known])
    rates = [Rate(int((logits[known].argmax(1) == y).sum()), len(known)) for logits in (of_robust, of_standard)]
    st.markdown(
        f"{called[0]} predicts the original's class for **{rates[0]}** of the pictures made through {called[1]}; "
        f"{called[1]} predicts it for **{rates[1]}** of those made through {called[0]} (95 % intervals)."
    )


def marked(verdict: str, name: str) -> str:
    """Tick a verdict that names the original's class, where it has one."""
    if name not in current().classes:
        return verdict
    return f"{verdict} {'✓' if verdict.startswith(f'{name} ') else '✗'}"


@dataclass
class Quiz:
    """A visitor's answers: whether each pair so far was told apart."""

    of: tuple[InvertRecipe, str, str]
    right: list[bool]


def quiz(recipe: InvertRecipe, standard: Grid, robust: Grid) -> None:
    """Show one pair after the other, in an order that the seed decides; count what the visitor gets right."""
    of = (cache_key(recipe), recipe.standard, recipe.robust)
    state: Quiz = st.session_state.setdefault("frog-quiz", Quiz(of, []))
    if state.of != of:
        state = st.session_state["frog-quiz"] = Quiz(of, [])
    total, asked = len(robust.ids), len(state.right)
    draws = torch.Generator().manual_seed(recipe.seed)
    order = torch.randperm(total, generator=draws).tolist()
    robust_is_left = (torch.rand(total, generator=draws) < 0.5).tolist()
    called = titles(recipe.standard, recipe.robust)
    if asked:
        _reveal(called, standard, robust, order[asked - 1], robust_is_left[asked - 1], correct=state.right[-1])
        st.markdown(f"**Score: {sum(state.right)} of {asked}.**")
    if asked == total:
        st.markdown(_verdict(sum(state.right), total))
        st.button("Again", key="quiz-again", on_click=state.right.clear)
        return
    i, left = order[asked], robust_is_left[asked]
    st.markdown(
        f"**Pair {asked + 1} of {total}.** The same picture, through two models. Which one came through {called[1]}?"
    )
    pair = (robust, standard) if left else (standard, robust)
    with st.container(key="frog-pair"):
        for letter, made, correct in zip("AB", pair, (left, not left), strict=True):
            with st.container(gap="xsmall"):
                st.html(
                    '<div class="crisp'
                    f' card">{crisp.figure(made.made[i : i + 1], f"Picture {letter} of pair {asked + 1}")}</div>'
                )
                st.button(
                    f"It is {letter}",
                    key=f"quiz-{letter}",
                    on_click=state.right.append,
                    args=(correct,),
                    width="stretch",
                )


def _reveal(
    called: tuple[str, ...], standard: Grid, robust: Grid, i: int, robust_is_left: bool, *, correct: bool
) -> None:
    label = robust.labels[i]
    name = _name(robust.ids[i], label)
    (st.success if correct else st.error)(
        f"{'Right' if correct else 'No'}: it was {'A' if robust_is_left else 'B'}. The original: {name}.",
        icon=":material/check:" if correct else ":material/close:",
    )
    cells = (("original", robust.x), (f"through {called[1]}", robust.made), (f"through {called[0]}", standard.made))
    figures = "".join(crisp.figure(x[i : i + 1], f"{name}, {head}", (head,)) for head, x in cells)
    st.html(f'<div class="crisp" style="grid-template-columns: repeat(3, minmax(0, 7rem))">{figures}</div>')


def _name(id: str, label: int | None) -> str:
    return pictures.get(id).caption if label is None else current().classes[label]


def _verdict(right: int, total: int) -> str:
    if right == total:
        return "All of them: you told the two models apart by what each keeps."
    return f"{right} of {total}; guessing gives {total / 2:g} on average."


def _open(id: str) -> None:
    st.session_state["picture"] = id
    st.session_state["view"] = "emergence"
    put("frame", "")


def files(recipe: InvertRecipe, standard: Grid, robust: Grid) -> list[Download]:
    """List the downloads: the sheet as in the paper's figure 2, and the arrays."""
    called = titles(recipe.standard, recipe.robust)
    out = Bundle(recipe)
    out.slide(
        "Sheet",
        "gallery.png",
        lambda: [list(render.to_uint8(x)) for x in (robust.x, robust.x0, robust.made, standard.made)],
        sides=("Wanted", "Start", f"Through {called[1]}", f"Through {called[0]}"),
        caption="Each start is moved until the model represents it as it represents the wanted picture.",
    )

    def arrays() -> dict[str, torch.Tensor]:
        made = {recipe.standard: standard, recipe.robust: robust}
        tensors = {f"{n}_{w}": getattr(g, w) for n, g in made.items() for w in ("made", "distance", "logits")}
        return {"x": robust.x, "x0": robust.x0, **tensors}

    out.arrays("gallery.npz", arrays)
    return out.files


def _so_far(slot: DeltaGenerator, made: list[torch.Tensor]) -> None:
    if made:
        cells = [render.upscaled(cell, 3) for x in made for cell in render.to_uint8(x)]
        slot.image(
            render.sheet(cells, len(made[0]), gap=6),
            output_format="PNG",
            caption="So far, a row a model",
            alt="The inversions so far, a row a model",
        )
