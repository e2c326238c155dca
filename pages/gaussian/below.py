"""What stands below the plane of the Gaussian page.

The experiment, many dimensions, the paper's figures, and the files.
"""

from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st
import torch

from core.gaussian import theory, views
from core.gaussian.drawing import drawing
from core.gaussian.fit import POINTS, REPEATS
from core.gaussian.recipe import GaussianRecipe
from core.gaussian.scene import scene
from core.gaussian.views import FIGURE_4, KAPPAS, Side, percent
from pages.ui.charts import show_chart
from pages.ui.escaped import Html
from pages.ui.exports import Bundle, Download
from pages.ui.store import results
from pages.ui.tables import table

COLOURS = {"standard": "#b75c07", "robust": "#8a7eb3"}  # both seen on white and on black
SHADES = ("#707173", "#8a8678", "#c3b369")
RELATIVES = [0.02 * i for i in range(76)]
MARKED = [0.1, 0.4, 1.0]


def show(recipe: GaussianRecipe, both: dict[str, Side], view: str) -> tuple[GaussianRecipe, list[Download]]:
    """Show the chosen view; return the full recipe and the files to offer."""
    match view:
        case "dimensions":
            dim = st.slider("Dimensions d", 2, 100, GaussianRecipe().dim, key="dim", bind="query-params")
            recipe = replace(recipe, view=view, dim=int(dim))
            curves = dimensions(recipe)
        case "paper":
            recipe, curves = replace(recipe, view=view), {}
            paper(recipe)
        case _:
            recipe, curves = replace(recipe, view=view), {}
            experiment(recipe, both)
    return recipe, files(recipe, both, curves)


def verdict(recipe: GaussianRecipe, both: dict[str, Side]) -> None:
    """Say in words what robust learning changes here, and where it does not help."""
    standard, robust = both["standard"], both["robust"]
    if recipe.eps == 0:
        text = "Without a budget both models are the same."
    elif standard.kappa < 1 + 1e-9:
        text = "The classes are round: the two metrics agree, and robust learning changes no direction."
    elif robust.attacked > standard.attacked:
        text = (
            f"Robust learning turns the gradient from {standard.angle:.1f}° to {robust.angle:.1f}°; accuracy under"
            f" attack rises from {percent(standard.attacked)} to {percent(robust.attacked)}."
        )
    else:
        text = (
            f"Robust learning turns the gradient from {standard.angle:.1f}° to {robust.angle:.1f}°, yet accuracy under"
            f" attack does not rise: {percent(standard.attacked)} and {percent(robust.attacked)}. Theorem 2 makes the"
            " *likelihood* under attack as good as can be, which is not the number of errors."
        )
    st.markdown(text)


def experiment(recipe: GaussianRecipe, both: dict[str, Side]) -> None:
    """Put the formula beside what sampling and gradient descent find."""
    key = ("gaussian experiment", replace(recipe, probe1=0.0, probe2=0.0, view="experiment", dim=100, budget="each"))
    with st.spinner("Sampling, attacking, fitting", show_time=False):
        fits = results().of(key, lambda: views.experiment(recipe))
    robust = both["robust"]
    exact = {"angles": robust.angle, "condition_numbers": robust.kappa}
    titles = {"angles": "angle, gradient to classes (°)", "condition_numbers": "condition number of Σᵣ"}
    table(
        ["", "theorem 2", "descent, ε on average", "descent, each point ≤ ε"],
        [
            [
                titles[name],
                Html(f"<b>{value:.3g}</b>"),
                *(fits[budget].estimates[name].plain() for budget in ("average", "each")),
            ]
            for name, value in exact.items()
        ],
        label="The robust model by theorem 2 and by gradient descent",
    )
    st.caption(
        f"{REPEATS} samples of {POINTS} points, the adversary by projected gradient steps, the covariance by natural"
        " gradient steps; mean and 95 % t-interval over the samples. Theorem 2 is exact for the adversary who spends ε"
        " on average. In two dimensions the one who may move each point by ε is a little different; *Many dimensions*"
        " shows the two meet."
    )


def dimensions(recipe: GaussianRecipe) -> dict[str, list[float]]:
    """Draw vulnerability against conditioning, and alignment against eps; return the former's numbers."""
    left, right = st.columns(2, gap="large")
    with left:
        curves = vulnerability(recipe)
    with right:
        alignment(recipe)
    return curves


