"""The lens: heat maps over all frequencies, and the wave that is chosen on the visitor's picture."""

import base64
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.pictures import Picture
from core.files.render import to_uint8
from core.frequency.heat import NORM, plane
from core.frequency.networks import NOISE
from core.frequency.recipe import NORMS, FrequencyRecipe
from core.frequency.views import wave_signs
from core.rates import Estimate
from pages.frequency.columns import column, here, offer, seen, stage, title
from pages.ui.component import component
from pages.ui.scrubber import Axis
from pages.ui.tables import table

KEY = "frequency-map"
REGION_WORDS = {"low": "coarse", "middle": "middle", "high": "fine"}

_mount = component("frequency")


def show(recipe: FrequencyRecipe, picture: Picture, found: Mapping[str, Any]) -> None:
    """Show the maps, what they say in numbers, and the chosen wave under the scrubber."""
    maps = {name: found["heat"][name] for name in order(recipe, found)}
    if maps:
        _mount(key=KEY, data=payload(recipe, picture, found), on_picked_change=_take)
        st.markdown(verdict(maps))
    else:
        st.info("No heat map of these networks was measured. Measure it with: python -m core.frequency measure heat")
    names = here(recipe)
    made = seen(recipe, picture, names)
    where = tuple(f"norm {norm:g}" for norm in NORMS)
    st.markdown(f"### The wave ({recipe.u}, {recipe.v}) on the picture, from nothing to twice the norm of the map")
    rows = [column(name, made, where, picture.label) for name in names]
    axis = Axis("norm", NORMS, tuple(f"{norm:g}" for norm in NORMS), "L2, per channel")
    captions = ("the picture", "the wave")
    in_sight = stage(recipe, rows, axis, captions, own=picture.private)
    if maps:
        regions(maps, found["regions"])
    offer(in_sight, made, numbers(maps, found), rows, axis, captions)


def order(recipe: FrequencyRecipe, found: Mapping[str, Any]) -> list[str]:
    """List the networks of the recipe that have a heat map."""
    asked = dict.fromkeys((recipe.standard, recipe.robust, NOISE))
    return [name for name in asked if name in found.get("heat", {})]


def payload(recipe: FrequencyRecipe, picture: Picture, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the browser needs to know, ready for JSON."""
    side = picture.x.shape[-1]
    maps = []
    for name in order(recipe, found):
        one = found["heat"][name]
        values = plane([wrong / one["n"] for wrong in one["wrong"]], side)
        maps.append(
            {
                "title": title(name),
                "subtitle": f"without a wave {100 * (1 - one['clean']['value']):.0f} % of these {one['n']} are wrong",
                "n": one["n"],
                "values": [round(float(v), 4) for v in values.flatten()],
            }
        )
    return {
        "side": side,
        "at": [recipe.u, recipe.v],
        "norm": NORM,
        "signs": wave_signs(recipe).flatten().tolist(),
        "picture": base64.b64encode(to_uint8(picture.x)[0].tobytes()).decode(),
        "caption": picture.caption,
        "maps": maps,
    }


def verdict(maps: Mapping[str, Any]) -> str:
    """Say what the maps show, coarse against fine, in measured numbers."""
    lines = []
    for name, one in maps.items():
        low, high = (Estimate.from_json(one["regions"][region]) for region in ("low", "high"))
        if not low.apart(high):
            says = "no difference between coarse and fine waves that so few pictures show"
        elif high.above(low):
            says = "coarse waves harm it less than fine ones"
        else:
            says = "**the other way round**: coarse waves harm it more than fine ones"
        lines.append(f"- {title(name)}: {says} ({low.per_cent(0)} against {high.per_cent(0)} wrong).")
    n = min(one["n"] for one in maps.values())
    few = " These are few pictures: read regions, not single squares." if n < 500 else ""
    return "\n".join(lines) + f"\n\nn = {n} test pictures at each of 514 frequencies, norm 4 in each channel.{few}"


def regions(maps: Mapping[str, Any], limits: Mapping[str, Any]) -> None:
    """Show the error by region in a table, and where the comparison comes from."""
    heads = ["Wrong, mean over the region"]
    for name, (low, high) in limits.items():
        span = f"{low:g} to {high:g}" if high is not None else f"from {low:g}"
        heads.append(f"{REGION_WORDS[name]}: {span} cycles")
    rows = [
        [title(name), *(Estimate.from_json(one["regions"][r]).per_cent(0) for r in limits)]
        for name, one in maps.items()
    ]
    table(heads, rows, label="Error of each network by region of frequencies")
    about = next(iter(maps.values()))
    st.caption(
        f"95 % intervals over pictures, n = {about['n']}, seed {about['seed']}, {about['date']}; {about['how']}. The"
        " paper-side figure (Gilmer & Hendrycks 2019, figure 2: CIFAR-10, 1,000 pictures, norm 4) has no printed"
        " numbers. Read off by eye, their natural network errs at 0.6 to 0.85 outside the middle, the adversarially"
        " trained one mostly at 0.2 to 0.45, with a smaller safe centre."
    )


def numbers(maps: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, list[object]]:
    """Lay the heat maps out as a table."""
    columns: dict[str, list[object]] = {key: [] for key in ("network", "u", "v", "wrong", "n")}
    for name, one in maps.items():
        for (u, v), wrong in zip(found["frequencies"], one["wrong"], strict=True):
            for column_, value in zip(columns.values(), (name, u, v, wrong, one["n"]), strict=True):
                column_.append(value)
    return columns


def _take() -> None:
    """Take over the frequency that was picked, before the page runs."""
    state = st.session_state.get(KEY)
    picked = state.get("picked") if state else None
    if picked:
        apply(picked)


def apply(picked: Mapping[str, Any]) -> None:
    """Set the two boxes of the frequency; what is none is left alone."""
    u, v = picked.get("u"), picked.get("v")
    if all(isinstance(k, int) and -16 <= k <= 15 for k in (u, v)):
        st.session_state["u"], st.session_state["v"] = u, v
