"""The picture picker every page opens with: `picture = pick_picture(key="picture")`; what it keeps is in `chosen`."""

import random
from functools import lru_cache, partial

import numpy as np
import streamlit as st
from PIL import Image

from core import worlds
from core.data import pictures
from core.data.decode import FORMATS, MAX_BYTES, PictureError
from core.data.pictures import Picture
from core.files.render import data_url, png, to_uint8, upscaled
from pages.ui import chosen, work
from pages.ui.download import offer_cifar10
from pages.ui.escaped import plain
from pages.ui.hosting import read_only
from pages.ui.world import current, enter

SOURCES = {
    "cifar10": "CIFAR-10 test set",
    "gallery": "Generated",
    "photo": "Photograph",
    "upload": "Upload",
    "webcam": "Webcam",
}
STRIP = 8  # candidates shown at once
PREVIEW, TILE = 128, 104  # pixels wide; a candidate's are shown 52 high
# A picture in a button's label is as high as the text unless told otherwise.
STYLE = """<style>
[class*="-picker"] img { image-rendering: pixelated; }
[class*="-candidates"] button { padding: 3px; min-height: 0; }
[class*="-candidates"] button img { height: 52px; max-height: none; display: block; }
</style>"""


def pick_picture(*, key: str, default: str | None = None) -> Picture:
    """Show the picker and return the chosen picture; there always is one.

    Args:
        key: Where the id lives.
        default: The picture while nobody has chosen one; by default the one that the world opens with.
    """
    if st.session_state.get(key) in (None, chosen.first()) and not st.query_params.get(chosen.PARAMETER):
        st.session_state[key] = default or chosen.first()
    picture = chosen.picture(key)
    with st.container(key=f"{key}-picker"):
        st.html(STYLE)
        preview, controls = st.columns([1, 4], vertical_alignment="top")
        with preview:
            st.image(_url(picture, PREVIEW), width=PREVIEW, output_format="PNG", alt=_alt(picture))
        with controls:
            _controls(key, picture)
        st.caption(" · ".join((picture.caption, *picture.notes)))
        if picture.source == "uploaded":
            _what_is_on_it(key)
            st.caption("It stays in this session and is stored nowhere, so a link to this page cannot show it.")
        if refused := chosen.refusal(key, picture):
            st.error(plain(refused))
        if "cifar10" in current().sources and "cifar10" not in pictures.available():
            offer_cifar10(key=f"{key}-download")
            drawn = worlds.get("planted")
            st.caption(f"{drawn.title} are drawn by the program and need no download.")
            st.button(
                f"Enter {drawn.title}",
                key=f"{key}-drawn",
                icon=":material/public:",
                on_click=enter,
                args=(drawn.name,),
            )
    chosen.write_address(key, picture)
    return picture


def _controls(key: str, picture: Picture) -> None:
    own = [] if read_only() else ["upload", "webcam"]
    kinds = [*pictures.available(current().sources), *own]
    if st.session_state.get(f"{key}-source") not in ("upload", "webcam"):  # they show the last picture until one comes
        st.session_state[f"{key}-source"] = picture.id.partition("/")[0]
    source = st.segmented_control(
        "Picture from",
        kinds,
        key=f"{key}-source",
        format_func=_called,
        required=True,
        wrap=True,
        on_change=_change_source,
        args=(key,),
    )
    match source:
        case "upload":
            st.file_uploader(
                "A picture of yours",
                [*map(str.lower, FORMATS), "jpg"],
                key=f"{key}-file",
                max_upload_size=MAX_BYTES // 2**20,
                on_change=_receive,
                args=(key, f"{key}-file"),
            )
        case "webcam":
            st.camera_input("Take a picture", key=f"{key}-camera", on_change=_receive, args=(key, f"{key}-camera"))
        case _:
            _candidates(key, source or kinds[0], picture)


def _called(kind: str) -> str:
    return current().title if kind == current().name != worlds.DEFAULT else SOURCES.get(kind.partition("-")[0], kind)


def _what_is_on_it(key: str) -> None:
    """Ask for the truth about an upload, without which each model would be its own judge, and where it is cut."""
    st.selectbox(
        "What is on it?",
        range(len(current().classes)),
        index=None,
        format_func=current().classes.__getitem__,
        placeholder="none of these",
        key=f"{key}-label",
        on_change=_again,
        args=(key,),
        help=(
            "Attacks start from the true class; without it, each model's own answer to the clean picture stands for it."
        ),
    )
    if any("cut to" in note for note in st.session_state[f"{key}-upload"].notes):
        st.slider(
            "Where the square is cut, %",
            0,
            100,
            50,
            5,
            key=f"{key}-cut",
            on_change=_again,
            args=(key,),
            help="Along the longer side, from left or top.",
        )


