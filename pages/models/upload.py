"""A model of one's own: uploaded, read without running it, looked at by the doctor, and measured on the spot."""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from core.attacks import balls
from core.models import ARCHITECTURES, arrivals, checkpoints, wrapped
from core.models.arrivals import Arrival
from core.models.meaning import PIXELS
from core.problems import InputError
from core.rates import Rate
from core.train.evaluate import clean_accuracy
from core.train.robustness import BySteps, by_steps
from core.worlds import World
from pages.ui import work
from pages.ui.escaped import plain
from pages.ui.hosting import read_only

KEEP_VARIABLE = "ROBUST_FROG_KEEP_MODELS"  # "1": visitors may leave models on this computer
MOST_VARIABLE = "ROBUST_FROG_MODEL_MB"
MOST_MB = 100
FEW = 40  # pictures that are attacked
STEPS = (10, 20)
# What to do on this page, where the command line would need an option.
REMEDIES = {
    "pixels": "Choose that under “It expects”.",
    "colours": "Switch on “Blue, green, red”.",
    "count": "Give its names in the box of classes.",
    "order": "Give its names in the order of its logits in the box of classes.",
}


class Asked(NamedTuple):
    """What a visitor says of the file."""

    arch: str
    pixels: str
    width: int
    bgr: bool
    classes: tuple[str, ...]


class Seen(NamedTuple):
    """What came out."""

    arrival: Arrival
    clean: Rate | None
    robust: BySteps | None


def most_mb() -> int:
    """Return the largest upload in MB: what the setting and the server both let through.

    Raises:
        InputError: If the setting is not a number of megabytes.
    """
    raw = os.environ.get(MOST_VARIABLE) or str(MOST_MB)
    if not (raw.isascii() and raw.isdecimal() and 0 < int(raw[:9]) < 10**5):
        raise InputError(f"{MOST_VARIABLE} must be a whole number of megabytes >= 1, got {raw!r}")
    return min(int(raw), int(st.get_option("server.maxUploadSize")))


def show(world: World) -> None:
    """Show the upload, and what the doctor says."""
    if read_only():
        st.info("This host takes no files from visitors. On one's own computer: python -m core.models add FILE.")
        return
    st.markdown(
        "Weights as safetensors, or as anything that PyTorch saved: a state dict, a checkpoint of Lightning or of"
        " MadryLab. **Nothing in the file is run.** It stays in this session and is gone with it. Files larger than"
        f" {most_mb()} MB: python -m core.models add FILE --arch NAME, on one's own computer."
    )
    left, right = st.columns(2)
    with left:
        file = st.file_uploader(
            "File of weights",
            key="models-file",
            max_upload_size=most_mb(),
            type=["safetensors", "pt", "pth", "ckpt", "bin", "tar"],
        )
        names = st.text_area(
            "Its classes, in the order of its logits, one a line",
            key="models-classes",
            height=80,
            placeholder=f"empty: {', '.join(world.classes[:4])}, … as here",
        )
    with right:
        arch = st.selectbox(
            "Architecture",
            architectures(),
            index=0,
            key="models-arch",
            accept_new_options=True,
            help="A network of this project, or timm/NAME, or torchvision/NAME.",
        )
        pixels = st.selectbox("It expects", list(PIXELS), key="models-pixels")
        with st.container(horizontal=True):
            width = st.number_input(
                "Width (0: usual)", 0, 1024, 0, key="models-width", help="Of a network of this project."
            )
            bgr = st.toggle(
                "Blue, green, red", key="models-bgr", help="Trained on colours in that order, as OpenCV reads them."
            )
    if file is None or not arch:
        return
    lines = tuple(line.strip() for line in names.splitlines() if line.strip())
    result(file.name, file.getvalue(), Asked(str(arch), pixels, int(width), bgr, lines), world)


