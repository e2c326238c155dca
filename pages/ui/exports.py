"""Downloads, the same on every page: pictures, arrays, tables, films, the recipe, and the view as Python.

For example:

    out = Bundle(recipe)
    out.slide("Sheet", "sheet.png", lambda: [[clean, result]], heads=("clean", "result"), caption="What it shows.")
    out.table("Curve", "curve.csv", lambda: {"step": steps})
    downloads(out.files, key="perturb", script=script(recipe))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from core.files import arrays, playable, render
from core.files.playable import Scene
from core.files.render import RGB, Frames
from core.files.slides import factor, slide
from core.recipes import to_json
from pages.ui import mine
from pages.ui.folded import folded

RECIPE = "recipe.json"
LABEL = "Save and share"
FILM_WIDE = 512  # px, at least


@dataclass(frozen=True)
class Download:
    """A file that is made when it is asked for.

    Args:
        label: What the button says.
        name: File name.
        mime: Its type.
        make: Returns the contents.
        note: What to know about it.
    """

    label: str
    name: str
    mime: str
    make: Callable[[], bytes | str]
    note: str = ""


class Bundle:
    """All that leaves a view: whatever can carry the recipe does, and pictures are large enough for a slide.

    Args:
        recipe: The view, a frozen dataclass, or its JSON.
    """

    def __init__(self, recipe: Any) -> None:
        self.json = recipe if isinstance(recipe, str) else to_json(recipe)
        self._files: list[Download] = []

    @property
    def files(self) -> list[Download]:
        """The downloads in the order in which they were named, the recipe last."""
        return [*self._files, Download("Recipe, JSON", RECIPE, "application/json", lambda: self.json)]

    def slide(
        self,
        label: str,
        name: str,
        rows: Callable[[], Sequence[Sequence[RGB]]],
        *,
        heads: Sequence[str] = (),
        sides: Sequence[str] = (),
        caption: str,
        note: str = "",
    ) -> None:
        """Offer pictures on a page with titles and a caption: see `core.files.slides.slide`."""

        def make() -> bytes:
            return self.encoded(slide(rows(), heads=heads, sides=sides, caption=caption), caption=caption)

        self.file(label, name, "image/png", make, note or "Large, with a caption; every pixel a square")

    def pixels(self, label: str, name: str, picture: Callable[[], RGB], note: str = "") -> None:
        """Offer a picture as it is, pixel for pixel."""
        self.file(label, name, "image/png", lambda: self.encoded(picture()), note)

    def film(self, name: str, strips: Callable[[], Sequence[Frames]], *, ms: int) -> None:
        """Offer a film of columns (F, H, W, 3) that run side by side, as NAME-film.png and NAME.webp.

        Args:
            name: Of the files, without ending.
            strips: The columns.
            ms: Milliseconds a frame.
        """

        def make(kind: str) -> bytes:
            frames = [render.sheet(list(cells), len(cells)) for cells in zip(*strips(), strict=True)]
            times = factor(frames[0].shape[1], FILM_WIDE)
            return render.animation(np.stack([render.upscaled(f, times) for f in frames]), kind, ms, self._about())

        note = "Lossless; browsers and Keynote play it"
        self.file("Film, APNG", f"{name}-film.png", "image/apng", lambda: make("apng"), note)
        self.file("Film, WebP", f"{name}.webp", "image/webp", lambda: make("webp"), "Lossless")

    def playable(self, name: str, scene: Callable[[], Scene]) -> None:
        """Offer the view as one file that plays without the app and without a network, as NAME.html."""
        make = lambda: playable.page(scene(), self.json)
        note = "One file that plays in any browser, offline: for slides, notebooks, learning platforms"
        self.file("Playable page", f"{name}.html", "text/html", make, note)

    def arrays(self, name: str, named: Callable[[], Mapping[str, Tensor | np.ndarray]], note: str = "float32") -> None:
        """Offer arrays at full precision."""
        made = lambda: arrays.npz(named(), self.json)
        self.file("Arrays, npz", name, "application/octet-stream", made, note)

    def table(
        self, label: str, name: str, columns: Callable[[], Mapping[str, Sequence[object]]], note: str = ""
    ) -> None:
        """Offer columns of equal length as CSV."""
        self.file(f"{label}, CSV", name, "text/csv", lambda: arrays.table(columns()), note)

    def file(self, label: str, name: str, mime: str, make: Callable[[], bytes | str], note: str = "") -> None:
        """Offer any other file."""
        self._files.append(Download(label, name, mime, make, note))

    def encoded(self, picture: RGB, **about: str) -> bytes:
        """Encode a picture as PNG with the recipe, and what else is to be known, inside."""
        return render.png(picture, {**self._about(), **about})

    def _about(self) -> dict[str, str]:
        return {"recipe": self.json, "Software": "Robust Frog"}


def downloads(files: list[Download], *, key: str, script: str) -> None:
    """Show the downloads and the script in a folded panel."""

    def panel() -> None:
        st.caption(
            "The address of this page is a link to this view. Files are lossless and carry the recipe; the camera in a"
            " chart's corner saves it as a picture."
        )
        with st.container(horizontal=True):
            for file in files:
                st.download_button(
                    file.label,
                    data=file.make,
                    file_name=file.name,
                    mime=file.mime,
                    help=file.note or None,
                    key=f"{key}-{file.name}",
                    on_click="ignore",
                    width="content",
                )
            mine.offer(next((file.make for file in files if file.name == RECIPE), None), key=key)
        st.markdown("**The same as Python**")
        st.code(script, language="python", wrap_lines=True)

    folded(LABEL, panel, key=f"{key}-exports", icon=":material/download:")