def _again(key: str) -> None:
    """Make the uploaded picture anew, of the same bytes, as it was asked for below it."""
    data, name = st.session_state[f"{key}-bytes"]
    at, label = st.session_state.get(f"{key}-cut", 50) / 100, st.session_state.get(f"{key}-label")
    st.session_state[f"{key}-upload"] = picture = pictures.from_upload(
        data, name, at=at, label=label, side=current().side
    )
    chosen.choose(key, picture.id)


def _candidates(key: str, source: str, picture: Picture) -> None:
    """Show the block of candidates that the current picture is in; each is a button, so the keyboard reaches it."""
    if not source.startswith("photo"):
        _search(key, source, picture)
    found = _in_class(key, source)
    start = found.index(picture.id) // STRIP * STRIP if picture.id in found else 0
    with st.container(horizontal=True, gap="xsmall", key=f"{key}-candidates"):
        for id in found[start : start + STRIP]:
            candidate = pictures.get(id)
            st.button(
                f"![{_alt(candidate)}]({_url(candidate, TILE)})",
                key=f"{key}-candidate-{id}",
                type="primary" if id == picture.id else "secondary",
                on_click=chosen.choose,
                args=(key, id),
            )


def _url(picture: Picture, wide: int) -> str:
    pixels, side = to_uint8(picture.x)[0].tobytes(), picture.x.shape[-1]
    if picture.private:
        return work.kept(("picker", picture.id, side, wide), partial(_encoded, pixels, side, wide), own=True)
    return _once(pixels, side, wide)


def _encoded(pixels: bytes, side: int, wide: int) -> str:
    """Return the data URL of a square picture (H, W, 3) in 8 bits, at most so many pixels wide.

    A smaller one has each pixel repeated.
    """
    image = np.frombuffer(pixels, np.uint8).reshape(side, side, 3)
    if side > wide:
        return data_url(png(np.asarray(Image.fromarray(image).resize((wide, wide), Image.Resampling.BOX))))
    return data_url(png(upscaled(image, wide // side)))


_once = lru_cache(maxsize=512)(_encoded)  # every run of every page shows nine of them; none that a visitor brought


def _search(key: str, source: str, picture: Picture) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Class",
            range(len(current().classes)),
            index=None,
            format_func=current().classes.__getitem__,
            placeholder="all",
            key=f"{key}-class",
            width=160,
            on_change=_another,
            args=(key, source),
        )
        st.session_state[f"{key}-number"] = int(picture.id.partition("/")[2])
        st.number_input(
            "Number",
            0,
            len(pictures.ids(source)) - 1,
            key=f"{key}-number",
            width=140,
            on_change=_go_to_number,
            args=(key, source),
        )
        st.button("Another one", key=f"{key}-another", icon=":material/shuffle:", on_click=_another, args=(key, source))


def _in_class(key: str, source: str) -> tuple[str, ...]:
    return pictures.ids(source, st.session_state.get(f"{key}-class") if not source.startswith("photo") else None)


def _change_source(key: str) -> None:
    source, uploaded = st.session_state[f"{key}-source"], st.session_state.get(f"{key}-upload")
    if source in ("upload", "webcam"):
        if uploaded is not None:
            chosen.choose(key, uploaded.id)
        return
    default = chosen.first()
    found = pictures.ids(source)
    chosen.choose(key, default if default in found else found[0])


def _another(key: str, source: str) -> None:
    found = [id for id in _in_class(key, source) if id != st.session_state[key]]
    if found:
        chosen.choose(key, random.choice(found))


def _go_to_number(key: str, source: str) -> None:
    st.session_state[f"{key}-class"] = None
    chosen.choose(key, f"{source}/{st.session_state[f'{key}-number']}")


def _receive(key: str, widget: str) -> None:
    file = st.session_state[widget]
    if file is None:  # taken away again: the picture stays until another is chosen
        return
    try:
        st.session_state[f"{key}-upload"] = picture = pictures.from_upload(
            file.getvalue(), file.name, side=current().side
        )
    except PictureError as error:
        st.session_state[f"{key}-error"] = str(error)
    else:
        st.session_state[f"{key}-bytes"] = (file.getvalue(), file.name)
        for part in ("label", "cut"):
            st.session_state.pop(f"{key}-{part}", None)
        chosen.choose(key, picture.id)


def _alt(picture: Picture) -> str:
    side = picture.x.shape[-1]
    return f"{picture.caption}, {side} by {side} pixels"
