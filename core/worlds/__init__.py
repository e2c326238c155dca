"""Worlds: what models and pictures have in common.

    get("cifar10").classes             # the names of the logits, in their order
    of(recipe).side                    # of the world in which a recipe's view lives
    names()                            # those whose models can be loaded on this computer

A recipe has a field `world`; a checkpoint's header says in which world it lives.
"""

import functools
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from core.data import own as declared_worlds
from core.data import pictures
from core.problems import InputError
from core.worlds import cifar10, imagenet, own, planted
from core.worlds.world import World

__all__ = ["DEFAULT", "World", "first_picture", "get", "known", "names", "of"]

DEFAULT = "cifar10"
_MAKERS: dict[str, Callable[[], World]] = {
    "cifar10": cifar10.world,
    "planted": planted.world,
    "imagenet": imagenet.world,
}


@runtime_checkable
class InAWorld(Protocol):
    """A recipe that says in which world its view lives."""

    @property
    def world(self) -> str:
        """Name of the world."""


@functools.cache
def _made(name: str) -> World:
    return _MAKERS[name]()


def get(name: str = DEFAULT) -> World:
    """Return the world of that name.

    Raises:
        InputError: If there is none.
    """
    if name in _MAKERS:
        return _made(name)
    said = declared_worlds.declared().get(name)
    if said is None:
        raise InputError(f"there is no world {name!r}; have {', '.join(known())}")
    return _own(said)


@functools.lru_cache(maxsize=16)
def _own(said: declared_worlds.Declared) -> World:
    return own.world(said)


def of(recipe: InAWorld) -> World:
    """Return the world in which a recipe's view lives."""
    return get(recipe.world)


def known() -> tuple[str, ...]:
    """List all worlds, installed or not."""
    return (*_MAKERS, *declared_worlds.declared())


def names() -> tuple[str, ...]:
    """List the worlds whose models can be loaded on this computer."""
    return tuple(name for name in known() if get(name).installed)


def first_picture(world: World) -> str:
    """Return the id of the picture that a world shows first."""
    return world.picture or pictures.default_id()