def vulnerability(recipe: GaussianRecipe) -> dict[str, list[float]]:
    """Draw what the adversary adds to the loss against the condition number of the data; return the curves."""
    relative = views.relative_eps(recipe)
    kappas = torch.logspace(0, 3, 31, dtype=torch.float64)
    low = results().of(
        ("gaussian vulnerability", recipe.dim, relative),
        lambda: views.vulnerability(recipe.dim, kappas, relative),
    )
    figure = go.Figure()
    for name, title in (("standard", "maximum likelihood"), ("robust", "robust")):
        figure.add_scatter(
            x=kappas.tolist(), y=low[name], name=title, mode="lines", line={"color": COLOURS[name], "width": 3}
        )
    style(figure, "condition number of the data's Σ", "added loss, nats per dimension")
    figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(type="log")
    st.markdown("**Vulnerability against conditioning**")
    worst, best = low["standard"][-1], low["standard"][0]
    show_chart(
        figure,
        key="gaussian-vulnerability",
        alt=f"What the adversary adds to the loss grows with the condition number: from {best:.3g} nats per dimension"
        f" for a round class to {worst:.3g} at 1000 for maximum likelihood, and to {low['robust'][-1]:.3g} for the"
        " robust model.",
    )
    st.caption(
        f"d = {recipe.dim}, fixed trace, variances in geometric progression; ε is {relative:.3g} of the class's spread"
        " √tr Σ, as on the plane below. At a fixed trace a round class is least vulnerable: theorem 1."
    )
    return {
        "kappa": kappas.tolist(),
        "standard_added_loss_per_dim": low["standard"],
        "robust_added_loss_per_dim": low["robust"],
    }


def alignment(recipe: GaussianRecipe) -> None:
    """Draw the angle between gradient and classes against eps: the lines at once, sampled marks as they come."""
    lines = results().of(
        ("gaussian alignment", recipe.dim),
        lambda: {kappa: views.alignment(recipe.dim, kappa, RELATIVES) for kappa in KAPPAS},
    )
    st.markdown("**Alignment against ε**")
    place = st.empty()
    show_chart(_alignment(lines, {}), key="gaussian-alignment-first", alt=_alignment_alt(lines), place=place)
    marks = results().of(
        ("gaussian sampled alignment", recipe.dim),
        lambda: {kappa: views.sampled_alignment(recipe.dim, kappa, MARKED) for kappa in KAPPAS},
    )
    show_chart(_alignment(lines, marks), key="gaussian-alignment", alt=_alignment_alt(lines), place=place)
    st.caption(
        "Worst angle over all means between gradient and classes: 0° is aligned. Lines: theorem 2, ε spent on"
        " average. Marks: each of 200 sampled points moves by ε. The two differ in few dimensions and meet in many"
        " (lemma 2)."
    )


