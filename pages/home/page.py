"""Home: what this is in three sentences, a fooled model on screen, and one click to do it oneself."""

import streamlit as st
import torch

from core.data import pictures
from core.files import render
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from core.recipes import to_query
from pages.perturb.work import Job
from pages.ui import shell, work
from pages.ui.rooms import Room, sections
from pages.ui.store import model
from pages.ui.words import percent
from pages.ui.world import current

EPS_FRAME = PerturbRecipe().frame  # of the sweep to L2 eps 2: 0.8
PART = 2  # of the sweep, the one that holds that frame
STYLE = """<style>
.equation { display: grid; grid-template-columns: 1fr auto 1fr auto 1fr; gap: 0 1rem; max-width: 980px; margin: 0.6rem 0; }
.equation figure { margin: 0; }
.equation img { width: 100%; image-rendering: pixelated; border-radius: 0.4rem; display: block; }
.equation .sign { font-size: 2.2rem; opacity: 0.55; margin-top: min(7.2rem, 9vw); }
.equation figcaption { margin-top: 0.5rem; line-height: 1.5; }
.equation small { opacity: 0.7; display: block; }
@media (max-width: 700px) {
  .equation { grid-template-columns: 1fr; max-width: 260px; }
  .equation .sign { margin: 0.1rem auto; text-align: center; }
}
</style>"""


def opening() -> tuple[PerturbRecipe, pictures.Picture]:
    """Return the view that the home page shows and links to."""
    picture = pictures.get(pictures.default_id())
    return PerturbRecipe(picture=picture.id, target="truck", frame=EPS_FRAME), picture


def equation(recipe: PerturbRecipe, picture: pictures.Picture) -> None:
    """Show clean picture + perturbation = result, and what each model says: computed when the page opens."""
    # The piece that the Perturb page uses, which then opens with this part ready.
    piece = Job(recipe, picture).parts[recipe.standard, PART]
    found = work.kept(piece.key, lambda: piece.make(lambda *_: False))
    k = found.positions.index(recipe.eps_values[EPS_FRAME])
    x_adv = found.x_adv[k : k + 1]

    def says(x: torch.Tensor) -> str:
        lines = []
        for title, name in (("Standard", recipe.standard), ("Robust", recipe.robust)):
            with torch.no_grad():
                p = model(name)(x).softmax(1)[0]
            lines.append(f"{title} model: <b>{current().classes[int(p.argmax())]}</b> {percent(float(p.max()))}")
        return "<br>".join(lines)

    def figure(x: torch.Tensor, caption: str, below: str) -> str:
        url = render.data_url(render.png(render.to_uint8(x)[0]))
        return f'<figure><img src="{url}" alt="{caption}"><figcaption>{below}<small>{caption}</small></figcaption></figure>'

    size = f"ε = {recipe.eps_values[EPS_FRAME]:.1f} in ℓ₂"
    st.html(
        f'{STYLE}<div class="equation">{figure(found.x, "a picture", says(found.x))}<div class="sign">+</div>'
        f"{figure(render.amplified(x_adv - found.x, 10.0), f'the change, ten times amplified ({size})', 'not noise: features')}"
        f'<div class="sign">=</div>{figure(x_adv, "the changed picture", says(x_adv))}</div>'
    )


def cards(rooms: list[Room]) -> None:
    """Show a card for each page, four in a row."""
    for first in range(0, len(rooms), 4):
        row = rooms[first : first + 4]
        for column, room in zip(st.columns(4)[: len(row)], row, strict=True):
            with column.container(border=True, height="stretch"):
                st.page_link(room.file, label=f"**{room.title}**", icon=room.icon)
                st.caption(room.says)


shell.header("Robust Frog", "Adversarial examples are not bugs, they are features. See for yourself.")
st.markdown(
    "Neural networks see patterns in pictures that people do not, and these patterns are real: they predict the right "
    "answer. An adversarial example is a picture in which somebody has changed such patterns, and nothing else. "
    "A network that is trained not to use them, a *robust* one, sees more like you do; here both stand side by side."
)
recipe, picture = opening()
if st.button("Fool a model yourself", type="primary", icon=":material/tune:"):
    st.switch_page("pages/perturb/page.py", query_params=to_query(recipe))
if {recipe.standard, recipe.robust} <= set(checkpoints.names()):
    with shell.told():
        equation(recipe, picture)
else:
    st.warning("The trained models are not in checkpoints/. Make them with: make zoo")
for section, rooms in sections().items():
    st.markdown(f"##### {section or 'Where to go'}")
    cards(rooms)
st.caption(
    "After Ilyas, Santurkar, Tsipras, Engstrom, Tran and Mądry (NeurIPS 2019), "
    "[arXiv 1905.02175](https://arxiv.org/abs/1905.02175). Everything on these pages is computed on this machine, on small "
    "networks that this project trained itself."
)
