"""Robust frog: what a model keeps of a picture, made visible."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st
import torch

from core import checkpoints, emergence, exports, pictures, render
from core.attacks import OnStep
from core.data import CIFAR10_CLASSES
from core.emergence import Emergence
from core.pictures import Picture
from core.recipes import InvertRecipe, from_query, to_json
from core.rules import State
from pages.ui import jobs, shell
from pages.ui.exports import Download, downloads
from pages.ui.picker import pick_picture
from pages.ui.scrubber import Axis, Row, scrubber
from pages.ui.store import lesson, model, results
from pages.ui.trajectories import verdicts

JUDGE = "vgg-standard"
PRESETS = [
    shell.Preset(
        "Another picture becomes the frog",
        "Press play. Through the robust model the start picture turns into the frog; through the standard model it stays"
        " what it was, and yet that model is certain to see the frog.",
        {},
    ),
    shell.Preset(
        "Out of noise",
        "There is nothing to start from, so all that you see was put there by the representation.",
        {"start": "noise"},
    ),
    shell.Preset(
        "An early layer",
        "The first blocks still know almost every pixel, in both models: what makes the difference happens later.",
        {"block": "res1"},
    ),
]


def controls() -> InvertRecipe:
    """Show the controls and return the recipe they make (without picture and frame)."""
    defaults = InvertRecipe()
    start = st.segmented_control(
        "Start from",
        ["picture", "noise", "grey"],
        default=defaults.start,
        key="start",
        bind="query-params",
        required=True,
        help="“picture” is another picture, drawn without regard to its class, as in the paper.",
    )
    seed = st.number_input("Seed of the start", 0, 2**31 - 1, 0, key="seed", bind="query-params")
    names = checkpoints.names()
    with st.expander("More"):
        left = model_box("Left model", names, defaults.standard, "standard")
        right = model_box("Right model", names, defaults.robust, "robust")
        shared = [b for b in model(left).blocks if b in model(right).blocks]
        block = st.selectbox(
            "Representation",
            shared,
            index=len(shared) - 1,
            key="block",
            bind="query-params",
            help="“pool” is the penultimate layer, the paper's choice; earlier blocks know more of the picture.",
        )
        setting = st.segmented_control(
            "Setting",
            list(emergence.SETTINGS),
            default=defaults.setting,
            key="setting",
            bind="query-params",
            required=True,
            help="The paper's 1000 steps of 0.1, or a hundred quasi-Newton steps.",
        )
    return InvertRecipe(
        standard=left, robust=right, start=start, block=block, setting=setting, seed=int(seed)
    )  # fmt: skip


def model_box(label: str, names: tuple[str, ...], default: str, key: str) -> str:
    """Show a choice among the models."""
    index = names.index(default) if default in names else 0
    return st.selectbox(label, names, index=index, key=key, bind="query-params")


def compute(recipe: InvertRecipe, picture: Picture) -> None:
    """Invert both models side by side and show the pictures as they emerge; Stop keeps what there is."""
    live: dict[str, State] = {}
    steps = emergence.SETTINGS[recipe.setting].steps

    def job(name: str) -> Callable[[OnStep], None]:
        ready = model(name)  # loaded here: Streamlit's cache wants the script's own thread

        def work(on_step: OnStep) -> None:
            def watch(i: int, state: State) -> bool | None:
                live[name] = state
                return on_step(i, state)

            made = emergence.emerge(recipe, name, picture=picture, model=ready, on_step=watch)
            results().put((recipe, name), made)

        return work

    names = list(dict.fromkeys((recipe.standard, recipe.robust)))
    slot = st.empty()

    def show() -> None:
        if len(live) == len(names):
            now = [render.upscaled(render.to_uint8(live[name].x)[0], 8) for name in names]
            titles = [f"{checkpoints.header(name).title}, so far" for name in names]
            slot.image(now, width=256, output_format="PNG", caption=titles, alt=titles)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop", key="stop", width="content", help="Keeps the best pictures so far.")
        jobs.run([job(name) for name in names], steps, text="Inverting both models…", show=show)


def row(title: str, subtitle: str, made: Emergence, others: list[tuple[str, torch.Tensor]], y: int) -> Row:
    """Build a column of the scrubber; the reference is the picture whose representation is wanted."""
    said = verdicts(made.logits, CIFAR10_CLASSES)
    return Row(
        title=title,
        subtitle=subtitle,
        frames=render.to_uint8(made.frames),
        reference=render.to_uint8(made.x)[0],
        delta=made.frames - made.x0,
        classes=CIFAR10_CLASSES,
        probabilities=made.logits.softmax(1),
        truth=y,
        curve=tuple(float(d) for d in made.distance),
        curve_name="feature distance",
        readouts=(
            ("feature distance", tuple(f"{100 * float(d):.1f} %" for d in made.distance)),
            ("pixel distance", tuple(f"{float(d):.1f}" for d in made.pixel_distance)),
            *((name, verdicts(logits, CIFAR10_CLASSES)) for name, logits in others),
        ),
        alt=tuple(
            f"{title}, step {i}: the model says {verdict}; feature distance {100 * float(d):.1f} per cent."
            for i, verdict, d in zip(made.steps, said, made.distance, strict=True)
        ),
    )


def rows_of(recipe: InvertRecipe, left: Emergence, right: Emergence, picture: Picture) -> list[Row]:
    """Build both columns, each with what the judge sees."""
    rows = []
    for title, name, made in (("Standard model", recipe.standard, left), ("Robust model", recipe.robust, right)):
        others = []
        if JUDGE in checkpoints.names():
            with torch.no_grad():
                others.append(("independent judge says", model(JUDGE)(made.frames)))
        y = picture.label if picture.label is not None else int(made.clean_logits.argmax())
        rows.append(row(title, checkpoints.header(name).title, made, others, y))
    return rows


def files(recipe: InvertRecipe, left: Emergence, right: Emergence) -> list[Download]:
    """List the downloads for the frame in sight."""
    about = {"recipe": to_json(recipe), "Software": "Robust Frog"}
    made = {"standard": left, "robust": right}

    def picture(e: Emergence) -> bytes:
        frame = min(recipe.frame, len(e.frames) - 1)
        return render.png(render.to_uint8(e.frames[frame : frame + 1])[0], about)

    def sheet() -> bytes:
        cells = [render.to_uint8(t)[0] for e in made.values() for t in (e.x0, e.frames[-1:], e.x)]
        return render.png(render.sheet([render.upscaled(c, 6) for c in cells], 3, gap=12), about)

    def film(kind: str) -> bytes:
        strips = zip(*(render.to_uint8(e.frames) for e in made.values()), strict=False)
        frames = [render.upscaled(render.sheet(list(strip), 2), 6) for strip in strips]
        return render.animation(np.stack(frames), kind, 80, about)

    def arrays() -> bytes:
        tensors = {
            f"{n}_{what}": getattr(e, what) for n, e in made.items() for what in ("frames", "distance", "logits")
        }
        return exports.npz({"x": left.x, "x0": left.x0, "steps": np.array(left.steps), **tensors}, to_json(recipe))

    def curve() -> str:
        n = min(len(e.frames) for e in made.values())
        columns: dict[str, list] = {"step": list(left.steps[:n])}
        for name, e in made.items():
            columns[f"{name}_feature_distance"] = e.distance[:n].tolist()
            columns[f"{name}_pixel_distance"] = e.pixel_distance[:n].tolist()
            columns[f"{name}_prediction"] = [CIFAR10_CLASSES[k] for k in e.logits[:n].argmax(1).tolist()]
        return exports.table(columns)

    return [
        *(Download(f"Picture, {n}", f"{n}-inverted.png", "image/png", lambda e=e: picture(e)) for n, e in made.items()),
        Download("Sheet", "inversion.png", "image/png", sheet, "A row a model: start, inversion, wanted picture"),
        Download("Film, APNG", "emergence.png", "image/apng", lambda: film("apng"), "Lossless"),
        Download("Film, WebP", "emergence.webp", "image/webp", lambda: film("webp"), "Lossless"),
        Download("Arrays, npz", "inversion.npz", "application/octet-stream", arrays, "float32, every frame"),
        Download("Curve, CSV", "inversion.csv", "text/csv", curve),
        Download("Recipe, JSON", "recipe.json", "application/json", lambda: to_json(recipe)),
    ]


shell.header(
    "Robust frog",
    "A robust model's representation holds the frog itself. A standard model's holds something else that only it can see.",
)
default = InvertRecipe()
shell.presets(
    PRESETS,
    key="frog",
    defaults={
        "picture": pictures.default_id(),
        "start": default.start,
        "seed": default.seed,
        "block": default.block,
        "setting": default.setting,
    },
)
if not checkpoints.names():
    st.warning("There are no trained models in checkpoints/. Make them with: make zoo")
    st.stop()
with st.sidebar, shell.told():
    picture = pick_picture(key="picture")
    recipe = replace(controls(), picture=picture.id)
asked, _ = from_query(InvertRecipe, {k: v for k, v in st.query_params.items() if k == "frame"})
left, right = (results().get((replace(recipe, frame=default.frame), name)) for name in (recipe.standard, recipe.robust))
if left is None or right is None:
    with shell.told():
        compute(recipe, picture)
    st.rerun()
rows = rows_of(recipe, left, right, picture)
n = min(len(r.frames) for r in rows)
axis = Axis("step", tuple(map(float, left.steps[:n])), tuple(map(str, left.steps[:n])), f"start: {recipe.start}")
at = scrubber(
    rows, axis, key="frog-scrubber", frame=asked.frame, captions=("wanted", "what was added"), gain=1, report=True
)
if at is not None and str(at) != st.query_params.get("frame", str(default.frame)):
    st.query_params["frame"] = str(at)
downloads(
    files(replace(recipe, frame=at or 0), left, right),
    key="frog",
    script=emergence.script(replace(recipe, frame=at or 0)),
)
shell.glossary("frog", ["representation", "inversion", "robustified picture", "judge"])
with st.expander("The mathematics"):
    st.markdown(lesson("frog")["mathematics"])