@functools.cache
def architectures() -> tuple[str, ...]:
    """List what can be chosen without typing: ours, and the well-known ones of the two libraries that are installed."""
    known = ("resnet18", "resnet34", "resnet50", "vgg11", "densenet121", "mobilenet_v3_small", "convnext_tiny")
    others = [f"{library}/{name}" for library in wrapped.LIBRARIES for name in known if name in wrapped.names(library)]
    return (*ARCHITECTURES, *others)


def result(name: str, data: bytes, asked: Asked, world: World) -> None:
    """Look at the file beside the page, and say what came out."""
    key = ("models-upload", hashlib.sha256(data).hexdigest(), asked, world.name)
    piece = work.Piece(key, looked(name, data, asked, world), steps=3 * sum(STEPS), own=True)
    try:
        (outcome,) = work.ask([piece], group=key, text=f"Reading {plain(name)} and looking at it…")
    except InputError as problem:
        text = str(problem)
        st.error(plain(text[:1].upper() + text[1:]), icon=":material/error:")
        return
    if outcome.value is None:
        work.say_stopped("Stopped.")
        return
    report(outcome.value, world)


def looked(name: str, data: bytes, asked: Asked, world: World) -> Callable[..., Seen]:
    """Return what reads the model, has it looked at, and attacks it a little."""

    def make(on_step: Callable[..., bool | None]) -> Seen:
        mean, std = PIXELS[asked.pixels]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(name).name[-80:]
            path.write_bytes(data)
            arrived = arrivals.receive(
                path,
                asked.arch,
                world=world.name,
                width=asked.width or None,
                mean=mean,
                std=std,
                classes=asked.classes or None,
                bgr=asked.bgr,
                most_bytes=most_mb() * 2**20,
            )
        x, y = arrivals.specimens(world)
        if y is None or any(finding.fault in ("dead", "shape", "finite") for finding in arrived.findings):
            return Seen(arrived, None, None)
        ball = balls.L2(0.5 * world.scale)
        robust = by_steps(arrived.model, x[:FEW], y[:FEW], ball, counts=STEPS, on_step=on_step)
        return Seen(arrived, clean_accuracy(arrived.model, x, y), robust)

    return make


def report(seen: Seen, world: World) -> None:
    """Say what the doctor found, what was measured, and how to keep the model."""
    arrived = seen.arrival
    for finding in arrived.findings:
        remedy = REMEDIES.get(finding.fault, finding.remedy)
        st.warning(f"**{plain(finding.says)}** {plain(remedy)}", icon=":material/stethoscope:")
    if not arrived.findings:
        st.success("The doctor finds nothing wrong with it.", icon=":material/stethoscope:")
    st.markdown("\n".join(f"- {plain(note)}" for note in arrived.notes))
    if seen.clean is not None and seen.robust is not None and seen.robust.rates:
        st.markdown(
            f"**On {world.title}'s pictures here:** clean {seen.clean}; under PGD with {seen.robust.counts[-1]} steps"
            f" at L2 {0.5 * world.scale:g}: {seen.robust.rates[-1]}."
        )
        for reason in seen.robust.warnings:
            st.caption(f"Not to be trusted: {reason}.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.download_button(
            "Save it as a checkpoint",
            data=lambda: as_file(arrived),
            file_name="my-model.safetensors",
            key="models-save",
            on_click="ignore",
            help="Put it into checkpoints/ of your own copy, and every page there offers it.",
            width="content",
        )
        if os.environ.get(KEEP_VARIABLE) == "1":
            name = st.text_input("Name", "my-model", key="models-name", width=220)
            if st.button("Keep it on this computer", key="models-keep", type="primary"):
                kept(arrived, name)


def kept(arrived: Arrival, name: str) -> None:
    """Write the model beside the others."""
    try:
        path = arrivals.keep(arrived, name)
    except InputError as problem:
        st.error(plain(problem), icon=":material/error:")
        return
    st.success(f"{path.name.removesuffix(checkpoints.SUFFIX)} is kept: every page offers it now.")


def as_file(arrived: Arrival) -> bytes:
    """Return the checkpoint's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        return arrivals.keep(arrived, "my-model", Path(folder)).read_bytes()
