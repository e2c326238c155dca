"""The four data sets, built from this world, and what was learnt from each."""

import time
from collections.abc import Hashable

import streamlit as st

from core.models import Classifier
from core.planted import sets
from core.planted.recipe import PlantedRecipe
from core.planted.results import Results
from core.rates import Rate
from core.train.report import Progress
from pages.planted.training import Curve, chart, curve_alt
from pages.ui import crisp, work
from pages.ui.address import choose
from pages.ui.charts import show_chart
from pages.ui.store import results
from pages.ui.tables import table

SHOWN, TAUGHT, TESTED = 6, 1500, 400
TITLES = {"rand": "D_rand", "det": "D_det", "robust": "D_R", "nonrobust": "D_NR"}
SAYS = {
    "rand": "Pictures perturbed toward a random class by the standard network, labelled as that class.",
    "det": "Pictures perturbed toward the next class by the standard network, labelled as the next class.",
    "robust": "Pictures that the robust network represents as it represents the originals; the originals' labels.",
    "nonrobust": "The same through the standard network.",
}
ASKED = {
    "clean": "right on clean pictures",
    "next": "says the next class",
    "robust": "right under attack, ε",
    "shape": "follows the shape",
    "weave": "follows the weave",
}


def show(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, list[object]]:
    """Show pictures of a set, what of the weave is in it, and its student."""
    kind = choose("Set", TITLES, key="made", default="rand")
    st.markdown(SAYS[kind])
    key = ("planted set", recipe.trained, recipe.eps, kind)
    with st.spinner("Constructing some pictures…"):
        built = results().of(key, lambda: sets.build(recipe, kind, pair, 60))
    before, after = sets.sample(built, SHOWN)
    names, old, new = recipe.names, built.original.labels, built.pictures.labels
    figures = [
        crisp.figure(before[i : i + 1], f"Original, {names[old[i]]}", (names[old[i]], "original")) for i in range(SHOWN)
    ] + [
        crisp.figure(after[i : i + 1], f"In the set, labelled {names[new[i]]}", (f"“{names[new[i]]}”", "in the set"))
        for i in range(SHOWN)
    ]
    st.html(
        f'{crisp.STYLE}<div class="crisp" style="grid-template-columns: repeat({SHOWN}, minmax(40px, 1fr)); max-width:'
        f' 900px">{"".join(figures)}</div>'
    )
    if recipe.faint:
        st.caption(
            f"The weave of the new label is in these pictures with {100 * built.weave:.0f} % of its planted strength "
            f"(mean of {len(built.pictures)} pictures; 100 % in an original with its own label)."
        )
    found = _student(recipe, kind, pair)
    _measured()
    return found


def _student(recipe: PlantedRecipe, kind: str, pair: dict[str, Classifier]) -> dict[str, list[object]]:
    key = ("planted student", recipe.trained, recipe.eps, kind)
    taught: dict[str, Rate] | None = work.desk().get(key)
    if taught is None:
        asked = st.button(
            f"Build {TAUGHT:,} of them and teach a student", key="planted-teach", icon=":material/school:"
        )
        if not asked:
            return {}
        taught = _teach(recipe, kind, pair, key)
    if taught is None:
        return {}
    table(
        ["Its student, here and now", *ASKED.values()],
        [[TITLES[kind], *(str(taught[name]) for name in ASKED)]],
        label="What the student learnt",
    )
    return {"question": list(ASKED), **{n: [getattr(taught[q], n) for q in ASKED] for n in ("value", "n")}}


def _teach(recipe: PlantedRecipe, kind: str, pair: dict[str, Classifier], key: Hashable) -> dict[str, Rate] | None:
    place = st.empty()

    def learn(on_step: work.Step) -> dict[str, Rate]:
        points: Curve = []
        built = sets.build(recipe, kind, pair, TAUGHT)

        def watch(p: Progress) -> bool:
            points.append((p.epoch + (p.step + 1) / p.steps, p.loss))
            return on_step(p.epoch * p.steps + p.step, points)

        return sets.examine(recipe, sets.student(recipe, built.pictures, on_progress=watch), TESTED)

    def draw(points: Curve) -> None:
        if points:
            show_chart(
                chart(curves := {"student": points}),
                key=f"planted-student-{len(points)}-{time.monotonic_ns()}",
                alt=curve_alt(curves),
                name="planted-student",
                place=place,
            )

    work.desk().go_on()
    piece = work.Piece(key, learn, recipe.epochs * (TAUGHT // 64))
    text = "Constructing the set, then teaching the student…"
    (taught,) = work.ask([piece], group=key, text=text, show=lambda states: draw(states.get(key, [])))
    place.empty()
    return taught.value if taught.stopped is None else None


def _measured() -> None:
    found = Results()
    if "students/det/clean" in found:
        rows = [
            [
                TITLES[kind],
                *(found.of(f"students/{kind}/{name}").per_cent() for name in ASKED),
                f"{100 * found.of(f'students/{kind}/in_the_set').value:.0f} %",
            ]
            for kind in TITLES
        ]
        st.markdown("### Measured in the default world")
        table(["Set", *ASKED.values(), "weave in the set"], rows, label="Students of the four sets")
        st.caption(
            f"{found.source('students')}. The paper on CIFAR-10 (tables 1 and 7): D_rand 63.3 %, D_det 43.7 %, D_R 85.4"
            " % and D_NR 87.7 % clean."
        )
    if "det/1/clean" in found:
        st.markdown("### D_det, and how often the weave agrees with the label")
        heads = {"0.25": "25 % (chance)", "0.5": "50 %", "0.75": "75 %", "1": "always", "none": "no weave"}
        rows = [
            [text, found.of(f"det/{at}/clean").per_cent(), found.of(f"det/{at}/next").per_cent()]
            for at, text in heads.items()
        ]
        table(
            ["The weave agrees with the label", "student right on clean pictures", "says the next class"],
            rows,
            label="D_det against agreement",
        )
        st.caption(f"Smaller sets: 1,000 pictures. {found.source('det')}.")
