"""Two pictures, briefly: which is more like a cat? Alone at the page, or with a room that votes by phone."""

import io
from typing import Any

import segno
import streamlit as st
import torch
from torch import Tensor

from core.data import pictures
from core.debate.measured import Number
from core.files import arrays, render
from core.lectures import choice
from core.lectures.choice import CONDITIONS, Trial
from core.lectures.lecture import Question
from core.lectures.room import Talk
from core.models.titles import titles
from core.perturb.recipe import PerturbRecipe
from core.types import Images
from core.worlds import get
from pages.lectures.routes import rooms
from pages.lectures.talk import base, begun, unreachable, way_in
from pages.ui import crisp, work
from pages.ui.address import choose
from pages.ui.bars import bars
from pages.ui.component import component
from pages.ui.escaped import plain
from pages.ui.store import loaded

PAIR = ("cat", "dog")
NAME = "two pictures"  # of its ballots in the room
MS = 300
ROUND, AT = "choice-round", "choice-at"  # in the session
SOURCES = ("cifar10", "gallery")
MODELS = PerturbRecipe()
WHO = {"robust": "moved by {}", "standard": "moved by {}", "random": "moved at random"}
_mount = component("choice")


def show() -> None:
    """Show the experiment and, once it is done, what came out."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        amount = choose("Trials", {"12": "12", "24": "24"}, key="trials", default="24", width="content")
        eps = choose(
            "Length of the change (ℓ₂)", {"1": "1", "2": "2", "4": "4"}, key="length", default="2", width="content"
        )
        who = choose(
            "Who answers", {"alone": "I do", "room": "A room, by phone"}, key="who", default="alone", width="content"
        )
    seed = st.session_state.setdefault(ROUND, 0)
    names, x = originals(int(amount) // len(CONDITIONS), seed)
    made = pairs(x, float(eps), seed, names)
    asked = choice.trials(len(x), seed)
    sheet = [_shown(trial, made) for trial in asked]
    about = {"id": f"{seed} {amount} {eps} {who}", "trials": sheet, "ms": MS}
    answers = alone(about) if who == "alone" else together(about, asked)
    if answers:
        results(asked, answers, x, made, names, int(eps))


def originals(n: int, seed: int) -> tuple[tuple[str, ...], Images]:
    """Take n pictures of classes other than the pair's, a class each.

    Of CIFAR-10, or generated ones where it is not here.
    """
    source = next(kind for kind in SOURCES if kind in pictures.available())
    others = [k for k, name in enumerate(get().classes) if name not in PAIR][:n]
    found = [pictures.ids(source, k) for k in others]
    names = tuple(ids[seed % len(ids)] for ids in found)
    return names, torch.cat([pictures.get(name).x for name in names])


def pairs(x: Images, eps: float, seed: int, names: tuple[str, ...]) -> dict[str, Tensor]:
    """Return under each condition the pictures moved toward either class, (2, N, C, H, W)."""
    pair = tuple(get().classes.index(name) for name in PAIR)
    pieces = {}
    for condition, name in (("robust", MODELS.robust), ("standard", MODELS.standard)):
        model = loaded(name)

        def make(on_step: work.Step, model: Any = model) -> Tensor:
            return choice.moved(model.model, x, (pair[0], pair[1]), eps, on_step)

        pieces[condition] = work.Piece(("forced choice", name, model.stamp, names, eps), make, choice.STEPS)
    found = work.wanted(list(pieces.values()), text="Moving the pictures…")
    made = dict(zip(pieces, found, strict=True))
    return {**made, "random": choice.random_moves(x, made["robust"], seed)}


def alone(about: dict[str, Any]) -> list[tuple[int, int]]:
    """Let one person answer all trials; their answers come back at the end."""
    nothing: dict[str, Any] = {"id": "", "sides": []}
    given = _mount(
        key="choice", data={**about, "room": False}, default={"answers": nothing}, on_answers_change=lambda: None
    )
    answers = given.get("answers") or nothing
    of_this_round = answers["id"] == about["id"] and len(answers["sides"]) == len(about["trials"])
    return (
        [(n, choice.RIGHT if side == choice.RIGHT else choice.LEFT) for n, side in enumerate(answers["sides"])]
        if of_this_round
        else []
    )


def together(about: dict[str, Any], asked: tuple[Trial, ...]) -> list[tuple[int, int]]:
    """Let a room answer trial by trial; return its answers once all are asked."""
    talk = begun()
    if not talk.code:
        st.button("Open a room", type="primary", on_click=_invite, args=(talk,))
        st.caption(
            "Phones join with a code, without an account. A phone is a random word, forgotten when the room ends."
        )
        return []
    at = -1 if st.session_state.get("choice-of") != about["id"] else st.session_state.get(AT, -1)

    def turn() -> None:
        st.session_state["choice-of"] = about["id"]
        st.session_state[AT] = int(st.session_state["choice-room"].get("turn") or 0)

    name = f"{NAME}, {about['id']}"
    question = (
        Question(f"{at + 1} / {len(asked)}: {about['trials'][at]['ask']}", ("left", "right"))
        if 0 <= at < len(asked)
        else None
    )
    notes = {"lecture": "Two pictures, briefly", "step": max(at, 0) + 1, "steps": len(asked), "title": "Which one?"}
    talk.go(name, at, question, notes)
    if at < 0:
        invitation(talk)
    data = {**about, "room": True, "at": at, "key": talk.key, "base": base()}
    _mount(key="choice-room", data=data, on_turn_change=turn)
    if at < len(asked):
        return []
    return [
        (n, side)
        for n in range(len(asked))
        if (tally := talk.tally(name, n)) is not None
        for side, count in enumerate(tally.counts, 1)
        for _ in range(count)
    ]


def invitation(talk: Talk) -> None:
    """Show how a phone joins."""
    url, out = way_in(talk), io.BytesIO()
    segno.make(url, error="m").save(out, kind="png", scale=6, border=2)
    code, words = st.columns([1, 2], vertical_alignment="center")
    code.image(out.getvalue(), width=240, output_format="PNG", alt=f"QR code of {url}")
    words.markdown(f"## {talk.code}\n{url}")
    if problem := unreachable():
        words.info(plain(problem))


def results(
    asked: tuple[Trial, ...],
    answers: list[tuple[int, int]],
    x: Images,
    made: dict[str, Tensor],
    names: tuple[str, ...],
    eps: int,
) -> None:
    """Show how often people went along with each condition, the pictures, and the file."""
    found = choice.score(asked, answers)
    called = dict(zip(("robust", "standard"), titles(MODELS.robust, MODELS.standard), strict=True))
    st.markdown("### Whose perturbation do people follow?")
    numbers = [
        Number.labelled(WHO[name].format(called.get(name, "")), rate, counted="answers")
        for name, rate in found.items()
        if rate.n
    ]
    st.html(bars(numbers))
    st.markdown(f"**{choice.reading(found)}**")
    st.caption(
        "How often the picture was chosen that was moved toward the class asked for; guessing gives 50 %. 95 %"
        " intervals that take the answers for independent, which several answers of one person are not quite. Gaziv,"
        " Lee and DiCarlo (2023) found, with large pictures, that perturbations of robustified networks move people and"
        " those of ordinary ones do not; these are 32 pixels wide."
    )
    with st.container(horizontal=True):
        st.download_button(
            "Answers, CSV",
            arrays.table(choice.table(asked, answers, PAIR)),
            "two-pictures.csv",
            "text/csv",
            on_click="ignore",
        )
        st.button("Another round, with other pictures", on_click=_again)
    st.markdown("### What you saw")
    cells = []
    for i, name in enumerate(names):
        cells.append(crisp.figure(x[i : i + 1], f"{pictures.get(name).caption}, the original", ("original",)))
        for condition in CONDITIONS:
            for k, toward in enumerate(PAIR):
                word = f"{called[condition]} → {toward}" if condition in called else f"random, {k + 1}"
                cells.append(crisp.figure(made[condition][k, i : i + 1], f"{word}, L2 {eps}", (word,)))
    st.html(
        crisp.STYLE
        + '<div style="overflow-x: auto" tabindex="0" role="region" aria-label="All pictures"><div class="crisp"'
        f' style="min-width: 46rem; grid-template-columns: repeat(7, minmax(0, 1fr))">{"".join(cells)}</div></div>'
    )


def _invite(talk: Talk) -> None:
    rooms().invite(talk)


def _again() -> None:
    st.session_state[ROUND] += 1
    for key in (AT, "choice-of"):
        st.session_state.pop(key, None)


def _shown(trial: Trial, made: dict[str, Tensor]) -> dict[str, str]:
    """Return what the browser gets of a trial: nothing that tells the condition."""
    both = made[trial.condition][:, trial.original]
    wanted, other = both[trial.asked], both[1 - trial.asked]
    left, right = (wanted, other) if trial.right == choice.LEFT else (other, wanted)
    url = lambda one: render.data_url(render.png(render.to_uint8(one[None])[0]))
    return {"ask": f"Which is more like a {PAIR[trial.asked]}?", "left": url(left), "right": url(right)}
