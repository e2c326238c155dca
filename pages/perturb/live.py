"""The live connection of the duel (`pages.ui.live`): the browser sends a frame, and gets it back attacked.

    said      {"do": "frame", "pixels": base64 of (H, W, 3), "at": index of the radius, "target": class or null}
    answered  {"is": "seen", "models": [{"pixels", "delta", "says", "clean", "norm", "fooled", "counts"}, ...]}

Frames live as long as they are attacked; of the last one the perturbation stays, until the component goes away.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.websockets import WebSocket
from torch import nn

from core import worlds
from core.files.render import amplified, from_uint8, to_uint8
from core.perturb.duel import Chase, Seen
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from pages.ui import live
from pages.ui.live import packed, top, unpacked
from pages.ui.turns import Account

PATH = "_duel"
GAIN = 10.0


class Arena(live.Held):
    """What a visitor's duel is between; the page brings it up to date.

    Args:
        recipe: Its norm, its radii and its world.
        models: Each that is attacked, prepared by `core.models.ready`.
        account: Whose share of the cores it takes.
    """

    def __init__(self, recipe: PerturbRecipe, models: Sequence[nn.Module], account: Account | None = None) -> None:
        super().__init__(account)
        self.recipe, self.models = recipe, tuple(models)


class Duel(live.Talk[Arena]):
    """One browser, and the attacks that follow its picture."""

    def __init__(self, arena: Arena, socket: WebSocket) -> None:
        super().__init__(arena, socket)
        self.chases: list[Chase] = []

    def longest(self) -> int:
        """Return how many characters a frame has at most."""
        side = worlds.of(self.held.recipe).side
        return live.WORDS + live.room((1, side, side, 3))

    async def hear(self, asked: dict[str, Any]) -> None:
        """Attack a frame."""
        arena = self.held
        if asked.get("do") != "frame":
            raise InputError("there is nothing to do but to attack a frame")
        recipe, world = arena.recipe, worlds.of(arena.recipe)
        with live.understood():
            x = from_uint8(unpacked([asked["pixels"]], (1, world.side, world.side, 3)))
            at, target = int(asked["at"]), None if asked["target"] is None else int(asked["target"])
        if not 0 <= at < len(recipe.eps_values) or (target is not None and not 0 <= target < len(world.classes)):
            raise InputError("there is no such radius, or no such class")
        if [chase.model for chase in self.chases] != list(arena.models):
            self.chases = [Chase(model, recipe.precision) for model in arena.models]
        eps = recipe.eps_values[at]
        jobs = [partial(one.follow, x, norm=recipe.norm, eps=eps, target=target) for one in self.chases]
        seen = await asyncio.gather(*map(self.in_turn, jobs))
        await self.tell({"is": "seen", "models": [said(one, world.classes) for one in seen]})


def said(seen: Seen, classes: Sequence[str]) -> dict[str, Any]:
    """Pack what a model saw."""
    return {
        "pixels": packed(to_uint8(seen.x_adv)[0]),
        "delta": packed(to_uint8(amplified(seen.x_adv - seen.x, GAIN))[0]),
        "says": top(seen.attacked, classes),
        "clean": top(seen.clean, classes, 1),
        "norm": round(seen.norm, 4),
        "fooled": seen.fooled,
        "counts": seen.counts,
    }


serve = live.served(Arena, Duel)
ROUTES = live.routes(PATH, serve)
