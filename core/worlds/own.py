"""A person's own world: what its `world.toml` says, and what follows from the size of its pictures."""

from core.data.own import Declared
from core.worlds.world import SIDE, World


def world(said: Declared) -> World:
    """Return the world of a folder of pictures."""
    scale = said.side / SIDE
    lengths = {f"{length * scale:g}": (length * scale, 20) for length in (0.5, 2.0, 5.0)}
    train = f"python -m core.train --world {said.name} --out checkpoints/{said.name}"
    return World(
        name=said.name,
        title=said.title,
        classes=said.classes,
        side=said.side,
        sources=(said.name,),
        standard="",
        picture=f"{said.name}/0",
        reaches={
            "Linf": {"8/255": (8 / 255, 16), "20/255": (20 / 255, 20), "40/255": (40 / 255, 20)},
            "L2": lengths,
        },
        reach={"Linf": "20/255", "L2": list(lengths)[1]},
        how=f"No network knows the classes of {said.title} yet: train one with `{train}-standard.safetensors`.",
        robust_how=f"There is no robust network of {said.title} here yet; `{train}-l2.safetensors --norm L2 --eps"
        f" {0.5 * scale:g}` trains one.",
    )
