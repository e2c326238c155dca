"""What does the attack write?"""

import plotly.graph_objects as go
import streamlit as st

from core.files import render
from core.models import Classifier
from core.planted import probes
from core.planted.networks import SIDES, fresh
from core.planted.recipe import PlantedRecipe
from core.planted.results import Results
from core.planted.views import pattern_sheet
from core.rates import Estimate
from pages.planted.words import COLOURS, TITLES, styled
from pages.ui import crisp
from pages.ui.charts import show_chart, whiskers
from pages.ui.store import results
from pages.ui.tables import table

LIVE, SHOWN = 64, 4
WHERE = {
    "weave": "target's weave",
    "own": "minus its own weave",
    "shape": "toward the target's shape",
    "random": "random direction",
}


def show(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, list[object]]:
    """Show pictures, what the attack adds in each network, and how much of it was planted."""
    eps = st.slider(
        "Attack radius ε (L2, pixel units)",
        0.0,
        2.0,
        recipe.eps,
        0.05,
        key="eps",
        bind="query-params",
        help="Toward the next class, 20 steps of PGD. The weave of another class is √2 times its strength away.",
    )
    with st.spinner("Attacking both networks…"):
        seen = results().of(("planted written", recipe.trained, eps), lambda: _written(recipe, pair, float(eps)))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _pictures(recipe, seen, float(eps))
    with right:
        st.markdown("### Cosine of the perturbation with…")
        show_chart(_bars(seen), key="planted-cosines", alt=_alt(seen))
        fooled = ", ".join(
            f"{TITLES[side].lower()} {100 * float(s.success.float().mean()):.0f} %" for side, s in seen.items()
        )
        st.caption(
            f"Fooled toward the target: {fooled} of {LIVE} pictures. Bars: means; whiskers: 95 % intervals. In 3,072"
            " dimensions a random direction has a cosine of 0.014 on average."
        )
        _measured()
    return _table(seen)


def _written(recipe: PlantedRecipe, pair: dict[str, Classifier], eps: float) -> dict[str, probes.Written]:
    drawn = fresh(recipe, LIVE)
    return {side: probes.written(pair[side], recipe.world, drawn, eps) for side in SIDES}


def _pictures(recipe: PlantedRecipe, seen: dict[str, probes.Written], eps: float) -> None:
    names, woven = recipe.names, pattern_sheet(recipe.world)
    heads = ["clean", *(f"{word} {side}" for side in SIDES for word in ("added for", "result,"))]
    drawn = fresh(recipe, LIVE)
    figures = []
    for row in range(SHOWN):
        target = names[int(seen["standard"].target[row])]
        figures.append(
            crisp.figure(
                seen["standard"].x[row : row + 1],
                f"A picture of class {names[int(drawn.y[row])]}",
                (names[int(drawn.y[row])], f"toward {target}"),
            )
        )
        for side in SIDES:
            one = seen[side]
            delta = one.x_adv[row : row + 1] - one.x[row : row + 1]
            gain = 0.35 / max(1e-6, float(delta.abs().max()))
            verdict = "taken for " + target if bool(one.success[row]) else "not fooled"
            figures.append(
                crisp.figure(
                    render.amplified(delta, gain),
                    f"What was added for the {side} network",
                    (f"added, {side}", f"×{gain:.0f}"),
                )
            )
            figures.append(
                crisp.figure(
                    one.x_adv[row : row + 1], f"The result for the {side} network: {verdict}", (verdict, TITLES[side])
                )
            )
        wanted = woven[one.target[row]][None]
        figures.append(crisp.figure(wanted, f"The weave of {target}", (f"weave of {target}", "as planted")))
    st.html(
        f'{crisp.STYLE}<div class="crisp" style="grid-template-columns: repeat({len(heads) + 1}, minmax(48px,'
        f' 1fr))">{"".join(figures)}</div>'
    )
    st.caption(
        f"ε = {eps:g}. Each perturbation is amplified to the same contrast; the last column is what was planted for the"
        " target class."
    )


def _bars(seen: dict[str, probes.Written]) -> go.Figure:
    figure = go.Figure()
    for side, one in seen.items():
        means = [Estimate.of(one.cosine[where].tolist()) for where in WHERE]
        figure.add_bar(
            y=list(WHERE.values()),
            x=[mean.value for mean in means],
            error_x=whiskers(means, color="gray"),
            orientation="h",
            name=TITLES[side],
            marker_color=COLOURS[side],
            marker_pattern_shape="" if side == "standard" else "/",
        )
    styled(figure, "cosine", "", height=300)
    return figure.update_yaxes(autorange="reversed")


def _alt(seen: dict[str, probes.Written]) -> str:
    said = [
        f"{TITLES[side]}: " + ", ".join(f"{WHERE[w]} {float(c.mean()):.2f}" for w, c in one.cosine.items())
        for side, one in seen.items()
    ]
    return "Cosine of the perturbation with planted directions. " + "; ".join(said)


def _measured() -> None:
    found = Results()
    if "written/standard/0.5/weave" not in found:
        return
    rows = []
    for side in SIDES:
        of = {where: found.of(f"written/{side}/0.5/{where}") for where in WHERE}
        ratio = of["weave"].value / of["random"].value
        rows.append(
            [
                TITLES[side],
                of["weave"].plain(),
                f"{ratio:.0f} ×",
                of["shape"].plain(),
                found.of(f"written/{side}/0.5/success").per_cent(),
            ]
        )
    st.markdown("**Measured at ε = 0.5, in the default world**")
    table(
        ["Network", "target's weave", "over random", "toward the shape", "fooled"],
        rows,
        label="Cosines measured over seeds",
    )
    st.caption(f"{found.source('written')}; {found.about['attacked']} pictures for each seed.")


def _table(seen: dict[str, probes.Written]) -> dict[str, list[object]]:
    means = {(side, where): Estimate.of(c.tolist()) for side, one in seen.items() for where, c in one.cosine.items()}
    rows = [(*where, mean.value, *mean.interval, mean.n) for where, mean in means.items()]
    heads = ("network", "direction", "cosine", "low", "high", "n")
    return {name: [row[i] for row in rows] for i, name in enumerate(heads)}