def paper(recipe: GaussianRecipe) -> None:
    """Put our numbers beside figures 4 and 14."""
    left, right = st.columns(2, gap="large")
    rows = results().of(("gaussian figure 4",), views.figure_4)
    with left:
        st.markdown("**Figure 4: slope of the decision line**")
        table(
            ["ε", "paper's line", "theorem 2", "each point ≤ ε"],
            [[f"{eps:g}", f"{printed:.3f}", f"{ours:.3f}", str(exact)] for eps, printed, ours, exact in rows],
            label="Slope of the decision line in figure 4, here and in the paper",
        )
    left.caption(
        "The paper prints neither means nor covariances. Its drawing (page 10) shows centres at (−10, 1) and (10, −1),"
        f" variances in the ratio 50 : 1, and these slopes at ε = {', '.join(f'{eps:g}' for eps in FIGURE_4)}. The"
        " scale Σ = diag(25, 0.5) is inferred from the clouds. At ε = 0 the ratio alone decides, and the lines agree;"
        " at ε = 1 and 10 ours turns the same way but not equally far. The paper calls its fit empirical, without"
        " details. Last column: eight samples of 500 points and their mirror images, solved; 95 % t-interval."
    )
    right.markdown("**Figure 14: perfect robustness is possible**")
    at = replace(GaussianRecipe(), mu1=10.0, mu2=6.0, var1=6.25, var2=2.25, shape="ellipse")  # 20 times the figure
    printed = {
        "drawn as ERM (slope −0.3)": views.gap(at, torch.tensor([0.3, 1.0], dtype=torch.float64)) / 20,
        "drawn as robust (vertical)": views.gap(at, torch.tensor([1.0, 0.0], dtype=torch.float64)) / 20,
    }
    right.markdown(
        "As drawn (page 26): ellipses of semi-axes 0.25 × 0.15 at ±(0.5, 0.3), gaps marked “> ε” to the x₂ axis and"
        " “ε/2” to the x₁ axis. At these measures the line "
        + " and the line ".join(f"{title} keeps {value:.3f} from both classes" for title, value in printed.items())
        + ". So the drawing is a sketch: no ℓ₂ budget breaks the first line and spares the second."
    )
    right.caption(
        "The preset keeps the argument and makes the second feature flat, so that the marked gaps are true: > ε to the"
        " x₂ axis, ε/2 to the x₁ axis (units of 1/20 of the figure)."
    )
    if recipe.shape == "ellipse":
        mu, truth = views.mu_of(recipe), views.truth_of(recipe)
        gaps = {
            "maximum likelihood": views.gap(recipe, mu / truth),
            "robust": views.gap(recipe, mu / theory.robust_fit(truth, recipe.eps)),
        }
        right.markdown(
            f"**On the plane, ε = {recipe.eps:g}:** "
            + "; ".join(
                f"{name} line {value:.2f} from the classes, {'out of reach' if value > recipe.eps else 'within reach'}"
                for name, value in gaps.items()
            )
            + "."
        )


def files(recipe: GaussianRecipe, both: dict[str, Side], curves: dict[str, list[float]]) -> list[Download]:
    """List the downloads."""

    def numbers() -> dict[str, list[object]]:
        names = ("angle", "kappa", "clean", "attacked", "loss", "attacked_loss", "slope")
        return {"model": list(both), **{n: [getattr(s, n) for s in both.values()] for n in names}}

    def arrays() -> dict[str, torch.Tensor]:
        x, y = views.points(recipe)
        moved = {f"{name}_moves": views.moves(recipe, s.variances, x, y) for name, s in both.items()}
        return {"x": x, "y": y, **moved, **{f"{n}_variances": s.variances for n, s in both.items()}}

    out = Bundle(recipe)
    out.pixels("Picture, PNG", "gaussian.png", lambda: drawing(recipe), "Both planes")
    out.playable("gaussian", lambda: scene(recipe))
    out.table("Numbers", "gaussian.csv", numbers)
    if curves:
        out.table("Curve", "vulnerability.csv", lambda: curves)
    out.arrays("gaussian.npz", arrays, "Points and moves, float64")
    return out.files


def style(figure: go.Figure, x: str, y: str) -> None:
    """Give a chart its axes and margins."""
    figure.update_layout(
        height=340,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.12},
        xaxis_title=x,
        yaxis_title=y,
    )


def _alignment(lines: dict[float, list[float]], marks: dict[float, list[float]]) -> go.Figure:
    figure = go.Figure()
    for kappa, shade, dash in zip(KAPPAS, SHADES, ("solid", "dash", "dot"), strict=True):
        figure.add_scatter(
            x=RELATIVES,
            y=lines[kappa],
            mode="lines",
            name=f"condition number {kappa:g}",
            line={"color": shade, "width": 3, "dash": dash},
        )
        if marks:
            figure.add_scatter(
                x=MARKED,
                y=marks[kappa],
                mode="markers",
                showlegend=False,
                marker={"color": shade, "size": 10, "symbol": "diamond"},
                name=f"sampled, {kappa:g}",
            )
    style(figure, "ε over the class's spread √tr Σ", "worst angle, degrees")
    return figure


def _alignment_alt(lines: dict[float, list[float]]) -> str:
    ends = "; ".join(
        f"condition number {kappa:g}: {values[0]:.0f} to {values[-1]:.0f}" for kappa, values in lines.items()
    )
    return f"The worst angle between gradient and classes falls as epsilon grows, in degrees: {ends}."
