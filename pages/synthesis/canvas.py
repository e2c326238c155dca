"""The canvas of hold to morph: what `pages.synthesis.live` serves, to be painted on and morphed in the browser."""

from collections.abc import Sequence
from typing import Any

from core.files.render import to_uint8
from core.types import Images
from pages.synthesis.board import Live
from pages.ui.component import component
from pages.ui.live import packed

_mount = component("synthesis")


def canvas(
    live: Live,
    *,
    key: str,
    page: str,
    titles: Sequence[tuple[str, str]],
    starts: Sequence[tuple[str, str, Images]],
    judge: str,
    eps: str,
    step: float,
    version: int = 0,
    play: bool = True,
) -> None:
    """Mount the canvas. The page, or the fragment around it, runs again after each stroke and each hold.

    Args:
        live: The board and its connection.
        key: Identity on the page.
        page: The page's path, which the browser takes off its address to find the connection.
        titles: Title and subtitle of each model.
        starts: Pictures to start from: name, label, picture (1, C, H, W).
        judge: What the independent network is called, if there is one.
        eps: The limit that is chosen at first, one of `core.synthesis.recipe.LIMITS`.
        step: The step that is chosen at first.
        version: Changes where the page itself has changed the board.
        play: Play the film that is there when the canvas opens.
    """
    data: dict[str, Any] = {
        "token": live.token,
        "page": page,
        "models": [{"title": title, "subtitle": subtitle} for title, subtitle in titles],
        "starts": [{"name": name, "label": label, "pixels": packed(to_uint8(x)[0])} for name, label, x in starts],
        "classes": list(live.classes),
        "size": live.board.pictures.shape[-1],
        "judge": judge,
        "eps": eps,
        "step": step,
        "version": version,
        "play": play,
    }
    _mount(key=key, data=data, on_changed_change=_nothing)


def _nothing() -> None:
    pass
